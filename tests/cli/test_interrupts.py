"""Signals before there is anything to stop, and after everything has been."""

import json
import signal
import subprocess
import sys

import msgspec
import pytest

from lighterman.cli.interrupts import NOTHING_HAPPENED
from lighterman.runtime.outcome import Outcome

PATIENCE_S = 60
SCRIPT = """
import signal, sys
from lighterman.cli.interrupts import ignore_signals, stop_quietly_on_signals
stop_quietly_on_signals()
if "late" in sys.argv:
    ignore_signals()
print("ready", file=sys.stderr, flush=True)
sys.stdin.readline()
print("went on")
"""


def test_nothing_happened_is_an_outcome():
    """The object for a run that never began has every field of an outcome, each with the value it begins with."""
    outcome = Outcome(mode="local", stopped_by="SIGINT", exit_code=0)

    assert json.loads(msgspec.json.encode(outcome)) == NOTHING_HAPPENED | {"stopped_by": "SIGINT"}


def _interrupted(number, *words):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr.readline() == "ready\n"
        process.send_signal(number)
        out, err = process.communicate("\n", timeout=PATIENCE_S)
    assert err == ""
    return process.returncode, out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_early_signal_ends_quietly(number):
    """A signal before anything was sent ends the process at once, with 0 and nothing said."""
    assert (0, "") == _interrupted(number, "demo")
    assert (0, "") == _interrupted(number, "check", "--json")


@pytest.mark.parametrize(("command", "orders"), [("demo", 0), ("run", None)])
def test_early_signal_of_a_run_tells_its_result(command, orders):
    """With --json an early signal ends a run with the usual object; which orders a venue holds was not asked."""
    code, out = _interrupted(signal.SIGTERM, command, "--json")

    assert code == 0
    assert (orders, 0, "SIGTERM") == tuple(
        json.loads(out)[name] for name in ("open_orders_after_stop", "orders_placed", "stopped_by")
    )


def test_late_signal_does_not_take_the_result():
    """Once everything has been stopped a signal changes nothing: the result is still told."""
    assert (0, "went on\n") == _interrupted(signal.SIGINT, "demo", "--json", "late")
