"""Mark price: protocol reference 8.1."""

from hypothesis import given
from hypothesis import strategies as st

from helpers.trading_floor import CROWD, START_US, ask, bid, do, floor, only
from lighterman.matching.outputs import StatsChanged
from lighterman.matching.rules import SECOND


def test_mark_moves_towards_the_middle_of_the_book():
    """8.1: mark = index + the average premium of the middle, which takes a minute to arrive."""
    exchange = floor()
    exchange.set_index(0, 100_000, START_US)
    do(exchange, bid(CROWD, 100_099, 4), ask(CROWD, 100_101, 4))
    marks = []
    for second in (0, 30, 60, 120, 1_800):
        exchange.set_index(0, 100_000, START_US + second * SECOND)
        marks.append(exchange.stats(0).mark_ticks)

    assert marks == [100_000, 100_050, 100_075, 100_100, 100_100]


def test_mark_is_capped():
    """8.1: mark stays within 0.5 % of the index, whatever the book says."""
    exchange = floor()
    do(exchange, bid(CROWD, 1_500, 4), ask(CROWD, 1_501, 4))
    exchange.set_index(0, 100_000, START_US + 1_800 * SECOND)
    assert exchange.stats(0).mark_ticks == 99_500


def test_a_one_sided_book_has_no_premium():
    """8.1: without a middle the sample is the index itself."""
    exchange = floor()
    do(exchange, bid(CROWD, 1_004, 4))
    exchange.set_index(0, 1_000, START_US + 1_800 * SECOND)
    assert exchange.stats(0).mark_ticks == 1_000


def test_a_stopped_oracle_keeps_the_mark():
    """9.7: an index of 0 says that there is none; the last mark stays for margins."""
    exchange = floor()
    exchange.set_index(0, 0, START_US)

    assert (exchange.stats(0).index_ticks, exchange.stats(0).mark_ticks) == (0, 1_000)
    assert only(exchange.take_outputs(), StatsChanged) == [StatsChanged(market=0)]


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 200)), min_size=1, max_size=20))
def test_mark_is_always_near_the_index(path: list[tuple[int, int]]):
    """8.1: on any path of the index mark is positive and within the cap, rounded to a tick."""
    exchange, now_us = floor(), START_US
    do(exchange, bid(CROWD, 2_000, 4), ask(CROWD, 2_002, 4))
    for index, seconds in path:
        now_us += seconds * SECOND
        exchange.set_index(0, index, now_us)
        mark = exchange.stats(0).mark_ticks
        assert mark >= 1
        assert abs(mark - index) <= index * 0.005 + 0.5
