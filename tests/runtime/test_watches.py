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
from lighterman.runtime.watches import US_PER_DAY, LossKeeper, watch_day, watch_exchange, watch_journal

DAY = 20_833
BEFORE_MIDNIGHT_US = (DAY + 1) * US_PER_DAY - 10_000_000


def test_each_day_is_told_once():
    """The day is told at once, and again when midnight passes."""

    async def body():
        told = []
        watching = asyncio.create_task(watch_day(VirtualClock(BEFORE_MIDNIGHT_US), told.append))
        await asyncio.sleep(9)
        assert [DAY] == [event.day for event in told]
        await asyncio.sleep(3600)
        watching.cancel()

        assert [DAY, DAY + 1] == [event.day for event in told]
        assert isinstance(told[1], DayStarted)
        assert told[1].recv_ns == pytest.approx(10_000_000_000, abs=10**9)

    run(body())


def test_clock_set_back_begins_no_day():
    """A wall clock that goes back over midnight, or forth again, begins no day a second time."""

    async def body():
        clock, told = VirtualClock(BEFORE_MIDNIGHT_US), []
        watching = asyncio.create_task(watch_day(clock, told.append))
        await asyncio.sleep(20)
        clock.skew_us = -US_PER_DAY
        await asyncio.sleep(20)
        clock.skew_us = 0
        await asyncio.sleep(20)
        watching.cancel()

        assert [DAY, DAY + 1] == [event.day for event in told]

    run(body())


class Watched:
    """A journal and an account's store, watched."""

    def __init__(self, **settings):
        self.disk = MemoryDisk()
        self.journal = open_writer(self.disk, **settings)
        self.store = AccountStore(self.disk, "d", "local", 7)
        self.store.begin()
        self.stop = Stop()
        self.creates_stopped = 0

    async def look(self):
        watching = asyncio.create_task(watch_journal(self.journal, self.store, self.stop, self._stop_creates))
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
    keeper.observe_event(EVENTS[0])
    keeper.observe_decision(decision(Now))
    assert written == disk.files
    keeper.observe_decision(decision(Now, loss=loss))

    assert AccountStore(disk, "d", "local", 7).begin().loss == loss
    assert HEADER.loss != loss
