"""The locks: exact, hashed, free of addresses, and about the project as it is."""

import re
import tomllib
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = ["requirements.lock", "requirements-build.lock", "requirements-dev.lock", "requirements-profile.lock"]
OTHERS = ["requirements-official.txt", "requirements-sdk.txt"]
ADDRESS = re.compile(r"://|^\s*-|@\s|\b[\w-]+\.(com|dev|io|net|org)\b")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def _pins(text: str) -> dict[str, Requirement]:
    lines = [line.removesuffix("\\").strip() for line in text.splitlines() if line[:1].isalnum()]
    requirements = [Requirement(re.sub(r"\s*--hash=\S+", "", line)) for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


@pytest.mark.parametrize("name", LOCKS + OTHERS)
def test_no_address(repository, name):
    """A lock names packages, versions and hashes, never a place to get them from."""
    lines = (repository / name).read_text().splitlines()
    statements = [line for line in lines if not HASH.match(line) and not line.lstrip().startswith("#")]

    assert [] == [line for line in statements if ADDRESS.search(line)]


@pytest.mark.parametrize("name", LOCKS + OTHERS)
def test_exact_and_hashed(repository, name):
    """Every requirement is one exact version with at least one hash."""
    text = (repository / name).read_text()
    entries = [entry for entry in re.split(r"^(?=\w)", text, flags=re.MULTILINE) if entry[:1].isalnum()]

    assert entries
    assert [] == [
        entry.split()[0] for entry in entries if "==" not in entry.split()[0] or "--hash=sha256:" not in entry
    ]


@pytest.mark.parametrize(
    ("lock", "extras", "groups"),
    [
        ("requirements.lock", [], []),
        ("requirements-build.lock", None, ["build"]),
        ("requirements-dev.lock", ["fast", "tape"], ["build", "dev"]),
        ("requirements-profile.lock", None, ["profile"]),
    ],
)
def test_lock_fits_the_project(repository, lock, extras, groups):
    """What pyproject.toml asks for is locked at a version it accepts."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    wanted = [] if extras is None else [*project["project"]["dependencies"]]
    for extra in extras or []:
        wanted += project["project"]["optional-dependencies"][extra]
    for group in groups:
        wanted += project["dependency-groups"][group]
    locked = _pins((repository / lock).read_text())

    for requirement in map(Requirement, wanted):
        version = next(iter(locked[canonicalize_name(requirement.name)].specifier)).version
        assert requirement.specifier.contains(version), requirement


def test_every_dependency_is_used(repository):
    """What is installed to run is imported somewhere in the package."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    wanted = list(chain(project["dependencies"], *project["optional-dependencies"].values()))
    source = "".join(path.read_text() for path in (repository / "src").rglob("*.py"))
    names = [Requirement(text).name.replace("-", "_") for text in wanted]

    assert [] == [name for name in names if not re.search(rf"^\s*(import|from) {name}\b", source, re.MULTILINE)]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-build.lock"])
def test_locks_agree(repository, lock):
    """Tests run with the very versions that are installed for use."""
    tested = _pins((repository / "requirements-dev.lock").read_text())

    for name, requirement in _pins((repository / lock).read_text()).items():
        assert str(requirement.specifier) == str(tested[name].specifier)
