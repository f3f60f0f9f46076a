"""One recorded market, held in the exchange's own matching.

The queue model (market-making reference 9.1 and 9.2, performance reference 2.10):

1. The recorded book stands as resting orders of the tape's account. Whoever quotes at a
   recorded price arrives behind all that is displayed there: that is its queue ahead.
2. A level that grows gets its growth at the end of the queue. A level that shrinks without
   prints loses it from the end: what stands behind us goes first, and our queue ahead is never
   more than what is displayed (the risk-averse model).
3. A recorded print is an IOC order of the recorded size, side and price from another account of
   the tape. It reaches better prices first and the queue in order, so an order of ours is
   filled when, and by as much as, the recorded flow reaches it, and all fills together never
   exceed what was printed. Tape orders that the print proves gone (better ones, and
   those it would cross) are withdrawn first; volume that the book did not show is added
   behind everybody at the print's price.
4. A recorded quote never takes. A recorded level that would cross an order of ours is withheld
   until it does not: quotes alone fill nobody.
5. A record without a change shows the book again, unchanged: whoever watches how old it is
   sees that the recorded feed was alive, and in the recording's gaps that it was not.
6. Our trades leave the recording as it is: what we take comes back with its next record.
"""

from collections.abc import Iterator, Mapping

from lighterman.domain.book import Level
from lighterman.domain.errors import ConfigError, JournalError
from lighterman.domain.market import Market
from lighterman.matching.exchange import Exchange
from lighterman.matching.flow import COLLATERAL_MICRO, PARTICIPANTS_FROM, PARTICIPANTS_PER_MARKET
from lighterman.matching.outputs import OrderRow
from lighterman.matching.requests import NewOrder, TimeInForce
from lighterman.simulator.tapes.format import Levels, Print, Record, Recording

INDEX_EVERY_US = 200_000

OwnLevels = Mapping[tuple[bool, int], list[OrderRow]]  # (is_ask, price) -> the tape's orders, newest first


