"""The load benchmark runs a real bot and counts what it costs."""

import pytest

from helpers.native import load_script


@pytest.fixture(scope="module")
def load(repository):
    """Return the benchmark as a module."""
    found = load_script(repository / "benchmarks" / "load.py")
    if not found.machine.can_look():
        pytest.skip("this system does not show what a process uses")
    return found


def test_a_loaded_bot_keeps_up(load):
    """Two markets at ten updates a second: CPU, memory and lag are there, and its journal is not behind."""
    (row,) = load.measure(2.0, ((2, 10),))["rows"]

    assert (row["markets"], row["updates_per_s"]) == (2, 10)
    assert 0 <= row["busy_share"] < 1
    assert row["rss_mib"] > 10
    assert row["lag_ms_p50"] > 0
    assert row["journal_pending_last"] < 1_000


def test_a_system_that_shows_nothing_is_no_pass(load, monkeypatch):
    """Where processes cannot be looked at, the result says so and has no rows."""
    monkeypatch.setattr(load.machine, "can_look", lambda: False)

    assert "not measured" in load.measure(1.0)["missing"]


def test_served_metrics_are_read(load):
    """Samples of one name add up over their labels."""
    served = 'a_total{market="x"} 1\na_total{market="y"} 2.5\n# HELP b\nb_bucket{le="0.001"} 7\nb_bucket{le="+Inf"} 9\n'

    assert load.scrape.sums(served)["a_total"] == 3.5
    assert load.scrape.within(served, "b", 0.001) == 7
