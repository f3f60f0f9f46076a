"""`lighterman sim`: the whole bot under seeds and faults, one run or many, and a failed one again.

Exit code 1 says that something was violated; no run of the bot itself ends with it.
"""

import argparse
import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterable

import msgspec

from lighterman.chance import secret_bytes
from lighterman.clock import SystemClock
from lighterman.runtime.exits import Exit
from lighterman.simulation.campaign import Broken, Draw, Tally, run_plans, with_repeats
from lighterman.simulation.determinism import OtherProcessError, differences, traces_of, ways
from lighterman.simulation.failure import (
    Failure,
    FailureFileError,
    failure_of,
    keep,
    read,
    this_program,
    write,
)
from lighterman.simulation.faults.catalogue import FAULTS, kinds
from lighterman.simulation.oracle import Violation
from lighterman.simulation.oracle.registry import INVARIANTS, ON
from lighterman.simulation.plan import Plan
from lighterman.simulation.shrink import NotFailingError, shrink_file, size
from lighterman.simulation.sweep import describe, sweep
from lighterman.simulation.virtual import NS_PER_S
from lighterman.simulation.watch import Run, Watch
from lighterman.simulation.world import World

VIOLATED = 1
INTERRUPTED = 130  # as a shell has it
FILES_MAX = 20  # of one campaign: a program that fails always fails in one way mostly
PROGRESS_EVERY_NS = 10 * NS_PER_S
SEED_BYTES = 4


def run(options: argparse.Namespace) -> int:
    """Run one seed."""
    draw = _draw_of(options)
    if draw is None:
        return Exit.USAGE
    seed = _fresh_seed() if options.seed is None else options.seed
    watch = Watch(is_canary=options.canary, trace=options.trace or "")
    return _interruptible(lambda: _run(seed, draw, watch, options))


def replay(options: argparse.Namespace) -> int:
    """Run a failed plan again, and say whether it fails as it did."""
    try:
        failure = read(options.file)
    except FailureFileError as error:
        return _refuse(str(error))
    watch = Watch(is_canary=failure.is_canary, until_s=options.until, trace=options.trace or "")
    return _interruptible(lambda: _replay(failure, watch, options))


def keep_failure(options: argparse.Namespace) -> int:
    """Write a failed run without its log, for the corpus."""
    try:
        print(keep(read(options.file), options.destination))
    except FailureFileError as error:
        return _refuse(str(error))
    return Exit.OK


def campaign(options: argparse.Namespace) -> int:
    """Run many seeds."""
    draw = _draw_of(options)
    if draw is None:
        return Exit.USAGE
    seeds: Iterable[int] | None = options.seeds
    is_endless = seeds is None or isinstance(seeds, itertools.count)
    if is_endless and not options.hours and options.duration_ns is None:
        return _refuse("seeds without an end need --hours or --for")
    if seeds is None:
        seeds = itertools.count(_fresh_seed())
    return _Campaign(options, draw).run(seeds)


def determinism(options: argparse.Namespace) -> int:
    """Run the same seeds in other processes, and compare what they leave."""
    words = [
        "--seeds",
        options.seeds,
        "--workers",
        str(options.workers or os.cpu_count() or 1),
        "--kinds",
        options.faults,
    ]
    words += ["--minutes", str(options.minutes)] if options.minutes else []
    found: dict[str, dict[int, str]] = {}
    try:
        for way in ways(options.python):
            found[str(way)] = traces_of(way, words)
            print(f"{len(found[str(way)])} seeds: {way}", file=sys.stderr)
    except OtherProcessError as error:
        return _refuse(str(error))
    different = list(differences(found))
    for seed, traces in different:
        print(f"seed {seed} leaves different traces:")
        for name, trace in traces.items():
            print(f"  {trace} {name}")
    count = len(next(iter(found.values())))
    print(f"{count} seeds in {len(found)} ways: {len(different)} differ")
    return VIOLATED if different else Exit.OK


def shrink(options: argparse.Namespace) -> int:
    """Make a failed plan small."""

    def show(runs: int, plan: Plan) -> None:
        print(f"{runs} runs: {size(plan)}", file=sys.stderr)

    def work() -> int:
        print(shrink_file(options.file, runs_max=options.runs, show=show))
        return Exit.OK

    try:
        return _interruptible(work)
    except (FailureFileError, NotFailingError) as error:
        return _refuse(str(error))


def kill_sweep(options: argparse.Namespace) -> int:
    """Kill the bot before each of its steps."""

    def work() -> int:
        result = sweep(options.every, options.workers or os.cpu_count() or 1, only=options.only)
        print("\n".join(describe(result)))
        return Exit.OK if result.ok else VIOLATED

    return _interruptible(work)


