"""I8, I9, I13: broken on purpose, and not broken by what is right."""

import msgspec

from lighterman.protocol.transactions import encode
from simulation.oracle.court import CANCEL_KEY, KEY, TERMS, Court, S


def test_names_are_used_once():
    """A second create with the same client order index is a breach, in a later life too."""
    court = Court()
    court.place(1, lots=10)
    court.place(2, lots=10)
    court.cancel(1)
    assert court.texts == []
    assert court.oracle.counters["I8"] >= 4

    court.oracle.bot_killed(court.now_ns)
    court.start()
    court.leave(court.a_create(1, lots=10))

    assert court.verdict == ["I8"]


def test_an_order_may_be_signed_anew():
    """After a refusal the same order may leave with another nonce, but no other order under its name."""
    court = Court()
    tx = court.refuse(court.leave(court.a_create(1, lots=10)))
    court.leave(court.a_create(1, nonce=tx.nonce, lots=10, life_ms=40_000))
    assert court.texts == []

    court = Court()
    tx = court.refuse(court.leave(court.a_create(1, lots=10)))
    court.leave(court.a_create(1, nonce=tx.nonce, lots=11))
    assert court.verdict == ["I8"]

    court = Court()
    court.leave(court.a_create(1, lots=10))
    court.leave(court.a_create(1, lots=10))

    assert court.verdict == ["I8"]


def test_an_order_needs_a_name():
    """A create without a client order index cannot be followed."""
    court = Court()
    court.leave(court.a_create(0))

    assert court.verdict == ["I8"]


def test_a_create_makes_one_order():
    """Two orders with the client order index of one create are a breach."""
    court = Court()
    court.place(1, lots=10)
    court.cancel(1)
    court.row(1, lots=10, order=1 << 50)

    assert court.verdict == ["I8"]


def test_identical_bytes_may_leave_again():
    """Sending the same bytes again is no second use of name or nonce."""
    court = Court()
    tx = court.leave(court.a_create(1))
    court.skip(S)
    court.leave(tx)
    court.place(2, lots=10)

    assert court.texts == []


def test_nonces_count_up_on_each_key():
    """Two keys count apart, and the first nonce of a life may be any."""
    court = Court()
    court.nonces[KEY], court.nonces[CANCEL_KEY] = 700, 30
    court.place(1)
    court.cancel(1)
    court.place(2)

    assert court.texts == []
    assert court.oracle.counters["I9"] == 3


def test_a_stranger_may_use_the_nonce_of_what_was_lost():
    """A nonce that was executed without our transaction having arrived was somebody else's."""
    court = Court()
    lost = court.leave(court.a_cancel(1, nonce=5))
    court.executed(lost)
    court.leave(court.a_cancel(2, nonce=8))

    assert court.texts == []


def test_a_gap_is_a_breach():
    """A nonce left out is a breach on a key that nobody else uses."""
    court = Court()
    court.place(1, lots=10)
    court.leave(court.a_create(2, nonce=5, lots=10))

    assert court.verdict == ["I9"]


def test_a_foreign_user_of_the_key_explains_a_gap():
    """Where somebody else has used the key the venue's next nonce is farther on."""
    court = Court()
    court.place(1, lots=10)
    foreign = court.tx(court.a_create(900), nonce=1)
    court.oracle.transaction_arrived(14, encode(foreign), court.now_ns, court.now_ns)
    court.leave(court.a_create(2, nonce=2, lots=10))
    assert court.texts == []

    court = Court()
    court.place(1, lots=10)
    court.executed(court.tx(court.a_create(900), nonce=1))
    court.leave(court.a_create(2, nonce=2, lots=10))
    assert court.texts == []

    court = Court()
    court.place(1, lots=10)
    court.oracle.key_used(KEY)
    court.leave(court.a_create(2, nonce=2, lots=10))

    assert court.texts == []


def test_reusing_the_nonce_of_what_flies_is_a_breach():
    """Other bytes with the nonce of an unanswered transaction are a breach."""
    court = Court()
    court.leave(court.a_create(1, nonce=7))
    court.leave(court.a_create(2, nonce=7))

    assert court.verdict == ["I9"]


def test_reusing_the_nonce_of_what_was_executed_is_a_breach():
    """Other bytes with a used nonce are a breach."""
    court = Court()
    tx = court.place(1)
    court.leave(court.a_create(2, nonce=tx.nonce))

    assert court.verdict == ["I9"]


def test_a_nonce_that_was_not_used_may_be_used():
    """After a refusal, a drop, or the end of its time, a nonce is free for other bytes."""
    court = Court()
    refused = court.leave(court.a_create(1))
    behind = court.leave(court.a_create(2))
    court.refuse(refused)
    court.refuse(behind)
    dropped = court.leave(court.a_create(3, nonce=refused.nonce))
    court.dropped(dropped)
    lost = court.leave(court.a_create(4, nonce=refused.nonce))
    court.skip(29 * S)
    court.skip(S).hear()
    court.leave(court.a_create(5, nonce=lost.nonce))

    assert court.texts == []


def test_a_refusal_may_be_told_before_the_departure():
    """A transport that is refused within its own call says so before it has returned."""
    court = Court()
    tx = court.a_create(1)
    court.leave(court.refuse(tx))
    court.leave(court.a_create(2, nonce=tx.nonce))

    assert court.texts == []


def test_a_new_process_may_use_what_its_predecessor_left_in_the_air():
    """The bytes of a killed process are not held against the next one's nonces."""
    court = Court()
    left = court.leave(court.a_create(1))
    court.oracle.bot_killed(court.now_ns)
    court.start()
    court.leave(court.a_create(2, nonce=left.nonce))

    assert court.texts == []


def paced(court, count, span_ns, make):
    for name in range(1, count + 1):
        court.leave(make(name))
        court.skip(span_ns // count).hear()


def test_the_budget_may_be_used_up():
    """80 creates and 20 cancels in a minute are within 100 with a fifth kept for cancels, and so on and on."""
    court = Court()
    for minute in range(2):
        paced(court, 80, 50 * S, lambda name, at=minute: court.a_create(name + 1_000 * at, lots=1))
        paced(court, 20, 10 * S, lambda name: court.a_cancel(name, key=CANCEL_KEY))

    assert court.texts == []
    assert court.oracle.counters["I13"] == 200


def test_a_transaction_too_many_is_a_breach():
    """The 101st transaction of a minute breaks the budget."""
    court = Court()
    paced(court, 101, 59 * S, court.a_cancel)

    assert court.verdict == ["I13"]
    assert "101 transactions" in court.texts[0]


def test_creates_may_not_use_what_is_kept_for_cancels():
    """The 81st create of a minute breaks the reserve."""
    court = Court()
    paced(court, 81, 59 * S, lambda name: court.a_create(name, lots=1))

    assert court.verdict == ["I13"]
    assert "81 creates" in court.texts[0]


def test_the_venues_limit_counts_over_restarts():
    """The bot's own budget begins with each process, the venue's does not."""
    court = Court(msgspec.structs.replace(TERMS, venue_messages_per_minute=120))
    paced(court, 100, 20 * S, court.a_cancel)
    court.oracle.bot_killed(court.now_ns)
    court.start()
    paced(court, 20, 10 * S, court.a_cancel)
    assert court.texts == []

    court.leave(court.a_cancel(1))

    assert court.texts == ["I13 121 transactions in a minute > the venue's 120"]
