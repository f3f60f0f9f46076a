"""The same seeds in other processes: how they are asked, and how what they left is compared."""

import sys

import pytest

from lighterman.simulation.determinism import HASH_SEEDS, OtherProcessError, Way, differences, traces_of, ways

WORDS = ("--seeds", "1-2", "--kinds", "kill", "--minutes", "0.05", "--markets", "ETH", "--workers", "2")


def test_every_python_with_every_hash_seed():
    """The interpreter that runs is always among the ways, and each interpreter comes with each hash seed."""
    found = ways(["other"])

    assert {(python, seed) for python in (sys.executable, "other") for seed in HASH_SEEDS} == {
        (way.python, way.hash_seed) for way in found
    }
    assert "PYTHONHASHSEED=0 other" in map(str, found)


def test_differences_are_found():
    """Seeds with more than one trace are told, with the trace of each way; one without a trace differs too."""
    found = {"a": {1: "x", 2: "y", 3: "z"}, "b": {1: "x", 2: "Y"}}

    assert [(2, {"a": "y", "b": "Y"}), (3, {"a": "z", "b": "none"})] == list(differences(found))
    assert [] == list(differences({"a": {1: "x"}, "b": {1: "x"}}))


def test_other_processes_leave_the_same_traces():
    """Two seeds with a kill leave the same traces in processes that hash texts differently."""
    traces = [traces_of(Way(sys.executable, hash_seed), WORDS) for hash_seed in HASH_SEEDS]

    assert traces[0] == traces[1]
    assert {1, 2} == traces[0].keys()
    assert all(traces[0].values())


def test_a_process_that_fails_is_told():
    """A process that does not run the seeds is an error with its last words, not a trace."""
    with pytest.raises(OtherProcessError, match=r"exit code 2: .*unrecognized arguments: --sedes"):
        traces_of(Way(sys.executable, 0), ["--sedes", "1"])
