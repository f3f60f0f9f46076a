"""The resting orders of one market in price-time priority, and the aggregate made of them.

A level is a dict from queue nonce to order. Nonces only move in one direction per side and an
order enters a level with a fresh one, so that the dict's own order is the queue.
"""

from collections.abc import Callable, Iterator

from lighterman.domain.book import OrderBook
from lighterman.matching.orders import CLIENT_INDEX_END, Order
from lighterman.matching.outputs import LevelChanged

Level = dict[int, Order]


class Book:
    """One market's book: level 3 here, level 2 in `aggregate`, each change of it emitted."""

    __slots__ = ("_asks", "_bids", "_emit", "_market", "_next_ask_nonce", "_next_bid_nonce", "aggregate")

    def __init__(self, market: int, emit: Callable[[LevelChanged], None]) -> None:
        self.aggregate = OrderBook()
        self._market = market
        self._emit = emit
        self._asks: dict[int, Level] = {}
        self._bids: dict[int, Level] = {}
        self._next_ask_nonce = 1
        self._next_bid_nonce = CLIENT_INDEX_END - 1

    def is_full(self) -> bool:
        """Tell whether the nonces of both sides have met (protocol reference 4.3)."""
        return self._next_ask_nonce >= self._next_bid_nonce

    def take_nonce(self, *, is_ask: bool) -> int:
        """Return a fresh queue nonce: asks count up from 1, bids down from 2^48 - 1."""
        if is_ask:
            self._next_ask_nonce += 1
            return self._next_ask_nonce - 1
        self._next_bid_nonce -= 1
        return self._next_bid_nonce + 1

    def order_index(self, queue_nonce: int) -> int:
        """Return the order index of an order created with this nonce (protocol reference 4.3)."""
        return (self._market + 1) * CLIENT_INDEX_END + queue_nonce

    def best(self, *, is_ask: bool) -> Order | None:
        """Return the order of a side that trades next, or None."""
        level = self.aggregate.best_ask() if is_ask else self.aggregate.best_bid()
        if level is None:
            return None
        return next(iter((self._asks if is_ask else self._bids)[level[0]].values()))

    def orders(self, *, is_ask: bool) -> Iterator[Order]:
        """Yield the orders of a side in the order in which they would trade."""
        levels = self._asks if is_ask else self._bids
        for price in sorted(levels, reverse=not is_ask):
            yield from levels[price].values()

    def add(self, order: Order, now_us: int) -> None:
        """Put an order at the end of the queue of its price."""
        levels = self._asks if order.is_ask else self._bids
        level = levels.get(order.price_ticks)
        if level is None:
            levels[order.price_ticks] = {order.queue_nonce: order}
        else:
            level[order.queue_nonce] = order
        self._shift(order, order.remaining_lots, now_us)

    def remove(self, order: Order, now_us: int) -> None:
        """Take an order out with what remains of it."""
        levels = self._asks if order.is_ask else self._bids
        level = levels[order.price_ticks]
        del level[order.queue_nonce]
        if not level:
            del levels[order.price_ticks]
        if order.remaining_lots:
            self._shift(order, -order.remaining_lots, now_us)

    def shrink(self, order: Order, lots: int, now_us: int) -> None:
        """Take `lots` off an order; it keeps its place until removed, even at zero."""
        order.remaining_lots -= lots
        self._shift(order, -lots, now_us)

    def touch(self, now_us: int) -> None:
        """Tell the best bid again, or the best ask where there is no bid: the book is as it was."""
        best, is_ask = self.aggregate.best_bid(), False
        if best is None:
            best, is_ask = self.aggregate.best_ask(), True
        if best is not None:
            self._tell(best[0], 0, now_us, is_ask=is_ask)

    def _shift(self, order: Order, lots: int, now_us: int) -> None:
        self._tell(order.price_ticks, lots, now_us, is_ask=order.is_ask)

    def _tell(self, price: int, lots: int, now_us: int, *, is_ask: bool) -> None:
        aggregate = self.aggregate
        nonce = aggregate.nonce + 1
        if is_ask:
            size = aggregate.asks.get(price, 0) + lots
            aggregate.apply((), ((price, size),), nonce)
        else:
            size = aggregate.bids.get(price, 0) + lots
            aggregate.apply(((price, size),), (), nonce)
        self._emit(
            LevelChanged(
                market=self._market,
                is_ask=is_ask,
                price_ticks=price,
                size_lots=size,
                nonce=nonce,
                at_us=now_us,
            ),
        )
