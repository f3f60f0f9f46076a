"""Inventory and what it does to the sides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighterman.strategy.skew import side_spreads_bps, skew


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**12))
def test_skew_is_the_share_of_the_limit(position_lots, limit_lots):
    """Skew is the position's share of its limit, clamped, and positive when long."""
    share = skew(position_lots, limit_lots)

    assert share == max(-1.0, min(1.0, position_lots / limit_lots))
    assert -share == skew(-position_lots, limit_lots)


@given(st.floats(0.01, 1000), st.floats(0, 1), st.floats(0, 1))
def test_long_moves_both_sides_down_and_keeps_the_width(half_bps, inventory, factor):
    """When long the bid stands further and the ask nearer by equal bps; when short the mirror image (Q1)."""
    bid_bps, ask_bps = side_spreads_bps(half_bps, inventory, factor)

    assert bid_bps >= half_bps >= ask_bps
    assert bid_bps + ask_bps == pytest.approx(2 * half_bps)
    assert (ask_bps, bid_bps) == side_spreads_bps(half_bps, -inventory, factor)
