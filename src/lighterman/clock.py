"""The machine's clock. No other file of this package reads one (enforced by `make lint`)."""

import os
import time
from pathlib import Path

NS_PER_S = 1_000_000_000
STAT_START_TIME = 19  # field 22 of proc(5) stat, counted from the state, which follows the name


class SystemClock:
    """The real clocks of this machine."""

    __slots__ = ()

    mono_ns = staticmethod(time.monotonic_ns)  # several times a tick: not through a function of ours

    def wall_us(self) -> int:
        """Return microseconds since 1970 UTC."""
        return time.time_ns() // 1000


def cpu_ns() -> int:
    """Return the CPU time of the calling thread, for benchmarks."""
    return time.thread_time_ns()


def process_started_ns() -> int:
    """Return the monotonic time at which this process began.

    From the kernel where it says so (Linux, to 10 ms); elsewhere the time of this call, which
    is the earliest that can be known.
    """
    now_ns = time.monotonic_ns()
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        age_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - int(fields[STAT_START_TIME]) * (
            NS_PER_S // os.sysconf("SC_CLK_TCK")
        )
    except (OSError, AttributeError, ValueError, IndexError):
        return now_ns
    return now_ns - age_ns
