"""StandX BTC-USD: 20-level snapshots and trades in Parquet (`book_train`, `trades_train`).

The recorder cut both sides of the book down to 0.1 USD, so that bid and ask often show one
price; trades print on a grid of 0.01. Two readings (market-making reference 4.3):

`bucket`   level L is the orders in [L, L + 0.1): asks are moved up one tick, taker buys are
           rounded up and sells down. A locked snapshot has a spread of one tick.
`netted`   the overlapping size of locked levels is cancelled from both sides; trades are cut.

Sides are inferred (`side_inferred`); snapshots are some 250 ms apart, with gaps.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lighterman.domain.book import Level
from lighterman.domain.errors import ConfigError
from lighterman.domain.units import divide_ceil, divide_floor
from lighterman.simulator.tapes.depth import Depth, by_time
from lighterman.simulator.tapes.format import Levels, Print, Recording, TapeHeader
from lighterman.simulator.tapes.parquet import parquet_rows
from lighterman.simulator.tapes.units import market_of

READINGS = ("bucket", "netted")
DEPTH = 20
NS_PER_US = 1_000
LOTS_PER_QTY = 10  # sizes are in 1e-4 BTC, lots in 1e-5
CENTS_PER_TICK = 10  # `px_cents` is in 0.01 USD, ticks are 0.1


def recognises(source: Path) -> bool:
    """Tell whether a folder holds this kind of recording."""
    return (source / "book_train.parquet").is_file()


def recordings(source: Path, reading: str) -> list[Recording]:
    """Return the one market of the folder, in one of two readings."""
    reading = reading or READINGS[0]
    if reading not in READINGS:
        raise ConfigError([f"{source.name}: reading {reading!r} is none of {', '.join(READINGS)}"])
    market = market_of("BTC", source.name)
    header = TapeHeader(market=market, source=f"StandX BTC-USD, {source.name}", reading=reading)
    trades = parquet_rows(source / "trades_train.parquet", ("ts_ns", "px_cents", "qty", "side_inferred"))
    columns = [f"{kind}{level}" for kind in ("bp", "bq", "ap", "aq") for level in range(DEPTH)]
    books = parquet_rows(source / "book_train.parquet", ("ts_ns", *columns))
    is_bucket = reading == "bucket"
    return [
        Recording(
            header=header, records=by_time(_books(books, is_bucket=is_bucket), _prints(trades, is_bucket=is_bucket))
        )
    ]


def _books(rows: Iterator[tuple[Any, ...]], *, is_bucket: bool) -> Iterator[Levels]:
    depth = Depth(DEPTH)
    for ts_ns, *numbers in rows:
        bids = _levels(numbers[:DEPTH], numbers[DEPTH : 2 * DEPTH], shift_ticks=0)
        asks = _levels(numbers[2 * DEPTH : 3 * DEPTH], numbers[3 * DEPTH :], shift_ticks=1 if is_bucket else 0)
        if not is_bucket:
            _net(bids, asks)
        depth.replace(bids, asks)
        changed = depth.changes(ts_ns // NS_PER_US)
        if changed:
            yield changed


def _levels(prices: list[int], sizes: list[int], *, shift_ticks: int) -> list[Level]:
    return [(price + shift_ticks, size * LOTS_PER_QTY) for price, size in zip(prices, sizes, strict=True) if size]


def _net(bids: list[Level], asks: list[Level]) -> None:
    """Cancel the overlap of locked levels from both sides, in place; both come best first."""
    while bids and asks and bids[0][0] >= asks[0][0]:
        (bid, bid_size), (ask, ask_size) = bids.pop(0), asks.pop(0)
        if bid_size > ask_size:
            bids.insert(0, (bid, bid_size - ask_size))
        elif ask_size > bid_size:
            asks.insert(0, (ask, ask_size - bid_size))


def _prints(rows: Iterator[tuple[Any, ...]], *, is_bucket: bool) -> Iterator[Print]:
    for ts_ns, cents, quantity, side in rows:
        rounds = divide_ceil if is_bucket and side > 0 else divide_floor
        yield Print(ts_ns // NS_PER_US, rounds(cents, CENTS_PER_TICK), quantity * LOTS_PER_QTY, taker_is_ask=side < 0)
