"""How many transactions may still be sent: one bucket, of which a part is kept for cancels.

The venue counts every kind of transaction together, over all keys of an account (protocol
reference 6.2), so there is one bucket. Creates and modifies may not touch the reserve: when
it matters most there must be something left to cancel with.
"""

NS_PER_MINUTE = 60_000_000_000
QUOTA_FREE_SLOT_NS = 15_000_000_000  # one free transaction per 15 s without quota (reference 6.3)


class MessageBudget:
    """A token bucket in integer nanoseconds of credit; full at first."""

    __slots__ = ("_capacity_ns", "_cost_ns", "_credit_ns", "_last_ns", "_quota", "_quota_free_ns", "_reserve_ns")

    def __init__(self, messages_per_minute: int, cancel_reserve_fraction: float) -> None:
        self._cost_ns = NS_PER_MINUTE // messages_per_minute
        self._capacity_ns = self._cost_ns * messages_per_minute
        self._reserve_ns = int(self._capacity_ns * cancel_reserve_fraction)
        self._credit_ns = self._capacity_ns
        self._last_ns = 0
        self._quota: int | None = None
        self._quota_free_ns = 0

    def set_quota(self, remaining: int) -> None:
        """Take note of the venue's volume quota; creates and modifies cost one of it each."""
        self._quota = remaining

    def refill(self, now_ns: int) -> None:
        """Add what has come in since the last call."""
        self._credit_ns = min(self._capacity_ns, self._credit_ns + now_ns - self._last_ns)
        self._last_ns = now_ns

    def take_for_risk(self, now_ns: int) -> str:
        """Take one token for a create or modify; return why it may not be had, or ""."""
        if self._credit_ns - self._cost_ns < self._reserve_ns:
            return "message_budget"
        if self._quota is not None and self._quota <= 0:
            if now_ns < self._quota_free_ns:
                return "volume_quota"
            self._quota_free_ns = now_ns + QUOTA_FREE_SLOT_NS
        elif self._quota is not None:
            self._quota -= 1
        self._credit_ns -= self._cost_ns
        return ""

    def take_for_cancel(self) -> str:
        """Take one token for a cancel, from the reserve if need be."""
        if self._credit_ns < self._cost_ns:
            return "message_budget"
        self._credit_ns -= self._cost_ns
        return ""

    def remaining(self) -> int:
        """Return the whole tokens left, the reserve included."""
        return self._credit_ns // self._cost_ns
