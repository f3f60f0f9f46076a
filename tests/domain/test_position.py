"""Positions: exact PnL, whatever the path."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lighterman.domain.market import Market
from lighterman.domain.position import FLAT, Position, apply_fill

ETH = Market(
    index=0, symbol="ETH", price_decimals=2, size_decimals=4, min_base_lots=50,
    min_quote_micro=10_000_000, order_quote_limit_micro=10**14,
)  # fmt: skip
DELTAS = st.integers(-1000, 1000).filter(bool)
PRICES = st.integers(1, 10**6)
FILLS = st.lists(st.tuples(DELTAS, PRICES), min_size=1, max_size=20)


def _after(fills: list[tuple[int, int]]) -> tuple[Position, int]:
    position, realised_micro = FLAT, 0
    for delta_lots, price_ticks in fills:
        position, gain_micro = apply_fill(position, delta_lots=delta_lots, price_ticks=price_ticks, market=ETH)
        realised_micro += gain_micro
    return position, realised_micro


@given(FILLS, PRICES)
def test_total_pnl_is_what_the_cash_says(fills, mark_ticks):
    """Realised and unrealised PnL together are worth minus cost to the last unit, at any mark."""
    position, realised_micro = _after(fills)
    paid_micro = sum(delta * price for delta, price in fills)

    assert sum(delta for delta, _ in fills) == position.size_lots
    assert position.size_lots * mark_ticks - paid_micro == realised_micro + position.unrealised_micro(mark_ticks, ETH)


@given(FILLS)
def test_selling_mirrors_buying(fills):
    """The same path with sides exchanged costs the same and realises the opposite."""
    position, realised_micro = _after(fills)
    mirrored, mirrored_micro = _after([(-delta, price) for delta, price in fills])

    assert (-position.size_lots, position.entry_quote_micro) == (mirrored.size_lots, mirrored.entry_quote_micro)
    assert -realised_micro == mirrored_micro


@given(FILLS)
def test_cost_is_never_negative_and_flat_costs_nothing(fills):
    """The cost of a position has no sign of its own; without a position there is none."""
    position, _ = _after(fills)

    assert position.entry_quote_micro >= 0
    assert position.size_lots or FLAT == position


@given(st.integers(1, 1000), PRICES, st.integers(1, 1000), PRICES)
def test_adding_realises_nothing(first_lots, first_ticks, second_lots, second_ticks):
    """A fill in the direction of the position only adds its cost."""
    position, realised_micro = _after([(first_lots, first_ticks), (second_lots, second_ticks)])

    assert (first_lots * first_ticks + second_lots * second_ticks, 0) == (position.entry_quote_micro, realised_micro)


@given(st.integers(1, 1000), PRICES, st.integers(1, 1000), PRICES)
def test_crossing_zero_realises_only_the_closed_part(held_lots, entry_ticks, beyond_lots, price_ticks):
    """A fill that crosses zero realises PnL on what it closed; the rest costs the fill's price."""
    position, realised_micro = _after([(held_lots, entry_ticks), (-held_lots - beyond_lots, price_ticks)])

    assert Position(-beyond_lots, beyond_lots * price_ticks) == position
    assert held_lots * (price_ticks - entry_ticks) == realised_micro


def test_reducing_keeps_the_rounding_in_the_position():
    """Reducing shrinks the cost in proportion, rounded down (protocol reference 8.4)."""
    position, realised_micro = _after([(3, 10), (1, 11), (-1, 12)])

    assert Position(3, 41 * 3 // 4) == position
    assert 12 - (41 - 41 * 3 // 4) == realised_micro


def test_the_captured_close():
    """A short of 0.0001 ETH from 1921.25, closed at 1924.74, realises -0.000349 (protocol reference 8.4)."""
    opened, nothing_micro = apply_fill(FLAT, delta_lots=-1, price_ticks=192_125, market=ETH)
    closed, realised_micro = apply_fill(opened, delta_lots=1, price_ticks=192_474, market=ETH)

    assert (Position(-1, 192_125), 0) == (opened, nothing_micro)
    assert (FLAT, -349) == (closed, realised_micro)


@given(FILLS, st.integers(1, 10))
def test_cash_minus_signed_cost_changes_only_by_what_is_paid(fills, multiplier):
    """A trade moves cash less signed cost by minus its quote: what one side loses the other gains (8.4)."""
    facts = msgspec.structs.replace(ETH, quote_multiplier=multiplier)
    ours = theirs = FLAT
    for delta_lots, price_ticks in fills:
        before_micro = ours.signed_entry_micro(), theirs.signed_entry_micro()
        ours, our_gain_micro = apply_fill(ours, delta_lots=delta_lots, price_ticks=price_ticks, market=facts)
        theirs, their_gain_micro = apply_fill(theirs, delta_lots=-delta_lots, price_ticks=price_ticks, market=facts)
        paid_micro = delta_lots * price_ticks * multiplier
        assert -paid_micro == our_gain_micro - ours.signed_entry_micro() + before_micro[0]
        assert paid_micro == their_gain_micro - theirs.signed_entry_micro() + before_micro[1]
