"""Makes a failing plan small: fewer faults, then less time, fewer markets and levels, simpler circumstances.

Law: the caller decides what "still fails" means, and a change is kept only if the smaller plan still
does. The order of trials depends on the plan alone, no plan is tried twice, and there are at most
`runs_max` trials. Nothing that is drawn while a world runs moves when a fault is taken out, so the
faults go first; then the rest is tried again and again until nothing of it can go.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from lighterman.domain.errors import LightermanError
from lighterman.simulation.campaign import run_plans
from lighterman.simulation.failure import failure_of, read, this_program, write
from lighterman.simulation.plan import Fault, Options, Plan, Value
from lighterman.simulation.watch import Run, Watch

RUNS_MAX = 400
CPU_S_MAX = 60
WARM_UPS_MS = (1_000, 2_000, 4_000)
CALM_TEMPO_MS = 500
SIMPLE_TIER = "premium"

Show = Callable[[int, Plan], None]


def shrink(
    plan: Plan,
    fails: Callable[[Plan], bool],
    *,
    runs_max: int = RUNS_MAX,
    show: Show = lambda _, __: None,
) -> Plan:
    """Return the smallest plan found that still fails; `show` hears of each success, and after how many runs."""
    search = _Search(plan, fails, runs_max, show)
    _fewer_faults(search)
    is_smaller = True
    while is_smaller:
        before = search.best
        for candidates in (_earlier, _shorter, _fewer_markets, _simpler_options, _simpler_arguments):
            _settle(search, candidates)
        _fewer_faults(search)
        is_smaller = search.best != before
    return search.best


def size(plan: Plan) -> str:
    """Describe how large a plan is."""
    options = plan.options
    return (
        f"{len(plan.faults)} faults in {(options.warm_up_ms + options.faults_ms) / 1000:g} s, "
        f"{len(options.symbols)} markets, {options.levels} levels"
    )


class _Search:
    """The best plan so far, and the trials that are left."""

    def __init__(self, plan: Plan, fails: Callable[[Plan], bool], runs_max: int, show: Show) -> None:
        self.best = plan
        self._fails = fails
        self._runs_left = self._runs_max = runs_max
        self._show = show
        self._tried = {_key(plan)}

    def try_out(self, plan: Plan) -> bool:
        """Run a plan; if it fails it is the best from now on."""
        key = _key(plan)
        if key in self._tried or not self._runs_left:
            return False
        self._tried.add(key)
        self._runs_left -= 1
        if not self._fails(plan):
            return False
        self.best = plan
        self._show(self._runs_max - self._runs_left, plan)
        return True


def _key(plan: Plan) -> bytes:
    return msgspec.json.encode(plan)


def _settle(search: _Search, candidates: Callable[[Plan], Iterator[Plan]]) -> None:
    """Try smaller plans, from the boldest on, and begin again with each that fails."""
    while any(search.try_out(plan) for plan in candidates(search.best)):
        pass


def _fewer_faults(search: _Search) -> None:
    """Take out faults: all of them, else by delta debugging (ddmin), in halves first and one by one at last."""
    search.try_out(replace(search.best, faults=[]))
    pieces = 2
    while faults := search.best.faults:
        pieces = min(pieces, len(faults))
        parts = _parts(len(faults), pieces)
        if any(search.try_out(_only(search.best, part)) for part in parts):
            pieces = 2
        elif any(search.try_out(search.best.without(*part)) for part in parts):
            pieces = max(2, pieces - 1)
        elif pieces < len(faults):
            pieces *= 2
        else:
            return


def _parts(count: int, pieces: int) -> list[range]:
    bounds = [count * number // pieces for number in range(pieces + 1)]
    return [range(first, last) for first, last in itertools.pairwise(bounds)]


def _only(plan: Plan, part: range) -> Plan:
    return replace(plan, faults=[plan.faults[number] for number in part])


# -- what else can be smaller: each yields candidates, the boldest first ---------------------------


def _earlier(plan: Plan) -> Iterator[Plan]:
    """Bring the faults nearer to each other, and the first to the end of the warm-up."""
    before_ms = plan.options.warm_up_ms
    for number, fault in enumerate(plan.faults):
        gap_ms = fault.at_ms - before_ms
        for by_ms in (gap_ms, gap_ms // 2, gap_ms // 8):
            if by_ms > 0:
                yield _shifted(plan, number, -by_ms)
        before_ms = fault.at_ms


def _shifted(plan: Plan, first: int, by_ms: int) -> Plan:
    """Move a fault and all behind it, and the end of the faults."""
    later = [replace(fault, at_ms=fault.at_ms + by_ms) for fault in plan.faults[first:]]
    options = replace(plan.options, faults_ms=plan.options.faults_ms + by_ms)
    return replace(plan, faults=plan.faults[:first] + later, options=options)


def _shorter(plan: Plan) -> Iterator[Plan]:
    """Heal sooner after the last fault; warm up for a shorter time."""
    options = plan.options
    last_ms = max((fault.at_ms - options.warm_up_ms for fault in plan.faults), default=0)
    spare_ms = options.faults_ms - last_ms - 1
    for cut_ms in (spare_ms, spare_ms // 2, spare_ms // 8):
        if cut_ms > 0:
            yield _with(plan, faults_ms=options.faults_ms - cut_ms)
    for warm_up_ms in WARM_UPS_MS:
        if warm_up_ms < options.warm_up_ms:
            shifted = _shifted(plan, 0, warm_up_ms - options.warm_up_ms)
            yield _with(shifted, warm_up_ms=warm_up_ms, faults_ms=options.faults_ms)


def _fewer_markets(plan: Plan) -> Iterator[Plan]:
    options = plan.options
    if len(options.symbols) > 1:
        for number in range(len(options.symbols)):
            yield _with(plan, symbols=_but(options.symbols, number), tempo_ms=_but(options.tempo_ms, number))


def _simpler_options(plan: Plan) -> Iterator[Plan]:
    """Fewer levels, the usual tier, a calm market, and bytes only where it takes bytes."""
    options = plan.options
    if options.wire:
        yield _with(plan, wire=False)
    for levels in range(1, options.levels):
        yield _with(plan, levels=levels)
    if options.tier != SIMPLE_TIER:
        yield _with(plan, tier=SIMPLE_TIER)
    if any(tempo_ms < CALM_TEMPO_MS for tempo_ms in options.tempo_ms):
        yield _with(plan, tempo_ms=[max(CALM_TEMPO_MS, tempo_ms) for tempo_ms in options.tempo_ms])


def _simpler_arguments(plan: Plan) -> Iterator[Plan]:
    """Make the numbers among the faults' arguments smaller, and rounder."""
    for number, fault in enumerate(plan.faults):
        for name, value in fault.args.items():
            for simpler in _simpler(value):
                changed = Fault(fault.at_ms, fault.kind, fault.args | {name: simpler})
                yield replace(plan, faults=[*plan.faults[:number], changed, *plan.faults[number + 1 :]])


