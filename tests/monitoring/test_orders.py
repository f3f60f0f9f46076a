"""Orders and commands are counted by what the venue says of them."""

from hypothesis import given
from hypothesis import strategies as st

from helpers.journals import HandClock
from helpers.observed import acked, cancel, decision, fill, modify, place, row, running
from lighterman.domain.events import CommandExecuted, CommandRefused, CommandUnknown, OrdersAbsent
from lighterman.monitoring.orders import REMEMBERED_MAX


def test_a_placement_is_counted_when_the_venue_shows_it():
    """Sending an order counts nothing; its first row counts one, its later rows none (defect O7)."""
    clock = HandClock()
    figures = running(clock)
    order = place(1, is_ask=True)
    figures.observe_turn([], decision(clock, order), clock.now_ns)
    figures.observe_event(acked(1))
    market = figures.markets[0]
    assert ([0, 0], 0) == (market.placed, market.open_orders)

    for _ in range(3):
        figures.observe_event(row(order))

    assert ([0, 1], 1) == (market.placed, market.open_orders)


def test_a_cancel_is_counted_when_it_is_confirmed():
    """A cancelled order counts once, however often its end is told."""
    clock = HandClock()
    figures = running(clock)
    order = place(1)
    figures.observe_turn([], decision(clock, order, cancel(2, order)), clock.now_ns)
    figures.observe_event(row(order))
    for _ in range(3):
        figures.observe_event(row(order, "canceled"))

    market = figures.markets[0]
    assert ([1, 0], 1, 0) == (market.placed, market.canceled, market.open_orders)


def test_an_order_seen_only_at_its_end_was_placed():
    """An order whose first row is its last counts as placed, and as filled or cancelled."""
    clock = HandClock()
    figures = running(clock)
    orders = [place(1), place(2)]
    figures.observe_turn([], decision(clock, *orders), clock.now_ns)
    figures.observe_event(row(orders[0], "filled", 100))
    figures.observe_event(row(orders[1], "canceled"))

    market = figures.markets[0]
    assert ([2, 0], 1, 1, 0) == (market.placed, market.canceled, market.filled_orders, market.open_orders)


def test_a_rejected_order_was_not_placed():
    """An order that the sequencer does not take counts as rejected, by the venue's word (defect O9)."""
    clock = HandClock()
    figures = running(clock)
    order = place(1)
    figures.observe_turn([], decision(clock, order), clock.now_ns)
    for _ in range(2):
        figures.observe_event(row(order, "canceled-post-only"))

    market = figures.markets[0]
    assert ([0, 0], 0, {"canceled-post-only": 1}) == (market.placed, market.canceled, market.rejected)
    assert figures.orders.is_refused


def test_rows_of_others_are_not_counted():
    """Orders that this session did not ask for are no placements of it."""
    figures = running(HandClock())
    figures.observe_event(row(place(99)))

    assert [0, 0] == figures.markets[0].placed


def test_outcomes_are_counted_by_command():
    """Each answer to a command counts once under the command's name."""
    clock = HandClock()
    figures = running(clock)
    first, second, third = place(1), place(2), place(3)
    figures.observe_turn([], decision(clock, first, second, third, modify(4, first), cancel(5, first)), clock.now_ns)
    for event in (
        acked(1),
        acked(1),
        CommandExecuted(1, "", 5),
        CommandExecuted(1, "", 5),
        CommandRefused(2, 21706, "too small", 5),
        CommandUnknown(3, "timeout", 5),
        CommandExecuted(4, "", 5),
        CommandUnknown(4, "late", 5),
        acked(4),
        acked(4),
        CommandExecuted(5, "order not found", 5),
        acked(77),
        CommandUnknown(77, "", 5),
        CommandRefused(77, 1, "", 5),
    ):
        figures.observe_event(event)

    assert {
        ("place", "acked"): 1,
        ("place", "executed"): 1,
        ("place", "refused"): 1,
        ("place", "unknown"): 1,
        ("modify", "executed"): 1,
        ("modify", "acked"): 1,
        ("cancel", "failed"): 1,
    } == figures.orders.outcomes
    assert 1 == figures.markets[0].modified


def test_the_placement_breaker_follows_the_last_answer():
    """A refused order opens it, a refused cancel does not, an executed order closes it."""
    clock = HandClock()
    figures = running(clock)
    order = place(1)
    figures.observe_turn([], decision(clock, order, place(2), place(3), cancel(4, order)), clock.now_ns)
    states = []
    for event in (
        CommandRefused(4, 1, "", 5),
        CommandRefused(1, 1, "", 5),
        CommandExecuted(2, "", 5),
        CommandExecuted(3, "margin", 5),
    ):
        figures.observe_event(event)
        states.append(figures.orders.is_refused)

    assert [False, True, False, True] == states


def test_an_absent_order_is_open_no_more():
    """An order that the venue does not know is taken off the open ones."""
    clock = HandClock()
    figures = running(clock)
    order = place(1)
    figures.observe_turn([], decision(clock, order), clock.now_ns)
    figures.observe_event(row(order))
    figures.observe_event(OrdersAbsent([order.client_order_index, 5], 5, 5))

    assert 0 == figures.markets[0].open_orders


def test_memory_is_bounded():
    """Orders and commands of which nothing is heard are let go, the oldest first."""
    clock = HandClock()
    figures = running(clock)
    orders = [place(number) for number in range(REMEMBERED_MAX + 10)]
    figures.observe_turn([], decision(clock, *orders), clock.now_ns)
    figures.observe_event(row(orders[0]))
    figures.observe_event(row(orders[-1]))
    figures.observe_event(acked(0))

    assert [1, 0] == figures.markets[0].placed
    assert {} == figures.orders.outcomes


STATUSES = ("open", "filled", "canceled", "canceled-expired", "in-progress")


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(STATUSES), st.integers(0, 100)), max_size=60))
def test_counts_agree_with_each_other(rows):
    """Whatever rows arrive in whatever order: placed = open + ended, and never more than asked for."""
    clock = HandClock()
    figures = running(clock)
    orders = {number: place(number) for number in range(1, 6)}
    figures.observe_turn([], decision(clock, *orders.values()), clock.now_ns)
    for number, status, filled in rows:
        figures.observe_event(row(orders[number], status, filled))
        figures.observe_event(fill(number, orders[number]))

    market = figures.markets[0]
    assert 0 <= market.open_orders <= sum(market.placed) <= 5
    assert market.canceled <= sum(market.placed) - market.open_orders
    assert sum(market.placed) + sum(market.rejected.values()) <= 5
    assert sum(market.fills) == len({number for number, _, _ in rows})
