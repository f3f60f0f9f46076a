"""How many transactions may still be sent: one bucket, of which a part is kept for cancels.

The venue counts every kind of transaction together, over all keys of an account (protocol
reference 6.2), so there is one bucket. Creates and modifies may not touch the reserve: when
it matters most there must be something left to cancel with.
"""

import math

NS_PER_MINUTE = 60_000_000_000
QUOTA_FREE_SLOT_NS = 15_000_000_000  # one free transaction per 15 s without quota (reference 6.3)


class MessageBudget:
    """A token bucket that never lets more than `messages_per_minute` through in ANY minute.

    A bucket of n tokens that refills n a minute lets 2 n through in its first minute. So half
    of the n are the bucket, full at first, and the other half trickle in over each minute.
    Credit is counted in 1 / NS_PER_MINUTE of a message, which makes it exact.
    """

    __slots__ = ("_capacity", "_credit", "_last_ns", "_per_minute", "_quota", "_quota_free_ns", "_reserve")

    def __init__(self, messages_per_minute: int, cancel_reserve_fraction: float) -> None:
        burst = messages_per_minute // 2
        self._per_minute = messages_per_minute - burst
        self._capacity = burst * NS_PER_MINUTE
        self._reserve = max(1, math.ceil(burst * cancel_reserve_fraction)) * NS_PER_MINUTE
        self._credit = self._capacity
        self._last_ns = 0
        self._quota: int | None = None
        self._quota_free_ns = 0

    def set_quota(self, remaining: int) -> None:
        """Take note of the venue's volume quota; creates and modifies cost one of it each."""
        self._quota = remaining

    def refill(self, now_ns: int) -> None:
        """Add what has come in since the last call."""
        self._credit = min(self._capacity, self._credit + (now_ns - self._last_ns) * self._per_minute)
        self._last_ns = now_ns

    def take_for_risk(self, now_ns: int) -> str:
        """Take one token for a create or modify; return why it may not be had, or ""."""
        if self._credit - NS_PER_MINUTE < self._reserve:
            return "message_budget"
        if self._quota is not None and self._quota <= 0:
            if now_ns < self._quota_free_ns:
                return "volume_quota"
            self._quota_free_ns = now_ns + QUOTA_FREE_SLOT_NS
        elif self._quota is not None:
            self._quota -= 1
        self._credit -= NS_PER_MINUTE
        return ""

    def take_for_cancel(self) -> str:
        """Take one token for a cancel, from the reserve if need be."""
        if self._credit < NS_PER_MINUTE:
            return "message_budget"
        self._credit -= NS_PER_MINUTE
        return ""

    def remaining(self) -> int:
        """Return the whole tokens left, the reserve included."""
        return self._credit // NS_PER_MINUTE
