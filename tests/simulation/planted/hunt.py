"""Hunts planted bugs: `python hunt.py` the whole catalogue from scratch, `python hunt.py NAME...` these.

Law: a bug has a process of its own, which forgets the package, plants, and runs the seeds in order until one
breaks something. A catch counts only where nothing breaks without the bug: all these seeds belong to the
gate (test_seeds.py), in which all holds.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

import msgspec

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from lighterman.simulation.forks import Child, Forks, Report
from lighterman.simulation.oracle import Violation
from simulation.planted.catalogue import SEEDS, Bug, every_bug, find
from simulation.planted.plant import forget, install

WORKERS = 2
CPU_S_MAX = 60  # of a bug's own process; its seeds are not counted
MEDIAN_MAX = 20
HEADER = f"{'bug':38} {'seed':>4} {'broken':8} {'tries':>5}  how"


class Hunt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a bug; without a catch `seed` is null and `invariant` empty."""

    name: str
    seed: int | None = None
    invariant: str = ""
    text: str = ""
    tries: int

    def __str__(self) -> str:
        seed = "-" if self.seed is None else self.seed
        return f"{self.name:38} {seed:>4} {self.invariant or '-':8} {self.tries:>5}  {self.text[:100]}".rstrip()


def hunt(name: str, seeds: Iterable[int], run: Callable[[int], Violation | None]) -> Hunt:
    """Run seeds until one breaks something."""
    tries = 0
    for seed in seeds:
        tries += 1
        violation = run(seed)
        if violation is not None:
            return Hunt(name=name, seed=seed, invariant=violation.id, text=violation.text, tries=tries)
    return Hunt(name=name, tries=tries)


def hunts(wanted: Iterable[tuple[Bug, Sequence[int]]], workers: int = WORKERS) -> Iterator[Hunt]:
    """Hunt each bug in its seeds, and tell of each when it has ended."""
    names: list[str] = []
    ended: list[Hunt] = []

    def end(key: int, report: Report) -> None:
        ended.append(
            Hunt(name=names[key], text=f"the hunt {report.failure}", tries=0)
            if report.failure
            else msgspec.json.decode(report.data, type=Hunt)
        )

    import_module("lighterman.simulation.world")  # what the package itself needs is imported once for all
    forks = Forks(workers, CPU_S_MAX, end)
    for key, (bug, seeds) in enumerate(wanted):
        names.append(bug.name)
        child = forks.fork(key)
        if child is not None:
            with child:
                _hunt(bug, seeds, child)
        yield from ended
        ended.clear()
    forks.wait_for_all()
    yield from ended


def _hunt(bug: Bug, seeds: Sequence[int], child: Child) -> None:
    forget()
    install(bug)
    run = import_module("simulation.planted.trial").first_violation
    child.report(msgspec.json.encode(hunt(bug.name, seeds, run)))


def _main() -> int:
    parser = argparse.ArgumentParser(description="Plant bugs, and run seeds until the simulation notices each.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of bugs in the catalogue; all that count without")
    parser.add_argument("--seeds-max", type=int, default=len(SEEDS), metavar="N", help="for each bug")
    parser.add_argument("--workers", type=int, default=WORKERS, metavar="N")
    options = parser.parse_args()
    bugs: Sequence[Bug] = [find(name) for name in options.names] or every_bug()
    found = []
    sys.stdout.write(f"{HEADER}\n")
    for each in hunts(((bug, SEEDS[: options.seeds_max]) for bug in bugs), options.workers):
        found.append(each)
        sys.stdout.write(f"{each}\n")
        sys.stdout.flush()
    caught = [each for each in found if each.seed is not None]
    median = statistics.median(each.tries for each in found)
    sys.stdout.write(f"{len(caught)} of {len(found)} caught, median of the seeds tried: {median:g}\n")
    return 0 if len(caught) == len(found) and median <= MEDIAN_MAX else 1


if __name__ == "__main__":
    sys.exit(_main())
