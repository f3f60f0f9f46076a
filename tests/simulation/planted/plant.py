"""Plants one bug in this process: the module's source is changed in memory when it is imported.

Law: before the first import of the module, or not at all; once a process, which ends with it.
Bytecode is neither read nor written, so that nothing of the bug outlives the process. A process
that has been forked for a bug may forget the package first, and imports it anew.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from simulation.planted.catalogue import PACKAGE, Bug


class _Loader(SourceFileLoader):
    """Loads one module with the bug in it."""

    def __init__(self, fullname: str, path: str, bug: Bug) -> None:
        super().__init__(fullname, path)
        self._bug = bug

    def get_code(self, fullname: str) -> CodeType:
        """Compile the changed source."""
        source = self.get_data(self.path).decode()
        code: CodeType = self.source_to_code(self._bug.plant(source).encode(), self.path)
        return code


class _Finder(MetaPathFinder):
    """Answers for one module; all others are found as ever."""

    def __init__(self, bug: Bug) -> None:
        self._bug = bug

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module to be changed, and have it loaded with the bug."""
        if fullname != self._bug.import_name:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin, self._bug)
        return spec


def install(bug: Bug) -> None:
    """Plant a bug; raises RuntimeError where its module has been imported already."""
    if bug.import_name in sys.modules:
        raise RuntimeError(f"{bug.import_name} has been imported without its bug")
    sys.meta_path.insert(0, _Finder(bug))


def forget() -> None:
    """Forget every module of the package: what is imported from now on is another copy of it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
