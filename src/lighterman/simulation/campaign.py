"""Many seeds over many processes, and what they came to together.

Law: a seed has a process of its own, which ends hard with it: nothing that one leaves behind reaches
another. One seed in `REPEATS_EVERY` is run once more later, and must leave the same trace (I18). What
a campaign has never seen, it has not tested: those names are told like the violations.
"""

import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from lighterman.simulation.bot import MARKETS
from lighterman.simulation.draw import draw_plan
from lighterman.simulation.failure import Program
from lighterman.simulation.faults.catalogue import FAULTS, kinds
from lighterman.simulation.forks import Forks, Report
from lighterman.simulation.oracle import Violation
from lighterman.simulation.oracle.registry import INVARIANTS
from lighterman.simulation.plan import Plan
from lighterman.simulation.sightings import NAMES
from lighterman.simulation.verdict import Verdict
from lighterman.simulation.watch import Run, Watch, heard, watched

MIXED, ALONE, PAIRS, NONE = MIXES = ("mixed", "alone", "pairs", "none")
WORLDS = tuple(frozenset(kinds(wire=wire)) for wire in (False, True))  # what can occur in messages, and in bytes
TOGETHER = tuple(pair for pair in itertools.combinations(FAULTS, 2) if any(world.issuperset(pair) for world in WORLDS))
REPEATS_EVERY = 20
REPEATED = "I18"
MS_PER_MINUTE = 60_000
S_PER_MINUTE = 60
S_PER_HOUR = 3600
US_PER_S = 1_000_000
BROKEN_MAX = 200  # told in a line of the ledger
CPU_S_MAX = 120  # a seed of ordinary length takes one or two


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """How seeds become plans: which faults may occur, for how long, in which markets (as drawn where nothing is said).

    `faults` names the kinds that may occur, each of which then does, or is one of: `mixed` (each on or off
    by the seed), `alone` (one kind, another with each seed), `pairs` (likewise two), `none`.
    """

    faults: str = MIXED
    minutes: float = 0
    symbols: tuple[str, ...] = ()

    @property
    def cpu_s_max(self) -> int:
        """Return after how much CPU time a seed counts as one that never ends."""
        return CPU_S_MAX + round(self.minutes * S_PER_MINUTE)

    def problem(self) -> str:
        """Return what is wrong with it; empty if nothing is."""
        unknown = [name for name in self.symbols if name not in MARKETS]
        if unknown:
            return f"no market {unknown[0]!r}; there are {', '.join(MARKETS)}"
        unknown = [name for name in self._names(0) if name not in FAULTS]
        if unknown:
            return f"no fault {unknown[0]!r}; `lighterman sim faults` lists them"
        if not any(world.issuperset(self._names(0)) for world in WORLDS):
            return "these faults do not occur in one world: some need messages, some bytes"
        return ""

    def plan(self, seed: int) -> Plan:
        """Return the plan of a seed."""
        drawn = draw_plan(seed)
        names, options = self._names(seed), drawn.options
        if not WORLDS[options.wire].issuperset(names):
            options = replace(options, wire=not options.wire)
        if self.minutes:
            options = replace(options, faults_ms=round(self.minutes * MS_PER_MINUTE))
        plan = draw_plan(seed, only=names, wire=options.wire, faults_ms=options.faults_ms)
        if self.faults == NONE:
            plan = replace(plan, faults=[])
        if self.symbols:
            tempo_ms = list(itertools.islice(itertools.cycle(options.tempo_ms), len(self.symbols)))
            options = replace(options, symbols=list(self.symbols), tempo_ms=tempo_ms)
        return replace(plan, options=options)

    def command(self, seed: int) -> str:
        """Return the command that runs this seed alone."""
        words = [f"lighterman sim --seed {seed}"]
        if self.faults != MIXED:
            words.append(f"--faults {','.join(self._names(seed)) or NONE}")
        if self.minutes:
            words.append(f"--minutes {self.minutes:g}")
        if self.symbols:
            words.append(f"--markets {','.join(self.symbols)}")
        return " ".join(words)

    def _names(self, seed: int) -> tuple[str, ...]:
        """Return the kinds that may occur; none: as drawn."""
        if self.faults in (MIXED, NONE):
            return ()
        if self.faults == ALONE:
            return (tuple(FAULTS)[seed % len(FAULTS)],)
        if self.faults == PAIRS:
            return TOGETHER[seed % len(TOGETHER)]
        return tuple(self.faults.split(","))


# -- running ------------------------------------------------------------------------------


def run_plans(
    plans: Iterable[Plan], workers: int = 1, watch: Watch | None = None, cpu_s_max: int = CPU_S_MAX
) -> Iterator[Run]:
    """Run plans, each in a process of its own, and give the runs as they end."""
    looks = watch or Watch()
    asked: dict[int, Plan] = {}
    ended: list[Run] = []

    def end(key: int, report: Report) -> None:
        ended.append(heard(asked.pop(key), looks, report))

    forks = Forks(workers, cpu_s_max, end)
    for key, plan in enumerate(plans):
        asked[key] = plan
        child = forks.fork(key)
        if child is not None:
            with child:
                watched(plan, looks, child)
        yield from ended
        ended.clear()
    forks.wait_for_all()
    yield from ended


