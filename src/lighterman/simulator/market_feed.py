"""What everybody may see, as it happens: books on a 50 ms grid, best levels, trades, statistics.

Protocol reference 3.4, 3.5 and 9.5. A book update carries each changed level once, with its size
at the end of the batch; `begin_nonce` is the nonce at the end of the batch before, so that an
unbroken chain proves that nothing is missing. The offset skips numbers, as the venue's does.
"""

import msgspec

from lighterman.domain.book import Level as Best
from lighterman.domain.market import Market
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import LevelChanged, TradeDone, TradeType
from lighterman.matching.rules import Rules
from lighterman.protocol import messages, objects
from lighterman.simulator import account_rendering, market_rendering
from lighterman.simulator.hub import Hub
from lighterman.simulator.market_rendering import MS_US

BOOK_GRID_US = 50_000
STATS_GRID_US = 1_000_000
HEIGHT_GRID_US = 500_000


class _Ticking:
    """What of one market has not been told yet, and what was told last."""

    __slots__ = ("changed_us", "levels", "market", "nonce", "offset", "published_nonce", "stats", "told", "trades")

    def __init__(self, market: Market, nonce: int) -> None:
        self.market = market
        self.levels: dict[tuple[bool, int], int] = {}
        self.trades: list[TradeDone] = []
        self.nonce = nonce
        self.published_nonce = nonce
        self.offset = 1
        self.changed_us = 0
        self.told: tuple[Best | None, Best | None] = (None, None)
        self.stats: objects.MarketStats | None = None


class MarketFeed:
    """Turns what happens in the markets into frames of their public channels."""

    def __init__(self, exchange: Exchange, hub: Hub, rules: Rules) -> None:
        self._exchange = exchange
        self._hub = hub
        self._rules = rules
        self._height = 0
        self._markets = {
            index: _Ticking(market, exchange.book(index).nonce) for index, market in exchange.markets.items()
        }

    def level_changed(self, change: LevelChanged) -> None:
        """Note a level for the next batch."""
        ticking = self._markets[change.market]
        ticking.levels[change.is_ask, change.price_ticks] = change.size_lots
        ticking.nonce = change.nonce
        ticking.changed_us = change.at_us

    def trade_done(self, trade: TradeDone) -> None:
        """Note a trade for `tell`."""
        self._markets[trade.market].trades.append(trade)

    def tell(self, now_us: int) -> None:
        """Send what is told at once: trades and best levels."""
        for index, ticking in self._markets.items():
            if ticking.trades:
                self._tell_trades(index, ticking)
            if ticking.nonce != ticking.published_nonce:
                self._tell_best(index, ticking, now_us)

    def flush_books(self, now_us: int) -> None:
        """Send the batch of every book that changed."""
        for index in self._markets:
            self.flush_book(index, now_us)

    def flush_book(self, index: int, now_us: int) -> None:
        """Send the batch of one book, if it changed."""
        ticking = self._markets[index]
        if not ticking.levels:
            return
        ticking.offset += 1 + ticking.nonce % 2
        key = f"order_book:{index}"
        if self._hub.listens(key):
            asks: list[objects.Level] = []
            bids: list[objects.Level] = []
            for (is_ask, price_ticks), size_lots in ticking.levels.items():
                (asks if is_ask else bids).append(market_rendering.level(ticking.market, price_ticks, size_lots))
            self._hub.send(key, _book_frame("update", key, ticking, asks, bids, now_us))
        ticking.published_nonce = ticking.nonce
        ticking.levels.clear()

    def book_snapshot(self, index: int, now_us: int) -> messages.PublishedBookFrame:
        """Return the whole book; the listeners of before are brought to the same nonce first."""
        self.flush_book(index, now_us)
        ticking = self._markets[index]
        asks, bids = market_rendering.whole_book(ticking.market, self._exchange.book(index))
        return _book_frame("subscribed", f"order_book:{index}", ticking, asks, bids, now_us)

    def ticker_frame(self, index: int, when: str, now_us: int) -> messages.TickerFrame:
        """Return the best levels of a market."""
        ticking = self._markets[index]
        book = self._exchange.book(index)
        return messages.TickerFrame(
            channel=f"ticker:{index}",
            type=f"{when}/ticker",
            last_updated_at=ticking.changed_us,
            nonce=book.nonce,
            ticker=market_rendering.best_levels(ticking.market, book, ticking.changed_us),
            timestamp=now_us // MS_US,
        )

    def publish_stats(self, now_us: int) -> None:
        """Send the statistics that changed since they were sent last."""
        changed: dict[int, objects.MarketStats] = {}
        for index, ticking in self._markets.items():
            stats = self.stats(index)
            if stats != ticking.stats:
                ticking.stats = changed[index] = stats
                self._hub.send(f"market_stats:{index}", _stats_frame("update", str(index), stats, now_us))
        if changed:
            self._hub.send("market_stats:all", _stats_frame("update", "all", changed, now_us))

    def stats(self, index: int) -> objects.MarketStats:
        """Return the statistics of a market as they are now."""
        market = self._markets[index].market
        return market_rendering.market_stats(
            market, self._exchange.stats(index), self._exchange.book(index), self._rules
        )

    def stats_snapshot(self, index: int | None, now_us: int) -> messages.MarketStatsFrame:
        """Return the statistics of one market or of all."""
        if index is None:
            return _stats_frame("subscribed", "all", {each: self.stats(each) for each in self._markets}, now_us)
        return _stats_frame("subscribed", str(index), self.stats(index), now_us)

    def publish_height(self, now_us: int) -> None:
        """Send the block's number when there is a new block."""
        height = self._exchange.block_height(now_us)
        if height != self._height:
            self._height = height
            self._hub.send("height", height_frame("update", height, now_us))

    def _tell_trades(self, index: int, ticking: _Ticking) -> None:
        key = f"trade:{index}"
        if self._hub.listens(key):
            self._hub.send(key, trade_frame("update", ticking.market, ticking.trades, self._exchange.book(index).nonce))
        ticking.trades.clear()

    def _tell_best(self, index: int, ticking: _Ticking, now_us: int) -> None:
        book = self._exchange.book(index)
        best = (book.best_bid(), book.best_ask())
        if best != ticking.told:
            ticking.told = best
            key = f"ticker:{index}"
            if self._hub.listens(key):
                self._hub.send(key, self.ticker_frame(index, "update", now_us))