def faults(options: argparse.Namespace) -> int:  # noqa: ARG001  (every command is called so)
    """List the kinds of faults."""
    for name, kind in FAULTS.items():
        worlds = [word for word, wire in (("messages", False), ("bytes", True)) if name in kinds(wire=wire)]
        print(f"{name:28} {kind.covers:10} {'+'.join(worlds):15} {kind.story}")
    return Exit.OK


def invariants(options: argparse.Namespace) -> int:  # noqa: ARG001  (likewise)
    """List the invariants, and whether each is judged."""
    status = World(Draw().plan(0)).oracle.status()
    for invariant in INVARIANTS:
        why = status[invariant.name]
        print(f"{invariant.name:7} {invariant.sentence}{'' if why == ON else f' NOT JUDGED: {why}'}")
    return Exit.OK


# -- one run ------------------------------------------------------------------------------


def _run(seed: int, draw: Draw, watch: Watch, options: argparse.Namespace) -> int:
    (ended,) = run_plans([draw.plan(seed)], watch=watch, cpu_s_max=draw.cpu_s_max)
    _show(ended, as_json=options.json)
    if ended.verdict.ok:
        return Exit.OK
    path = write(failure_of(ended, this_program()), options.failures / f"{seed}.json")
    print(f"written: {path}; again: lighterman sim replay {path}", file=sys.stderr)
    return VIOLATED


def _replay(failure: Failure, watch: Watch, options: argparse.Namespace) -> int:
    differences = failure.program.differences(this_program())
    for difference in differences:
        print(f"another program: {difference}", file=sys.stderr)
    (ended,) = run_plans([failure.plan], watch=watch)
    _show(ended, as_json=options.json)
    said = sys.stderr if options.json else sys.stdout
    if watch.until_s is None:
        print(_comparison(failure, ended), file=said)
    else:
        print(f"cut off after {watch.until_s:g} s: not compared", file=said)
    return Exit.OK if ended.verdict.ok else VIOLATED


def _comparison(failure: Failure, ended: Run) -> str:
    verdict = ended.verdict
    traces = "the same trace" if failure.trace == verdict.trace else f"another trace (it was {failure.trace or 'none'})"
    if failure.violations == verdict.violations:
        return f"reproduced: the same violations, {traces}"
    if failure.violations[:1] == verdict.violations[:1]:
        return f"reproduced: the same first violation, {traces}"
    was = _violation(failure.violations[0]) if failure.violations else "none"
    return f"NOT reproduced: {traces}; the first violation was\n  {was}"


def _show(ended: Run, *, as_json: bool) -> None:
    verdict, options = ended.verdict, ended.plan.options
    per_cpu_s = verdict.simulated_s / ended.cpu_s if ended.cpu_s else 0.0
    if as_json:
        more = {"seen": ended.seen, "cpu_s": round(ended.cpu_s, 3), "per_cpu_second": round(per_cpu_s, 1)}
        print(msgspec.json.encode(msgspec.to_builtins(verdict) | more).decode())
        return
    print(f"seed {verdict.seed}: {'ok' if verdict.ok else 'VIOLATED'}")
    for violation in verdict.violations:
        print(f"  {_violation(violation)}")
    print(f"{verdict.simulated_s:.1f} s simulated in {ended.cpu_s:.2f} s of CPU time: {per_cpu_s:.0f} a second")
    kind = "bytes" if options.wire else "messages"
    print(
        f"{' '.join(options.symbols)}, {options.levels} levels, {options.tier}, {kind};"
        f" {verdict.starts} starts, {verdict.fills} fills"
    )
    print(f"faults fired: {_counts(verdict.fired) or 'none'}")
    print(f"trace {verdict.trace or 'none'}")


def _violation(violation: Violation) -> str:
    return f"{violation.id} at {violation.now_ns / NS_PER_S:.3f} s: {violation.text}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


# -- many runs ----------------------------------------------------------------------------


