"""Runs a market driver on the exchange's core in virtual time, and records what the public saw."""

from collections.abc import Iterator, Sequence

import msgspec

from lighterman.domain.market import Market
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import Output, TradeDone
from lighterman.matching.rules import Rules
from lighterman.simulator.driver import MarketDriver
from lighterman.simulator.markets import markets_named

START_US = 1_700_000_000_000_000
SECOND = 1_000_000


ETH, BTC, SOL = markets_named(("ETH", "BTC", "SOL"))


def begin(driver: MarketDriver, rules: Rules | None = None) -> Exchange:
    """Return an exchange on which the driver has started."""
    exchange = Exchange(driver.markets, rules or Rules(), START_US)
    driver.start(exchange, START_US)
    return exchange


def steps(driver: MarketDriver, exchange: Exchange, until_us: int) -> Iterator[int]:
    """Do everything that is due until a moment, yielding the time after each step."""
    while True:
        own = driver.next_due_us()
        due_us = exchange.next_due_us() if own is None else min(own, exchange.next_due_us())
        if due_us > until_us:
            return
        exchange.advance(due_us)
        driver.advance(exchange, due_us)
        yield due_us


class Quote(msgspec.Struct, frozen=True, gc=False):
    """The best levels after a change, in USD and base units."""

    at_s: float
    bid: float
    bid_size: float
    ask: float
    ask_size: float

    @property
    def mid(self) -> float:
        return (self.bid + self.ask) / 2


class Print(msgspec.Struct, frozen=True, gc=False):
    """A trade: sign +1 when the taker bought; `mid` stood strictly before it."""

    at_s: float
    price: float
    size: float
    sign: int
    mid: float


class Recording(msgspec.Struct):
    """What the public saw of one market."""

    quotes: list[Quote]
    prints: list[Print]


def record(driver: MarketDriver, exchange: Exchange, of: Sequence[Market], seconds: float) -> dict[int, Recording]:
    """Run for a while and return each market's quotes and prints, by market index."""
    recordings = {each.index: Recording([], []) for each in of}
    exchange.take_outputs()
    for at_us in steps(driver, exchange, exchange.now_us + round(seconds * SECOND)):
        outputs = exchange.take_outputs()
        for each in of:
            _observe(recordings[each.index], exchange, each, outputs, (at_us - START_US) / SECOND)
    return recordings


def _observe(seen: Recording, exchange: Exchange, market: Market, outputs: list[Output], at_s: float) -> None:
    tick, lot = 1 / market.ticks_per_unit, 1 / market.lots_per_unit
    mid = seen.quotes[-1].mid if seen.quotes else 0.0
    for output in outputs:
        if isinstance(output, TradeDone) and output.market == market.index and mid:
            sign = 1 if output.is_maker_ask else -1
            seen.prints.append(Print(at_s, output.price_ticks * tick, output.size_lots * lot, sign, mid))
    bid, ask = exchange.book(market.index).best_bid(), exchange.book(market.index).best_ask()
    if bid is None or ask is None:
        return
    now = (bid[0] * tick, bid[1] * lot, ask[0] * tick, ask[1] * lot)
    last = seen.quotes[-1] if seen.quotes else None
    if last is None or now != (last.bid, last.bid_size, last.ask, last.ask_size):
        seen.quotes.append(Quote(at_s, *now))
