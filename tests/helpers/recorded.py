"""Tiny recordings in the shapes of other programs, made up here: none of the recorded data is in this tree."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

START_S = 1_700_000_000
LEVELS = 20


def standx(folder: Path, books: Sequence[tuple], trades: Sequence[tuple]) -> Path:
    """Write a StandX folder: books (second, bids, asks) in 0.1 USD and 1e-4 BTC, trades (second, cents, qty, side)."""
    rows: dict[str, list[int]] = {"ts_ns": []}
    for second, bids, asks in books:
        rows["ts_ns"].append(round((START_S + second) * 1e9))
        for prefix, side in (("b", bids), ("a", asks)):
            for level in range(LEVELS):
                price, size = side[level] if level < len(side) else (0, 0)
                rows.setdefault(f"{prefix}p{level}", []).append(price)
                rows.setdefault(f"{prefix}q{level}", []).append(size)
    prints = {
        "ts_ns": [round((START_S + trade[0]) * 1e9) for trade in trades],
        "px_cents": [trade[1] for trade in trades],
        "qty": [trade[2] for trade in trades],
        "side_inferred": [trade[3] for trade in trades],
    }
    pq.write_table(pa.table(rows), folder / "book_train.parquet")
    pq.write_table(pa.table(prints), folder / "trades_train.parquet")
    return folder


def lighter(folder: Path, symbol: str, tops: Sequence[tuple], trades: Sequence[tuple]) -> Path:
    """Write one market of a Lighter folder: tops (second, bid, size, ask, size), trades (second, price, size, side)."""
    columns = ("ts_ns", "bid", "bid_sz", "ask", "ask_sz")
    books = {name: [top[number] for top in tops] for number, name in enumerate(columns)}
    books["ts_ns"] = [round((START_S + second) * 1e9) for second in books["ts_ns"]]
    prints = {
        name: [trade[number] for trade in trades] for number, name in enumerate(("ts_ns", "price", "size", "side"))
    }
    prints["ts_ns"] = [round((START_S + second) * 1e9) for second in prints["ts_ns"]]
    pq.write_table(pa.table(books), folder / f"bbo_{symbol}_utc.parquet")
    pq.write_table(pa.table(prints), folder / f"trades_{symbol}_utc.parquet")
    return folder


def hyperliquid(
    folder: Path, symbol: str, books: Sequence[tuple], tops: Sequence[tuple], trades: Sequence[tuple]
) -> Path:
    """Write one market of a Hyperliquid folder; everything is text, times in seconds."""
    header = ["timestamp", "sequence", "exchange_timestamp"]
    header += [
        f"{side}_{what}_{level}" for level in range(LEVELS) for side in ("bid", "ask") for what in ("price", "size")
    ]
    rows = [header]
    for second, bids, asks in books:
        row = ["0", "0", _ms(second)]
        for level in range(LEVELS):
            for side in (bids, asks):
                row += side[level] if level < len(side) else ("", "")
        rows.append(row)
    _csv(folder / f"orderbooks_{symbol}.csv.gz", rows)
    rows = [["timestamp", "price", "size", "side", "exchange_timestamp"]]
    rows += [["0", price, size, side, _ms(second)] for second, side, price, size in tops]
    _csv(folder / f"prices_{symbol}.csv.gz", rows)
    rows = [["timestamp", "price", "size", "side", "trade_id", "exchange_timestamp"]]
    rows += [["0", price, size, side, number, _ms(second)] for second, price, size, side, number in trades]
    _csv(folder / f"trades_{symbol}.csv.gz", rows)
    return folder


def binance(path: Path, lines: Sequence[tuple[int, dict]]) -> Path:
    """Write a file of raw lines: (local microseconds, message)."""
    text = "".join(f"{START_S * 1_000_000 + at_us} {json.dumps(message)}\n" for at_us, message in lines)
    path.write_bytes(gzip.compress(text.encode()))
    return path


def _ms(second: float) -> str:
    return str(round((START_S + second) * 1_000))


def _csv(path: Path, rows: Sequence[Sequence[str]]) -> None:
    path.write_bytes(gzip.compress("".join(",".join(row) + "\n" for row in rows).encode()))
