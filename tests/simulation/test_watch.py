"""Looking on while a world lives, in processes of their own: the trace stays, and every end is told."""

import msgspec
import pytest
from msgspec.structs import replace

from lighterman.simulation.campaign import Draw, run_plans
from lighterman.simulation.forks import Forks
from lighterman.simulation.verdict import Verdict, run_plan
from lighterman.simulation.watch import ENTRY_CHARACTERS_MAX, Entry, Run, Watch

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

SHORT = Draw(faults="none", minutes=0.05, symbols=("ETH",))
CPU_S_MAX = 60


def run(plan, cpu_s_max=CPU_S_MAX, **watch) -> Run:
    (ended,) = run_plans([plan], watch=Watch(**watch), cpu_s_max=cpu_s_max)
    return ended


def unwatched(plan) -> Verdict:
    reports = []
    forks = Forks(1, CPU_S_MAX, lambda _, report: reports.append(report))
    child = forks.fork(0)
    if child is not None:
        with child:
            child.report(msgspec.json.encode(run_plan(plan, [])))
    forks.wait_for_all()
    return msgspec.json.decode(reports[0].data, type=Verdict)


def test_watching_changes_nothing():
    """A watched run comes to what the same plan comes to unwatched, and more is known of it."""
    plan = SHORT.plan(2)

    watched = run(plan)
    assert unwatched(plan) == watched.verdict
    assert watched.verdict.ok
    assert (plan, []) == (watched.plan, watched.log)
    assert watched.is_whole
    assert watched.cpu_s > 0
    assert watched.seen["bot started"] == 1
    assert watched.seen["order open"] > 0


def test_is_cut_off():
    """A run may end before its time, in the middle of whatever goes on."""
    verdict = run(SHORT.plan(2), until_s=3.5).verdict

    assert (3.5, True) == (verdict.simulated_s, verdict.ok)


def test_keeps_what_came_before_the_first_violation():
    """The log of a failed run ends where something was first wrong."""
    ended = run(SHORT.plan(2), is_canary=True)
    first = ended.verdict.violations[0]

    assert "CANARY" == first.id
    assert "0.000000000 bot started" == ended.log[0]
    assert 0 <= first.now_ns / 1e9 - float(ended.log[-1].split()[0]) < 1


def test_a_crash_is_a_violation():
    """A run that raises is a violation with the reason, and not the end of anything else."""
    plan = SHORT.plan(2)
    broken = replace(plan, options=replace(plan.options, symbols=["DOGE"]))

    ended = run(broken)

    assert ["CRASH"] == [violation.id for violation in ended.verdict.violations]
    assert "KeyError: 'DOGE'" in ended.verdict.violations[0].text
    assert not ended.is_whole


def test_a_hang_is_a_violation():
    """A run that has used up its CPU time is a violation with the place where it was, and what it did last."""
    ended = run(replace(SHORT, minutes=60.0).plan(2), cpu_s_max=1)

    assert ["HANG"] == [violation.id for violation in ended.verdict.violations]
    assert "no end after 1 s of CPU time, at\n  File" in ended.verdict.violations[0].text
    assert len(ended.log) == 2000
    assert not ended.is_whole


def test_entries_are_readable():
    """An entry is its time, its kind and its bytes as text; what is no text and what is long still makes a line."""
    assert "1.000000002 healed" == str(Entry(1_000_000_002, "healed", b""))
    assert "0.000000000 public \ufffd{}" == str(Entry(0, "public", b"\xff{}"))
    assert str(Entry(0, "rest", b"a" * 5000)).endswith(f"{'a' * ENTRY_CHARACTERS_MAX}... (5000 characters)")
