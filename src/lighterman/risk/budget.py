"""How many transactions may still be sent: one bucket, of which a part is kept for cancels.

The venue counts every kind of transaction together, over all keys of an account (protocol
reference 6.2), so there is one bucket. Creates and modifies may not touch the reserve: when
it matters most there must be something left to cancel with.
"""

import math

NS_PER_MINUTE = 60_000_000_000
MESSAGE_BUDGET, VOLUME_QUOTA = "message_budget", "volume_quota"
BURST_PERCENT = 30
PLENTY_PERCENT = 75  # of the burst
QUOTA_FREE_SLOT_NS = 15_000_000_000  # one free transaction per 15 s without quota (reference 6.3)


class MessageBudget:
    """A token bucket that never lets more than `messages_per_minute` through in ANY minute.

    A bucket of n tokens that refills n a minute lets 2 n through in its first minute. So a part
    of the n is the bucket, full at first (no larger than the client's own, which would refuse
    what went out at once), and the rest trickles in over each minute, less the reserve.
    Credit is counted in 1 / NS_PER_MINUTE of a message, which makes it exact. `orders` is how
    many the ladders have: with ample messages all are placed, and half of the bucket is left.
    """

    __slots__ = (
        "_ample",
        "_capacity",
        "_credit",
        "_last_ns",
        "_per_minute",
        "_plenty",
        "_quota",
        "_quota_free_ns",
        "_reserve",
    )

    def __init__(self, messages_per_minute: int, cancel_reserve_fraction: float, orders: int = 0) -> None:
        burst = max(2, messages_per_minute * BURST_PERCENT // 100)
        self._per_minute = max(1, int((messages_per_minute - burst) * (1 - cancel_reserve_fraction)))
        self._capacity = burst * NS_PER_MINUTE
        self._plenty = self._capacity * PLENTY_PERCENT // 100
        self._ample = max(self._plenty, self._capacity // 2 + orders * NS_PER_MINUTE)
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
            return MESSAGE_BUDGET
        if self._quota is not None and self._quota <= 0:
            if now_ns < self._quota_free_ns:
                return VOLUME_QUOTA
            self._quota_free_ns = now_ns + QUOTA_FREE_SLOT_NS
        elif self._quota is not None:
            self._quota -= 1
        self._credit -= NS_PER_MINUTE
        return ""

    def take_for_cancel(self) -> str:
        """Take one token for a cancel, from the reserve if need be."""
        if self._credit < NS_PER_MINUTE:
            return MESSAGE_BUDGET
        self._credit -= NS_PER_MINUTE
        return ""

    @property
    def is_ample(self) -> bool:
        """Tell whether nobody has to be sparing: the bucket is full enough, and there is quota."""
        return self._credit >= self._ample and (self._quota is None or self._quota > 0)

    def beyond_half(self) -> int:
        """Return how many messages there are beyond half of the bucket; none with the quota spent."""
        if self._quota is not None and self._quota <= 0:
            return 0
        return max(0, self._credit - self._capacity // 2) // NS_PER_MINUTE

    @property
    def message_ns(self) -> int:
        """Return how often a create or modify can be had in the long run."""
        wait_ns = NS_PER_MINUTE // self._per_minute
        return max(wait_ns, QUOTA_FREE_SLOT_NS) if self._quota is not None and self._quota <= 0 else wait_ns

    def scarcity_percent(self) -> int:
        """Return 100 where creates and modifies have plenty of messages, 200 where half of those are left."""
        free = max(self._credit - self._reserve, NS_PER_MINUTE)
        return max(100, 100 * (self._plenty - self._reserve) // free)

    def remaining(self) -> int:
        """Return the whole tokens left, the reserve included."""
        return self._credit // NS_PER_MINUTE
