"""Children of a process: what they say, how they end, and that nothing comes back from them."""

import asyncio
import gc
import os
import weakref

import pytest

from lighterman.simulation.forks import ChildError, Forks, in_child
from lighterman.simulation.virtual import VirtualLoop, run

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

CPU_S_MAX = 5


def forked(*works, workers=2, cpu_s_max=CPU_S_MAX):
    """Have each work done by a child; return the reports by number."""
    reports = {}
    forks = Forks(workers, cpu_s_max, reports.__setitem__)
    for key, work in enumerate(works):
        child = forks.fork(key)
        if child is not None:
            with child:
                child.report(work())
    forks.wait_for_all()
    return reports


def test_every_child_is_heard():
    """What a child reports is heard under its key, however long it is."""
    reports = forked(lambda: b"first", lambda: b"x" * 1_000_000, lambda: b"")

    assert {key: (len(report.data), report.failure) for key, report in reports.items()} == {
        0: (5, ""),
        1: (1_000_000, ""),
        2: (0, ""),
    }


def test_no_more_than_allowed_at_a_time():
    """A further child waits until there is a place."""
    running, most = set(), 0
    forks = Forks(2, CPU_S_MAX, lambda key, _: running.discard(key))
    for key in range(6):
        child = forks.fork(key)
        if child is not None:
            with child:
                child.report(b"")
        running.add(key)
        most = max(most, len(running))
    forks.wait_for_all()

    assert most == 2
    assert running == set()


def test_a_child_that_raises_says_why(capfd):
    """A child does not come out of its work: an exception ends it, with its traceback."""
    report = forked(lambda: 1 // 0)[0]

    assert report.failure == "ended with exit code 1"
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_child_has_so_much_time():
    """A child that hangs is ended when its CPU time is used up."""

    def hang():
        while True:
            pass

    assert forked(hang, cpu_s_max=1)[0].failure == "ended by SIGXCPU"


def test_a_child_that_dies_is_noticed():
    """A child that ends without a word is told from one with nothing to say."""
    assert forked(lambda: os._exit(0))[0] == (b"", "")
    assert forked(lambda: os._exit(3))[0].failure == "ended with exit code 3"


def test_a_child_finalises_nothing(capfd):
    """What a child holds, and what it drops in a cycle, is not finalised when it ends."""

    class Held:
        itself = None

    def work():
        held = Held()
        held.itself = held
        weakref.finalize(held, os.write, 2, b"finalised")
        del held
        return b"done" if not gc.isenabled() else b"collects"

    assert forked(work)[0].data == b"done"
    assert capfd.readouterr().err == ""


def test_a_virtual_loop_goes_on_in_both():
    """A world that forks in the middle goes on in parent and child, at the same virtual time."""
    reports = {}
    forks = Forks(1, CPU_S_MAX, reports.__setitem__)

    async def world():
        await asyncio.sleep(3)
        child = forks.fork(0)
        await asyncio.sleep(4)
        if child is not None:
            with child:
                child.report(b"%d" % asyncio.get_running_loop().time())
        return asyncio.get_running_loop().time()

    loop = VirtualLoop()
    assert run(world(), loop) == 7.0
    loop.close()
    forks.wait_for_all()
    assert reports[0] == (b"7", "")


def test_one_piece_of_work():
    """The report of one child is returned; its words, where there are none, are an error."""
    assert in_child(lambda: b"done", CPU_S_MAX).words() == b"done"

    with pytest.raises(ChildError, match="ended with exit code 3"):
        in_child(lambda: os._exit(3), CPU_S_MAX).words()
