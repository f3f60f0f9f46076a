"""How much a caller may ask for: request weights, transactions, volume quota, stream limits.

Numbers: protocol reference 1.5 (tiers), 3.3 (stream, the lowest of the drifting versions: A-6),
6.1-6.3. All windows roll over 60 seconds. Loopback callers count like any others.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

MINUTE_US = 60_000_000


class TierLimits(msgspec.Struct, frozen=True, gc=False):
    """What a tier may send in a minute.

    A standard account has 60 unweighted requests, or fewer of an endpoint whose weight divides
    24 000 into fewer: so each of its requests weighs 400 at least. `has_quota` is about 6.3.
    """

    weight: int
    transactions: int
    weight_floor: int = 1
    has_quota: bool = True


_STANDARD = TierLimits(24_000, 60, weight_floor=400, has_quota=False)
_PREMIUM_TRANSACTIONS = {
    "premium": 4_000,
    "premium-1k": 5_000,
    "premium-3k": 6_000,
    "premium-10k": 7_000,
    "premium-30k": 8_000,
    "premium-100k": 12_000,
    "premium-300k": 24_000,
    "premium-500k": 40_000,
}
TIER_LIMITS: Mapping[str, TierLimits] = MappingProxyType(
    {
        "standard": _STANDARD,
        "plus": TierLimits(120_000, 8_000),
        **{tier: TierLimits(24_000, count) for tier, count in _PREMIUM_TRANSACTIONS.items()},
    }
)


class LimitRules(msgspec.Struct, frozen=True, kw_only=True):
    """The limits as switches. `enforced` False lifts every limit of this file but the batch size."""

    enforced: bool = True
    tiers: Mapping[str, TierLimits] = TIER_LIMITS
    unauthenticated: TierLimits = _STANDARD  # per IP address

    batch_max: int = 15
    leverage_changes_per_minute: int = 40  # types outside the quota programme (6.2)

    quota_start: int = 1_000
    quota_max: int = 5_000_000
    quota_micro_per_unit: int = 5_000_000  # one more for each 5 USDC traded
    free_send_us: int = 15_000_000  # one send in this time uses no quota

    connections_per_ip: int = 100
    connects_per_minute: int = 60
    subscriptions_per_connection: int = 100
    subscriptions_per_ip: int = 1_000
    accounts_per_connection: int = 10
    messages_per_minute: int = 200  # transactions excluded; counted per connection
    inflight_max: int = 50  # answers that the client has not been sent yet


class Window:
    """What was spent in the last 60 seconds."""

    __slots__ = ("_spent", "_total")

    def __init__(self) -> None:
        self._spent: deque[tuple[int, int]] = deque()
        self._total = 0

    def has_room(self, amount: int, limit: int, now_us: int) -> bool:
        """Tell whether `amount` more would stay within the limit."""
        spent = self._spent
        while spent and spent[0][0] <= now_us - MINUTE_US:
            self._total -= spent.popleft()[1]
        return self._total + amount <= limit

    def spend(self, amount: int, now_us: int) -> None:
        """Count an amount."""
        self._spent.append((now_us, amount))
        self._total += amount

    def take(self, amount: int, limit: int, now_us: int) -> bool:
        """Count an amount if it stays within the limit, and tell whether it did."""
        if not self.has_room(amount, limit, now_us):
            return False
        self.spend(amount, now_us)
        return True


class Windows:
    """One window per caller; the caller silent for longest is forgotten when there are too many."""

    __slots__ = ("_windows",)

    CALLERS_MAX = 4_096

    def __init__(self) -> None:
        self._windows: OrderedDict[str, Window] = OrderedDict()

    def __getitem__(self, caller: str) -> Window:
        window = self._windows.get(caller)
        if window is None:
            window = self._windows[caller] = Window()
            if len(self._windows) > self.CALLERS_MAX:
                self._windows.popitem(last=False)
        self._windows.move_to_end(caller)
        return window


class Quota:
    """The volume quota of one owner: a number that trading raises and most transactions lower."""

    __slots__ = ("_free_from_us", "_used")

    def __init__(self) -> None:
        self._used = 0
        self._free_from_us = 0

    def remaining(self, rules: LimitRules, traded_micro: int) -> int:
        """Return what is left for an owner who has traded this much."""
        earned = min(rules.quota_max, rules.quota_start + traded_micro // rules.quota_micro_per_unit)
        return max(0, earned - self._used)

    def is_free(self, cost: int, now_us: int) -> bool:
        """Tell whether a send uses no quota: it costs nothing, or it is the free one of these 15 seconds."""
        return cost == 0 or (cost == 1 and now_us >= self._free_from_us)

    def use(self, cost: int, rules: LimitRules, now_us: int) -> bool:
        """Count a send that was accepted, and tell whether it used quota."""
        if cost == 0:
            return False
        if self.is_free(cost, now_us):
            self._free_from_us = now_us + rules.free_send_us
            return False
        self._used += cost
        return True
