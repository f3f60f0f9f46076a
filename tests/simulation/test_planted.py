"""The planted bugs are well made: each changes one place, and is there when its module is imported.

That they are caught is tested in test_planted_bugs.py.
"""

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from helpers.markets import ETH
from lighterman.domain.position import Position, apply_fill
from simulation.planted.catalogue import (
    INVARIANTS,
    OTHER_SIGNS,
    SEEDS,
    Bug,
    every_bug,
    families,
    find,
    hidden_bugs,
)
from simulation.planted.plant import install

BUGS = every_bug()
BUGS_MIN = 40
HIDDEN = hidden_bugs()
ALL: list[Bug] = [*BUGS, *HIDDEN]
FAMILIES = {  # of safety code, and the modules that make each up
    "book": {"engine/intake.py", "exchange/link.py", "protocol/stream.py"},
    "budget": {"exchange/ratelimit.py"},
    "journal": {"journal/disk.py"},
    "links": {"exchange/public.py", "exchange/questions.py", "protocol/stream.py"},
    "loss": {"engine/exposure.py", "engine/readiness.py", "journal/state.py", "risk/pnl.py"},
    "nonces": {"exchange/sender.py", "exchange/wire.py", "protocol/nonces.py"},
    "position": {
        "domain/position.py",
        "engine/intake.py",
        "engine/ledger.py",
        "exchange/private.py",
        "protocol/translate.py",
    },
    "reconcile": {"engine/reconcile.py"},
    "risk": {"engine/engine.py", "engine/exposure.py", "engine/orders.py", "risk/gate.py"},
    "stop": {"exchange/sender.py", "runtime/shutdown.py"},
    "tracker": {"engine/engine.py", "engine/intake.py", "engine/order.py", "engine/orders.py", "journal/state.py"},
}
ROUNDED = {"position": Position(3, 10), "delta_lots": -1, "price_ticks": 1, "market": ETH}
PLANTED = """
import sys
sys.path.insert(0, sys.argv[1])
from simulation.planted.catalogue import find
from simulation.planted.plant import install
install(find("reduced_cost_rounded_up"))
from simulation.test_planted import ROUNDED, apply_fill
print(apply_fill(**ROUNDED)[0].entry_quote_micro)
"""


@pytest.fixture(scope="module")
def sources(repository: Path) -> Mapping[str, str]:
    """Return the source of every module that a bug is planted in."""
    package = repository / "src" / "lighterman"
    return {module: (package / module).read_text(encoding="utf-8") for module in {bug.module for bug in ALL}}


@pytest.mark.parametrize("bug", ALL, ids=lambda bug: bug.name)
def test_changes_one_place(bug: Bug, sources: Mapping[str, str]) -> None:
    """A bug's old text occurs exactly once, and what stands there instead is another program that compiles."""
    source = sources[bug.module]

    planted = bug.plant(source)

    compile(planted, bug.module, "exec")
    assert ast.dump(ast.parse(source)) != ast.dump(ast.parse(planted))


def test_refuses_a_bug_without_place() -> None:
    """A bug whose text is not in the module, or twice, is not planted somewhere else instead."""
    bug = BUGS[0]

    for source in ("", bug.old * 2):
        with pytest.raises(ValueError, match=f"{bug.name}: the old text stands {source.count(bug.old)} times"):
            bug.plant(source)


def test_names_are_unique() -> None:
    """A name means one bug, and a place with a text instead is planted once."""
    assert len(ALL) == len({bug.name for bug in ALL}) == len({(bug.module, bug.old, bug.new) for bug in ALL})


def test_covers_the_safety_code() -> None:
    """There are enough bugs, of every family and in every module that makes it up."""
    planted = {family: {bug.module for bug in bugs} for family, bugs in families().items()}

    assert len(BUGS) >= BUGS_MIN
    assert FAMILIES.keys() == planted.keys()
    assert {} == {family: missing for family, modules in FAMILIES.items() if (missing := modules - planted[family])}


def test_says_what_goes_wrong() -> None:
    """Each bug says in a sentence what goes wrong, and either what notices it in which seed, or why nothing does."""
    assert [] == [bug.name for bug in ALL if not (bug.wrong[0].isupper() and bug.wrong.endswith("."))]
    assert [] == [bug.name for bug in HIDDEN if not (bug.reason[0].isupper() and bug.reason.endswith("."))]
    assert [] == [bug.name for bug in BUGS if bug.caught_by not in (*INVARIANTS, *OTHER_SIGNS)]
    assert {bug.seed for bug in BUGS} <= {*SEEDS}


def test_is_there_when_imported(repository: Path) -> None:
    """In a process of its own a planted bug changes what the imported function returns; here it does not."""
    command = [sys.executable, "-c", PLANTED, str(repository / "tests")]

    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    assert 6 == apply_fill(**ROUNDED)[0].entry_quote_micro
    assert "7\n" == printed


def test_comes_before_the_import_or_not_at_all() -> None:
    """A module that has been imported keeps its code: the bug is refused."""
    with pytest.raises(RuntimeError, match=r"lighterman\.domain\.position has been imported without its bug"):
        install(find("reduced_cost_rounded_up"))
