"""Why and when a run ends. The first reason counts; later ones change nothing."""

import asyncio
import os
import signal
import sys

from lighterman.runtime.exits import Exit


class Stop:
    """Asked for once, by whoever is first: a signal, the clock, a failure."""

    def __init__(self) -> None:
        self.reason = ""
        self.failure = ""  # "venue", "journal" or "broken"; "" when nothing failed
        self._event = asyncio.Event()

    def ask(self, reason: str, failure: str = "") -> None:
        """End the run; a failure is remembered even when somebody else was first."""
        self.failure = self.failure or failure
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

    def listen_to_signals(self) -> None:
        """Take SIGINT and SIGTERM: the first asks, the second leaves at once and says what it leaves."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: signal.Signals) -> None:
        if self.is_asked:
            sys.stderr.write(f"second {number.name}: leaving at once; orders may still be open at the venue\n")
            sys.stderr.flush()
            os._exit(Exit.ORDERS_UNKNOWN)
        self.ask(number.name)
