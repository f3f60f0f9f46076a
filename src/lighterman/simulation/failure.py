"""The file of a run that failed: all that is needed to run it again, and what was known of it.

A kept failure (the corpus of the tests) is the same file without the log.
"""

import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

import msgspec
from msgspec.structs import replace

import lighterman
from lighterman.domain.errors import LightermanError
from lighterman.simulation.oracle import Violation
from lighterman.simulation.plan import Plan
from lighterman.simulation.watch import Run

PACKAGE = Path(lighterman.__file__).parent


class FailureFileError(LightermanError):
    """A file that is not one of a failed run."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """Which program it was. `commit` is empty where it is not known, `source` the hash of the package's files."""

    version: str
    commit: str
    source: str
    python: str

    def differences(self, other: "Program") -> list[str]:
        """Return in what the other is another program."""
        mine, theirs = msgspec.structs.asdict(self), msgspec.structs.asdict(other)
        return [
            f"{name}: {mine[name] or '?'} then, {theirs[name] or '?'} now"
            for name in mine
            if mine[name] != theirs[name]
        ]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A failed run. `log` ends at the first violation."""

    seed: int
    program: Program
    violations: list[Violation]
    trace: str
    simulated_s: float
    is_canary: bool = False
    plan: Plan
    log: list[str] = []


def this_program() -> Program:
    """Return which program is running."""
    return Program(version=lighterman.__version__, commit=_commit(), source=_source(), python=platform.python_version())


def failure_of(run: Run, program: Program) -> Failure:
    """Return what a run's file holds."""
    verdict = run.verdict
    return Failure(
        seed=verdict.seed,
        program=program,
        violations=verdict.violations,
        trace=verdict.trace,
        simulated_s=verdict.simulated_s,
        is_canary=run.is_canary,
        plan=run.plan,
        log=run.log,
    )


def write(failure: Failure, path: Path) -> Path:
    """Write a failure, one value a line; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(failure), indent=1) + b"\n")
    return path


def keep(failure: Failure, path: Path) -> Path:
    """Write a failure without its log, to be run again for ever."""
    return write(replace(failure, log=[]), path)


def read(path: Path) -> Failure:
    """Read a failure."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Failure)
    except OSError as error:
        raise FailureFileError(f"{path}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise FailureFileError(f"{path}: no file of a failed run: {error}") from None


def _commit() -> str:
    """Return the commit of the source checkout that this package is run from, marked if it was changed since."""
    git = shutil.which("git")
    root = PACKAGE.parents[1]
    if git is None or not (root / ".git").exists():
        return ""
    words = [
        git,
        "--no-optional-locks",
        "-C",
        str(root),
        "describe",
        "--always",
        "--dirty",
        "--exclude=*",
        "--abbrev=40",
    ]
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  (our words)
    return ended.stdout.strip()


def _source() -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
