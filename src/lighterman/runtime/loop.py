"""The bot's turn: drain what has arrived, observe it all, decide once, submit.

Law: one thread, and plain calls between an event and the order it causes. Every event is
journaled before the engine sees it, every decision before anything of it is sent. Any
exception ends trading, a broken invariant like every other bug: half a turn has been made, so
nothing may be decided on it. This loop then says so; what follows is decided in `shutdown.py`.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from lighterman.domain.clock import Clock
from lighterman.domain.commands import Query
from lighterman.domain.events import Event
from lighterman.engine.decision import Decision
from lighterman.engine.engine import Engine
from lighterman.risk.gate import Approved

NS_PER_S = 1_000_000_000
UNTOLD_MAX = 16  # turns that may come one after the other before the bystanders are told of the first


@runtime_checkable
class EventObserver(Protocol):
    """Whoever is told of events."""

    def observe_event(self, event: Event) -> None:
        """Take note of an event; the journal does before the engine."""
        ...


@runtime_checkable
class DecisionObserver(Protocol):
    """Whoever is told of decisions before they have an effect: the journal, and who watches it."""

    def observe_decision(self, decision: Decision) -> None:
        """Take note of a decision; the journal does before anything of it is sent."""
        ...


class Bystander(Protocol):
    """Whoever is told of a turn when the orders have left: metrics, log, status."""

    def observe_turn(self, events: Sequence[Event], decision: Decision, done_ns: int) -> None:
        """Take note of events and of the decision on them, whose orders were on their way at `done_ns`."""
        ...


Observer = EventObserver | DecisionObserver  # or both; what one does not take note of, it is not told


class TradingLoop:
    """Carries events to the engine and decisions to the venue, on the running asyncio loop.

    `on_broken` hears of the exception that ended it, and of the time that `decide` was called
    with: 0 where it was not called. `observers` are told before anything happens, `bystanders` the same
    when the orders are on their way and no other turn is due. `after_turn` may then do what nobody waits for.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        observers: Sequence[Observer],
        on_broken: Callable[[Exception, int], None],
        after_turn: Callable[[int], None] = lambda _: None,
        bystanders: Sequence[Bystander] = (),
    ) -> None:
        self._engine = engine
        self._submit: Callable[[Sequence[Approved]], None] = _drop
        self._query: Callable[[Sequence[Query]], None] = _drop
        self._clock = clock
        self._tell_event = [each.observe_event for each in observers if isinstance(each, EventObserver)]
        self._tell_decision = [each.observe_decision for each in observers if isinstance(each, DecisionObserver)]
        self._show_turn = [each.observe_turn for each in bystanders]
        self._on_broken = on_broken
        self._after_turn = after_turn
        self._inbox: list[Event] = []
        self._untold: deque[tuple[list[Event], Decision, int]] = deque()  # turns, the oldest first
        self._turn_is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False

    def connect(self, submit: Callable[[Sequence[Approved]], None], query: Callable[[Sequence[Query]], None]) -> None:
        """Say where decisions go; until then they are dropped. The venue was built with `receive` as its sink."""
        self._submit = submit
        self._query = query

    @property
    def is_over(self) -> bool:
        """Tell whether nothing is decided any more."""
        return self._is_over

    def receive(self, event: Event) -> None:
        """Take an event; the next turn of the asyncio loop handles all that have come in."""
        self._inbox.append(event)
        if not self._turn_is_due:
            self._turn_is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def tell_rest(self) -> None:
        """Tell the bystanders now of every turn that they have not been told of: who reads them next misses none."""
        while self._untold:
            self._tell_oldest()

    def close(self) -> None:
        """Stop deciding."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()

    def _turn(self) -> None:
        self._turn_is_due = False
        events, self._inbox = self._inbox, []
        if self._is_over:
            return
        now_ns = 0
        try:
            for event in events:
                for tell in self._tell_event:
                    tell(event)
                self._engine.observe(event)
            now_ns = self._clock.mono_ns()
            decision = self._engine.decide(now_ns)
            for tell_decision in self._tell_decision:
                tell_decision(decision)
            if decision.approved:
                self._submit(decision.approved)
            if decision.queries:
                self._query(decision.queries)
            done_ns = self._clock.mono_ns()
        except Exception as error:  # noqa: BLE001  (whatever it is, it must stop trading, not vanish in asyncio)
            self._break(error, now_ns)
            return
        self._set_timer(done_ns)
        self._untold.append((events, decision, done_ns))
        if len(self._untold) == 1:
            asyncio.get_running_loop().call_soon(self._show)

    def _show(self) -> None:
        """Tell the bystanders of one turn, unless the next one is due: that comes first, but not for ever."""
        if self._untold and not (self._turn_is_due and len(self._untold) < UNTOLD_MAX):
            self._tell_oldest()
        if self._untold:
            asyncio.get_running_loop().call_soon(self._show)

    def _tell_oldest(self) -> None:
        events, decision, done_ns = self._untold.popleft()
        try:
            for show_turn in self._show_turn:
                show_turn(events, decision, done_ns)
        except Exception as error:  # noqa: BLE001  (as in a turn)
            self._untold.clear()
            self._break(error, decision.now_ns)
            return
        self._after_turn(decision.now_ns)

    def _break(self, error: Exception, now_ns: int) -> None:
        self.close()
        self._on_broken(error, now_ns)

    def _set_timer(self, now_ns: int) -> None:
        """Come back when the engine wants to decide even if nothing arrives."""
        if self._timer is not None:
            self._timer.cancel()
        wait_ns = self._engine.next_deadline_ns - now_ns
        delay_s = max(0, wait_ns) / NS_PER_S
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def _wake(self) -> None:
        if not self._turn_is_due:
            self._turn_is_due = True
            self._turn()


def _drop(_: Sequence[object]) -> None:
    """Where decisions go before anybody is there to take them."""