def _simpler(value: Value) -> Iterator[Value]:
    """Yield numbers nearer to 0 but not 0, which often means something else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    smaller = [int(value / 8), int(value / 2), int(value)]
    if isinstance(value, float):
        yield from (float(each) for each in smaller if each and each != value)
    else:
        yield from (each for each in smaller if each and each != value)


def _with(plan: Plan, **changes: object) -> Plan:
    options: Options = replace(plan.options, **changes)
    return replace(plan, options=options)


def _but(items: Sequence[Value], number: int) -> list[Value]:
    return [*items[:number], *items[number + 1 :]]


# -- files of failed runs --------------------------------------------------------------------------


class NotFailingError(LightermanError):
    """The plan of a failed run does not fail any more."""


def shrink_file(path: Path, *, runs_max: int = RUNS_MAX, show: Show = lambda _, __: None) -> Path:
    """Shrink the plan of a failed run until its first violation would go; return the file of the smaller run.

    Each trial has a process of its own and a limit of CPU time.
    """
    failed = read(path)
    wanted = failed.violations[0].id
    watch = Watch(is_canary=failed.is_canary)
    smallest: list[Run] = []

    def fails(plan: Plan) -> bool:
        (run,) = run_plans([plan], watch=watch, cpu_s_max=CPU_S_MAX)
        is_failing = any(violation.id == wanted for violation in run.verdict.violations)
        if is_failing:
            smallest[:] = [run]
        return is_failing

    if not fails(failed.plan):
        raise NotFailingError(f"{path}: {wanted} does not happen any more")
    shrink(failed.plan, fails, runs_max=runs_max, show=show)
    return write(failure_of(smallest[0], this_program()), path.with_suffix(".small.json"))
