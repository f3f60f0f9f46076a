"""The machine's clocks."""

from lighterman.clock import SystemClock
from lighterman.domain.clock import Clock

YEAR_2020_US = 1_577_836_800_000_000


def test_monotonic_time_never_goes_back():
    """Ages can be measured with it."""
    clock: Clock = SystemClock()
    readings = [clock.mono_ns() for _ in range(1000)]

    assert sorted(readings) == readings


def test_the_wall_is_in_microseconds():
    """What the venue signs is counted from 1970, in this century."""
    assert YEAR_2020_US < SystemClock().wall_us() < 4 * YEAR_2020_US
