"""The catalogue of faults: what it covers, how arguments are drawn, and that each kind finds something to act on."""

import re

import msgspec
import pytest

from lighterman.chance import seeded
from lighterman.simulation.draw import draw_plan
from lighterman.simulation.faults.catalogue import FAULTS, kinds
from lighterman.simulation.faults.kind import kind
from lighterman.simulation.forks import in_child
from lighterman.simulation.verdict import Verdict, run_plan

KINDS_MIN = 30
CPU_S_MAX = 60


def test_the_catalogue_is_large_and_says_what_it_covers():
    """At least thirty kinds, each naming its row of the fault tables and telling its story, none twice."""
    assert len(FAULTS) >= KINDS_MIN
    for name, fault in FAULTS.items():
        assert re.fullmatch("[NEPCDO][0-9]+", fault.covers), name
        assert fault.story, name
    assert len(FAULTS) == len({fault.story for fault in FAULTS.values()})


def test_all_tables_are_covered():
    """Network, exchange, process, clock and data: each table of the reference has faults."""
    assert set("NEPCDO") == {fault.covers[0] for fault in FAULTS.values()}


def test_both_worlds_have_faults_of_their_own():
    """Messages and bytes fail in different ways, machine and venue in both."""
    assert set(FAULTS) == set(kinds(wire=True)) | set(kinds(wire=False))
    assert "reset_in_frame" not in kinds(wire=False)
    assert "gap" not in kinds(wire=True)
    assert {"kill", "jump"} <= set(kinds(wire=True)) & set(kinds(wire=False))


def test_arguments_are_drawn_within_their_ranges():
    """Whole numbers, fractions and words, always inside what was named."""
    found = kind("N1", "x", lambda *_: True, count=(1, 3), seconds=(0.5, 2.0), side=("bid", "ask"))
    drawn = [found.chances.draw(seeded(seed, "x")) for seed in range(100)]

    assert {1, 2, 3} == {each["count"] for each in drawn}
    assert {"bid", "ask"} == {each["side"] for each in drawn}
    assert all(0.5 <= each["seconds"] <= 2.0 for each in drawn)


def _fired(name: str, *, wire: bool) -> int:
    plan = draw_plan(3, only=[name], wire=wire, symbols=["ETH"], tempo_ms=[150], tier="premium", faults_ms=25_000)
    report = in_child(lambda: msgspec.json.encode(run_plan(plan, [])), CPU_S_MAX)
    verdict = msgspec.json.decode(report.words(), type=Verdict)
    assert [] == verdict.violations
    return verdict.fired.get(name, 0)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_kind_acts_and_is_survived(name):
    """Alone, each kind of fault finds something to act on, and nothing is violated."""
    wire = name not in kinds(wire=False)

    assert _fired(name, wire=wire) > 0
