"""What is looked at beside the trading loop, about once a second: the day, the journal, the exchange."""

import asyncio
from collections.abc import Callable

from lighterman.domain.clock import Clock
from lighterman.domain.events import DayStarted, Event
from lighterman.engine.decision import Decision
from lighterman.journal.state import AccountStore
from lighterman.journal.writer import JournalWriter, Scribe
from lighterman.runtime.children import ExchangeProcess
from lighterman.runtime.stopping import Failure, Stop

LOOK_EVERY_S = 0.5
US_PER_DAY = 86_400_000_000


async def watch_day(clock: Clock, sink: Callable[[Event], None]) -> None:
    """Say which UTC day it is, at start and whenever another one begins."""
    known = -1
    while True:
        day = clock.wall_us() // US_PER_DAY
        if day > known:  # a clock set back does not begin the day again
            known = day
            sink(DayStarted(day, clock.mono_ns()))
        await asyncio.sleep(LOOK_EVERY_S)


async def watch_journal(
    journal: JournalWriter, store: AccountStore, stop: Stop, stop_creates: Callable[[], None]
) -> None:
    """End the run when what happens is not recorded any more; orders stop at once, cancels go on."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        health = journal.health
        if store.failure or not health.may_create:
            stop_creates()
        if not health.may_create:
            stop.ask(f"journal {health.state.value}: {health.reason}", Failure.JOURNAL)
        if store.failure:
            stop.ask(f"account state: {store.failure}", Failure.JOURNAL)


async def watch_exchange(exchange: ExchangeProcess, stop: Stop) -> None:
    """End the run when the local exchange has gone."""
    code = await exchange.ended()
    stop.ask(f"the local exchange ended (exit code {code})", Failure.GONE)


class LossKeeper:
    """Has the day's loss saved, by whoever writes the journal, whenever a decision says that it must be."""

    def __init__(self, store: AccountStore, scribe: Scribe) -> None:
        self._store = store
        self._scribe = scribe

    def observe_event(self, event: Event) -> None:
        """Events do not matter here."""

    def observe_decision(self, decision: Decision) -> None:
        """Save what has changed; the disk may be slow, so not here."""
        loss = decision.loss
        if loss is not None:
            self._scribe.submit(lambda: self._store.save_loss(loss))
