"""Binding settings to a market's integers."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.desk import BTC, ETH, VALUE_MAX, market, quote_params
from lighterman.domain.errors import UnitError
from lighterman.strategy.params import bind


@given(st.integers(50, 10**6), st.decimals("1", "4", places=2), st.integers(1, 10))
def test_level_sizes_are_exact(base_lots, multiplier, levels):
    """Each level is the size times the multiplier's power rounded down to a lot, without a float's slip (Q9)."""
    params = quote_params(order_size=ETH.size_text(base_lots), size_multiplier=float(multiplier), levels=levels)
    rules = bind(params, ETH, VALUE_MAX)

    assert rules.sizes_lots == [int(base_lots * Fraction(multiplier) ** level) for level in range(levels)]
    assert rules.total_lots == sum(rules.sizes_lots)


@given(st.integers(1, 10**6), st.integers(50, 10**6), st.integers(1, 10**12), st.integers(1, 10**15))
def test_between_two_prices_no_level_is_cut(price, base_lots, least_micro, most_micro):
    """All levels keep their size just at those prices at which each is worth neither too little nor too much."""
    facts = market(0, "ETH", 2, 50, min_quote_micro=least_micro)
    rules = bind(quote_params(order_size=facts.size_text(base_lots), levels=3), facts, most_micro)
    values = [facts.notional_micro(price, size) for size in rules.sizes_lots]

    is_uncut = rules.uncut_ticks_min <= price <= rules.uncut_ticks_max
    assert is_uncut == all(least_micro <= value <= most_micro for value in values)


def test_a_float_would_lose_a_lot_here():
    """100 lots times 1.15 are 115."""
    params = quote_params(order_size="0.01", size_multiplier=1.15, levels=2)

    assert [100, 115] == bind(params, ETH, VALUE_MAX).sizes_lots


def test_the_most_extreme_ladder_is_bound():
    """The greatest multiplier over the most levels overflows nothing."""
    rules = bind(quote_params(size_multiplier=100.0, levels=50), ETH, VALUE_MAX)

    assert 1000 * 100**49 == rules.sizes_lots[-1]


@pytest.mark.parametrize(("size", "multiplier"), [("0.00001", 1.0), ("0.0049", 1.0), ("0.01", 0.5), ("1e-2", 1.0)])
def test_a_size_the_venue_would_refuse_is_refused_here(size, multiplier):
    """A size off the lot, or a level under the venue's minimum, is an error that says so (Q9)."""
    with pytest.raises(UnitError):
        bind(quote_params(order_size=size, size_multiplier=multiplier), ETH, VALUE_MAX)


def test_a_level_without_size_is_refused():
    """Where the venue has no minimum size a level still has at least one lot."""
    facts = market(0, "ETH", 2, 0)
    params = quote_params(order_size=facts.size_text(2), size_multiplier=0.5, levels=2)

    assert [2, 1] == bind(params, facts, VALUE_MAX).sizes_lots
    with pytest.raises(UnitError):
        bind(msgspec.structs.replace(params, levels=3), facts, VALUE_MAX)


def test_each_market_has_its_own_integers():
    """One text of settings means other lots in another market (O11, SD4)."""
    one_level = quote_params(levels=1)

    assert ([1000], [10_000]) == tuple(bind(one_level, facts, VALUE_MAX).sizes_lots for facts in (ETH, BTC))


def test_the_edge_is_at_least_the_maker_fee():
    """No quote may stand nearer to fair than the fee it pays, whatever the setting says (Q6)."""
    costly = market(0, "ETH", 2, 50, maker_fee_ppm=250)

    assert 2.5 == bind(quote_params(edge_min_bps=1.0), costly, VALUE_MAX).edge_min_bps
    assert 3.0 == bind(quote_params(edge_min_bps=3.0), costly, VALUE_MAX).edge_min_bps