def run_seeds(plans: Iterable[Plan], workers: int = 1) -> Iterator[Verdict]:
    """Run plans, each in a process of its own, and give the verdicts as they come in."""
    return (run.verdict for run in run_plans(plans, workers))


def with_repeats(plans: Iterable[Plan]) -> Iterator[Plan]:
    """Return the plans, some of them twice: whether a seed repeats itself is judged too."""
    for number, plan in enumerate(plans):
        yield from itertools.repeat(plan, 1 if number % REPEATS_EVERY else 2)


# -- adding up ----------------------------------------------------------------------------


class Broken(msgspec.Struct, frozen=True):
    """A violation, and the command that brings it about again."""

    seed: int
    violation: Violation
    command: str


class Tally(msgspec.Struct, kw_only=True):
    """What the runs of a campaign came to together. `traces` is the hash of each seed."""

    seeds: int = 0
    repeated: int = 0
    simulated_s: float = 0.0
    cpu_s: float = 0.0
    starts: int = 0
    fills: int = 0
    broken: list[Broken] = []
    fired: dict[str, int] = {}
    judged: dict[str, int] = {}
    seen: dict[str, int] = {}
    off: dict[str, str] = {}
    traces: dict[int, str] = {}

    @property
    def simulated_h(self) -> float:
        """Return the simulated hours."""
        return self.simulated_s / S_PER_HOUR

    @property
    def per_cpu_second(self) -> float:
        """Return the simulated seconds in a second of CPU time."""
        return self.simulated_s / self.cpu_s if self.cpu_s else 0.0

    @property
    def never(self) -> list[str]:
        """Return what was never seen: faults that never fired, invariants never judged, states never reached."""
        names = [f"fault {name}" for name in FAULTS if not self.fired.get(name)]
        names += [
            f"invariant {each.name}"
            for each in INVARIANTS
            if each.name not in self.off and not self.judged.get(each.name)
        ]
        return names + [name for name in NAMES if not self.seen.get(name)]

    def add(self, run: Run, command: str) -> bool:
        """Add a run, or compare it where its seed has been run before; return whether all was well."""
        verdict = run.verdict
        self.simulated_s += verdict.simulated_s
        self.cpu_s += run.cpu_s
        if verdict.seed in self.traces:
            return self._compare(verdict, command)
        self.seeds += 1
        self.starts += verdict.starts
        self.fills += verdict.fills
        for total, part in ((self.fired, verdict.fired), (self.judged, verdict.judged), (self.seen, run.seen)):
            for name, count in part.items():
                total[name] = total.get(name, 0) + count
        if run.is_whole:
            self.off = {name: why for name, why in verdict.off.items() if name != REPEATED}
        self.traces[verdict.seed] = verdict.trace
        self.broken += [Broken(verdict.seed, violation, command) for violation in verdict.violations]
        return verdict.ok

    def line(self, program: Program, draw: Draw, ended_us: int) -> "Line":
        """Return the campaign's line in the ledger."""
        return Line(
            ended=datetime.fromtimestamp(ended_us // US_PER_S, tz=UTC).isoformat(),
            program=program,
            draw=draw,
            seeds=self.seeds,
            first_seed=min(self.traces, default=0),
            last_seed=max(self.traces, default=0),
            repeated=self.repeated,
            simulated_h=round(self.simulated_h, 3),
            cpu_h=round(self.cpu_s / S_PER_HOUR, 3),
            per_cpu_second=round(self.per_cpu_second, 1),
            starts=self.starts,
            fills=self.fills,
            broken=self.broken[:BROKEN_MAX],
            never=self.never,
            fired=self.fired,
            judged=self.judged,
            seen=dict(sorted(self.seen.items())),
        )

    def _compare(self, verdict: Verdict, command: str) -> bool:
        self.repeated += 1
        self.judged[REPEATED] = self.judged.get(REPEATED, 0) + 1
        trace = self.traces[verdict.seed]
        if trace == verdict.trace:
            return True
        text = f"the same seed left the traces {trace or 'none'} and {verdict.trace or 'none'}"
        self.broken.append(Broken(verdict.seed, Violation(REPEATED, text, 0), command))
        return False


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign in the ledger."""

    ended: str
    program: Program
    draw: Draw
    seeds: int
    first_seed: int
    last_seed: int
    repeated: int
    simulated_h: float
    cpu_h: float
    per_cpu_second: float
    starts: int
    fills: int
    broken: list[Broken]
    never: list[str]
    fired: dict[str, int]
    judged: dict[str, int]
    seen: dict[str, int]
