"""Profiles of a session: what is missing is said, and where nobody may look from outside, it is done from inside."""

import os
import threading
from collections import Counter

import pytest

from helpers.native import load_script

SECONDS = 1.0


@pytest.fixture
def profile(repository):
    """Return the script as a module."""
    return load_script(repository / "tools" / "profile_session.py")


@pytest.fixture
def sampler(repository):
    """Return the sampler as a module."""
    return load_script(repository / "tools" / "sampler.py")


def stacks(path):
    """Return the folded stacks of a file: frames and weight."""
    lines = [line.rpartition(" ") for line in path.read_text().splitlines()]
    return [(frames.split(";"), int(weight)) for frames, _, weight in lines]


def test_without_the_profiler_it_is_sampled_from_inside(profile, monkeypatch, tmp_path, capsys):
    """With no py-spy the session runs all the same, and its threads' stacks are written and the heaviest told."""
    monkeypatch.setattr(profile.shutil, "which", lambda *_, **__: None)

    assert profile.profile_cpu(SECONDS, tmp_path) == 0
    said = capsys.readouterr()
    assert "py-spy is not installed" in said.err
    assert "%" in said.out
    found = stacks(tmp_path / profile.FOLDED)
    assert any(frames[0] == "MainThread" and weight > 0 for frames, weight in found)


def test_a_refused_profiler_says_why(profile, monkeypatch, tmp_path, capsys):
    """Where the system refuses py-spy, its own words are told, and the session is sampled from inside."""
    spy = tmp_path / "py-spy"
    spy.write_text("#!/bin/sh\necho 'Permission Denied: Try running again with elevated permissions' >&2\nexit 1\n")
    spy.chmod(0o755)
    monkeypatch.setattr(profile.shutil, "which", lambda *_, **__: str(spy))

    assert profile.profile_cpu(SECONDS, tmp_path) == 0
    assert "could not look into the session: Permission Denied" in capsys.readouterr().err
    assert stacks(tmp_path / profile.FOLDED)


def test_a_missing_memory_profiler_is_named(profile, monkeypatch, tmp_path, capsys):
    """Without memray there is no memory profile: it says how to get it, and fails."""
    monkeypatch.setattr(profile.importlib.util, "find_spec", lambda _: None)

    assert profile.profile_memory(SECONDS, tmp_path) == 1
    assert "make profile-mem" in capsys.readouterr().err


def test_a_working_thread_weighs_more_than_a_waiting_one(sampler):
    """Samples weigh what a thread has worked, where the system tells: one that only waits is hardly there."""
    if not sampler.THREADS.is_dir():
        pytest.skip("this system does not tell how long a thread has worked")
    over = threading.Event()
    seen = sampler.Sampler(500)

    def work():
        while len(seen.stacks) < 1 or sum(seen.stacks.values()) < 100_000:
            sum(range(1_000))

    threads = [threading.Thread(target=work, name="works"), threading.Thread(target=over.wait, name="waits")]
    seen.start()
    for thread in threads:
        thread.start()
    threads[0].join()
    over.set()
    threads[1].join()
    seen.ended.set()
    seen.join()
    weights = Counter()
    for stack, weight in seen.stacks.items():
        weights[stack[0]] += weight
    assert weights["works"] > 5 * weights["waits"]


def test_the_heaviest_come_first(sampler):
    """The report orders functions by their own weight, whoever called them."""
    told = sampler.report(Counter({("t", "a", "b"): 70, ("t", "a"): 10, ("t", "c", "b"): 20}))

    assert told[0].split() == ["sampler:", "90.0%", "b"]
    assert len(told) == 2


def test_a_session_is_recorded_beside_its_profile(profile, tmp_path):
    """What is profiled is a whole demo with a journal of its own, in the folder of the profile."""
    assert profile.session(2, tmp_path) == [
        *("demo", "--headless", "--json", "--for", "2s", "--directory"),
        os.fspath(tmp_path / "runs"),
    ]
