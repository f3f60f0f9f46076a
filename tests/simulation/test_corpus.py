"""Every plan that ever broke something, run again for ever: corpus/*.json, written by `lighterman sim keep`."""

from pathlib import Path

import pytest

from lighterman.simulation.campaign import run_plans
from lighterman.simulation.failure import read

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

CORPUS = Path(__file__).with_name("corpus")


def test_what_once_broke_holds():
    """No plan in the corpus violates anything any more."""
    runs = run_plans((read(path).plan for path in sorted(CORPUS.glob("*.json"))), workers=2)
    broken = [(run.plan.seed, run.verdict.violations) for run in runs if not run.verdict.ok]

    assert [] == broken


def test_says_what_it_broke():
    """A file in the corpus says what was violated, by which program, and carries no log."""
    kept = [(path.name, read(path)) for path in sorted(CORPUS.glob("*.json"))]

    assert [] == [name for name, failure in kept if not failure.violations or failure.log or not failure.program.commit]
