"""Lighter's best bid and offer with trades, in Parquet (`bbo_<symbol>_utc`, `trades_<symbol>_utc`).

For end-to-end runs only: the recorder kept a stale book, so the spread is false, most trades
print inside it, and only a sample of the trades was kept. Numbers are floats on the market's
own grid. Rows are sorted (one goes back in time) and all read at once: an inexact one is refused.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lighterman.simulator.tapes.depth import Depth, by_time
from lighterman.simulator.tapes.format import Levels, Print, Recording, TapeHeader
from lighterman.simulator.tapes.parquet import parquet_rows
from lighterman.simulator.tapes.units import Units, market_of

PREFIX, SUFFIX = "bbo_", "_utc.parquet"
NS_PER_US = 1_000

READINGS = ("as recorded",)


def recognises(source: Path) -> bool:
    """Tell whether a folder holds this kind of recording."""
    return any(source.glob(f"{PREFIX}*{SUFFIX}"))


def recordings(source: Path, reading: str) -> list[Recording]:
    """Return the folder's markets."""
    symbols = sorted(path.name[len(PREFIX) : -len(SUFFIX)] for path in source.glob(f"{PREFIX}*{SUFFIX}"))
    return [_recording(source, symbol, reading) for symbol in symbols]


def _recording(source: Path, symbol: str, reading: str) -> Recording:
    units = Units(market_of(symbol, source.name), f"{source.name} {symbol}")
    books = parquet_rows(source / f"{PREFIX}{symbol}{SUFFIX}", ("ts_ns", "bid", "bid_sz", "ask", "ask_sz"))
    trades = parquet_rows(source / f"trades_{symbol}{SUFFIX}", ("ts_ns", "price", "size", "side"))
    header = TapeHeader(market=units.market, source=f"Lighter {symbol}, {source.name}", reading=reading)
    return Recording(header=header, records=by_time(list(_books(books, units)), list(_prints(trades, units))))


def _books(rows: Iterator[tuple[Any, ...]], units: Units) -> Iterator[Levels]:
    depth = Depth(1)
    for ts_ns, bid, bid_size, ask, ask_size in sorted(rows):
        depth.replace([(units.price(bid), units.size(bid_size))], [(units.price(ask), units.size(ask_size))])
        changed = depth.changes(ts_ns // NS_PER_US)
        if changed:
            yield changed


def _prints(rows: Iterator[tuple[Any, ...]], units: Units) -> Iterator[Print]:
    for ts_ns, price, size, side in sorted(rows):
        yield Print(ts_ns // NS_PER_US, units.price(price), units.size(size), taker_is_ask=side == "sell")
