"""Time that is a number, and processes that are contexts: the asyncio loop of a simulation.

Law: nothing here waits, and nothing here is random but the order in which tasks that are ready at
the same moment go on, which the seed decides. A world in which nothing is ready and no timer is
set would hang for ever: `DeadlockError`, at once.

A `Node` stands for a process. Every callback that was scheduled from within it is one step of it,
and runs only while it lives: killed, its callbacks are parked, never run and never finalised, as
after kill -9; paused, they wait, in order, until it goes on. What the network carries belongs to
no node and arrives whatever became of its sender.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from lighterman.domain.chance import Rng

NS_PER_S = 1_000_000_000
NS_PER_US = 1_000
ROUNDS_MAX = 200_000  # of the loop while no time passes: a long answer that comes byte by byte takes some ten thousand

_NODE: contextvars.ContextVar["Node | None"] = contextvars.ContextVar("node", default=None)

T = TypeVar("T")


class DeadlockError(Exception):
    """Nothing is ready and no timer is set: a real program would hang here."""


class LivelockError(Exception):
    """The world does more and more and its time does not pass: a real program would spin here."""


class Node:
    """One process of the world. `steps` counts its callbacks; before the step `kill_at` it dies.

    `on_kill_due` is called there, and kills unless somebody puts something else in its place.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_alive = True
        self.steps = 0
        self.kill_at = 0
        self.on_kill_due: Callable[[], None] = self.kill
        self.on_killed: Callable[[], None] = _do_nothing
        self.context = contextvars.copy_context()
        self.context.run(_NODE.set, self)
        self._held: deque[tuple[contextvars.Context, Callable[..., object], tuple[Any, ...]]] = deque()
        self._is_paused = False
        self._remains: set[asyncio.Task[Any]] = set()

    @property
    def is_paused(self) -> bool:
        """Tell whether it stands still."""
        return self._is_paused

    def run(self, callback: Callable[..., object], *args: object) -> None:
        """Do one step, or keep it."""
        if self.is_alive and not self._is_paused:
            self.steps += 1
            if self.steps == self.kill_at:
                self.on_kill_due()
            if self.is_alive:
                callback(*args)
                return
        self._held.append((contextvars.copy_context(), callback, args))

    def run_timer(self, timer: list[asyncio.TimerHandle], callback: Callable[..., object], *args: object) -> None:
        """Do a step whose time has come, or keep it: what is kept can still be cancelled."""
        if self._is_paused:
            self.run(self._run_kept, timer, callback, *args)
        else:
            timer.clear()
            self.run(callback, *args)

    def _run_kept(self, timer: list[asyncio.TimerHandle], callback: Callable[..., object], *args: object) -> None:
        if not timer.pop().cancelled():
            callback(*args)

    def kill(self) -> None:
        """End it as kill -9 does: no callback runs any more, and nothing is cleaned up."""
        if self.is_alive:
            self.is_alive = False
            self._remains = asyncio.all_tasks()  # house-ok: kept, else the collector would run their `finally`
            self.on_killed()

    def pause(self) -> None:
        """Stop it where it is; time goes on without it."""
        self._is_paused = True

    def resume(self) -> None:
        """Let it go on with what has come in meanwhile, in order."""
        self._is_paused = False
        held, self._held = self._held, deque()
        for context, callback, args in held:
            asyncio.get_running_loop().call_soon(callback, *args, context=context)

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Start a task that belongs to this process, as do all that it starts."""
        return asyncio.get_running_loop().create_task(work, context=self.context.copy())

    def call(self, callback: Callable[..., object], *args: object) -> None:
        """Have the process called from outside, as the system calls it when bytes have come."""
        asyncio.get_running_loop().call_soon(callback, *args, context=self.context)


def here() -> Node | None:
    """Return the process whose step this is, if it is any's."""
    return _NODE.get()


