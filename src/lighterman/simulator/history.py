"""Candles: the trades of each market, minute by minute, as far back as they are kept.

Protocol reference 2.1: start inclusive, end exclusive, at most 500 rows of which the newest are
kept, `count_back` is a minimum that reaches back before the start.
"""

from collections import deque
from collections.abc import Collection, Mapping
from types import MappingProxyType

from lighterman.domain.market import Market
from lighterman.domain.units import MICRO_DECIMALS
from lighterman.matching.outputs import TradeDone
from lighterman.protocol.rest import Candle
from lighterman.simulator.market_rendering import MS_US, number

MINUTE_US = 60_000_000
MINUTES_KEPT = 3 * 24 * 60
ROWS_MAX = 500

RESOLUTIONS: Mapping[str, int] = MappingProxyType(
    {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "12h": 720, "1d": 1440}
)


class _Bar:
    """What was traded in a span of time, in ticks, lots and micro-USDC."""

    __slots__ = ("close", "high", "last_trade_id", "lots", "low", "open", "quote_micro", "start_us")

    def __init__(self, start_us: int, trade: TradeDone) -> None:
        self.start_us = start_us
        self.open = self.high = self.low = self.close = trade.price_ticks
        self.lots = trade.size_lots
        self.quote_micro = trade.quote_micro
        self.last_trade_id = trade.trade_id

    def add(self, trade: TradeDone) -> None:
        self.high = max(self.high, trade.price_ticks)
        self.low = min(self.low, trade.price_ticks)
        self.close = trade.price_ticks
        self.lots += trade.size_lots
        self.quote_micro += trade.quote_micro
        self.last_trade_id = trade.trade_id


class History:
    """Minute bars of every market; minutes without a trade have none."""

    def __init__(self, markets: Collection[int]) -> None:
        self._bars: dict[int, deque[_Bar]] = {market: deque(maxlen=MINUTES_KEPT) for market in markets}

    def add(self, trade: TradeDone) -> None:
        """Count a trade."""
        bars = self._bars[trade.market]
        start_us = trade.at_us // MINUTE_US * MINUTE_US
        if bars and bars[-1].start_us == start_us:
            bars[-1].add(trade)
        else:
            bars.append(_Bar(start_us, trade))

    def candles(self, market: Market, minutes: int, *, start_us: int, end_us: int, count_back: int) -> list[Candle]:
        """Return the candles of a range, oldest first."""
        width_us = minutes * MINUTE_US
        groups: dict[int, list[_Bar]] = {}
        for bar in self._bars[market.index]:
            if bar.start_us < end_us:
                groups.setdefault(bar.start_us // width_us * width_us, []).append(bar)
        starts = list(groups)
        wanted = sum(start >= start_us for start in starts)
        kept = starts[len(starts) - min(max(wanted, count_back), ROWS_MAX, len(starts)) :]
        return [_candle(market, start, groups[start]) for start in kept]


def _candle(market: Market, start_us: int, bars: list[_Bar]) -> Candle:
    prices, sizes = market.price_decimals, market.size_decimals
    return Candle(
        t=start_us // MS_US,
        o=number(bars[0].open, prices),
        h=number(max(bar.high for bar in bars), prices),
        l=number(min(bar.low for bar in bars), prices),
        c=number(bars[-1].close, prices),
        v=number(sum(bar.lots for bar in bars), sizes),
        V=number(sum(bar.quote_micro for bar in bars), MICRO_DECIMALS),
        i=bars[-1].last_trade_id,
    )