class _Campaign:
    """Runs seeds until they or the time are up, and says how it goes."""

    def __init__(self, options: argparse.Namespace, draw: Draw) -> None:
        self._options = options
        self._draw = draw
        self._clock = SystemClock()
        self._program = this_program()
        self._tally = Tally()
        self._began_ns = self._told_ns = self._clock.mono_ns()
        self._files = 0

    def run(self, seeds: Iterable[int]) -> int:
        """Run the campaign; an interruption ends it early."""
        ended = _interruptible(lambda: self._run(seeds))
        self._progress()
        tally, options = self._tally, self._options
        if options.ledger is not None:
            line = tally.line(self._program, self._draw, self._clock.wall_us())
            options.ledger.parent.mkdir(parents=True, exist_ok=True)
            with options.ledger.open("ab") as ledger:
                ledger.write(msgspec.json.encode(line) + b"\n")
        if options.json:
            print(msgspec.json.encode(tally).decode())
        else:
            _summarise(tally)
        return VIOLATED if tally.broken else ended

    def _run(self, seeds: Iterable[int]) -> int:
        plans = (self._draw.plan(seed) for seed in itertools.takewhile(self._goes_on, seeds))
        workers = self._options.workers or os.cpu_count() or 1
        for run in run_plans(with_repeats(plans), workers, cpu_s_max=self._draw.cpu_s_max):
            command = self._draw.command(run.plan.seed)
            if not self._tally.add(run, command):
                self._failed(run, command)
            if self._clock.mono_ns() >= self._told_ns + PROGRESS_EVERY_NS:
                self._progress()
        return Exit.OK

    def _goes_on(self, _: int) -> bool:
        options = self._options
        is_late = options.duration_ns is not None and self._clock.mono_ns() >= self._began_ns + options.duration_ns
        return not is_late and not (options.hours and self._tally.simulated_h >= options.hours)

    def _failed(self, run: Run, command: str) -> None:
        found = self._tally.broken[-1] if run.verdict.ok else self._tally.broken[-len(run.verdict.violations)]
        print(f"seed {run.plan.seed}: {_violation(found.violation)}\n  {command}", file=sys.stderr)
        if self._files < FILES_MAX:
            self._files += 1
            path = write(failure_of(run, self._program), self._options.failures / f"{run.plan.seed}.json")
            print(f"  lighterman sim replay {path}", file=sys.stderr)

    def _progress(self) -> None:
        self._told_ns = self._clock.mono_ns()
        tally, wall_s = self._tally, (self._told_ns - self._began_ns) / NS_PER_S
        print(
            f"{wall_s:.0f} s: {tally.seeds} seeds, {tally.simulated_h:.2f} h simulated,"
            f" {tally.per_cpu_second:.0f} simulated seconds per CPU second, {len(tally.broken)} violations",
            file=sys.stderr,
        )


def _summarise(tally: Tally) -> None:
    print(f"{tally.seeds} seeds, {tally.repeated} of them run twice; {tally.starts} starts, {tally.fills} fills")
    print(
        f"{tally.simulated_h:.2f} h simulated in {tally.cpu_s / 3600:.3f} h of CPU time:"
        f" {tally.per_cpu_second:.0f} simulated seconds per CPU second"
    )
    print(f"faults fired: {_counts(dict(sorted(tally.fired.items()))) or 'none'}")
    print(f"invariants judged: {_counts({name: count for name, count in tally.judged.items() if count})}")
    for name, why in tally.off.items():
        print(f"  {name} is not judged: {why}")
    print("seen:")
    for name, count in sorted(tally.seen.items()):
        print(f"  {count:9} {name}")
    print(f"never seen: {', '.join(tally.never) or 'nothing that should have been'}")
    print(f"{len(tally.broken)} violations")
    for (seed, name), broken in _first_of_each(tally.broken).items():
        count = sum((each.seed, each.violation.id) == (seed, name) for each in tally.broken)
        more = f" ({name} {count} times)" if count > 1 else ""
        print(f"  seed {seed}: {_violation(broken.violation)}{more}\n    {broken.command}")


def _first_of_each(broken: Iterable[Broken]) -> dict[tuple[int, str], Broken]:
    """Return the first violation of each invariant in each seed."""
    first: dict[tuple[int, str], Broken] = {}
    for each in broken:
        first.setdefault((each.seed, each.violation.id), each)
    return first


# -- both ---------------------------------------------------------------------------------


def _draw_of(options: argparse.Namespace) -> Draw | None:
    draw = Draw(faults=options.faults, minutes=options.minutes, symbols=tuple(options.markets))
    problem = draw.problem()
    if problem:
        _refuse(problem)
        return None
    return draw


def _refuse(problem: str) -> int:
    print(f"sim: {problem}", file=sys.stderr)
    return Exit.USAGE


def _fresh_seed() -> int:
    return int.from_bytes(secret_bytes(SEED_BYTES), "little")


def _interruptible(work: Callable[[], int]) -> int:
    """Do something that Ctrl-C and SIGTERM end early."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return work()
    except KeyboardInterrupt:
        print("sim: interrupted", file=sys.stderr)
        return INTERRUPTED
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
