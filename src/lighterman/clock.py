"""The machine's clock. No other file of this package reads one (enforced by `make lint`)."""

import time


class SystemClock:
    """The real clocks of this machine."""

    __slots__ = ()

    def mono_ns(self) -> int:
        """Return monotonic nanoseconds."""
        return time.monotonic_ns()

    def wall_us(self) -> int:
        """Return microseconds since 1970 UTC."""
        return time.time_ns() // 1000
