"""What is looked at beside the trading loop: the day, the journal, the exchange."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NoReturn

from lighterman.domain.clock import Clock
from lighterman.domain.events import DayStarted, Event
from lighterman.engine.decision import Decision
from lighterman.journal.state import AccountStore
from lighterman.journal.writer import JournalWriter, Scribe
from lighterman.runtime.children import ExchangeProcess
from lighterman.runtime.stopping import Failure, Stop

LOOK_EVERY_S = 0.5
NS_PER_US = 1_000
US_PER_S = 1_000_000
US_PER_DAY = 86_400 * US_PER_S
CLOCKS_APART_US_MAX = 60 * US_PER_S  # within a look: so far the wall may be set without a doubt about the day


async def watch_day(
    clock: Clock, sink: Callable[[Event], None], is_checked: asyncio.Event, note: Callable[[str], None]
) -> None:
    """Say which UTC day it is, once the venue has seen that our clock is right, and whenever another one begins.

    A new day forgives the last one's loss, so the slower of two clocks begins it: the wall's, and
    the wall's as it was at first plus the monotonic time since. They are made one again while the
    wall is only slewed. After a jump, as when a machine was suspended, days begin late.
    """
    await is_checked.wait()
    known, is_noted = -1, False
    ahead_us = clock.wall_us() - clock.mono_ns() // NS_PER_US
    while True:
        wall_us, mono_us = clock.wall_us(), clock.mono_ns() // NS_PER_US
        apart_us = wall_us - mono_us - ahead_us
        if abs(apart_us) <= CLOCKS_APART_US_MAX:
            ahead_us += apart_us
        elif not is_noted:
            is_noted = True
            note(
                f"the wall clock has jumped by {apart_us // US_PER_S} s: until it is put right or the bot is started "
                "again, days of the loss limit begin by the slower of wall and monotonic clock"
            )
        day = min(wall_us, mono_us + ahead_us) // US_PER_DAY
        if day > known:  # a clock set back does not begin the day again
            known = day
            sink(DayStarted(day, clock.mono_ns()))
        await asyncio.sleep(LOOK_EVERY_S)


class JournalWatch:
    """Ends the run when what happens is not recorded any more; orders stop at once, cancels go on.

    It looks as an observer of the loop, so that nothing of a decision leaves that was not recorded,
    and by itself where nothing is decided.
    """

    def __init__(
        self, journal: JournalWriter, store: AccountStore, stop: Stop, stop_creates: Callable[[], None]
    ) -> None:
        self._journal = journal
        self._store = store
        self._stop = stop
        self._stop_creates = stop_creates

    def observe_decision(self, _: Decision) -> None:
        """Look before anything of the decision is sent."""
        self._look()

    async def run(self) -> NoReturn:
        """Look, for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self._look()

    def _look(self) -> None:
        failure = self._store.failure
        if self._journal.may_create and not failure:
            return
        health = self._journal.health
        self._stop_creates()
        if not health.may_create:
            self._stop.ask(f"journal {health.state.value}: {health.reason}", Failure.JOURNAL)
        if failure:
            self._stop.ask(f"account state: {failure}", Failure.JOURNAL)


async def watch_exchange(exchange: ExchangeProcess, stop: Stop) -> None:
    """End the run when the local exchange has gone."""
    code = await exchange.ended()
    stop.ask(f"the local exchange ended (exit code {code})", Failure.GONE)


class LossKeeper:
    """Has the day's loss saved, by whoever writes the journal, whenever a decision says that it must be."""

    def __init__(self, store: AccountStore, scribe: Scribe) -> None:
        self._store = store
        self._scribe = scribe

    def observe_turn(self, _: Sequence[Event], decision: Decision, _done_ns: int) -> None:
        """Save what has changed; the disk may be slow, so not here."""
        loss = decision.loss
        if loss is not None:
            self._scribe.submit(lambda: self._store.save_loss(loss))
