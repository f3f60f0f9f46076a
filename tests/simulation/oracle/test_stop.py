"""I3: broken on purpose, and not broken by what is right."""

from simulation.oracle.court import MS, Court, S


def test_an_orderly_stop_is_clean():
    """What left before the flag may arrive after it; a cancel-all and a true last word make it clean."""
    court = Court()
    court.place(1)
    flying = court.leave(court.a_create(2))
    court.oracle.bot_stop_asked(court.now_ns)
    court.skip(50 * MS).arrive(flying)
    court.row(2)
    court.executed(flying)
    court.skip(S)
    court.cancel(1)
    court.cancel(2)
    court.skip(20 * S)
    court.oracle.bot_ended(0, 0, court.now_ns)
    court.oracle.finished(court.now_ns)

    assert court.texts == []
    assert court.oracle.counters["I3"] >= 2


def test_a_create_after_the_flag_is_a_breach():
    """A create or modify that leaves a nanosecond after the stop is a breach."""
    for make in (lambda court: court.a_create(2), lambda court: court.a_modify(1, lots=100)):
        court = Court()
        court.place(1)
        court.oracle.bot_stop_asked(court.now_ns)
        court.leave(make(court))
        assert court.texts == []
        court.skip(1)
        court.leave(make(court))
        assert "I3" in court.verdict


def test_orders_that_stay_are_a_breach():
    """Orders open ten seconds after the stop on a healthy path are a breach, told once."""
    court = Court()
    court.place(1)
    court.oracle.bot_stop_asked(court.now_ns)
    court.skip(9 * S).hear()
    assert court.texts == []
    court.skip(S).hear()
    court.skip(S).hear()

    assert court.verdict == ["I3"]
    assert len(court.texts) == 1


def test_a_fault_excuses_orders_that_stay_but_no_false_word():
    """Under a fault orders may stay, and then the bot must not claim that there are none."""
    court = Court()
    court.place(1)
    court.oracle.fault_began("partition", court.now_ns)
    court.oracle.bot_stop_asked(court.now_ns)
    court.skip(15 * S).hear()
    court.oracle.bot_ended(7, 1, court.now_ns)
    assert court.texts == []

    court.start()
    court.oracle.bot_stop_asked(court.now_ns)
    court.skip(S)
    court.oracle.bot_ended(7, 0, court.now_ns)

    assert court.verdict == ["I3"]


def test_an_exit_without_error_claims_that_nothing_is_open():
    """Exit code 0 with an order in the book is a breach, whatever was said."""
    court = Court()
    court.place(1)
    court.oracle.fault_began("partition", court.now_ns)
    court.oracle.bot_stop_asked(court.now_ns)
    court.oracle.bot_ended(0, None, court.now_ns)

    assert court.verdict == ["I3"]


def test_an_order_that_comes_after_the_claim_is_a_breach():
    """A create in the air belies the claim of no orders when it comes into the book."""
    court = Court()
    flying = court.leave(court.a_create(1))
    court.oracle.bot_stop_asked(court.now_ns)
    court.oracle.bot_ended(0, 0, court.now_ns)
    assert court.texts == []
    court.skip(S).arrive(flying)
    court.row(1)

    assert court.verdict == ["I3"]


def test_an_old_foreign_order_counts_against_the_claim():
    """A foreign order of before the stop belies the claim; one of after it does not."""
    court = Court()
    court.skip(S).oracle.bot_stop_asked(court.now_ns)
    court.foreign(900)
    court.oracle.bot_ended(0, 0, court.now_ns)
    assert court.texts == []

    court = Court()
    court.foreign(900)
    court.skip(S).oracle.bot_stop_asked(court.now_ns)
    court.oracle.bot_ended(0, 0, court.now_ns)

    assert court.verdict == ["I3"]


def test_who_has_not_asked_says_nothing_of_foreign_orders():
    """A process that ends without a number, having asked nobody, is not belied by an order of somebody else's."""
    court = Court()
    court.foreign(900)
    court.skip(S).oracle.bot_stop_asked(court.now_ns)
    court.oracle.bot_ended(0, None, court.now_ns)

    assert court.texts == []


def test_a_kill_is_no_stop():
    """A killed process owes nothing, and the next one may create."""
    court = Court()
    court.place(1)
    court.oracle.bot_stop_asked(court.now_ns)
    court.skip(S).oracle.bot_killed(court.now_ns)
    court.skip(S).start()
    court.place(2)
    court.wait(20 * S)

    assert court.texts == []
