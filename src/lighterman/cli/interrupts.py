"""Ctrl-C and SIGTERM before there is anything to stop.

Between the first line of Python and the running trading loop nothing has been sent to any
venue, so a signal ends the process at once: no traceback, exit code 0, and with `--json` the
same object as after a run, with nothing in it. Once the loop runs it has handlers of its own.
"""

import json
import os
import signal
import sys
from types import FrameType

# The fields of runtime/outcome.py, which is not imported yet when these are needed.
NOTHING_HAPPENED: dict[str, object] = {
    "mode": "local",
    "exit_code": 0,
    "session": "",
    "first_quote_ms": None,
    "markets_quoted_both_sides": 0,
    "orders_placed": 0,
    "orders_modified": 0,
    "orders_canceled": 0,
    "fills": 0,
    "open_orders_after_stop": None,
    "position": {},
    "pnl_usd": None,
    "fees_usd": None,
    "funding_usd": None,
    "volume_usd": None,
    "ledger_match": None,
    "ledger_differences": [],
    "refusals": {},
    "why_not_quoting": {},
}
RUNS = ("demo", "run")
FRESH = "demo"  # on an exchange of its own, which has not begun yet: no order can be there


def stop_quietly_on_signals() -> None:
    """Make SIGINT and SIGTERM end the process at once with exit code 0."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def ignore_signals() -> None:
    """Let SIGINT and SIGTERM pass, once everything has been stopped and only the result is to be told."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (the signature is the system's)
    if "--json" in sys.argv and any(command in sys.argv for command in RUNS):
        summary = NOTHING_HAPPENED | {"stopped_by": signal.Signals(number).name}
        if FRESH in sys.argv:
            summary["open_orders_after_stop"] = 0
        os.write(sys.stdout.fileno(), (json.dumps(summary) + "\n").encode())
    os._exit(0)
