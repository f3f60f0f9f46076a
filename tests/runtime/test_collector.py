"""Collecting garbage when nobody waits."""

import gc
import subprocess
import sys
import weakref

import pytest

from lighterman.runtime import collector as module
from lighterman.runtime.collector import ALL_FIRST, MIDDLE_EVERY, PAUSE_NS_MAX, YOUNG_EVERY_NS, QuietCollector

GROWTH = """
import resource, sys
from lighterman.clock import SystemClock
from lighterman.runtime.collector import QuietCollector

def pages():
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt

collector = QuietCollector(SystemClock())
if sys.argv[1] == "y":
    collector.begin()
before = pages()
grown = [None] * 40_000
for number in range(40_000):
    grown[number] = bytes(64)  # 112 bytes with the allocator's rounding
print(pages() - before)
"""


class Ring:
    """What only a collection frees: it holds itself."""

    def __init__(self):
        self.myself = self


class Clock:
    """Each look at it takes `step_ns`."""

    def __init__(self):
        self.now_ns = self.step_ns = 0

    def mono_ns(self):
        self.now_ns += self.step_ns
        return self.now_ns

    def wall_us(self):
        return 0


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def collector(clock):
    collecting = QuietCollector(clock)
    collecting.begin()
    yield collecting
    collecting.end()


def ring():
    """Return a way to see whether a ring is still there."""
    return weakref.ref(Ring())


def turns(collector, first, last):
    for number in range(first, last + 1):
        collector.after_turn(number * YOUNG_EVERY_NS)


def test_what_the_start_has_made_is_walked_through_no_more(collector):
    """All of it is frozen, and the interpreter collects nothing by itself."""
    assert gc.get_freeze_count() > 1000
    assert not gc.isenabled()


def test_in_the_end_all_is_as_before(clock):
    """Whoever runs after us in this process finds the interpreter as it was."""
    collecting = QuietCollector(clock)
    collecting.begin()
    collecting.end()

    assert (gc.isenabled(), gc.get_freeze_count()) == (True, 0)


def test_a_young_cycle_is_freed_after_a_turn(collector):
    """And not before: until the turn is over nobody collects."""
    held = ring()
    assert held() is not None
    collector.after_turn(YOUNG_EVERY_NS)
    assert held() is None


def test_turns_in_quick_succession_collect_once(collector):
    """A quarter of a second lies between two collections."""
    collector.after_turn(YOUNG_EVERY_NS)
    held = ring()
    collector.after_turn(2 * YOUNG_EVERY_NS - 1)
    assert held() is not None
    collector.after_turn(2 * YOUNG_EVERY_NS)
    assert held() is None


@pytest.mark.parametrize(("survived", "freed_at"), [(1, MIDDLE_EVERY), (MIDDLE_EVERY, ALL_FIRST)])
def test_older_cycles_are_freed_too(collector, survived, freed_at):
    """What outlived a young collection goes with a later one that looks at more."""
    kept = Ring()
    held = weakref.ref(kept)
    turns(collector, 1, survived)
    del kept
    turns(collector, survived + 1, freed_at - 1)
    assert held() is not None
    turns(collector, freed_at, freed_at)
    assert held() is None


@pytest.mark.parametrize(("step_ns", "is_frozen"), [(PAUSE_NS_MAX, False), (PAUSE_NS_MAX + 1, True)])
def test_a_long_pause_is_not_made_twice(collector, clock, step_ns, is_frozen):
    """What survived a collection that took too long is frozen; else it stays among what is looked at."""
    clock.step_ns = step_ns
    before = gc.get_freeze_count()
    kept = [Ring() for _ in range(100)]
    turns(collector, 1, ALL_FIRST)

    assert (gc.get_freeze_count() >= before + len(kept)) is is_frozen


def test_all_is_collected_again_and_again(collector, monkeypatch):
    """Not only the first time."""
    monkeypatch.setattr(module, "ALL_EVERY", 50)
    turns(collector, 1, ALL_FIRST + 1)
    kept = Ring()
    held = weakref.ref(kept)
    turns(collector, ALL_FIRST + 2, ALL_FIRST + 20)
    del kept
    turns(collector, ALL_FIRST + 21, ALL_FIRST + 50)

    assert held() is None


@pytest.mark.skipif(sys.platform != "linux", reason="pages are counted as Linux does")
def test_session_grows_in_memory_that_it_has():
    """Four MiB of objects that come after the beginning touch hardly a page for the first time; else a thousand."""
    new_pages = {begins: int(subprocess.check_output([sys.executable, "-c", GROWTH, begins])) for begins in ("y", "n")}

    assert new_pages["n"] > 900
    assert new_pages["y"] < 100
