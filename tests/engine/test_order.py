"""One order: the table of its life, and what may still fill of it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighterman.domain.errors import InvariantBroken
from lighterman.engine.order import ORDER_TRANSITIONS, Order, OrderState

LOTS = st.integers(1, 10**6)


def _order(price_ticks: int = 100, size_lots: int = 10) -> Order:
    return Order(1, 0, is_ask=False, level=0, price_ticks=price_ticks, size_lots=size_lots, now_ns=1)


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(OrderState, 2)))
def test_an_order_moves_along_the_table_only(before, after):
    """A change of state that the table does not have is a broken invariant."""
    order = _order()
    order.state = before
    if after in ORDER_TRANSITIONS[before]:
        order.move_to(after)
        assert after is order.state
    else:
        with pytest.raises(InvariantBroken):
            order.move_to(after)


def test_what_is_done_stays_done_and_everything_ends():
    """Nothing leads out of DONE, and from every other state it can be reached."""
    assert not ORDER_TRANSITIONS[OrderState.DONE]
    reached = {OrderState.DONE}
    for _ in OrderState:
        reached |= {state for state, targets in ORDER_TRANSITIONS.items() if targets & reached}

    assert set(OrderState) == reached


@given(LOTS, LOTS, LOTS, LOTS)
def test_the_worse_terms_count(size, asked, filled, venue_filled):
    """While a modify may take effect the larger total counts; ended, only fills still to come (O4)."""
    order = _order(size_lots=size)
    order.asked_lots, order.filled_lots, order.venue_filled_lots = asked, filled, max(filled, venue_filled)
    assert order.exposed_lots() == max(0, max(size, asked) - filled)

    order.state = OrderState.DRAINING
    assert order.exposed_lots() == max(filled, venue_filled) - filled


def test_terms_asked_for_are_confirmed_and_others_leave_a_doubt():
    """A row with the asked terms settles a modify; a row with the old ones does not."""
    order = _order()
    order.asked_ticks, order.asked_lots = 101, 12
    order.take_terms(100, 10)
    assert order.is_in_doubt()

    order.take_terms(101, 12)
    assert (101, 12, False) == (order.price_ticks, order.size_lots, order.is_in_doubt())


def test_terms_somebody_else_gave_are_believed():
    """A row with terms nobody asked for is the order as it stands."""
    order = _order()
    order.take_terms(90, 20)

    assert (90, 20, False) == (order.price_ticks, order.size_lots, order.is_in_doubt())
    assert 20 == order.largest_lots


def test_an_order_says_what_it_is():
    """Its text shows side, level, state, what remains and the price."""
    assert "<bid 0 sent 10@100>" == repr(_order())
