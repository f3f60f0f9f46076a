"""Sums at the worst."""

from helpers.desk import BTC, ETH, engine_params, market_params
from helpers.scripted_venue import CASH_PICO, ScriptedVenue
from lighterman.domain.events import StatsReport
from lighterman.domain.units import PICO_PER_MICRO
from lighterman.engine.exposure import equity_pico, exposure_of, total_notional_micro


def _quoting(**lots: int) -> ScriptedVenue:
    venue = ScriptedVenue(engine_params(market_params(), market_params("BTC")), ETH, BTC)
    venue.open(**lots)
    venue.accept()
    return venue


def test_the_worst_is_position_and_all_orders_of_one_side():
    """Everything of one side fills and nothing of the other: the larger of both is the market's worst (I1)."""
    venue = _quoting(ETH=-300)
    exposure = exposure_of(venue.engine.state.markets[ETH.index], "why")

    assert (-300, 4750, 4750) == (exposure.position_lots, exposure.buy_lots, exposure.sell_lots)
    assert (5050, 5050 * 200_000) == (exposure.worst_lots(), exposure.worst_notional_micro())
    assert max(o.price_ticks for o in venue.orders() if not o.is_ask) == exposure.highest_bid_ticks
    assert min(o.price_ticks for o in venue.orders() if o.is_ask) == exposure.lowest_ask_ticks
    assert ("why", 100_000) == (exposure.closed_reason, exposure.position_max_lots)


def test_the_total_is_the_sum_of_the_markets_worst():
    """Markets add up at their marks; the sum is the one the gate would count."""
    venue = _quoting(ETH=-300, BTC=200)
    state = venue.engine.state
    parts = [exposure_of(market, "").worst_notional_micro() for market in state.markets.values()]

    assert sum(parts) == total_notional_micro(state)
    assert 5050 * 200_000 + (200 + 47_500) * 600_000 == sum(parts)


def test_a_position_without_a_mark_counts_as_what_it_cost():
    """Before its first mark a market's position is not nothing: the other markets' room is smaller (I1)."""
    venue = ScriptedVenue(engine_params(market_params(), market_params("BTC")), ETH, BTC)
    venue.describe()
    venue.snapshot(ETH=1000)
    venue.tell(StatsReport(BTC.index, 600_000, 600_000, 0, venue.now_ns))

    assert 1000 * 200_000 == total_notional_micro(venue.engine.state)


def test_equity_is_cash_and_what_closing_would_bring():
    """Equity moves with the mark, and is not known while a position has none (P3)."""
    venue = _quoting(ETH=1000)
    assert CASH_PICO == equity_pico(venue.engine.state)

    venue.tell(StatsReport(ETH.index, 200_007, 200_007, 0, venue.now_ns))
    assert CASH_PICO + 7000 * PICO_PER_MICRO == equity_pico(venue.engine.state)

    unmarked = ScriptedVenue()
    unmarked.describe()
    unmarked.snapshot(ETH=1)
    assert equity_pico(unmarked.engine.state) is None
