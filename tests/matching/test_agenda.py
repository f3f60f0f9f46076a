"""What happens later, in its order."""

from hypothesis import given
from hypothesis import strategies as st

from helpers.trading_floor import (
    ALPHA,
    CROWD,
    EXPIRY_MS,
    START_US,
    DropOrder,
    ask,
    bid,
    do,
    fate,
    floor,
    send,
    taker_bid,
)
from lighterman.matching.agenda import Agenda, Duty
from lighterman.matching.outputs import OrderStatus
from lighterman.matching.rules import HOUR, MS


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(list(Duty)))))
def test_first_by_time_then_duty_then_arrival(entries: list[tuple[int, Duty]]):
    """9.2: at one moment the clock goes before the transactions, and those go in order of arrival."""
    agenda = Agenda()
    for due_us, duty in entries:
        agenda.add(due_us, duty, None)

    assert [agenda.pop()[:2] for _ in entries] == sorted(entries)


def test_expiry_goes_before_a_transaction_of_the_same_time():
    """9.2: an order that expires at t does not trade with what is executed at t."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1000, 4, client=1))
    exchange.act(taker_bid(CROWD, 1000, 4), EXPIRY_MS * MS)

    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_EXPIRED, 0)
    assert exchange.now_us == EXPIRY_MS * MS > START_US


def test_funding_goes_before_a_transaction_of_the_same_time():
    """9.2: a position opened at the full hour pays from the next hour on."""
    exchange = floor(tier="premium")
    exchange.advance(START_US + HOUR - 200 * MS)
    do(exchange, ask(CROWD, 1000, 4, expiry_ms=0))
    send(exchange, taker_bid(ALPHA, 1000, 4))
    exchange.advance(START_US + HOUR)

    assert exchange.position_lots(ALPHA, 0) == 4
    assert exchange.fundings_of(ALPHA) == []


def test_expiries_of_ended_orders_are_swept():
    """Memory stays flat when orders with a distant expiry come and go, and the living still expire."""
    exchange = floor()
    do(exchange, bid(ALPHA, 991, 4, client=9_999))
    for n in range(1, 5_000):
        do(exchange, bid(ALPHA, 990, 4, client=n), DropOrder(account_index=ALPHA, market=0, index=n))
    entries = len(exchange._state.agenda)  # noqa: SLF001  (there is no other way to see it)
    exchange.advance(EXPIRY_MS * MS)

    assert entries < 3_000
    assert fate(exchange, ALPHA, 9_999) == (OrderStatus.CANCELED_EXPIRED, 0)
