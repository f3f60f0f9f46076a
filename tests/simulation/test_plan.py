"""A plan is data: it can be written down, read back and made smaller."""

import msgspec

from lighterman.simulation.draw import draw_plan
from lighterman.simulation.plan import Plan


def test_a_plan_survives_being_written_down():
    """What is read back from JSON is the same plan."""
    plan = draw_plan(4)

    assert plan == msgspec.json.decode(msgspec.json.encode(plan), type=Plan)


def test_faults_can_be_taken_out():
    """A plan without some of its faults keeps the others, and everything else."""
    plan = draw_plan(4)
    smaller = plan.without(0, 2)

    assert [plan.faults[1], *plan.faults[3:]] == smaller.faults
    assert (plan.seed, plan.options) == (smaller.seed, smaller.options)
