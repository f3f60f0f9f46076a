"""Campaigns: how seeds become plans, how plans are run, and how runs add up."""

import itertools

import pytest
from msgspec.structs import replace

from lighterman.simulation.campaign import REPEATS_EVERY, Draw, Tally, run_plans, run_seeds, with_repeats
from lighterman.simulation.draw import draw_plan
from lighterman.simulation.failure import Program
from lighterman.simulation.faults.catalogue import FAULTS, kinds
from lighterman.simulation.oracle import Violation
from lighterman.simulation.oracle.registry import INVARIANTS
from lighterman.simulation.sightings import NAMES
from lighterman.simulation.verdict import Verdict
from lighterman.simulation.watch import Run

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

SHORT = Draw(faults="none", minutes=0.05, symbols=("ETH",))
PROGRAM = Program(version="1", commit="c", source="s", python="3")


def run(seed=1, trace="t", *violations, **facts) -> Run:
    base = {
        "seed": seed,
        "ok": not violations,
        "trace": trace,
        "simulated_s": 1800.0,
        "starts": 2,
        "fills": 3,
        "fired": {"gap": 1},
        "judged": {each.name: 1 for each in INVARIANTS},
        "off": {"I4": "no guard", "I18": "judged elsewhere"},
        "violations": list(violations),
    }
    verdict = Verdict(**(base | facts))
    return Run(plan=SHORT.plan(seed), is_canary=False, verdict=verdict, seen={"bot killed": 2}, cpu_s=9.0, log=[])


def added(*runs: Run) -> Tally:
    tally = Tally()
    for each in runs:
        tally.add(each, f"again {each.verdict.seed}")
    return tally


# -- drawing --------------------------------------------------------------------------------


def test_mixed_is_the_plan_of_the_seed():
    """Where nothing else is said, a plan is as the seed has it."""
    assert [draw_plan(seed) for seed in range(30)] == [Draw().plan(seed) for seed in range(30)]


def test_every_kind_occurs_alone():
    """So many seeds as there are kinds have each kind once, alone, in a world where it can occur."""
    plans = [Draw(faults="alone").plan(seed) for seed in range(len(FAULTS))]

    assert [{name} for name in FAULTS] == [{fault.kind for fault in plan.faults} for plan in plans]
    assert all(plan.faults[0].kind in kinds(wire=plan.options.wire) for plan in plans)


def test_pairs_occur_together():
    """Pairs are two kinds that both occur, and over many seeds every two that can."""
    draw = Draw(faults="pairs")
    pairs = [pair for wire in (False, True) for pair in itertools.combinations(kinds(wire=wire), 2)]
    count = len({frozenset(pair) for pair in pairs})

    found = [frozenset(draw.command(seed).rpartition(" ")[2].split(",")) for seed in range(count)]

    assert {frozenset(pair) for pair in pairs} == set(found)
    for seed in range(0, count, 97):
        assert found[seed] == {fault.kind for fault in draw.plan(seed).faults}


def test_options_are_replaced():
    """Markets and the time for faults are as asked for; faults fall into that time, and nothing else moves."""
    draw = Draw(faults="kill,pause", minutes=0.5, symbols=("SOL", "ETH"))

    plan, drawn = draw.plan(5), draw_plan(5)

    assert (["SOL", "ETH"], 2, 30_000) == (
        plan.options.symbols, len(plan.options.tempo_ms), plan.options.faults_ms,
    )  # fmt: skip
    assert (drawn.options.tier, drawn.options.levels) == (plan.options.tier, plan.options.levels)
    assert {"kill", "pause"} == {fault.kind for fault in plan.faults}
    assert all(0 <= fault.at_ms - plan.options.warm_up_ms < 30_000 for fault in plan.faults)
    assert [] == SHORT.plan(5).faults


@pytest.mark.parametrize(
    ("draw", "problem"),
    [
        (Draw(faults="gap,explosion"), "no fault 'explosion'"),
        (Draw(faults=""), "no fault ''"),
        (Draw(symbols=("DOGE",)), "no market 'DOGE'"),
        (Draw(faults="gap,reset_in_frame"), "do not occur in one world"),
        (Draw(faults="kill,reset_in_frame"), ""),
        (Draw(), ""),
        (Draw(faults="pairs"), ""),
    ],
)
def test_problems(draw, problem):
    """What cannot be drawn says why."""
    assert problem in draw.problem()
    assert bool(problem) == bool(draw.problem())


