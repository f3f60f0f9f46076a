"""How fast we may ask and send: always below what the venue allows (protocol reference 6).

Law: pure arithmetic, time is given. In any rolling minute a bucket gives at most its burst and
what was filled in, together BURST_PERCENT + REFILL_PERCENT of the venue's figure. How many
transactions the strategy should spend is the engine's budget; here is what may leave at all.
"""

import sys
from collections import deque

import msgspec

from lighterman.domain.errors import LocalProtocolError

MINUTE_NS = 60_000_000_000
ASKED_NS = MINUTE_NS - 500_000_000  # what was decided within a minute leaves within a little less at times
BURST_PERCENT = 30
REFILL_PERCENT = 65
CANCEL_RESERVE_PERCENT = 20  # of the burst of transactions: creates may not take it (6.4)
CONNECTIONS_PER_MINUTE = 40  # of the venue's 60 or more (3.3): three links, each every 5 to 10 s


class Bucket:
    """A token bucket in integers: the level is kept in tokens x 60e9, so that a nanosecond fills `refill`."""

    __slots__ = ("_at_ns", "_burst", "_full", "_level", "_refill")

    def __init__(self, limit_per_minute: int) -> None:
        self._burst = max(1, limit_per_minute * BURST_PERCENT // 100)
        self._refill = max(1, limit_per_minute * REFILL_PERCENT // 100)
        self._full = self._burst * MINUTE_NS
        self._level = self._full
        self._at_ns: int | None = None

    @property
    def burst(self) -> int:
        """Return the most that can be taken at once."""
        return self._burst

    def take(self, cost: int, now_ns: int, *, reserve: int = 0) -> bool:
        """Take `cost` if it is there with `reserve` left over; tell whether it was."""
        self._fill(now_ns)
        if self._level < (cost + reserve) * MINUTE_NS:
            return False
        self._level -= cost * MINUTE_NS
        return True

    def available(self, now_ns: int) -> int:
        """Return how much can be taken at once now; below zero while what was booked is not filled in."""
        self._fill(now_ns)
        return self._level // MINUTE_NS

    def book(self, cost: int, now_ns: int) -> int:
        """Take `cost` in any case, and return how many nanoseconds to wait before using it."""
        if cost > self._burst:
            raise LocalProtocolError(f"{cost} can never be taken at once of {self._burst}")
        self._fill(now_ns)
        self._level -= cost * MINUTE_NS
        return max(0, -(self._level // self._refill))

    def _fill(self, now_ns: int) -> None:
        passed_ns = now_ns - (self._at_ns if self._at_ns is not None else now_ns)
        self._level = min(self._full, self._level + passed_ns * self._refill)
        self._at_ns = now_ns


class Allowance:
    """The operator's own limits: how many transactions may leave in any minute, and how many that ask for orders.

    The engine keeps to them with what it asks for, but does not know what is sent again. So everything that
    leaves is counted here, and a copy, or an order behind copies, may have to stay.
    """

    __slots__ = ("_asking_ns", "_asking_per_minute", "_messages_per_minute", "_removing_ns")

    def __init__(self, messages_per_minute: int = sys.maxsize, asking_per_minute: int = sys.maxsize) -> None:
        self._messages_per_minute = messages_per_minute
        self._asking_per_minute = asking_per_minute
        self._asking_ns: deque[int] = deque()  # when each left
        self._removing_ns: deque[int] = deque()

    def has_room(self, asking: int, removing: int, now_ns: int) -> bool:
        """Tell whether so many that ask for orders, and so many that only remove some, may leave together."""
        self._forget(now_ns)
        asked = len(self._asking_ns) + asking
        if asking and asked > self._asking_per_minute:
            return False
        return asked + len(self._removing_ns) + removing <= self._messages_per_minute

    def count(self, asking: int, removing: int, now_ns: int) -> None:
        """Take note that so many leave, room or not: no cancel stays for this."""
        self._forget(now_ns)
        self._asking_ns.extend([now_ns] * asking)
        self._removing_ns.extend([now_ns] * removing)

    def _forget(self, now_ns: int) -> None:
        for times in (self._asking_ns, self._removing_ns):
            while times and times[0] <= now_ns - ASKED_NS:
                times.popleft()


class TierLimits(msgspec.Struct, frozen=True, gc=False):
    """One row of protocol reference 1.5: REST weight (or plain requests) and transactions per minute."""

    weight_per_minute: int
    is_weighted: bool
    transactions_per_minute: int


STANDARD = TierLimits(weight_per_minute=60, is_weighted=False, transactions_per_minute=60)
TIERS: dict[str, TierLimits] = {
    "standard": STANDARD,
    "std": STANDARD,
    "premium": TierLimits(weight_per_minute=24_000, is_weighted=True, transactions_per_minute=4_000),
    "plus": TierLimits(weight_per_minute=120_000, is_weighted=True, transactions_per_minute=8_000),
}

DEFAULT_WEIGHT = 300
WEIGHTS: dict[str, int] = {  # 6.1, of what this client asks
    "sendTx": 6,
    "sendTxBatch": 6,
    "nextNonce": 6,
    "accountInactiveOrders": 100,
    "apikeys": 150,
    "trades": 600,
}


class RateLimits:
    """The buckets of one account; `set_tier` replaces them when the tier is known."""

    __slots__ = ("allowance", "connections", "requests", "tier", "transactions")

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self.connections = Bucket(CONNECTIONS_PER_MINUTE)
        self._use(STANDARD)

    def set_tier(self, tier: str) -> None:
        """Use a tier's figures; those of a tier we do not know are the lowest."""
        limits = TIERS.get(tier.lower(), STANDARD)
        if limits != self.tier:  # what has been used of a bucket stays used
            self._use(limits)

    def _use(self, limits: TierLimits) -> None:
        self.tier = limits
        self.requests = Bucket(limits.weight_per_minute)
        self.transactions = Bucket(limits.transactions_per_minute)

    def cost(self, endpoint: str) -> int:
        """Return what a request to an endpoint costs of `requests`."""
        return WEIGHTS.get(endpoint, DEFAULT_WEIGHT) if self.tier.is_weighted else 1

    @property
    def cancel_reserve(self) -> int:
        """Return the transactions that only cancels may use."""
        return self.transactions.burst * CANCEL_RESERVE_PERCENT // 100
