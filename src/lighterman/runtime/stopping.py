"""Why and when a run ends. The first reason counts; of failures the first, or a bug, which decides who cancels."""

import asyncio
import contextlib
import enum
import os
import signal
import sys

from lighterman.domain.events import Event, StopRequested
from lighterman.runtime.exits import Exit


def signals_to_take() -> list[signal.Signals]:
    """Return the signals that end a run; a lost terminal does too, unless it was to be outlived (nohup)."""
    taken = [signal.SIGINT, signal.SIGTERM]
    return taken if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [*taken, signal.SIGHUP]


class Failure(enum.Enum):
    """What failed, where a run did not simply end; it decides how the run is ended and what is returned."""

    START = "start"  # something does not fit, and trading never began
    VENUE = "venue"  # the venue will not have us any more
    GONE = "gone"  # the local exchange's process is not there any more: nobody will answer
    JOURNAL = "journal"  # what happens is not recorded any more
    BUG = "bug"  # this program is wrong


class Stop:
    """Asked for once, by whoever is first: a signal, the clock, a failure; also an observer of the loop.

    `exit_now` is the exit code that would be true if the process ended at this moment.
    """

    def __init__(self) -> None:
        self.reason = ""
        self.failure: Failure | None = None
        self.exit_now = Exit.OK
        self._event = asyncio.Event()
        self._is_signalled = False

    def ask(self, reason: str, failure: Failure | None = None) -> None:
        """End the run; a failure is remembered even when somebody else was first, and a bug overrides any other."""
        if self.failure is None or failure is Failure.BUG:
            self.failure = failure
        if not self._event.is_set():
            self.reason = reason
            self._event.set()

    @property
    def is_asked(self) -> bool:
        """Tell whether the run is to end."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Return when the run is to end."""
        await self._event.wait()

    def observe_event(self, event: Event) -> None:
        """End the run when the client says that the venue will not have us; our own wish to stop is no news."""
        if isinstance(event, StopRequested) and not self.is_asked:
            self.ask(event.reason, Failure.VENUE)

    def listen_to_signals(self) -> None:
        """Take the signals that end a run: the first asks, the second leaves at once and says what it leaves."""
        for number in signals_to_take():
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: signal.Signals) -> None:
        if self._is_signalled:
            left = "; orders may still be open at the venue" if self.exit_now is Exit.ORDERS_UNKNOWN else ""
            with contextlib.suppress(OSError):  # the terminal may be gone
                sys.stderr.write(f"second signal ({number.name}): leaving at once{left}\n")
                sys.stderr.flush()
            os._exit(self.exit_now)
        self._is_signalled = True
        self.ask(number.name)