# -- running --------------------------------------------------------------------------------


def test_every_plan_is_run():
    """Each plan gives one verdict; twice the same plan, in two processes, leaves one trace."""
    plans = [SHORT.plan(seed) for seed in (1, 2, 1)]

    verdicts = list(run_seeds(plans, workers=2))

    assert [1, 1, 2] == sorted(verdict.seed for verdict in verdicts)
    assert [] == [violation for verdict in verdicts for violation in verdict.violations]
    assert 2 == len({verdict.trace for verdict in verdicts})


def test_a_crash_stops_nobody_else():
    """Plans behind one that crashes are run."""
    broken = replace(SHORT.plan(1), options=replace(SHORT.plan(1).options, symbols=["DOGE"]))

    runs = list(run_plans([broken, SHORT.plan(2)]))

    assert [False, True] == [each.verdict.ok for each in runs]


def test_some_plans_come_twice():
    """One plan in twenty is run again, the first among them."""
    plans = [SHORT.plan(seed) for seed in range(REPEATS_EVERY + 1)]

    seeds = [plan.seed for plan in with_repeats(plans)]

    assert [0, 0, *range(1, REPEATS_EVERY), REPEATS_EVERY, REPEATS_EVERY] == seeds


# -- adding up ------------------------------------------------------------------------------


def test_runs_add_up():
    """Time, faults, judgements and sightings of all seeds are summed; speed is simulated time by CPU time."""
    tally = added(run(1), run(2, fired={"gap": 2, "kill": 1}))

    assert (2, 4, 6, 1.0, 200.0) == (
        tally.seeds, tally.starts, tally.fills, tally.simulated_h, tally.per_cpu_second,
    )  # fmt: skip
    assert {"gap": 3, "kill": 1} == tally.fired
    assert {"bot killed": 4} == tally.seen
    assert {1: "t", 2: "t"} == tally.traces
    assert {"I4": "no guard"} == tally.off


def test_violations_are_kept_with_their_command():
    """A violation is told with its seed and the command that brings it back."""
    tally = Tally()

    assert tally.add(run(1), "again 1")
    assert not tally.add(run(2, "t", Violation("I1", "too much", 5)), "again 2")
    assert [(2, "I1", "again 2")] == [(each.seed, each.violation.id, each.command) for each in tally.broken]


def test_a_repeated_seed_is_compared():
    """A seed run again counts its time alone; another trace than the first is a violation."""
    same, other = added(run(1, "t"), run(1, "t")), added(run(1, "t"), run(1, "u"))

    assert (1, 1, 3600.0, {"gap": 1}) == (same.seeds, same.repeated, same.simulated_s, same.fired)
    assert [] == same.broken
    assert ["I18"] == [each.violation.id for each in other.broken]
    assert "traces t and u" in other.broken[0].violation.text


def test_what_was_never_seen_is_told():
    """Faults that never fired, invariants never judged although they could be, and names never counted are told."""
    tally = added(run(1, judged={each.name: each.name != "I7" for each in INVARIANTS}), run(1))

    assert "fault gap" not in tally.never
    assert "fault kill" in tally.never
    assert ["invariant I7"] == [name for name in tally.never if name.startswith("invariant")]
    assert {*NAMES} - {*tally.never} == {"bot killed"}


def test_a_line_of_the_ledger():
    """A campaign's line says when, which program, which seeds, how much, and what was wrong."""
    line = added(run(7), run(9, "t", Violation("I1", "x", 0))).line(PROGRAM, SHORT, 1_700_000_000_000_000)

    assert ("2023-11-14T22:13:20+00:00", PROGRAM, SHORT, 2, 7, 9) == (
        line.ended, line.program, line.draw, line.seeds, line.first_seed, line.last_seed,
    )  # fmt: skip
    assert (1.0, 0.005, 200.0) == (line.simulated_h, line.cpu_h, line.per_cpu_second)
    assert [9] == [each.seed for each in line.broken]
