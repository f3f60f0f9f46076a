"""Shrinking: what stays is what it takes to fail."""

import msgspec
import pytest

from lighterman.simulation.failure import failure_of, read, this_program, write
from lighterman.simulation.plan import Fault, Options, Plan
from lighterman.simulation.shrink import NotFailingError, shrink, shrink_file, size
from lighterman.simulation.verdict import Verdict
from lighterman.simulation.watch import Run

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

START_US = 1_728_018_000_000_000
KINDS = ("pause", "jump", "burst", "kill", "late_fills", "gap")

PLAN = Plan(
    seed=7,
    options=Options(
        symbols=["ETH", "BTC", "SOL"], levels=4, tempo_ms=[100, 200, 600], tier="standard", start_us=START_US
    ),
    faults=[
        Fault(9_000 + 2_000 * number, KINDS[number % len(KINDS)], {"seconds": 9.5, "count": 12, "stream": "rest"})
        for number in range(24)
    ],
)


def needs(*kinds):
    return lambda plan: set(kinds) <= {fault.kind for fault in plan.faults}


@pytest.mark.parametrize("kinds", [(), ("kill",), ("gap", "pause"), ("burst", "jump", "late_fills")])
def test_keeps_the_faults_that_it_takes(kinds):
    """Of many faults one of each kind stays that is needed, and no other."""
    smallest = shrink(PLAN, needs(*kinds))

    assert sorted(fault.kind for fault in smallest.faults) == sorted(kinds)


def test_everything_else_becomes_small():
    """Where only a fault matters, there is one market and level, little time, and a small fault."""
    smallest = shrink(PLAN, needs("kill"))

    assert smallest.options == Options(
        symbols=["SOL"],
        levels=1,
        tempo_ms=[600],
        tier="premium",
        start_us=START_US,
        warm_up_ms=1_000,
        faults_ms=1,
    )
    assert smallest.faults == [Fault(1_000, "kill", {"seconds": 1.0, "count": 1, "stream": "rest"})]
    assert size(smallest) == "1 faults in 1.001 s, 1 markets, 1 levels"


def test_what_matters_stays():
    """Levels, markets, distances and arguments stay as large as it takes."""

    def fails(plan):
        kills = [fault for fault in plan.faults if fault.kind == "kill" and fault.args["count"] >= 3]
        is_late = len(kills) > 1 and kills[-1].at_ms - kills[0].at_ms >= 5_000
        return is_late and "BTC" in plan.options.symbols and plan.options.levels >= 2

    smallest = shrink(PLAN, fails)

    assert fails(smallest)
    assert [fault.args["count"] for fault in smallest.faults] == [3, 3]
    assert smallest.options.symbols == ["BTC"]
    assert smallest.options.levels == 2
    assert smallest.options.warm_up_ms + smallest.options.faults_ms < 10_000


def test_the_plan_stays_a_plan():
    """Every trial has its faults in order of time, after the warm-up and before the healing."""

    def fails(plan):
        options = plan.options
        times_ms = [fault.at_ms for fault in plan.faults]
        assert times_ms == sorted(times_ms)
        assert all(options.warm_up_ms <= at_ms < options.warm_up_ms + options.faults_ms for at_ms in times_ms)
        assert len(options.symbols) == len(options.tempo_ms) > 0
        assert options.faults_ms > 0
        return needs("kill", "gap")(plan)

    shrink(PLAN, fails)


def trials(runs_max=400):
    tried = []

    def fails(plan):
        tried.append(msgspec.json.encode(plan))
        return needs("kill", "burst")(plan)

    shrink(PLAN, fails, runs_max=runs_max)
    return tried


def test_repeats():
    """The same plan is shrunk in the same way, and no plan is tried twice."""
    assert trials() == trials()
    assert len(set(trials())) == len(trials())


def test_is_bounded():
    """There are no more trials than allowed, and what was found until then is returned."""
    assert len(trials(runs_max=10)) == 10

    smallest = shrink(PLAN, needs("kill"), runs_max=10)

    assert needs("kill")(smallest)
    assert len(smallest.faults) < len(PLAN.faults)


def test_nothing_smaller_fails():
    """A plan of which nothing can go is returned as it is."""
    assert shrink(PLAN, lambda plan: plan == PLAN) == PLAN


def test_shows_its_progress():
    """Each success is shown with the number of trials so far; the last one is the result."""
    shown = []
    smallest = shrink(PLAN, needs("kill"), show=lambda runs, plan: shown.append((runs, plan)))

    assert shown[-1][1] == smallest
    assert [runs for runs, _ in shown] == sorted({runs for runs, _ in shown})


# -- files -----------------------------------------------------------------------------------


def failed_file(path, *, is_canary):
    """Write the file of a run whose canary sang, whatever its faults."""
    faults = [Fault(2_000, "jump", {"bps": 9.0}), Fault(3_000, "burst", {"side": "ask", "count": 3})]
    options = Options(
        symbols=["ETH", "BTC"], levels=2, tempo_ms=[700, 800], tier="premium", start_us=START_US, faults_ms=5_000
    )
    verdict = Verdict(
        seed=3,
        ok=False,
        trace="",
        simulated_s=0.0,
        starts=1,
        fills=0,
        fired={},
        judged={},
        off={},
        violations=[{"id": "CANARY", "text": "", "now_ns": 0}],
    )
    verdict = msgspec.convert(msgspec.to_builtins(verdict), Verdict)
    plan = Plan(seed=3, options=options, faults=faults)
    run = Run(plan=plan, is_canary=is_canary, verdict=verdict, seen={}, cpu_s=0.0, log=[])
    return write(failure_of(run, this_program()), path / "3.json")


def test_shrinks_a_file(tmp_path):
    """The file of a failed run becomes one of a smaller run that fails for the same reason."""
    path = shrink_file(failed_file(tmp_path, is_canary=True))
    smaller = read(path)

    assert path.name == "3.small.json"
    assert smaller.violations[0].id == "CANARY"
    assert smaller.plan.faults == []
    assert (len(smaller.plan.options.symbols), smaller.plan.options.levels) == (1, 1)
    assert smaller.trace


def test_what_does_not_fail_is_not_shrunk(tmp_path):
    """A file whose failure does not happen any more is refused."""
    with pytest.raises(NotFailingError, match="CANARY does not happen"):
        shrink_file(failed_file(tmp_path, is_canary=False))
