"""Sums over our orders and positions: what could happen if everything that may fill does."""

from lighterman.domain.units import PICO_PER_MICRO
from lighterman.engine.state import MarketState, State
from lighterman.risk.gate import Exposure


def exposure_of(state: State, market: MarketState, closed_reason: str) -> Exposure:
    """Return one market at its worst, for the gate."""
    index = market.market.index
    exposure = Exposure(
        market=market.market,
        position_lots=state.ledger.markets[index].position.size_lots,
        position_max_lots=market.position_max_lots,
        buy_lots=0,
        sell_lots=0,
        highest_bid_ticks=0,
        lowest_ask_ticks=0,
        mark_ticks=market.mark_ticks,
        mid_ticks=market.mid_ticks,
        closed_reason=closed_reason,
    )
    for order in state.orders.of_market(index).by_id.values():
        if order.is_ask:
            exposure.sell_lots += order.exposed_lots()
            lowest = min(order.price_ticks, order.asked_ticks)
            if not exposure.lowest_ask_ticks or lowest < exposure.lowest_ask_ticks:
                exposure.lowest_ask_ticks = lowest
        else:
            exposure.buy_lots += order.exposed_lots()
            exposure.highest_bid_ticks = max(exposure.highest_bid_ticks, order.price_ticks, order.asked_ticks)
    return exposure


def total_notional_micro(state: State) -> int:
    """Return the worst-case value of all markets together, at their marks."""
    return sum(exposure_of(state, market, "").worst_notional_micro() for market in state.markets.values())


def equity_pico(state: State) -> int | None:
    """Return cash plus the value of closing every position at the mark; None while a mark is missing."""
    total_pico = state.ledger.cash_pico
    for index, market in state.markets.items():
        held = state.ledger.markets[index]
        if held.position.size_lots:
            if not market.mark_ticks:
                return None
            total_pico += held.unrealised_micro(market.mark_ticks) * PICO_PER_MICRO
    return total_pico
