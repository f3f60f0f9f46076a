"""Binding settings to a market's integers."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.desk import BTC, ETH, market, quote_params
from lighterman.domain.errors import UnitError
from lighterman.strategy.params import bind


@given(st.integers(50, 10**6), st.decimals("1", "4", places=2), st.integers(1, 10))
def test_level_sizes_are_exact(base_lots, multiplier, levels):
    """Each level is the size times the multiplier's power rounded down to a lot, without a float's slip (Q9)."""
    params = quote_params(order_size=ETH.size_text(base_lots), size_multiplier=float(multiplier), levels=levels)
    rules = bind(params, ETH)

    assert rules.sizes_lots == [int(base_lots * Fraction(multiplier) ** level) for level in range(levels)]
    assert (rules.total_lots, rules.smallest_lots, rules.largest_lots) == (
        sum(rules.sizes_lots), min(rules.sizes_lots), max(rules.sizes_lots),
    )  # fmt: skip


def test_a_float_would_lose_a_lot_here():
    """100 lots times 1.15 are 115."""
    assert [100, 115] == bind(quote_params(order_size="0.01", size_multiplier=1.15, levels=2), ETH).sizes_lots


def test_the_most_extreme_ladder_is_bound():
    """The greatest multiplier over the most levels overflows nothing."""
    rules = bind(quote_params(size_multiplier=100.0, levels=50), ETH)

    assert 1000 * 100**49 == rules.largest_lots


@pytest.mark.parametrize(("size", "multiplier"), [("0.00001", 1.0), ("0.0049", 1.0), ("0.01", 0.5), ("1e-2", 1.0)])
def test_a_size_the_venue_would_refuse_is_refused_here(size, multiplier):
    """A size off the lot, or a level under the venue's minimum, is an error that says so (Q9)."""
    with pytest.raises(UnitError):
        bind(quote_params(order_size=size, size_multiplier=multiplier), ETH)


def test_each_market_has_its_own_integers():
    """One text of settings means other lots in another market (O11, SD4)."""
    assert ([1000], [10_000]) == tuple(bind(quote_params(levels=1), facts).sizes_lots for facts in (ETH, BTC))


def test_the_edge_is_at_least_the_maker_fee():
    """No quote may stand nearer to fair than the fee it pays, whatever the setting says (Q6)."""
    costly = market(0, "ETH", 2, 50, maker_fee_ppm=250)

    assert 2.5 == bind(quote_params(edge_min_bps=1.0), costly).edge_min_bps
    assert 3.0 == bind(quote_params(edge_min_bps=3.0), costly).edge_min_bps
