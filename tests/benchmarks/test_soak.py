"""The soak tells growth from unrest, and a short watch from a long one."""

import io
import json

import pytest

from helpers.native import load_script


@pytest.fixture(scope="module")
def soak(repository):
    """Return the script as a module."""
    return load_script(repository / "benchmarks" / "soak.py")


def looks(minutes, **slopes_per_hour):
    """Return looks every ten seconds, flat but for the given slopes and a little unrest."""
    flat = {"cpu_s": 1, "rss_mib": 50, "threads": 7, "files": 14, "tasks": 24, "journal_pending": 3}
    rest = {"journal_dropped": 0, "log_dropped": 0, "decisions": 9, "decisions_above_1_ms": 1}
    return [
        flat | rest | {"at_s": at_s, "files": 14 + at_s // 10 % 2} | {
            name: flat[name] + slope * at_s / 3_600 for name, slope in slopes_per_hour.items()
        }
        for at_s in range(0, minutes * 60, 10)
    ]  # fmt: skip


def test_unrest_is_no_growth(soak):
    """A file more now and then, and memory that creeps by a few MiB an hour, are flat."""
    assert soak.verdict(looks(30, rss_mib=5), {})["verdict"] == "flat"


@pytest.mark.parametrize(("name", "per_hour"), [("files", 6), ("threads", 6), ("rss_mib", 60), ("tasks", 30)])
def test_growth_is_named(soak, name, per_hour):
    """A figure that rises all the time is growth, and the verdict says which and how fast."""
    found = soak.verdict(looks(30, **{name: per_hour}), {})

    assert (found["verdict"], list(found["grown"])) == ("grows", [name])
    assert found["slopes_per_hour"][name] == pytest.approx(per_hour, rel=0.01)


def test_a_short_watch_says_so(soak):
    """Of a few minutes nothing is said about growth: caches still fill."""
    assert soak.verdict(looks(3, rss_mib=600), {})["verdict"] == "short"


def test_lost_records_are_never_fine(soak):
    """A record or a line that was dropped is told, however short the watch."""
    seen = looks(3)
    seen[-1]["journal_dropped"] = 2

    assert soak.verdict(seen, {})["verdict"] == "loses records"


def test_a_real_session_is_watched(soak):
    """Six seconds of a demo give looks at bot and exchange as JSON lines, and a verdict at the end."""
    if not soak.machine.can_look():
        pytest.skip("this system does not show what a process uses")
    out = io.StringIO()
    found = soak.watch(0.1, 1.0, out)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]

    assert (found["verdict"], found["exit_code"], found["ledger_match"]) == ("short", 0, True)
    assert lines[-1] == found
    assert lines[0]["files"] > 3
    assert lines[0]["exchange"]["rss_bytes"] > 10**6
