"""A market's public order book in integers.

The mutable state is two price -> size maps and, for each, a sorted list of its prices. Asks
are kept negated so that on both sides the best price is the last element: that end moves
most, and appending or popping there costs nothing.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from itertools import islice
from operator import neg

Level = tuple[int, int]  # (price_ticks, size_lots)
Front = tuple[int, int, int]  # price_ticks and size_lots of a side's best level, size_lots of its first few together
OwnLots = tuple[int, Mapping[int, int]]  # ours of one side: the best price_ticks, and size_lots by price_ticks
NO_BID, NO_ASK = 0, 1 << 62  # the best price of ours where there is none: worse than any level


class OrderBook:
    """All levels of one market; `nonce` is the venue's sequence of the last change applied."""

    __slots__ = ("_ask_keys", "_bid_keys", "asks", "bids", "nonce")

    def __init__(self) -> None:
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self._bid_keys: list[int] = []
        self._ask_keys: list[int] = []
        self.nonce = 0

    def __repr__(self) -> str:
        return f"<OrderBook {self.best_bid()} | {self.best_ask()} nonce {self.nonce}>"

    def replace(self, bids: Iterable[Level], asks: Iterable[Level], nonce: int) -> None:
        """Forget everything and take a snapshot; levels of size zero are left out."""
        self.bids = {price: size for price, size in bids if size}
        self.asks = {price: size for price, size in asks if size}
        self._bid_keys = sorted(self.bids)
        self._ask_keys = sorted(-price for price in self.asks)
        self.nonce = nonce

    def apply(self, bids: Iterable[Level], asks: Iterable[Level], nonce: int) -> None:
        """Set the given levels to their new absolute sizes; zero deletes."""
        sizes, keys = self.bids, self._bid_keys
        for price, size in bids:
            if size:
                if price not in sizes:
                    insort(keys, price)
                sizes[price] = size
            elif sizes.pop(price, 0):
                if keys[-1] == price:
                    keys.pop()
                else:
                    del keys[bisect_left(keys, price)]
        sizes, keys = self.asks, self._ask_keys
        for price, size in asks:
            if size:
                if price not in sizes:
                    insort(keys, -price)
                sizes[price] = size
            elif sizes.pop(price, 0):
                if keys[-1] == -price:
                    keys.pop()
                else:
                    del keys[bisect_left(keys, -price)]
        self.nonce = nonce

    def clear(self) -> None:
        """Forget everything: what is unknown must not look like a market."""
        self.replace((), (), 0)

    def best_bid(self) -> Level | None:
        """Return the highest bid, or None."""
        return (self._bid_keys[-1], self.bids[self._bid_keys[-1]]) if self._bid_keys else None

    def best_ask(self) -> Level | None:
        """Return the lowest ask, or None."""
        return (-self._ask_keys[-1], self.asks[-self._ask_keys[-1]]) if self._ask_keys else None

    def is_two_sided(self) -> bool:
        """Tell whether both sides have a level."""
        return bool(self._bid_keys and self._ask_keys)

    def is_crossed(self) -> bool:
        """Tell whether the best bid is at or above the best ask: a corrupt book."""
        return bool(self._bid_keys and self._ask_keys) and self._bid_keys[-1] >= -self._ask_keys[-1]

    def top_bids(self, count: int) -> list[Level]:
        """Return up to `count` best bids, the best first."""
        return [(price, self.bids[price]) for price in islice(reversed(self._bid_keys), count)]

    def top_asks(self, count: int) -> list[Level]:
        """Return up to `count` best asks, the best first."""
        return [(-key, self.asks[-key]) for key in islice(reversed(self._ask_keys), count)]

    def bid_front(self, count: int, own: OwnLots) -> Front | None:
        """Return the front of up to `count` best bids of others, at least one; None where there are none.

        Own size is taken off each level first; most of the time none of it is so near.
        """
        best_own, own_lots = own
        near, sizes = self._bid_keys[-count:], self.bids
        if not near or near[0] <= best_own:
            return _front_of_others(reversed(self._bid_keys), sizes, count, own_lots)
        depth_lots = 0
        for price in near:
            depth_lots += sizes[price]
        return near[-1], sizes[near[-1]], depth_lots

    def ask_front(self, count: int, own: OwnLots) -> Front | None:
        """Return the front of up to `count` best asks of others: the mirror image of `bid_front`."""
        best_own, own_lots = own
        near, sizes = self._ask_keys[-count:], self.asks
        if not near or -near[0] >= best_own:
            return _front_of_others(map(neg, reversed(self._ask_keys)), sizes, count, own_lots)
        depth_lots = 0
        for key in near:
            depth_lots += sizes[-key]
        return -near[-1], sizes[-near[-1]], depth_lots


def _front_of_others(
    prices: Iterable[int], sizes: Mapping[int, int], count: int, own_lots: Mapping[int, int]
) -> Front | None:
    best_ticks = best_lots = depth_lots = 0
    for price in prices:
        size = sizes[price] - own_lots.get(price, 0)
        if size > 0:
            if not depth_lots:
                best_ticks, best_lots = price, size
            depth_lots += size
            count -= 1
            if not count:
                break
    return (best_ticks, best_lots, depth_lots) if depth_lots else None
