"""A seat at one market for one synthetic actor: what it may see and do, and nothing else.

Actors see the live public book (they sit beside the exchange, without the 50 ms batches of
the stream) and their own orders and position. What they know of the efficient price is in
the hands of the actor, and late by its latency.
"""

from collections.abc import Callable

from lighterman.domain.book import OrderBook
from lighterman.domain.market import Market
from lighterman.domain.units import MICRO, divide_ceil
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import OrderRow
from lighterman.matching.requests import AmendOrder, NewOrder, TimeInForce

BP = 1e-4
MIN_VALUE_MARGIN_PPM = 1_010_000  # a minimum order keeps its value when the price falls a little
Actor = Callable[[int], int]  # acts at a time in microseconds and says when it wakes again


class Desk:
    """One account's access to one market, in bp and USD where actors think in those."""

    __slots__ = ("_account_index", "_exchange", "_last_client_index", "_market")

    def __init__(self, exchange: Exchange, market: Market, account_index: int) -> None:
        self._exchange = exchange
        self._market = market
        self._account_index = account_index
        self._last_client_index = 0

    def book(self) -> OrderBook:
        """Return the live public book."""
        return self._exchange.book(self._market.index)

    def mid_ticks(self) -> float | None:
        """Return the middle of the book, or None while a side is empty."""
        bid, ask = self.book().best_bid(), self.book().best_ask()
        return None if bid is None or ask is None else (bid[0] + ask[0]) / 2

    def imbalance(self) -> float:
        """Return (bid - ask) / (bid + ask) of the best sizes, 0 while a side is empty."""
        bid, ask = self.book().best_bid(), self.book().best_ask()
        return 0.0 if bid is None or ask is None else (bid[1] - ask[1]) / (bid[1] + ask[1])

    def position_usd(self, price_ticks: float) -> float:
        """Return the value of the own position, negative when short."""
        return self._exchange.position_lots(self._account_index, self._market.index) * self._lot_usd(price_ticks)

    def orders(self) -> dict[int, OrderRow]:
        """Return the own resting orders by client order index."""
        rows = self._exchange.open_orders(self._account_index, self._market.index)
        return {row.client_order_index: row for row in rows}

    def lots(self, value_usd: float, price_ticks: float) -> int:
        """Return how many lots are worth `value_usd`, never fewer than the market accepts."""
        market = self._market
        least_quote = divide_ceil(market.min_quote_micro * MIN_VALUE_MARGIN_PPM, MICRO)
        least = max(market.min_base_lots, divide_ceil(least_quote, market.notional_micro(int(price_ticks), 1)))
        return max(least, round(value_usd / self._lot_usd(price_ticks)))

    def rest(self, *, is_ask: bool, price_ticks: int, size_lots: int, now_us: int) -> int:
        """Place a post-only order and return its client order index."""
        self._last_client_index += 1
        self._exchange.act(
            NewOrder(
                account_index=self._account_index,
                market=self._market.index,
                client_order_index=self._last_client_index,
                is_ask=is_ask,
                price_ticks=price_ticks,
                size_lots=size_lots,
                time_in_force=TimeInForce.POST_ONLY,
            ),
            now_us,
        )
        return self._last_client_index

    def move(self, row: OrderRow, *, price_ticks: int, size_lots: int, now_us: int) -> None:
        """Bring a resting order to a price and a remaining size."""
        self._exchange.act(
            AmendOrder(
                account_index=self._account_index,
                market=self._market.index,
                index=row.client_order_index,
                price_ticks=price_ticks,
                size_lots=row.filled_lots + size_lots,
            ),
            now_us,
        )

    def take(self, *, is_ask: bool, price_ticks: int, size_lots: int, now_us: int) -> None:
        """Trade at once up to a limit price; what finds no counterparty is cancelled."""
        self._exchange.act(
            NewOrder(
                account_index=self._account_index,
                market=self._market.index,
                is_ask=is_ask,
                price_ticks=max(1, price_ticks),
                size_lots=size_lots,
                time_in_force=TimeInForce.IOC,
            ),
            now_us,
        )

    def sweep(self, *, is_ask: bool, value_usd: float, reach_bp: float, now_us: int) -> None:
        """Take up to `value_usd` from the opposite side, no further than `reach_bp` into it."""
        best = self.book().best_bid() if is_ask else self.book().best_ask()
        if best is None:
            return
        reach_ticks = round(best[0] * reach_bp * BP)
        self.take(
            is_ask=is_ask,
            price_ticks=best[0] - reach_ticks if is_ask else best[0] + reach_ticks,
            size_lots=self.lots(value_usd, best[0]),
            now_us=now_us,
        )

    def _lot_usd(self, price_ticks: float) -> float:
        return price_ticks * self._market.quote_multiplier / MICRO
