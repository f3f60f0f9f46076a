"""The gate of every change: over a hundred seeds, five simulated hours, all kinds of faults mixed, no violation."""

import pytest

from lighterman.simulation.campaign import run_plans
from lighterman.simulation.draw import draw_plan

SEEDS = 136
AT_ONCE = 17
HOURS_MIN = 5.0

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def test_the_gate_is_long_enough():
    """The seeds below make more than a hundred, and at least five simulated hours even if none restarts its bot."""
    options = [draw_plan(seed).options for seed in range(SEEDS)]
    calm_ms = sum(each.warm_up_ms + each.faults_ms + 32_500 for each in options)

    assert SEEDS > 100
    assert calm_ms / 3_600_000 >= HOURS_MIN


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_seeds_hold_every_invariant(first):
    """Whatever goes wrong in these seeds, nothing that must hold is violated."""
    runs = run_plans((draw_plan(seed) for seed in range(first, first + AT_ONCE)), workers=1)
    broken = {run.plan.seed: [(each.id, each.text) for each in run.verdict.violations] for run in runs}

    assert {} == {seed: violations for seed, violations in broken.items() if violations}
