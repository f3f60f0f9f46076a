"""The planted bugs are caught: each in its seed, and one is shrunk to the faults that it takes."""

import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from lighterman.simulation.failure import read
from lighterman.simulation.oracle import Violation
from simulation.planted.catalogue import SEEDS, every_bug, families
from simulation.planted.hunt import MEDIAN_MAX, hunt, hunts

FAULTS_MAX = 3
SHRUNK = "thaw_not_told"

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.mark.parametrize("family", families())
def test_catches_every_bug(family: str) -> None:
    """In its seed, in which all holds without it, every bug of the family breaks an invariant.

    A change of the program that moves its traces may move the catch to another of the first seeds.
    """
    bugs = families()[family]
    found = list(hunts(((bug, [bug.seed, *SEEDS[:12]]) for bug in bugs), workers=1))

    assert [bug.name for bug in bugs] == [each.name for each in found]
    assert [] == [str(each) for each in found if each.seed is None]


def test_catches_them_early() -> None:
    """It takes a few seeds in the median until a bug is caught."""
    assert statistics.median(bug.tries for bug in every_bug()) <= MEDIAN_MAX


def test_hunts_in_order() -> None:
    """Seeds run in order until one breaks something; later ones do not run."""
    ran: list[int] = []

    def run(seed: int) -> Violation | None:
        ran.append(seed)
        return Violation("I1", "too much", 0) if seed == 8 else None

    caught, missed = hunt("a_bug", [7, 8, 9], run), hunt("a_bug", [1], run)

    assert ("I1", 8, 2) == (caught.invariant, caught.seed, caught.tries)
    assert ("", None, 1) == (missed.invariant, missed.seed, missed.tries)
    assert [7, 8, 1] == ran


def test_shrinks_a_planted_bug(repository: Path, tmp_path: Path) -> None:
    """The plan in which a bug is caught is shrunk by itself to at most three faults, of which none can go."""
    (bug,) = (bug for bug in every_bug() if bug.name == SHRUNK)
    failed = tmp_path / f"{bug.seed}.json"

    def command(*words: str) -> int:
        script = repository / "tests" / "simulation" / "planted" / "run.py"
        return subprocess.run([sys.executable, str(script), bug.name, "sim", *words], check=False).returncode

    assert 1 == command("--seed", str(bug.seed), "--failures", str(tmp_path))
    assert 0 == command("shrink", str(failed), "--runs", "12")

    before, after = read(failed), read(failed.with_suffix(".small.json"))
    assert before.violations[0].id == bug.caught_by in {violation.id for violation in after.violations}
    assert FAULTS_MAX >= len(after.plan.faults) < len(before.plan.faults)
