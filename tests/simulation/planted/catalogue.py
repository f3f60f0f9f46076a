"""The planted bugs: small mistakes that a person could make in safety code, kept as data.

Law: a bug is one text in one module, replaced by another; it stands in `bugs/<family>.toml` and
nowhere in the product. Each breaks an invariant that the simulation checks, in a world that
offers what it `needs`, and none breaks the module at once.
"""

from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "bugs"
INVARIANTS = (*(f"I{number}" for number in range(1, 19)), "L1", "L2")
OTHER_SIGNS = ("exit", "journal")  # the bot ends by itself as broken; its journal is not what happened


class PlantedBug(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bug; `module` is a path below the package (`engine/orders.py`)."""

    name: str
    module: str
    old: str  # occurs exactly once in the module
    new: str
    wrong: str  # what goes wrong, in one sentence
    noticed_by: list[str]
    needs: str = ""  # what a scenario must offer for it to show; "" where any trading does

    @property
    def import_name(self) -> str:
        """Return the module's name as it is imported."""
        return "lighterman." + self.module.removesuffix(".py").replace("/", ".")

    def plant(self, source: str) -> str:
        """Return the module's source with the bug in it; raises ValueError where it has no one place."""
        if source.count(self.old) != 1:
            raise ValueError(f"{self.name}: the old text stands {source.count(self.old)} times in {self.module}")
        return source.replace(self.old, self.new)


class _Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of bugs."""

    bug: list[PlantedBug]


def families() -> dict[str, list[PlantedBug]]:
    """Return the bugs by family, which is the name of their file."""
    return {
        path.stem: msgspec.toml.decode(path.read_bytes(), type=_Family).bug for path in sorted(FOLDER.glob("*.toml"))
    }


def every_bug() -> list[PlantedBug]:
    """Return all bugs."""
    return [bug for bugs in families().values() for bug in bugs]


def find(name: str) -> PlantedBug:
    """Return a bug by its name; raises KeyError."""
    return {bug.name: bug for bug in every_bug()}[name]
