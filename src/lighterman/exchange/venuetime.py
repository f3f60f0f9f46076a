"""What time it is at the venue, whose wall ExpiredAt, an order's expiry and a token's deadline are compared with.

Law: it is asked for, and counted on by our monotonic clock: setting this machine's wall moves
nothing. Our wall is believed only at first, and only as far as the venue's answers allow.
"""

from collections.abc import Awaitable, Callable

from lighterman.domain.clock import Clock

NS_PER_MS = 1_000_000
MS_PER_S = 1_000


class VenueTime:
    """The venue's clock. Monotonic clocks drift, and stand still in sleep: it is measured again now and then."""

    __slots__ = ("_ahead_ms", "_clock")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_ms = clock.wall_us() // 1_000 - clock.mono_ns() // NS_PER_MS

    def now_ms(self) -> int:
        """Return milliseconds since 1970 UTC by the venue's clock."""
        return self._clock.mono_ns() // NS_PER_MS + self._ahead_ms

    async def measure(self, ask_venue_s: Callable[[], Awaitable[int]]) -> int:
        """Ask for the venue's time; return by how many milliseconds we were behind it, below zero if ahead.

        The venue shows whole seconds, of some moment between question and answer: what we believed
        stays where that allows it.
        """
        before_ms = self.now_ms()
        shown_ms = await ask_venue_s() * MS_PER_S
        behind_ms, ahead_ms = shown_ms - self.now_ms(), before_ms - (shown_ms + MS_PER_S)
        moved_ms = max(behind_ms, 0) - max(ahead_ms, 0)
        self._ahead_ms += moved_ms
        return moved_ms
