"""Ctrl-C and SIGTERM before there is anything to stop.

Between the first line of Python and the running trading loop nothing has been sent to any
venue, so a signal simply ends the process: no traceback, and exit code 0, because nothing was
left undone. Once the loop runs it installs handlers of its own.
"""

import os
import signal
from types import FrameType


def stop_quietly_on_signals() -> None:
    """Make SIGINT and SIGTERM end the process at once with exit code 0."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (the signature is the system's)
    os._exit(0)
