"""I12: broken on purpose, and not broken by what is right."""

from simulation.oracle.court import Court, S


def test_tracked_orders_are_clean():
    """Own orders tracked by name, and a foreign one without a name by its order index, break nothing."""
    court = Court()
    court.place(1)
    foreign = court.row(0, price=199_000)
    court.believe(tracked=frozenset({1, foreign.order_index}))

    assert court.texts == []
    assert court.oracle.counters["I12"] == 1


def test_an_own_order_that_is_not_tracked_is_a_breach():
    """The process that made an order has to know it from the moment it left."""
    court = Court()
    court.place(1)
    court.believe(tracked=frozenset())
    court.believe(tracked=frozenset())

    assert court.verdict == ["I12"]
    assert len(court.texts) == 1


def test_who_does_not_quote_need_not_know():
    """A bot that quotes nothing may have orders it does not track."""
    court = Court()
    court.place(1)
    court.skip(S).believe(tracked=frozenset(), is_quoting={0: False})

    assert court.texts == []


def test_who_creates_quotes():
    """A bot that has just sent a create quotes, whatever it says."""
    court = Court()
    court.place(1)
    court.believe(tracked=frozenset(), is_quoting={0: False})

    assert court.verdict == ["I12"]


def test_a_foreign_order_must_be_known_when_it_was_told():
    """Five seconds and five decisions after a frame named it an order must be tracked."""
    court = Court()
    court.foreign(900)
    for _ in range(10):
        court.skip(S).believe(tracked=frozenset())
    assert court.texts == []
    court.tell_order(900)
    for _ in range(4):
        court.skip(S).believe(tracked=frozenset())
    assert court.texts == []
    court.skip(S).believe(tracked=frozenset())

    assert court.verdict == ["I12"]


def test_reconciliation_finds_every_order():
    """A minute and a half is enough to find an order that no frame has named."""
    court = Court()
    court.foreign(900)
    for _ in range(90):
        court.skip(S).believe(tracked=frozenset())
    assert court.texts == []
    court.skip(S).believe(tracked=frozenset())

    assert court.verdict == ["I12"]


def test_a_new_process_is_told_of_what_its_predecessor_left():
    """An order of an earlier life is like a foreign one, also when it comes into the book late."""
    court = Court()
    court.place(1)
    late = court.leave(court.a_create(2))
    court.tell_order(1)
    court.oracle.bot_killed(court.now_ns)
    court.start()
    court.arrive(late)
    court.row(2)
    for _ in range(6):
        court.skip(S).believe(tracked=frozenset())
    assert court.texts == []
    court.oracle.frame_reached_bot("rest", b'{"orders":[{"order_index": 7, "client_order_index": 2}]}', court.now_ns)
    for _ in range(36):
        court.skip(S).believe(tracked=frozenset())

    assert court.verdict == ["I12"]
    assert "bid 2 " in court.texts[0]


def test_an_order_that_ended_is_nobodys_care():
    """A tracked order that is gone, and an untracked one that ended, break nothing."""
    court = Court()
    court.place(1)
    court.foreign(900)
    court.tell_order(900)
    court.end(900)
    court.cancel(1)
    for _ in range(10):
        court.skip(S).believe(tracked=frozenset({1}))

    assert court.texts == []