def trade_frame(when: str, market: Market, trades: list[TradeDone], nonce: int) -> messages.TradeFrame:
    """Return trades, oldest first, liquidations apart (3.5)."""
    ordinary = [account_rendering.trade(market, each) for each in trades if each.trade_type is TradeType.TRADE]
    forced = [account_rendering.trade(market, each) for each in trades if each.trade_type is not TradeType.TRADE]
    return messages.TradeFrame(
        channel=f"trade:{market.index}",
        type=f"{when}/trade",
        liquidation_trades=forced,
        nonce=nonce,
        trades=ordinary,
    )


def height_frame(when: str, height: int, now_us: int) -> messages.HeightFrame:
    """Return the block's number."""
    return messages.HeightFrame(channel="height", type=f"{when}/height", height=height, timestamp=now_us // MS_US)


def _stats_frame(
    when: str, name: str, stats: objects.MarketStats | dict[int, objects.MarketStats], now_us: int
) -> messages.MarketStatsFrame:
    return messages.MarketStatsFrame(
        channel=f"market_stats:{name}",
        type=f"{when}/market_stats",
        market_stats=msgspec.Raw(msgspec.json.encode(stats)),
        timestamp=now_us // MS_US,
    )


def _book_frame(
    when: str,
    key: str,
    ticking: _Ticking,
    asks: list[objects.Level],
    bids: list[objects.Level],
    now_us: int,
) -> messages.PublishedBookFrame:
    return messages.PublishedBookFrame(
        channel=key,
        last_updated_at=ticking.changed_us,
        offset=ticking.offset,
        order_book=messages.PublishedBook(
            code=0,
            asks=asks,
            bids=bids,
            offset=ticking.offset,
            nonce=ticking.nonce,
            last_updated_at=ticking.changed_us,
            begin_nonce=ticking.published_nonce if when == "update" else 0,
        ),
        timestamp=now_us // MS_US,
        type=f"{when}/order_book",
    )
