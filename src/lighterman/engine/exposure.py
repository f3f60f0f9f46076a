"""Sums over our orders and positions: what could happen if everything that may fill does."""

from lighterman.domain.units import PICO_PER_MICRO
from lighterman.engine.state import MarketState, State
from lighterman.risk.gate import Exposure


def exposure_of(market: MarketState, closed_reason: str) -> Exposure:
    """Return one market at its worst, for the gate."""
    worst = market.orders.worst()
    return Exposure(
        market=market.market,
        position_lots=market.held.position.size_lots,
        position_max_lots=market.position_max_lots,
        buy_lots=worst.buy_lots,
        sell_lots=worst.sell_lots,
        highest_bid_ticks=worst.highest_bid_ticks,
        lowest_ask_ticks=worst.lowest_ask_ticks,
        mark_ticks=market.mark_ticks,
        mid_ticks=market.mid_ticks,
        closed_reason=closed_reason,
    )


def total_notional_micro(state: State) -> int:
    """Return the worst-case value of all markets together, at their marks.

    A position whose mark is not known yet counts as what it cost.
    """
    total_micro = 0
    for market in state.markets.values():
        position = market.held.position
        if market.mark_ticks:
            worst = market.orders.worst()
            lots = max(abs(position.size_lots + worst.buy_lots), abs(position.size_lots - worst.sell_lots))
            total_micro += market.market.notional_micro(market.mark_ticks, lots)
        else:
            total_micro += position.entry_quote_micro
    return total_micro


def equity_pico(state: State) -> int | None:
    """Return cash plus the value of closing every position at the mark; None while a mark is missing."""
    total_pico = state.ledger.cash_pico
    for market in state.markets.values():
        held = market.held
        if held.position.size_lots:
            if not market.mark_ticks:
                return None
            total_pico += held.unrealised_micro(market.mark_ticks) * PICO_PER_MICRO
    return total_pico
