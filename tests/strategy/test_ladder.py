"""Prices and sizes of the levels."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.desk import ETH, VALUE_MAX, market, quote_params
from lighterman.strategy.ladder import ask_prices, bid_prices, level_sizes
from lighterman.strategy.params import bind

RULES = bind(quote_params(), ETH, VALUE_MAX)
FAR = 10**12
SLIP = Fraction(1, 10**6)  # of a tick: what a float may lose


@given(st.integers(2, 2 * 10**6), st.integers(1, 50_000))
def test_prices_are_the_exact_ones_rounded_outward(twice_fair_ticks, hundredths):
    """A bid is the exact price rounded down, an ask rounded up; a float may lose a millionth of a tick (Q5, SD15)."""
    fair, spread_bps = twice_fair_ticks / 2, hundredths / 100
    bids, asks = bid_prices(RULES, fair, spread_bps, FAR), ask_prices(RULES, fair, spread_bps, -FAR)
    for level, (bid, ask) in enumerate(zip(bids, asks, strict=True)):
        away = Fraction(spread_bps) * (2 + level) / 2 * Fraction(fair) / 10_000
        wished_bid, wished_ask = Fraction(fair) - away, Fraction(fair) + away
        assert -SLIP <= wished_bid - bid < 1 + SLIP or bid == bids[level - 1] - 1
        assert -SLIP <= ask - wished_ask < 1 + SLIP or ask == asks[level - 1] + 1


def test_levels_on_a_coarse_tick_stay_apart():
    """Where several levels round to one price each next one goes a tick further (Q10)."""
    assert [99, 98, 97] == bid_prices(RULES, 100.0, 1.0, FAR)
    assert [101, 102, 103] == ask_prices(RULES, 100.0, 1.0, -FAR)


def test_the_touch_clips_a_level_and_pushes_the_next():
    """No level passes the limit given, and the levels behind it stay distinct (Q7)."""
    assert [50, 49, 48] == bid_prices(RULES, 100.0, 1.0, 50)
    assert [150, 151, 152] == ask_prices(RULES, 100.0, 1.0, 150)


def test_the_edge_holds_when_skew_would_pass_it():
    """A side whose spread came out at nothing, or less, still keeps the edge (Q6)."""
    rules = bind(quote_params(edge_min_bps=5.0, levels=1), ETH, VALUE_MAX)

    assert [199_900] == bid_prices(rules, 200_000.0, -3.0, FAR)
    assert [200_100] == ask_prices(rules, 200_000.0, 0.0, -FAR)


def _sizes(prices, room_lots=10**9, **binding):
    facts = {"params": quote_params(), "market": ETH, "order_value_micro_max": VALUE_MAX}
    return level_sizes(bind(**(facts | binding)), prices, room_lots, "position_limit")


PRICES = [200_000, 199_000, 198_000]


def test_sizes_are_the_wished_ones_where_nothing_binds():
    """Without a limit in the way each level has its full size and no bound is named."""
    assert (RULES.sizes_lots, "") == _sizes(PRICES)


def test_room_is_given_to_the_nearest_level_first():
    """What the position limit leaves goes to level 0, then outward; the limit is named (Q8, SD19)."""
    assert ([1000, 500, 0], "position_limit") == _sizes(PRICES, room_lots=1500)
    assert ([0, 0, 0], "position_limit") == _sizes(PRICES, room_lots=0)
    assert ([0, 0, 0], "position_limit") == _sizes(PRICES, room_lots=-7)


def test_an_order_is_cut_to_its_value():
    """A level worth more than one order may be is cut to the lot below (Q8)."""
    sizes, bound = _sizes(PRICES, order_value_micro_max=200_000_000)

    assert ([1000, 1005, 1010], "order_value_limit") == (sizes, bound)


def test_what_is_too_small_for_the_venue_is_left_out():
    """A level below the venue's minimum size or value is not sent at all, and says why (Q9)."""
    assert ([0, 0, 0], "position_limit") == _sizes(PRICES, room_lots=49)
    assert ([0, 0, 0], "venue_minimum") == _sizes([9, 8, 7])
    dear = market(0, "ETH", 2, 50, min_quote_micro=200_000_000)
    assert ([1000, 1500, 2250], "") == _sizes(PRICES, market=dear)
    assert ([0, 1500, 2250], "venue_minimum") == _sizes([199_999, 199_998, 199_997], market=dear)


@pytest.mark.parametrize("lowest", [0, -5])
def test_a_price_below_one_tick_is_no_price(lowest):
    """A level that would stand at nothing or less is left out."""
    sizes, bound = _sizes([300_000, 200_000, lowest])

    assert (sizes[2], bound) == (0, "price_below_one_tick")
