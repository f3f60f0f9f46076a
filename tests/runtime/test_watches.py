"""What is looked at beside the loop: the day, the journal, the exchange, the day's loss."""

import asyncio

import pytest

from helpers.journals import EVENTS, HEADER, MemoryDisk, open_writer
from helpers.observed import decision
from helpers.virtual_time import VirtualClock, run
from lighterman.domain.events import DayStarted
from lighterman.journal.state import AccountStore
from lighterman.risk.pnl import LossState
from lighterman.runtime.stopping import Failure, Stop
from lighterman.runtime.watches import US_PER_DAY, US_PER_S, JournalWatch, LossKeeper, watch_day, watch_exchange

DAY = 20_833
BEFORE_MIDNIGHT_US = (DAY + 1) * US_PER_DAY - 10_000_000


class Days:
    """A watch over the days, on a machine whose clock can be set."""

    def __init__(self, *, is_checked=True):
        self.clock = VirtualClock(BEFORE_MIDNIGHT_US)
        self.told, self.notes = [], []
        self.is_checked = asyncio.Event()
        if is_checked:
            self.is_checked.set()
        self.watching = asyncio.create_task(watch_day(self.clock, self.told.append, self.is_checked, self.notes.append))

    async def pass_by(self, seconds, skew_us=0):
        """Let time pass with the wall clock set so far wrong; return the days told so far."""
        self.clock.skew_us = skew_us
        await asyncio.sleep(seconds)
        return [event.day for event in self.told]


def watching_days(**options):
    """Run a test with such a watch, in virtual time."""

    def decorate(test):
        def wrapped():
            async def body():
                days = Days(**options)
                await test(days)
                days.watching.cancel()

            run(body())

        wrapped.__name__, wrapped.__doc__ = test.__name__, test.__doc__
        return wrapped

    return decorate


@watching_days()
async def test_each_day_is_told_once(days):
    """The day is told at once, and again when midnight passes."""
    assert [DAY] == await days.pass_by(9)
    assert [DAY, DAY + 1] == await days.pass_by(3600)

    assert isinstance(days.told[1], DayStarted)
    assert days.told[1].recv_ns == pytest.approx(10_000_000_000, abs=10**9)
    assert [] == days.notes


@watching_days(is_checked=False)
async def test_no_day_before_the_clock_was_checked(days):
    """A machine that starts with its clock a day ahead is refused by the venue, and forgives no loss by that."""
    assert [] == await days.pass_by(5, US_PER_DAY)
    days.is_checked.set()
    assert [DAY] == await days.pass_by(1)


@watching_days()
async def test_clock_set_back_begins_no_day(days):
    """A wall clock that goes back over midnight, or forth again, begins no day a second time."""
    await days.pass_by(20)
    await days.pass_by(20, -US_PER_DAY)
    assert [DAY, DAY + 1] == await days.pass_by(20)


@watching_days()
async def test_clock_set_ahead_begins_no_day(days):
    """A wall clock that jumps over midnight begins no day, is noted once, and forgives no loss."""
    await days.pass_by(1)
    assert [DAY] == await days.pass_by(5, 7200 * US_PER_S)
    assert [DAY, DAY + 1] == await days.pass_by(10, 7200 * US_PER_S)  # the true midnight
    assert [DAY, DAY + 1] == await days.pass_by(3600, 22 * 3600 * US_PER_S)
    (note,) = days.notes
    assert "jumped by 7200 s" in note


@watching_days()
async def test_clock_set_right_again_is_believed(days):
    """After a jump and back days begin at midnight as before."""
    await days.pass_by(2)
    await days.pass_by(2, 7200 * US_PER_S)
    assert [DAY] == await days.pass_by(4)
    assert [DAY, DAY + 1] == await days.pass_by(4)


@watching_days()
async def test_suspended_machine_has_no_shorter_day(days):
    """What a machine has slept is no time of trading: two days never begin within 24 hours of its running."""
    await days.pass_by(1)
    asleep_us = 8 * 3600 * US_PER_S
    assert [DAY, DAY + 1] == await days.pass_by(16 * 3600, asleep_us)
    assert [DAY, DAY + 1] == await days.pass_by(7 * 3600, asleep_us)
    assert [DAY, DAY + 1, DAY + 2] == await days.pass_by(2 * 3600, asleep_us)


