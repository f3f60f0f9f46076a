"""Staying awake: the event loop looks at its sockets again and again, instead of sleeping until something comes.

To be woken costs some 30 us, more than a decision and its signature together. So for a while after each turn
the loop has always something to do, which is to look at the clock; whatever comes meanwhile is read at once. The
price is a core that is never idle, so it is done only where it is asked for.
"""

import asyncio

from lighterman.domain.clock import Clock

NS_PER_MS = 1_000_000


class BusyPoll:
    """Keeps the running asyncio loop awake for `span_ms` after each turn."""

    def __init__(self, span_ms: int, clock: Clock) -> None:
        self._span_ns = span_ms * NS_PER_MS
        self._clock = clock
        self._until_ns = 0
        self._is_awake = False

    def after_turn(self, now_ns: int) -> None:
        """Stay awake for another while."""
        self._until_ns = now_ns + self._span_ns
        if not self._is_awake:
            self._is_awake = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        """Let the loop look at its sockets, and come back."""
        self._is_awake = self._clock.mono_ns() < self._until_ns
        if self._is_awake:
            asyncio.get_running_loop().call_soon(self._look)
