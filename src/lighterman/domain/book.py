"""A market's public order book in integers.

The mutable state is two price -> size maps and, for each, a sorted list of its prices. Asks
are kept negated so that on both sides the best price is the last element: that end moves
most, and appending or popping there costs nothing.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping

Level = tuple[int, int]  # (price_ticks, size_lots)


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

    def top_bids(self, count: int, own: Mapping[int, int]) -> list[Level]:
        """Return up to `count` best bids of others: own size is taken off each level first."""
        found: list[Level] = []
        sizes = self.bids
        for price in reversed(self._bid_keys):
            size = sizes[price] - own.get(price, 0)
            if size > 0:
                found.append((price, size))
                if len(found) == count:
                    break
        return found

    def top_asks(self, count: int, own: Mapping[int, int]) -> list[Level]:
        """Return up to `count` best asks of others: own size is taken off each level first."""
        found: list[Level] = []
        sizes = self.asks
        for key in reversed(self._ask_keys):
            size = sizes[-key] - own.get(-key, 0)
            if size > 0:
                found.append((-key, size))
                if len(found) == count:
                    break
        return found
