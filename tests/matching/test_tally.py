"""The last day of a market: protocol reference 2.7.1."""

from hypothesis import given
from hypothesis import strategies as st

from helpers.trading_floor import ALPHA, CROWD, START_US, ask, floor, taker_bid
from lighterman.matching.rules import DAY, HOUR
from lighterman.matching.tally import Tally


def test_day_statistics():
    """2.7.1: volume, count, low, high and open of the last 24 hours, forgotten hour by hour."""
    exchange = floor()
    for hours, price in ((0, 1_000), (0, 980), (5, 1_020), (5, 1_010)):
        exchange.act(ask(CROWD, price, 4, expiry_ms=0), START_US + hours * HOUR)
        exchange.act(taker_bid(ALPHA, price, 4), START_US + hours * HOUR)

    day = exchange.stats(0)
    assert (day.day_trades, day.day_base_lots, day.day_quote_micro) == (4, 16, 4 * 4_010)
    assert (day.day_low_ticks, day.day_high_ticks, day.day_open_ticks) == (980, 1_020, 1_000)
    exchange.advance(START_US + DAY)
    day = exchange.stats(0)
    assert (day.day_trades, day.day_low_ticks, day.day_high_ticks, day.day_open_ticks) == (2, 1_010, 1_020, 1_020)
    exchange.advance(START_US + DAY + 5 * HOUR)
    assert exchange.stats(0).day_trades == 0


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9), st.integers(1, 9))))
def test_a_day_is_the_sum_of_its_trades(trades: list[tuple[int, int, int]]):
    """2.7.1: the day holds exactly the trades of the current hour and the 23 before it."""
    tally, now = Tally(), 0
    told = []
    for wait, price, size in trades:
        now += wait
        tally.add(price, size, price * size, now * HOUR)
        told.append((now, price, size))
    recent = [(price, size) for hour, price, size in told if hour > now - 24]
    prices = [price for price, _ in recent] or [0]
    day = tally.day(now * HOUR)

    assert (day.trades, day.base_lots, day.quote_micro) == (
        len(recent),
        sum(size for _, size in recent),
        sum(price * size for price, size in recent),
    )
    assert (day.low_ticks, day.high_ticks, day.open_ticks) == (min(prices), max(prices), prices[0])
