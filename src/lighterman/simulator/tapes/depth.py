"""The book as a recording tells it, whatever its dialect: snapshots, differences, or the best level."""

from collections.abc import Iterable, Iterator
from heapq import merge

from lighterman.domain.book import Level, OrderBook
from lighterman.simulator.tapes.format import Levels, Print, Record


class Depth:
    """Keeps a recorded book and says what of its best `levels` a side has changed."""

    def __init__(self, levels: int) -> None:
        self._book = OrderBook()
        self._levels = levels
        self._bids: dict[int, int] = {}  # what was said last
        self._asks: dict[int, int] = {}

    def replace(self, bids: list[Level], asks: list[Level]) -> None:
        """Take a whole book."""
        self._book.replace(bids, asks, 0)

    def change(self, bids: list[Level], asks: list[Level]) -> None:
        """Take new absolute sizes of levels; zero deletes."""
        self._book.apply(bids, asks, 0)

    def top(self, bid: Level, ask: Level) -> None:
        """Take the best levels: whatever stood better, or across them, is gone."""
        book = self._book
        gone_bids = [(price, 0) for price in book.bids if price > bid[0] or price >= ask[0]]
        gone_asks = [(price, 0) for price in book.asks if price < ask[0] or price <= bid[0]]
        book.apply([*gone_bids, bid], [*gone_asks, ask], 0)

    def changes(self, at_us: int) -> Levels | None:
        """Return what changed since the last call; None holds back a crossed or one-sided book.

        Nothing changed is worth saying too: it tells that the feed was alive.
        """
        book = self._book
        if not book.is_two_sided() or book.is_crossed():
            return None
        bids = dict(book.top_bids(self._levels))
        asks = dict(book.top_asks(self._levels))
        changed = Levels(at_us, _difference(self._bids, bids), _difference(self._asks, asks))
        self._bids, self._asks = bids, asks
        return changed


def _difference(old: dict[int, int], new: dict[int, int]) -> list[Level]:
    gone = [(price, 0) for price in old if price not in new]
    return gone + [(price, size) for price, size in new.items() if old.get(price) != size]


def by_time(books: Iterable[Levels], prints: Iterable[Print]) -> Iterator[Record]:
    """Merge two streams that are each sorted; of equal times the print comes first, whose book is the older."""
    return merge(prints, books, key=lambda record: record.at_us)
