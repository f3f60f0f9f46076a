"""A session is timed callback by callback, and is a session like any other."""

import json
import subprocess
import sys


def test_every_callback_of_a_session_is_timed(repository):
    """Six seconds of a demo session: it ends well, its callbacks are timed, and the longest are named."""
    command = [sys.executable, str(repository / "benchmarks" / "pauses.py"), "--minutes", "0.1", "--json"]
    found = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)

    assert (found["exit_code"], found["ledger_match"]) == (0, True)
    assert found["callbacks"] > 100
    assert list(found["cpu_us"].values()) == sorted(found["cpu_us"].values())
    assert found["cpu_us"]["max"] == found["longest"][0]["cpu_us"]
    assert {each["what"] for each in found["longest"]} <= {
        "WebSocket.data_received", "TradingLoop._turn", "TradingLoop._wake", "InPlaceSigner._rest"
    }  # fmt: skip
