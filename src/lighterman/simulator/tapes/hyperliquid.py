"""Hyperliquid: snapshots of 20 levels, top of book and trades in CSV (`orderbooks_`, `prices_`, `trades_`).

Everything is ordered by the exchange's time; trades lag locally by up to 43 s. Duplicate trades
are dropped by their id. `side` is the taker's.
"""

import csv
import gzip
from collections.abc import Iterator
from heapq import merge
from pathlib import Path

from lighterman.domain.book import Level
from lighterman.domain.errors import ConfigError
from lighterman.simulator.tapes.depth import Depth, by_time
from lighterman.simulator.tapes.format import Levels, Print, Recording, TapeHeader
from lighterman.simulator.tapes.units import Units, market_of

PREFIX, SUFFIX = "orderbooks_", ".csv.gz"
DEPTH = 20
US_PER_MS = 1_000

READINGS = ("as recorded",)

Row = dict[str, str]
Update = tuple[int, list[Level], list[Level]]  # time, bids, asks; one level a side is a top of book


def recognises(source: Path) -> bool:
    """Tell whether a folder holds this kind of recording."""
    return any(source.glob(f"{PREFIX}*{SUFFIX}"))


def recordings(source: Path, reading: str) -> list[Recording]:
    """Return the folder's markets."""
    symbols = sorted(path.name[len(PREFIX) : -len(SUFFIX)] for path in source.glob(f"{PREFIX}*{SUFFIX}"))
    return [_recording(source, symbol, reading) for symbol in symbols]


def _recording(source: Path, symbol: str, reading: str) -> Recording:
    units = Units(market_of(symbol, source.name), f"{source.name} {symbol}")
    books = sorted(_snapshots(source / f"{PREFIX}{symbol}{SUFFIX}", units))
    tops = sorted(_tops(source / f"prices_{symbol}{SUFFIX}", units))
    trades = sorted(_prints(source / f"trades_{symbol}{SUFFIX}", units), key=lambda trade: trade.at_us)
    header = TapeHeader(market=units.market, source=f"Hyperliquid {symbol}, {source.name}", reading=reading)
    return Recording(header=header, records=by_time(_books(merge(books, tops)), trades))


def _books(updates: Iterator[Update]) -> Iterator[Levels]:
    depth = Depth(DEPTH)
    for at_us, bids, asks in updates:
        if len(bids) == len(asks) == 1:
            depth.top(bids[0], asks[0])
        else:
            depth.replace(bids, asks)
        changed = depth.changes(at_us)
        if changed:
            yield changed


def _snapshots(path: Path, units: Units) -> Iterator[Update]:
    for row in _rows(path):
        bids, asks = (
            [
                (units.price(row[f"{side}_price_{level}"]), units.size(row[f"{side}_size_{level}"]))
                for level in range(DEPTH)
                if row[f"{side}_price_{level}"]
            ]
            for side in ("bid", "ask")
        )
        yield _at_us(row), bids, asks


def _tops(path: Path, units: Units) -> Iterator[Update]:
    """Yield the best levels whenever both rows of an update are there."""
    best: dict[str, tuple[int, Level]] = {}
    for row in _rows(path):
        best[row["side"]] = _at_us(row), (units.price(row["price"]), units.size(row["size"]))
        if len(best) == 2 and best["bid"][0] == best["ask"][0]:
            yield best["bid"][0], [best["bid"][1]], [best["ask"][1]]


def _prints(path: Path, units: Units) -> Iterator[Print]:
    seen: set[str] = set()
    for row in _rows(path):
        if row["trade_id"] not in seen:
            seen.add(row["trade_id"])
            price, size = units.price(row["price"]), units.size(row["size"])
            yield Print(_at_us(row), price, size, taker_is_ask=row["side"] == "sell")


def _rows(path: Path) -> Iterator[Row]:
    try:
        with gzip.open(path, "rt", encoding="ascii", newline="") as file:
            yield from csv.DictReader(file)
    except OSError as error:
        raise ConfigError([f"tape: {path} cannot be read: {error}"]) from None


def _at_us(row: Row) -> int:
    return int(row["exchange_timestamp"]) * US_PER_MS
