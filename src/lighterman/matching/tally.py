"""The last 24 hours of a market's trades, in buckets of an hour."""

from collections import deque

import msgspec

from lighterman.matching.rules import HOUR

HOURS = 24


class Bucket(msgspec.Struct, gc=False):
    """The trades of one hour, or of several added up; prices are 0 when there were none."""

    hour: int = 0
    trades: int = 0
    base_lots: int = 0
    quote_micro: int = 0
    low_ticks: int = 0
    high_ticks: int = 0
    open_ticks: int = 0

    def absorb(self, later: "Bucket") -> None:
        """Add the trades of a later bucket."""
        self.open_ticks = self.open_ticks or later.open_ticks
        self.low_ticks = min(self.low_ticks or later.low_ticks, later.low_ticks or self.low_ticks)
        self.high_ticks = max(self.high_ticks, later.high_ticks)
        self.trades += later.trades
        self.base_lots += later.base_lots
        self.quote_micro += later.quote_micro


class Tally:
    """A ring of hours; the day is the current hour and the 23 before it."""

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets: deque[Bucket] = deque(maxlen=HOURS)

    def add(self, price_ticks: int, size_lots: int, quote_micro: int, now_us: int) -> None:
        """Count a trade."""
        hour = now_us // HOUR
        if not self._buckets or self._buckets[-1].hour != hour:
            self._buckets.append(Bucket(hour, 0, 0, 0, price_ticks, price_ticks, price_ticks))
        bucket = self._buckets[-1]
        bucket.trades += 1
        bucket.base_lots += size_lots
        bucket.quote_micro += quote_micro
        if price_ticks < bucket.low_ticks:
            bucket.low_ticks = price_ticks
        elif price_ticks > bucket.high_ticks:
            bucket.high_ticks = price_ticks

    def day(self, now_us: int) -> Bucket:
        """Return the sum of the last 24 hours' buckets."""
        total = Bucket(now_us // HOUR)
        for bucket in self._buckets:
            if bucket.hour > total.hour - HOURS:
                total.absorb(bucket)
        return total
