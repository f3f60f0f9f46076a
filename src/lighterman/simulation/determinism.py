"""The same seeds in other processes: other hash seeds, other Pythons, the same traces.

Each way is a process of its own that runs a campaign of the same seeds with this very source.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

import lighterman
from lighterman.domain.errors import LightermanError

SOURCE = Path(lighterman.__file__).parents[1]
HASH_SEEDS = (0, 1)
LINES_SHOWN = 5


class OtherProcessError(LightermanError):
    """A process that should have run the seeds did not."""


class Way(msgspec.Struct, frozen=True):
    """One interpreter with one hash seed."""

    python: str
    hash_seed: int

    def __str__(self) -> str:
        return f"PYTHONHASHSEED={self.hash_seed} {self.python}"


class _Traces(msgspec.Struct):
    traces: dict[int, str]


def ways(pythons: Sequence[str]) -> list[Way]:
    """Return every way: this Python and others, each with every hash seed."""
    return [Way(python, hash_seed) for python in (sys.executable, *pythons) for hash_seed in HASH_SEEDS]


def traces_of(way: Way, words: Sequence[str]) -> dict[int, str]:
    """Run a campaign with some options in another process; return the traces of its seeds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [way.python, "-m", "lighterman", "sim", "campaign", "--json", "--failures", folder, *words]
        environment = os.environ | {"PYTHONHASHSEED": str(way.hash_seed), "PYTHONPATH": str(SOURCE)}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        return msgspec.json.decode(ended.stdout, type=_Traces).traces
    except msgspec.DecodeError:
        said = " / ".join(ended.stderr.splitlines()[-LINES_SHOWN:])
        raise OtherProcessError(f"{way}: ended with exit code {ended.returncode}: {said}") from None


def differences(found: Mapping[str, Mapping[int, str]]) -> Iterator[tuple[int, dict[str, str]]]:
    """Return the seeds that left different traces, with the trace of each way."""
    for seed in sorted({seed for traces in found.values() for seed in traces}):
        traces = {way: traces.get(seed, "none") for way, traces in found.items()}
        if len(set(traces.values())) > 1:
            yield seed, traces
