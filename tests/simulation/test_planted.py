"""The planted bugs are well made: each changes one place, and is there when its module is imported."""

import ast
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from helpers.markets import ETH
from lighterman.domain.position import Position, apply_fill
from simulation.planted.catalogue import INVARIANTS, OTHER_SIGNS, PlantedBug, every_bug, families, find
from simulation.planted.plant import install
from simulation.planted.run import hunt

BUGS = every_bug()
BUGS_MIN = 46
FAMILIES = {  # of safety code, and the modules that make each up
    "book": {"domain/book.py", "exchange/link.py", "protocol/stream.py"},
    "budget": {"exchange/ratelimit.py", "risk/budget.py"},
    "journal": {"journal/disk.py", "journal/state.py", "journal/writer.py"},
    "links": {"exchange/private.py", "exchange/public.py", "exchange/questions.py", "protocol/stream.py"},
    "loss": {"engine/exposure.py", "engine/readiness.py", "journal/state.py", "risk/pnl.py", "runtime/watches.py"},
    "nonces": {"exchange/lighter.py", "exchange/sender.py", "exchange/wire.py", "protocol/nonces.py"},
    "position": {"domain/position.py", "engine/ledger.py", "exchange/private.py", "protocol/translate.py"},
    "reconcile": {"engine/reconcile.py"},
    "risk": {"engine/exposure.py", "engine/orders.py", "exchange/wiregate.py", "risk/gate.py"},
    "stop": {"engine/engine.py", "exchange/sender.py", "runtime/outcome.py", "runtime/run.py", "runtime/shutdown.py"},
    "tracker": {"engine/engine.py", "engine/intake.py", "engine/order.py", "engine/orders.py"},
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
    return {module: (package / module).read_text(encoding="utf-8") for module in {bug.module for bug in BUGS}}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_changes_one_place(bug: PlantedBug, sources: Mapping[str, str]) -> None:
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
    assert len(BUGS) == len({bug.name for bug in BUGS}) == len({(bug.module, bug.old, bug.new) for bug in BUGS})


def test_covers_the_safety_code() -> None:
    """There are enough bugs, of every family and in every module that makes it up."""
    planted = {family: {bug.module for bug in bugs} for family, bugs in families().items()}

    assert len(BUGS) >= BUGS_MIN
    assert FAMILIES.keys() == planted.keys()
    assert {} == {family: missing for family, modules in FAMILIES.items() if (missing := modules - planted[family])}


def test_says_what_goes_wrong() -> None:
    """Each bug says in a sentence what goes wrong, and which known invariants should notice."""
    assert [] == [bug.name for bug in BUGS if not (bug.wrong[0].isupper() and bug.wrong.endswith("."))]
    assert [] == [bug.name for bug in BUGS if not bug.noticed_by or {*bug.noticed_by} - {*INVARIANTS, *OTHER_SIGNS}]


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


def test_hunts_in_order() -> None:
    """Seeds run in order until one breaks an invariant; later ones do not run."""
    ran: list[int] = []

    def run(seed: int) -> str | None:
        ran.append(seed)
        return "I1" if seed == 8 else None

    caught, missed = hunt("a_bug", [7, 8, 9], run), hunt("a_bug", [1], run)

    assert ("I1", 8, 2, True) == (caught.invariant, caught.seed, caught.seeds_tried, caught.caught)
    assert (None, None, 1, False) == (missed.invariant, missed.seed, missed.seeds_tried, missed.caught)
    assert [7, 8, 1] == ran


def test_runs_as_a_script(repository: Path) -> None:
    """The script plants the bug it is told, and prints one JSON object; without seeds it has tried none."""
    script = repository / "tests" / "simulation" / "planted" / "run.py"
    command = [sys.executable, str(script), "fee_credited"]

    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    expected = {"name": "fee_credited", "caught": False, "seed": None, "invariant": None, "seeds_tried": 0}
    assert expected == json.loads(printed)
