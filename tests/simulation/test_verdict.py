"""What is said of a run."""

import msgspec

from lighterman.simulation.draw import draw_plan
from lighterman.simulation.forks import in_child
from lighterman.simulation.oracle.registry import INVARIANTS
from lighterman.simulation.verdict import Verdict, judge
from lighterman.simulation.world import World


def _verdict(failures):
    def work():
        plan = draw_plan(2, only=["none"], symbols=["ETH"], tempo_ms=[400], tier="premium", faults_ms=1_000)
        world = World(plan)
        world.failures += failures
        return msgspec.json.encode(judge(world, []))

    return msgspec.json.decode(in_child(work, 60).words(), type=Verdict)


def test_it_tells_everything_about_a_run():
    """Seed, length, starts, fills, what was judged how often, and why the rest was not."""
    verdict = _verdict([])

    assert (2, True, 1) == (verdict.seed, verdict.ok, verdict.starts)
    assert verdict.simulated_s > 40
    assert {invariant.name for invariant in INVARIANTS} == set(verdict.judged)
    assert "guard" in verdict.off["I4"]
    assert 16 == len(verdict.trace)


def test_what_is_no_invariant_is_a_violation_too():
    """A bug that the bot reported, or anything else that is wrong, fails a run under its own name."""
    (violation,) = _verdict(["BUG: ValueError: x"]).violations

    assert ("BUG", "ValueError: x") == (violation.id, violation.text)
