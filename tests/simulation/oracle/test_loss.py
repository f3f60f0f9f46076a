"""I14: broken on purpose, and not broken by what is right. The limit is 5 USDC, so 5.25 with its slack."""

from simulation.oracle.court import BEGAN_US, MARK, Court, S

DAY_NS = 86_400 * S
NEXT_DAY_NS = DAY_NS - BEGAN_US * 1_000 % DAY_NS
FALL = 6_000  # ticks that cost 6 USDC on 1000 lots: a lot and tick are a micro


def long_and(fall, *, lots=1_000):
    """Return a court that is long and whose mark has fallen."""
    court = Court()
    court.place(1, lots=500)
    court.place(2, lots=500)
    court.fill(1, 500)
    court.fill(2, 500)
    court.skip(2 * S)
    court.mark(MARK - 200 - fall)
    court.level(MARK - 100, 0)
    court.level(MARK - fall - 300, 5_000)
    court.level(MARK - fall - 100, 5_000, is_ask=True)
    assert lots == 1_000
    return court


def bid(court, name, fall):
    return court.a_create(name, price=MARK - 400 - fall, lots=1)


def test_a_loss_within_the_limit_is_clean():
    """A loss up to the limit stops nothing."""
    court = long_and(4_900)
    court.wait(20 * S)
    court.leave(bid(court, 3, 4_900))

    assert "I14" not in court.verdict
    assert court.oracle.counters["I14"] == 3


def test_adding_after_the_loss_is_a_breach():
    """A bid of a long account leaves, seconds after the loss: a breach. Before them it is not."""
    court = long_and(FALL)
    court.wait(2 * S)
    court.leave(bid(court, 3, FALL))
    assert "I14" not in court.verdict
    court.wait(2 * S)
    court.leave(bid(court, 4, FALL))

    assert "I14" in court.verdict


def test_reducing_after_the_loss_is_clean():
    """An ask of a long account, no larger than the position, is free; a larger one is not."""
    court = long_and(FALL)
    court.wait(5 * S)
    court.leave(court.a_create(3, is_ask=True, price=MARK - FALL, lots=600))
    assert "I14" not in court.verdict
    court.leave(court.a_create(4, is_ask=True, price=MARK - FALL, lots=1_001))

    assert "I14" in court.verdict


def test_a_modify_is_judged_by_its_side():
    """A modify of an ask reduces, one of a bid adds, and one of what is gone does nothing."""
    court = long_and(FALL)
    court.place(3, lots=1, price=MARK - FALL - 400)
    court.place(4, lots=1, is_ask=True, price=MARK - FALL)
    court.wait(5 * S)
    court.leave(court.a_modify(4, lots=2, price=MARK - FALL))
    court.leave(court.a_modify(77, lots=2, price=MARK - FALL))
    assert "I14" not in court.verdict
    court.leave(court.a_modify(3, lots=2, price=MARK - FALL - 400))

    assert "I14" in court.verdict


def test_a_loss_that_was_seen_counts_for_the_day():
    """A recovery after ten seconds does not lift the stop, nor does a restart; the next day does."""
    court = long_and(FALL)
    court.wait(11 * S)
    court.mark(MARK - 200)
    court.level(MARK - FALL - 100, 0, is_ask=True)
    court.level(MARK - 300, 5_000)
    court.oracle.bot_killed(court.now_ns)
    court.start()
    court.wait(10 * S)
    court.leave(bid(court, 3, 0))
    assert court.oracle.broken["I14"] == 1

    court.now_ns = NEXT_DAY_NS + S
    court.hear()
    court.leave(bid(court, 4, 0))

    assert court.oracle.broken["I14"] == 1


def test_a_day_that_began_while_nobody_was_there_counts_from_the_next_process():
    """What was lost between midnight and the first process that knows its account is not of that process's day."""
    court = long_and(0)
    court.wait(2 * S)
    court.oracle.bot_killed(court.now_ns)
    court.now_ns = NEXT_DAY_NS + S
    court.mark(MARK - 200)
    court.mark(MARK - 200 - FALL)
    court.level(MARK - 100, 0)
    court.level(MARK - FALL - 300, 5_000)
    court.level(MARK - FALL - 100, 5_000, is_ask=True)
    court.start()
    court.wait(10 * S)
    court.leave(bid(court, 3, FALL))
    assert "I14" not in court.verdict

    court.mark(MARK - 200 - 2 * FALL)
    court.level(MARK - FALL - 300, 0)
    court.level(MARK - 2 * FALL - 300, 5_000)
    court.level(MARK - 2 * FALL - 100, 5_000, is_ask=True)
    court.wait(5 * S)
    court.leave(bid(court, 4, 2 * FALL))
    assert "I14" in court.verdict


def test_a_person_may_lift_the_stop():
    """A process that was told to forget the day's loss counts anew from where it begins."""
    court = long_and(FALL)
    court.wait(11 * S)
    court.oracle.bot_killed(court.now_ns)
    court.oracle.rearmed()
    court.start()
    court.wait(10 * S)
    court.leave(bid(court, 3, FALL))

    assert "I14" not in court.verdict


def test_a_loss_under_a_fault_may_have_gone_unseen():
    """A recovery before ten seconds, or while a fault was at work, lifts the stop."""
    court = long_and(FALL)
    court.oracle.fault_began("stall", court.now_ns)
    court.wait(20 * S)
    court.mark(MARK - 200)
    court.level(MARK - FALL - 100, 0, is_ask=True)
    court.level(MARK - 300, 5_000)
    court.wait(10 * S)
    court.leave(bid(court, 3, 0))

    assert "I14" not in court.verdict


def test_money_that_leaves_is_no_loss():
    """A withdrawal changes the account's value and not the day's result; an absent mark changes nothing."""
    court = long_and(0)
    court.oracle.deposited(-9_000_000, court.now_ns)
    court.mark(0)
    court.mark(MARK - 200)
    court.wait(10 * S)
    court.leave(bid(court, 3, 0))

    assert "I14" not in court.verdict


def test_funding_is_part_of_the_loss():
    """Funding paid counts as loss."""
    court = long_and(0)
    court.funding(-6 * 10**12)
    court.wait(10 * S)
    court.leave(bid(court, 3, 0))

    assert "I14" in court.verdict