def outside(delay_s: float, callback: Callable[..., object], *args: object) -> asyncio.TimerHandle:
    """Have something happen that belongs to no process: bytes on a wire, a fault, an operator."""
    return asyncio.get_running_loop().call_later(delay_s, callback, *args, context=_NOWHERE.copy())


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop that jumps to its next timer. `order` decides between tasks that are ready together."""

    def __init__(self, order: Rng | None = None) -> None:
        super().__init__()
        self._now_s = 0.0
        self._rounds = 0  # at this moment
        self.order = order
        self._selector = _Selector(self)
        self._clock_resolution = 1e-9
        self.set_exception_handler(self._on_exception)
        self.failures: list[str] = []  # what no one caught

    def time(self) -> float:
        """Return the seconds since the world began."""
        return self._now_s

    def is_running(self) -> bool:
        """Say no: a loop that says yes lets tasks start eagerly from Python 3.12 on, and steps would differ."""
        return False

    def jump(self, seconds: float) -> None:
        """Let time pass; called when nothing is ready."""
        self._rounds = 0
        self._now_s += seconds
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        if timers:
            self._now_s = max(self._now_s, timers[0].when())

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Schedule a step of the node in whose context this is called."""
        node = _NODE.get() if context is None else context.get(_NODE)
        if node is None:
            return super().call_soon(callback, *args, context=context)
        return super().call_soon(node.run, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Schedule a later step; `call_later` comes here too."""
        node = _NODE.get() if context is None else context.get(_NODE)
        if node is None:
            return super().call_at(when, callback, *args, context=context)
        timer: list[asyncio.TimerHandle] = []
        timer.append(super().call_at(when, node.run_timer, timer, callback, *args, context=context))
        return timer[0]

    def _run_once(self) -> None:
        self._rounds += 1
        if self._rounds > ROUNDS_MAX:
            raise LivelockError(f"{ROUNDS_MAX} rounds of the loop at {self._now_s:.6f} s")
        if self.order is not None:
            self._shuffle(self.order)
        super()._run_once()  # type: ignore[misc]

    def _shuffle(self, order: Rng) -> None:
        """Put the tasks that are ready in another order; plain callbacks keep their places.

        Transports rely on the order of plain callbacks, and no program may rely on that of tasks.
        """
        ready: deque[asyncio.Handle] = self._ready  # type: ignore[attr-defined]
        if len(ready) < 2:
            return
        places = [place for place, handle in enumerate(ready) if _is_task_step(handle)]
        if len(places) < 2:
            return
        steps = [ready[place] for place in places]
        for place in places:
            ready[place] = steps.pop(order.randrange(0, len(steps)))

    def _on_exception(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if "was destroyed" not in context["message"]:
            self.failures.append(f"{context['message']}: {error!r}")

    def _process_events(self, event_list: list[object]) -> None:
        """Nothing ever comes from outside."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""


class _Selector:
    """In the place of the system's: what it waits for is time, which it does not wait for."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None:
            raise DeadlockError("nothing is ready and no timer is set")
        if timeout > 0:
            self._loop.jump(timeout)
        return []

    def close(self) -> None:
        """Nothing is open."""


class NodeClock:
    """A `Clock` of one machine: `skew_us` is how far its wall is off; its monotonic time never is."""

    def __init__(self, start_us: int) -> None:
        self._start_us = start_us
        self.skew_us = 0

    def mono_ns(self) -> int:
        """Return the nanoseconds since the world began."""
        return round(asyncio.get_running_loop().time() * NS_PER_S)  # house-ok: the one clock of virtual time

    def wall_us(self) -> int:
        """Return what the machine takes for the time of day."""
        return self._start_us + self.skew_us + self.mono_ns() // NS_PER_US


def run(work: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    """Run a world to its end; what its dead processes left is not finalised here."""
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(work)
    finally:
        asyncio.set_event_loop(None)


def _is_task_step(handle: asyncio.Handle) -> bool:
    """Tell whether a handle is a node's task going on."""
    args = handle._args or ()  # noqa: SLF001  (there is no public way)
    return bool(args) and isinstance(getattr(args[0], "__self__", None), asyncio.Task)


def _do_nothing() -> None:
    """Nobody wants to know."""


_NOWHERE = contextvars.Context()
