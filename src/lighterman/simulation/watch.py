"""Looking on while a world lives: what it says, what was seen in it, and an end before its time.

Law: it may be watched and cut off, and its trace stays what it is.
"""

import asyncio
import resource
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import NamedTuple, Self

import msgspec

from lighterman.clock import cpu_ns
from lighterman.domain.events import Event
from lighterman.engine.decision import Decision
from lighterman.simulation.forks import Child, Report
from lighterman.simulation.oracle import Violation
from lighterman.simulation.plan import Plan
from lighterman.simulation.sightings import Sightings
from lighterman.simulation.verdict import Verdict, judge
from lighterman.simulation.virtual import NS_PER_S
from lighterman.simulation.world import World

ENTRIES_MAX = 2000  # kept of the log of a run
ENTRY_CHARACTERS_MAX = 1000
FRAMES_SHOWN = 6  # of the place at which a run hung


class Entry(NamedTuple):
    """One thing that the world noted; without data it is of the bot's life, or a fault."""

    now_ns: int
    text: str
    data: bytes

    def __str__(self) -> str:
        time = f"{self.now_ns // NS_PER_S}.{self.now_ns % NS_PER_S:09d}"
        data = self.data.decode(errors="replace")
        more = f"... ({len(data)} characters)" if len(data) > ENTRY_CHARACTERS_MAX else ""
        return f"{time} {self.text} {data[:ENTRY_CHARACTERS_MAX]}{more}".rstrip()


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is to be looked at. `trace` prints its log: of what "life" alone, or "all"; "" does not."""

    is_canary: bool = False
    until_s: float | None = None
    trace: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run from outside. `log` holds the last entries before the first violation, if there was any."""

    plan: Plan
    is_canary: bool
    verdict: Verdict
    seen: dict[str, int]
    cpu_s: float
    log: list[str]

    @property
    def is_whole(self) -> bool:
        """Tell whether the run came to an end of its own."""
        return not any(violation.id in ("CRASH", "HANG") for violation in self.verdict.violations)


class WatchedWorld(World):
    """A world that counts what is seen in it, keeps its last entries until something is wrong, and tells all."""

    def __init__(self, plan: Plan, watch: Watch, tell: Callable[[Entry], None]) -> None:
        super().__init__(plan, is_canary=watch.is_canary)
        self.sightings = Sightings()
        self.tail: deque[Entry] = deque(maxlen=ENTRIES_MAX)
        self._until_s = watch.until_s
        self._tell = tell

    async def run(self) -> None:
        """Go through all phases, or as far as it may."""
        try:
            async with asyncio.timeout(self._until_s) as limit:
                await super().run()
        except TimeoutError:
            if not limit.expired():
                raise

    def note(self, text: str, data: bytes = b"") -> None:
        """Put something into the trace, and keep it."""
        super().note(text, data)
        entry = Entry(self.now_ns, text, data)
        if not (self.oracle.violations or self.failures):
            self.tail.append(entry)
        if text.startswith("bot "):
            self.sightings.lived(text)
        self._tell(entry)

    def observe_event(self, event: Event) -> None:
        """Take note of an event of the bot's."""
        super().observe_event(event)
        if self.process is not None and self.process.bot is not None:
            self.sightings.observe_event(event, self.process.bot.engine.state)

    def observe_decision(self, decision: Decision) -> None:
        """Take note of what the bot decided and believes."""
        super().observe_decision(decision)
        if self.process is not None and self.process.bot is not None:
            bot = self.process.bot
            self.sightings.observe_decision(decision, bot.engine.state, bot.journal.health.state)


def watched(plan: Plan, watch: Watch, child: Child) -> None:
    """Run a plan in a forked child, and report what it came to whatever happens."""
    with _Witness(plan, watch, child) as witness:
        witness.look()


def heard(plan: Plan, watch: Watch, report: Report) -> Run:
    """Return what a child had to say of its run; one without last words has crashed."""
    if not report.failure:
        return msgspec.json.decode(report.data, type=Run)
    verdict = _broken(plan, "CRASH", f"the process {report.failure}")
    return Run(plan=plan, is_canary=watch.is_canary, verdict=verdict, seen={}, cpu_s=0.0, log=[])


class _Witness:
    """Sees a world through in the child; reports in its place when it raises, or has used up its CPU time."""

    def __init__(self, plan: Plan, watch: Watch, child: Child) -> None:
        self._plan = plan
        self._watch = watch
        self._child = child
        self._world: WatchedWorld | None = None
        self._graves: list[object] = []
        self._cpu_s_max, _ = resource.getrlimit(resource.RLIMIT_CPU)

    def __enter__(self) -> Self:
        signal.signal(signal.SIGXCPU, self._out_of_time)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None:
            self._break_off("CRASH", "".join(traceback.format_exception(error)))

    def look(self) -> None:
        """Let the world live."""
        self._world = WatchedWorld(self._plan, self._watch, _TELLERS[self._watch.trace])
        self._report(judge(self._world, self._graves))

    def _report(self, verdict: Verdict) -> None:
        """Say what the run came to, and end the process."""
        world = self._world
        run = Run(
            plan=self._plan,
            is_canary=self._watch.is_canary,
            verdict=verdict,
            seen=world.sightings.counts if world else {},
            cpu_s=cpu_ns() / NS_PER_S,
            log=[str(entry) for entry in world.tail] if world and not verdict.ok else [],
        )
        sys.stdout.flush()
        self._child.report(msgspec.json.encode(run))

    def _out_of_time(self, _: int, frame: FrameType | None) -> None:
        place = "".join(traceback.format_stack(frame, FRAMES_SHOWN))
        self._break_off("HANG", f"no end after {self._cpu_s_max} s of CPU time, at\n{place}")

    def _break_off(self, name: str, text: str) -> None:
        self._report(_broken(self._plan, name, text.rstrip()))


def _broken(plan: Plan, name: str, text: str) -> Verdict:
    """Return the verdict of a run that came to nothing."""
    return Verdict(
        seed=plan.seed,
        ok=False,
        trace="",
        simulated_s=0.0,
        starts=0,
        fills=0,
        fired={},
        judged={},
        off={},
        violations=[Violation(name, text, 0)],
    )


def _tell_nobody(_: Entry) -> None:
    """Keep it to itself."""


def _tell_life(entry: Entry) -> None:
    if not entry.data:
        _tell_all(entry)


def _tell_all(entry: Entry) -> None:
    sys.stdout.write(f"{entry}\n")


_TELLERS = {"": _tell_nobody, "life": _tell_life, "all": _tell_all}
