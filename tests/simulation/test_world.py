"""A whole run: what it goes through, that it repeats, and that what should be found is found.

Each run has a process of its own, since what killed bots leave must never be finalised.
"""

import asyncio

import msgspec
import pytest

from lighterman.simulation.draw import draw_plan
from lighterman.simulation.forks import in_child
from lighterman.simulation.plan import Fault
from lighterman.simulation.verdict import Verdict, judge, run_plan
from lighterman.simulation.world import World

CPU_S_MAX = 60
SHORT = {"symbols": ["ETH"], "tempo_ms": [150], "tier": "premium", "faults_ms": 10_000}


def _run(plan, **options):
    """Run a plan in a process of its own."""
    report = in_child(lambda: msgspec.json.encode(run_plan(plan, [], **options)), CPU_S_MAX)
    return msgspec.json.decode(report.words(), type=Verdict)


def _log(plan):
    """Run a plan and return what happened, without the frames."""

    def work():
        world = World(plan)
        world.log = []
        judge(world, [])
        return "\n".join(text for _, text, data in world.log if not data).encode()

    return in_child(work, CPU_S_MAX).words().decode().splitlines()


@pytest.mark.parametrize("wire", [False, True])
def test_a_calm_run_holds_every_invariant(wire):
    """Without faults the bot trades, is judged on everything, and nothing is violated, over messages and bytes."""
    verdict = _run(draw_plan(2, only=["none"], wire=wire, **SHORT))

    assert verdict.ok, verdict.violations
    assert (1, True) == (verdict.starts, verdict.fills > 0)
    judged = {name for name, count in verdict.judged.items() if count}
    assert {"I1", "I2", "I3", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13", "I14", "L1"} <= judged


@pytest.mark.parametrize("wire", [False, True])
def test_a_run_repeats(wire):
    """The same plan gives the same trace; another seed another one."""
    plan = draw_plan(5, only=["kill", "closed_connection", "reset"], wire=wire, **SHORT)

    assert _run(plan).trace == _run(plan).trace
    assert _run(plan).trace != _run(draw_plan(6, only=["none"], wire=wire, **SHORT)).trace


def test_the_operator_starts_again_what_has_died():
    """After kill -9 the bot is started anew, on what the disk holds, and quotes again."""
    plan = draw_plan(3, only=["none"], wire=False, **SHORT)
    plan = msgspec.structs.replace(plan, faults=[Fault(9_000, "kill", {"steps": 20})])
    log = _log(plan)

    assert ["bot started", "fault kill", "bot killed", "bot started"] == [
        each for each in log if each.split()[0] in ("bot", "fault") and "ended" not in each
    ]
    assert "bot ended: 0 SIGTERM" == log[-1]
    assert _run(plan).ok


def test_the_operator_clears_what_only_a_person_may():
    """A halt stays until the faults are over; then the bot is stopped and started, and quotes again."""
    plan = draw_plan(3, only=["none"], wire=False, **SHORT)
    plan = msgspec.structs.replace(plan, faults=[Fault(9_000, "collateral_withdrawn", {"usd": 300, "seconds": 60.0})])
    plan = msgspec.structs.replace(plan, options=msgspec.structs.replace(plan.options, faults_ms=80_000))
    log = _log(plan)

    assert "bot ended: 0 operator" in log[log.index("healed") :]
    assert _run(plan).ok


def test_the_canary_fails():
    """An invariant that is false by construction is reported: a silent oracle would prove nothing."""
    verdict = _run(draw_plan(2, only=["none"], wire=False, **SHORT), is_canary=True)

    assert not verdict.ok
    assert {"CANARY"} == {violation.id for violation in verdict.violations}


def test_a_world_that_hangs_or_spins_is_a_violation():
    """A run that would hang or spin for ever ends at once, and says so."""

    def broken(what):
        def work():
            world = World(draw_plan(2, only=["none"], wire=False, **SHORT))
            vars(world)["run"] = what
            return msgspec.json.encode(judge(world, []))

        (violation,) = msgspec.json.decode(in_child(work, CPU_S_MAX).words(), type=Verdict).violations
        return violation.id

    async def hang():
        await asyncio.get_running_loop().create_future()

    async def spin():
        asyncio.get_running_loop().call_soon(again)
        await asyncio.sleep(1)

    def again():
        asyncio.get_running_loop().call_soon(again)

    assert ("DEADLOCK", "LIVELOCK") == (broken(hang), broken(spin))
