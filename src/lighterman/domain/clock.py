"""Time is passed in: whoever needs a clock takes this, and only `lighterman.clock` reads one."""

from typing import Protocol


class Clock(Protocol):
    """Two clocks: a monotonic one for ages and deadlines, the wall for what the venue signs."""

    def mono_ns(self) -> int:
        """Return monotonic nanoseconds; never goes back."""
        ...

    def wall_us(self) -> int:
        """Return microseconds since 1970 UTC; may jump."""
        ...
