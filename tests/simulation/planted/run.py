"""Hunts one planted bug: `python run.py NAME SEED...` plants it in this process and runs the seeds in order.

Ends at the first seed whose world breaks an invariant, and prints one JSON object:
{"name", "caught", "seed", "invariant", "seeds_tried"}. A catch counts only on seeds in which
nothing breaks without the bug.
"""

import argparse
import contextlib
import io
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from simulation.planted.catalogue import find
from simulation.planted.plant import install


class Hunt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it; without a catch `seed` and `invariant` are null."""

    name: str
    caught: bool
    seed: int | None = None
    invariant: str | None = None
    seeds_tried: int


class _Violation(msgspec.Struct, frozen=True):
    id: str


class _Verdict(msgspec.Struct, frozen=True):
    """As much of the simulation's verdict as is needed here."""

    violations: list[_Violation]


def broken_by(seed: int) -> str | None:
    """Run one seed; return the invariant that broke first, None where all held."""
    main = import_module("lighterman.cli").main  # not before the bug is planted
    printed = io.StringIO()
    with TemporaryDirectory() as failures, contextlib.redirect_stdout(printed):
        main(["sim", "--seed", str(seed), "--json", "--failures", failures])
    verdict = msgspec.json.decode(printed.getvalue(), type=_Verdict)
    return verdict.violations[0].id if verdict.violations else None


def hunt(name: str, seeds: Iterable[int], run: Callable[[int], str | None]) -> Hunt:
    """Run seeds until one breaks an invariant."""
    tried = 0
    for seed in seeds:
        tried += 1
        invariant = run(seed)
        if invariant is not None:
            return Hunt(name=name, caught=True, seed=seed, invariant=invariant, seeds_tried=tried)
    return Hunt(name=name, caught=False, seeds_tried=tried)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Plant one bug and run seeds until the simulation notices.")
    parser.add_argument("name", help="of a bug in the catalogue")
    parser.add_argument("seeds", type=int, nargs="*", metavar="SEED")
    arguments = parser.parse_args()
    install(find(arguments.name))
    found = hunt(arguments.name, arguments.seeds, broken_by)
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")


if __name__ == "__main__":
    _main()