class TapeMarket:
    """Plays one recording. `next_at_us` is the tape's time of what comes next, None at its end."""

    def __init__(self, recording: Recording) -> None:
        self.header = recording.header
        self.end = ""  # why there is no more
        self._records: Iterator[Record] = recording.records
        self._bids: dict[int, int] = {}  # the book as recorded
        self._asks: dict[int, int] = {}
        self._maker, self._taker = _accounts(self.market)
        self._indexed_us = 0
        self._next = self._read()

    @property
    def market(self) -> Market:
        """Return the market that was recorded."""
        return self.header.market

    @property
    def next_at_us(self) -> int | None:
        """Return the recorded time of the next record."""
        return self._next.at_us if self._next else None

    def start(self, exchange: Exchange, now_us: int) -> None:
        """Open the tape's accounts and stand the first recorded book."""
        for account_index in (self._maker, self._taker):
            exchange.open_account(
                account_index,
                collateral_micro=COLLATERAL_MICRO,
                tier="standard",
                l1_address=f"0x{account_index:040x}",
                free_of_limits=True,
            )
        self.play(exchange, now_us)

    def play(self, exchange: Exchange, now_us: int) -> None:
        """Let the next record happen."""
        record, self._next = self._next, self._read()
        if isinstance(record, Levels):
            if record.bids or record.asks:
                _update(self._bids, record.bids)
                _update(self._asks, record.asks)
                self._stand(exchange, now_us)
            else:
                exchange.touch(self.market.index, now_us)
            self._publish_index(exchange, now_us)
        elif isinstance(record, Print):
            self._trade(exchange, record, now_us)

    def _read(self) -> Record | None:
        try:
            record = next(self._records, None)
        except (ConfigError, JournalError) as error:
            self.end = str(error)
            return None
        if record is None:
            self.end = "the recording has ended"
        return record

    def _stand(self, exchange: Exchange, now_us: int) -> None:
        """Bring the tape's orders to the recorded book: first what goes, then what comes (rules 1, 2, 4)."""
        own = self._own(exchange)
        for (is_ask, price), rows in own.items():
            recorded = (self._asks if is_ask else self._bids).get(price, 0)
            self._withdraw(exchange, rows, _total(rows) - recorded, now_us)
        for is_ask, recorded_levels in ((False, self._bids), (True, self._asks)):
            for price, size in recorded_levels.items():
                missing = size - _total(own.get((is_ask, price), []))
                if missing > 0 and not self._would_cross(exchange, price, is_ask=is_ask):
                    self._rest(exchange, price, missing, is_ask=is_ask, now_us=now_us)

    def _trade(self, exchange: Exchange, record: Print, now_us: int) -> None:
        """Let a recorded print reach the book (rule 3)."""
        maker_is_ask = not record.taker_is_ask
        for (is_ask, price), rows in self._own(exchange).items():
            is_better = _is_better(price, record.price_ticks, is_ask=is_ask)
            if is_better if is_ask == maker_is_ask else is_better or price == record.price_ticks:
                self._withdraw(exchange, rows, _total(rows), now_us)
        book = exchange.book(self.market.index)
        reached = sum(
            size
            for price, size in (book.asks if maker_is_ask else book.bids).items()
            if not _is_better(record.price_ticks, price, is_ask=maker_is_ask)
        )
        missing = record.size_lots - reached
        if missing > 0 and not self._would_cross(exchange, record.price_ticks, is_ask=maker_is_ask):
            self._rest(exchange, record.price_ticks, missing, is_ask=maker_is_ask, now_us=now_us)
        self._send(
            exchange,
            self._taker,
            record.price_ticks,
            record.size_lots,
            is_ask=record.taker_is_ask,
            time_in_force=TimeInForce.IOC,
            now_us=now_us,
        )

    def _own(self, exchange: Exchange) -> dict[tuple[bool, int], list[OrderRow]]:
        """Return the tape's resting orders by level, newest first: never remembered, always asked."""
        levels: dict[tuple[bool, int], list[OrderRow]] = {}
        for row in exchange.open_orders(self._maker):
            levels.setdefault((row.is_ask, row.price_ticks), []).append(row)
        return levels

    def _withdraw(self, exchange: Exchange, rows: list[OrderRow], lots: int, now_us: int) -> None:
        """Take size off a level from the end of its queue."""
        for row in rows:
            if lots <= 0:
                return
            exchange.shrink(self._maker, self.market.index, row.order_index, min(lots, row.remaining_lots), now_us)
            lots -= row.remaining_lots

    def _would_cross(self, exchange: Exchange, price_ticks: int, *, is_ask: bool) -> bool:
        book = exchange.book(self.market.index)
        best = book.best_bid() if is_ask else book.best_ask()
        return best is not None and not _is_better(best[0], price_ticks, is_ask=is_ask)

    def _rest(self, exchange: Exchange, price_ticks: int, size_lots: int, *, is_ask: bool, now_us: int) -> None:
        self._send(
            exchange,
            self._maker,
            price_ticks,
            size_lots,
            is_ask=is_ask,
            time_in_force=TimeInForce.POST_ONLY,
            now_us=now_us,
        )

    def _send(
        self,
        exchange: Exchange,
        account_index: int,
        price_ticks: int,
        size_lots: int,
        *,
        is_ask: bool,
        time_in_force: TimeInForce,
        now_us: int,
    ) -> None:
        exchange.act(
            NewOrder(
                account_index=account_index,
                market=self.market.index,
                price_ticks=price_ticks,
                size_lots=size_lots,
                is_ask=is_ask,
                time_in_force=time_in_force,
            ),
            now_us,
        )

    def _publish_index(self, exchange: Exchange, now_us: int) -> None:
        """Publish the middle of the recorded book as the index."""
        if self._bids and self._asks and now_us - self._indexed_us >= INDEX_EVERY_US:
            self._indexed_us = now_us
            exchange.set_index(self.market.index, (max(self._bids) + min(self._asks)) // 2, now_us)


def _accounts(market: Market) -> tuple[int, int]:
    """Return the indexes of the accounts that hold the recorded book and send the prints."""
    first = PARTICIPANTS_FROM + market.index * PARTICIPANTS_PER_MARKET
    return first, first + 1


def _update(recorded: dict[int, int], levels: list[Level]) -> None:
    for price, size in levels:
        if size:
            recorded[price] = size
        else:
            recorded.pop(price, None)


def _total(rows: list[OrderRow]) -> int:
    return sum(row.remaining_lots for row in rows)


def _is_better(price_ticks: int, than_ticks: int, *, is_ask: bool) -> bool:
    """Tell whether a price trades before another one on the same side."""
    return price_ticks < than_ticks if is_ask else price_ticks > than_ticks