@watching_days()
async def test_clock_that_is_slewed_is_followed(days):
    """Small corrections of the wall clock, however many, are no jump."""
    for count in range(600):
        await days.pass_by(1, -count * US_PER_S // 2)

    assert [DAY, DAY + 1] == [event.day for event in days.told]
    assert days.told[1].recv_ns == pytest.approx(20_000_000_000, abs=2 * 10**9)
    assert [] == days.notes


class Watched:
    """A journal and an account's store, watched."""

    def __init__(self, **settings):
        self.disk = MemoryDisk()
        self.journal = open_writer(self.disk, **settings)
        self.store = AccountStore(self.disk, "d", "local", 7)
        self.store.begin()
        self.stop = Stop()
        self.creates_stopped = 0

        self.watch = JournalWatch(self.journal, self.store, self.stop, self._stop_creates)

    async def look(self):
        watching = asyncio.create_task(self.watch.run())
        await asyncio.sleep(3)
        watching.cancel()

    def _stop_creates(self):
        self.creates_stopped += 1


def test_sound_journal_ends_nothing():
    """While everything is recorded the run goes on."""

    async def body():
        watched = Watched()
        await watched.look()

        assert (False, 0) == (watched.stop.is_asked, watched.creates_stopped)

    run(body())


def test_full_journal_ends_the_run():
    """When the journal is full creates are stopped at once, and the run ends with the journal's reason."""

    async def body():
        watched = Watched(bytes_max=3000)
        for _ in range(50):
            watched.journal.observe_event(EVENTS[0])
        watched.journal.flush()
        await watched.look()

        assert watched.creates_stopped
        assert "journal full" in watched.stop.reason
        assert watched.stop.failure is Failure.JOURNAL

    run(body())


def test_journal_that_fails_stops_the_decision_that_is_being_made():
    """Nothing of a decision leaves that could add an order once the journal has failed (P6): it is looked at first."""

    async def body():
        watched = Watched()
        watched.watch.observe_decision(None)
        assert (False, 0) == (watched.stop.is_asked, watched.creates_stopped)

        def fault(operation, path):
            raise OSError(5, "Input/output error")

        watched.disk.fault = fault
        watched.journal.observe_event(EVENTS[0])
        watched.journal.flush()
        watched.watch.observe_decision(None)
        assert watched.creates_stopped == 1
        assert (True, Failure.JOURNAL) == (watched.stop.is_asked, watched.stop.failure)

    run(body())


def test_loss_that_cannot_be_saved_ends_the_run():
    """A day's loss that the disk refuses to keep ends the run: it must survive a restart."""

    async def body():
        watched = Watched()

        def fault(operation, path):
            raise OSError(28, "No space left on device")

        watched.disk.fault = fault
        watched.store.save_loss(LossState(1, -5, "daily_loss"))
        await watched.look()

        assert watched.creates_stopped
        assert "No space left" in watched.stop.reason
        assert watched.stop.failure is Failure.JOURNAL

    run(body())


async def test_exchange_that_ends_ends_the_run():
    """When the local exchange's process is gone the run ends, and nobody is waited for."""

    class Ended:
        async def ended(self):
            return 3

    stop = Stop()
    await watch_exchange(Ended(), stop)

    assert ("the local exchange ended (exit code 3)", Failure.GONE) == (stop.reason, stop.failure)


class Inline:
    """A journal's thread that does its errands at once."""

    def submit(self, errand):
        errand()


def test_loss_is_saved_when_a_decision_says_so():
    """A decision with a loss has it saved; others touch no disk."""
    disk = MemoryDisk()
    store = AccountStore(disk, "d", "local", 7)
    store.begin()
    keeper, loss = LossKeeper(store, Inline()), LossState(20_000, -7 * 10**12, "daily_loss")

    class Now:
        now_ns = 5

    written = dict(disk.files)
    keeper.observe_turn([], decision(Now), 0)
    assert written == disk.files
    keeper.observe_turn([], decision(Now, loss=loss), 0)

    assert AccountStore(disk, "d", "local", 7).begin().loss == loss
    assert HEADER.loss != loss
