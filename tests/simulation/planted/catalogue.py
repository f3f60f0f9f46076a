"""The planted bugs: small mistakes that a person could make in safety code, kept as data.

Law: a bug is one text in one module, replaced by another; it stands in `bugs/<family>.toml` and
nowhere in the product, with the first seed that notices it and the invariant that broke. None breaks
its module, or the exchange, at once. What none of the seeds notices stands in `hidden.toml`, with the
reason, and does not count.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

PACKAGE = "lighterman"
FOLDER = Path(__file__).parent
SEEDS_MAX = 136  # the gate's (test_seeds.py)
# No proof: without one of their faults L1 breaks there in the program as it is.
FRAGILE = (9, 28)
SEEDS = tuple(seed for seed in range(SEEDS_MAX) if seed not in FRAGILE)
INVARIANTS = (*(f"I{number}" for number in range(1, 19)), "L1", "L2")
OTHER_SIGNS = ("BUG", "HANG", "UNCAUGHT", "DEADLOCK", "LIVELOCK")  # the simulation's own names for the rest


class Bug(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bug; `module` is a path below the package (`engine/orders.py`)."""

    name: str
    module: str
    old: str  # occurs exactly once in the module
    new: str
    wrong: str  # what goes wrong, in one sentence
    needs: str = ""  # what a scenario must offer for it to show; "" where any trading does

    @property
    def import_name(self) -> str:
        """Return the module's name as it is imported."""
        return f"{PACKAGE}." + self.module.removesuffix(".py").replace("/", ".")

    def plant(self, source: str) -> str:
        """Return the module's source with the bug in it; raises ValueError where it has no one place."""
        if source.count(self.old) != 1:
            raise ValueError(f"{self.name}: the old text stands {source.count(self.old)} times in {self.module}")
        return source.replace(self.old, self.new)


class PlantedBug(Bug, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bug that must be caught."""

    seed: int  # the first that notices it
    caught_by: str

    @property
    def tries(self) -> int:
        """Return how many seeds it took."""
        return SEEDS.index(self.seed) + 1


class HiddenBug(Bug, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bug that none of the seeds notices."""

    reason: str  # a second defence holds, or what the world lacks


class _Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of bugs."""

    bug: list[PlantedBug]


class _Hidden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of the others."""

    bug: list[HiddenBug]


def families() -> dict[str, list[PlantedBug]]:
    """Return the planted bugs by family, which is the name of their file."""
    paths = sorted((FOLDER / "bugs").glob("*.toml"))
    return {path.stem: msgspec.toml.decode(path.read_bytes(), type=_Family).bug for path in paths}


def every_bug() -> list[PlantedBug]:
    """Return all planted bugs."""
    return [bug for bugs in families().values() for bug in bugs]


def hidden_bugs() -> list[HiddenBug]:
    """Return the bugs that do not count."""
    return msgspec.toml.decode((FOLDER / "hidden.toml").read_bytes(), type=_Hidden).bug


def find(name: str) -> Bug:
    """Return a bug by its name; raises KeyError."""
    bugs: Sequence[Bug] = [*every_bug(), *hidden_bugs()]
    return {bug.name: bug for bug in bugs}[name]
