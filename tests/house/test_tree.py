"""The tree: nothing in it points at a machine or a registry, and every module is tested."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDERS = (".ci", "benchmarks", "configs", "docs", "native", "src", "tests", "tools")
REGISTRY = re.compile(r"py[p]i\.org|python[h]osted|npm[j]s\.(com|org)|[d]ebian\.org|crates\.[i]o|proxy\.[g]olang")
MACHINE_PATH = re.compile(r"(^|[\s\"'`(=:])/(wor[k]|hom[e]|roo[t]|User[s])/[a-z.]")
FILE_BYTES_MAX = 1_000_000

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

UNTESTED = {  # module -> why it has no test file of its own
    "__main__.py": "two lines; every test that starts a process goes through it",
    "domain/chance.py": "a Protocol: types only",
    "domain/clock.py": "a Protocol: types only",
    "domain/commands.py": "records only",
    "exchange/port.py": "a Protocol: types only",
    "exchange/settings.py": "records only",
    "exchange/transport.py": "a Protocol and its limits",
    "journal/settings.py": "records only",
    "matching/outputs.py": "records only",
    "matching/state.py": "records only",
    "matching/views.py": "records only",
    "monitoring/settings.py": "records only",
    "simulator/listening.py": "a Protocol: types only",
}


def _files(repository: Path) -> Iterator[Path]:
    yield from (path for path in repository.iterdir() if path.is_file())
    for folder in FOLDERS:
        for path in (repository / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []


@pytest.mark.parametrize("pattern", [REGISTRY, MACHINE_PATH], ids=["registry", "machine"])
def test_names_no_place(repository, pattern):
    """No file names a package registry's host or a path of somebody's machine."""
    found = [
        f"{path.relative_to(repository)}:{number}: {line.strip()[:80]}"
        for path in _files(repository)
        for number, line in enumerate(_lines(path), 1)
        if pattern.search(line)
    ]

    assert [] == found


def test_no_large_file(repository):
    """The tree carries source, not recordings."""
    assert [] == [path for path in _files(repository) if path.stat().st_size > FILE_BYTES_MAX]


def test_every_test_states_a_fact(repository):
    """Every test says in a docstring what it holds to be so."""
    silent = []
    for path in (repository / "tests").rglob("test_*.py"):
        functions = [
            node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, FUNCTIONS)
        ]
        silent += [
            f"{path.relative_to(repository)}:{node.lineno} {node.name}"
            for node in functions
            if node.name.startswith("test_") and not ast.get_docstring(node)
        ]

    assert [] == silent


def _has_test(module: Path, tests: Path) -> bool:
    """Tell whether tests/<room>/ has a file named after the module or after its sub-package."""
    room, *rest = module.with_suffix("").parts
    folder, names = (tests / room, rest) if rest else (tests, [room])
    return any(list(folder.glob(f"test_{name}*.py")) for name in names)


def test_every_module_is_tested(repository):
    """Every module has a test file of its name, or a stated reason why not; no reason is stale."""
    package, tests = repository / "src" / "lighterman", repository / "tests"
    modules = [path.relative_to(package) for path in package.rglob("*.py") if path.name != "__init__.py"]
    unnamed = [module.as_posix() for module in modules if not _has_test(module, tests)]

    assert sorted(UNTESTED) == sorted(unnamed)
