"""The lint must see what it was made to see: each rule with a planted offence and its lawful twin."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from house_lint import check, main

OFFENCES = [
    ("runtime/loop.py", "now = loop.time()", "clock"),
    ("runtime/loop.py", "schedule(self._loop.time)", "clock"),
    ("exchange/lighter.py", "now = asyncio.get_running_loop().time()", "clock"),
    ("simulator/tapes/tape.py", "rng = random.Random()", "chance"),
    ("matching/flow.py", "rng = Random(7)", "chance"),
    ("engine/engine.py", "approved = Approved(command)", "approval"),
    ("runtime/loop.py", "approved = gate.Approved(command)", "approval"),
    ("engine/orders.py", "key = id(order)", "identity"),
    ("engine/orders.py", "key = hash(order)", "identity"),
    ("engine/orders.py", "class A:\n    def __del__(self): ...", "identity"),
    ("engine/plan.py", "for market in {1, 2}: ...", "order"),
    ("engine/plan.py", "dirty = set()\nfor market in dirty: ...", "order"),
    ("engine/plan.py", "def f(dirty: frozenset[int]): return [m for m in dirty]", "order"),
    ("engine/plan.py", "def f(dirty: 'set[int]'): return {m: 0 for m in dirty}", "order"),
    ("engine/plan.py", "class A:\n    dirty: set[int]\ndef f(a): return list(a.dirty)", "order"),
    ("engine/plan.py", "def f(self):\n    self.dirty = set()\n    return self.dirty.pop()", "order"),
    ("engine/plan.py", "def f(a, b): return tuple(a.keys() - b)", "order"),
    ("engine/plan.py", "def f(a: set[str]): return ','.join(a)", "order"),
    ("engine/plan.py", "def f(a: set[str]): return [*a]", "order"),
    ("engine/plan.py", "def f(a: set[str]): return min(a, key=len)", "order"),
    ("engine/plan.py", "def f(a: set[str], b): return enumerate(a.union(b))", "order"),
    ("simulator/app.py", "for session in set(sessions): ...", "order"),
    ("exchange/link.py", "import threading", "machine"),
    ("simulation/world.py", "from concurrent.futures import ThreadPoolExecutor", "machine"),
    ("exchange/sender.py", "await asyncio.wait(tasks)", "machine"),
    ("runtime/loop.py", "loop.run_in_executor(None, work)", "machine"),
    ("simulation/bot.py", "home = os.environ['HOME']", "machine"),
    ("exchange/reads.py", "for task in asyncio.all_tasks(): ...", "machine"),
    ("risk/gate.py", "x = price_ticks / 2", "money"),
    ("risk/gate.py", "x = (order.price_ticks + 1) / y", "money"),
    ("risk/gate.py", "x = y / max(size_lots, 1)", "money"),
    ("risk/gate.py", "x = round(market.notional_micro(1, 2), 2)", "money"),
    ("matching/ledger.py", "collateral_pico /= 3", "money"),
    ("engine/plan.py", "x = 1  # house-ok: nothing is wrong here", "excuse"),
    ("engine/plan.py", "x = hash(y)  # house-ok:", "excuse"),
]

LAWFUL = [
    ("clock.py", "now = loop.time()"),
    ("chance.py", "rng = random.Random(seed)"),
    ("simulator/tapes/tape.py", "def f(rng: random.Random): return rng.random()"),
    ("risk/gate.py", "approved = Approved(command)"),
    ("monitoring/logs.py", "key = id(order)"),
    ("engine/plan.py", "def f(dirty: set[int]): return sorted(dirty), len(dirty), max(m for m in dirty), 3 in dirty"),
    ("engine/plan.py", "def f(a: set[int]): return {m + 1 for m in a}"),
    ("engine/plan.py", "def f(a: set[int]): ...\ndef g(a: list[int]): return [m for m in a]"),
    ("engine/plan.py", "def f(a: dict[int, int]): return list(a), [m for m in a.keys()]"),
    ("simulation/forks.py", "for session in set(sessions): ..."),
    ("simulation/campaign.py", "import subprocess"),
    ("exchange/link.py", "await asyncio.wait_for(work, 3)"),
    ("risk/gate.py", "x = price_ticks // 2"),
    ("risk/gate.py", "x = float(price_ticks) / 2"),
    ("risk/gate.py", "x = elapsed_ms / 1000"),
    ("domain/units.py", "x = price_ticks / 2"),
    ("strategy/fair.py", "mid = (bid_ticks + ask_ticks) / 2"),
    ("engine/plan.py", "tolerance = price_ticks / 7  # house-ok: a tolerance, never a price"),
]


@pytest.mark.parametrize(("path", "source", "rule"), OFFENCES)
def test_offence(path, source, rule):
    """Each rule refuses what it was made to refuse."""
    assert rule in [finding.rule for finding in check(path, source)]


@pytest.mark.parametrize(("path", "source"), LAWFUL)
def test_lawful(path, source):
    """What merely resembles an offence passes."""
    assert [] == check(path, source)


def test_package_is_clean(repository, capsys):
    """The package itself passes the house lint."""
    assert 0 == main([str(repository / "src" / "lighterman")]), capsys.readouterr().out


def test_nothing_checked_is_no_pass(tmp_path):
    """A lint that found no module does not report success."""
    assert 2 == main([str(tmp_path)])


def test_finding_is_printed_with_its_place(tmp_path, capsys):
    """A finding names file, line and rule, and fails the run."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "plan.py").write_text("x = 1\ny = hash(x)\n")

    assert 1 == main([str(tmp_path)])
    assert "engine/plan.py:2: identity:" in capsys.readouterr().out
