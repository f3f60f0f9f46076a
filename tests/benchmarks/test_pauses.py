"""A session is timed callback by callback, and is a session like any other."""

import json
import subprocess
import sys


def test_every_callback_of_a_session_is_timed(repository):
    """Six seconds of a demo session, live and in virtual time: callbacks are timed, and the longest are named."""
    command = [sys.executable, str(repository / "benchmarks" / "pauses.py"), "--minutes", "0.1", "--json"]
    found = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)

    live = found["session"]
    assert (live["exit_code"], live["ledger_match"]) == (0, True)
    assert 0 < live["control_us"]["min"] <= live["control_us"]["max"]
    for figures in (live, found["repeated"]):
        assert_timed(figures)


def test_a_session_can_be_awake(repository):
    """The same settings with busyPollMs make a session whose callbacks are timed alike."""
    command = [sys.executable, str(repository / "benchmarks" / "pauses.py"), "--minutes", "0.1", "--awake", "--json"]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    assert list(found) == ["awake"]
    assert (found["awake"]["exit_code"], found["awake"]["ledger_match"]) == (0, True)
    assert_timed(found["awake"])


def assert_timed(figures):
    """Callbacks were timed, and the longest have names."""
    assert figures["callbacks"] > 100
    assert list(figures["cpu_us"].values()) == sorted(figures["cpu_us"].values())
    assert figures["cpu_us"]["max"] == figures["longest"][0]["cpu_us"]
    assert {each["what"].partition(".")[0] for each in figures["longest"]} <= {
        "WebSocket", "TradingLoop", "InPlaceSigner"
    }  # fmt: skip
