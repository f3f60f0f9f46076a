"""A histogram that costs a bisection and two additions, and is read from another thread."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

NS_PER_S = 1_000_000_000


class Histogram:
    """Durations by upper bounds in seconds (inclusive, as Prometheus has them). One thread observes."""

    __slots__ = ("_bounds_ns", "_counts", "_sum_ns", "bounds_s")

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self.bounds_s = tuple(bounds_s)
        self._bounds_ns = [int(bound * NS_PER_S) for bound in bounds_s]
        self._counts = [0] * (len(bounds_s) + 1)
        self._sum_ns = 0

    def observe(self, duration_ns: int) -> None:
        """Count one duration."""
        self._counts[bisect_left(self._bounds_ns, duration_ns)] += 1
        self._sum_ns += duration_ns

    @property
    def sum_s(self) -> float:
        """Return the sum of all durations in seconds."""
        return self._sum_ns / NS_PER_S

    def buckets(self) -> list[tuple[str, float]]:
        """Return (upper bound, how many were not above it) pairs, the last for all."""
        names = [*(repr(bound) for bound in self.bounds_s), "+Inf"]
        return list(zip(names, map(float, accumulate(self._counts)), strict=True))
