"""Binance raw stream lines, as hftbacktest's recorder writes them: `<local time> <JSON>`.

A file holds one symbol: a REST snapshot (in most), depth differences, bookTicker and trades;
the files of a folder must follow each other. Everything is ordered by the exchange's own
times, since a bookTicker often arrives before the trades that made it, which would let a queue
shrink twice. The book is snapshot and differences; where there is no snapshot it is the
bookTicker, if that is stamped (spot's is not). USD-margined trades other than `X = "MARKET"`
are no market trades. COIN-margined files are refused: their sizes are contracts.
"""

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from lighterman.domain.book import Level
from lighterman.domain.errors import ConfigError
from lighterman.simulator.tapes.depth import Depth, by_time
from lighterman.simulator.tapes.format import Levels, Print, Record, Recording, TapeHeader
from lighterman.simulator.tapes.units import Units, market_of

READINGS = ("as recorded",)
DEPTH = 20
QUOTE = "USDT"
US_PER_MS = 1_000
SESSION_MS_MAX = 48 * 3_600_000  # files that begin further apart are not one session

Texts = list[tuple[str, str]]
Update = tuple[int, list[Level], list[Level]]  # time, bids, asks


class _Data(msgspec.Struct, frozen=True, gc=False):
    """The fields used of depthUpdate (u, b, a), bookTicker (b, B, a, A) and trade (p, q, m, X)."""

    e: str = "bookTicker"  # spot's names no event
    s: str = ""
    E: int = 0
    T: int = 0
    u: int = 0
    b: Texts | str | int = 0
    B: str = ""
    a: Texts | str | int = 0
    A: str = ""
    p: str = ""
    q: str = ""
    m: bool = False
    X: str = "MARKET"

    @property
    def at_us(self) -> int:
        """Return the exchange's time: of the transaction where it is given, else of the event."""
        return (self.T or self.E) * US_PER_MS


class _Line(msgspec.Struct, frozen=True, gc=False):
    """A line is a stream message, or the REST snapshot."""

    data: _Data | None = None
    last_update_id: int = msgspec.field(default=0, name="lastUpdateId")
    bids: Texts = []
    asks: Texts = []


class _Tables(msgspec.Struct):
    """What the lines of a recording say, apart."""

    snapshot: _Line | None = None
    depths: list[_Data] = []
    tops: list[_Data] = []
    trades: list[_Data] = []


_LINE = msgspec.json.Decoder(_Line)


def recognises(source: Path) -> bool:
    """Tell whether a file, or the first one of a folder, holds this kind of recording."""
    try:
        return bool(_first_message(_files(source)[0]).s)
    except (ConfigError, IndexError):
        return False


def recordings(source: Path, reading: str) -> list[Recording]:
    """Return the one market of a file or folder; raises ConfigError when a folder holds several."""
    files = _files(source)
    firsts = [_first_message(file) for file in files]
    times = [first.at_us // US_PER_MS for first in firsts]
    symbol, origin = firsts[0].s, source.name
    if any(first.s != symbol for first in firsts) or max(times) - min(times) > SESSION_MS_MAX:
        names = ", ".join(file.name for file in files)
        raise ConfigError([f"tape: {origin} holds several recordings: name one of {names}"])
    if not symbol.endswith(QUOTE):
        raise ConfigError([f"tape: {origin}: {symbol} is not quoted in {QUOTE}; its sizes may be contracts"])
    units = Units(market_of(symbol.removesuffix(QUOTE), origin), origin)
    header = TapeHeader(market=units.market, source=f"Binance {symbol}, {origin}", reading=reading)
    return [Recording(header=header, records=_records(files, units))]


def _files(source: Path) -> list[Path]:
    return sorted(source.glob("*.gz")) if source.is_dir() else [source]


def _records(files: Iterable[Path], units: Units) -> Iterator[Record]:
    tables = _Tables()
    for file in files:
        for line in _lines(file):
            _file_away(tables, line)
    # Every number is converted at once, so that an inexact one refuses the recording now or never.
    if tables.snapshot is not None:
        first = (0, _levels(tables.snapshot.bids, units), _levels(tables.snapshot.asks, units))
        fresh = sorted((data for data in tables.depths if data.u > tables.snapshot.last_update_id), key=_update_id)
        books = _from_differences(first, [(d.at_us, _levels(d.b, units), _levels(d.a, units)) for d in fresh])
    elif any(top.at_us for top in tables.tops):
        books = _from_tops([_top(data, units) for data in sorted(tables.tops, key=_update_id)])
    else:
        raise ConfigError([f"{units.origin}: there is neither a snapshot nor a stamped bookTicker"])
    prints = [
        Print(trade.at_us, units.price(trade.p), units.size(trade.q), taker_is_ask=trade.m)
        for trade in tables.trades
        if trade.X == "MARKET"
    ]
    return by_time(books, sorted(prints, key=lambda print_: print_.at_us))


def _file_away(tables: _Tables, line: _Line) -> None:
    data = line.data
    if data is None:
        if line.bids and tables.snapshot is None:
            tables.snapshot = line
    elif data.e == "depthUpdate":
        tables.depths.append(data)
    elif data.e == "bookTicker":
        tables.tops.append(data)
    elif data.e == "trade":
        tables.trades.append(data)


def _from_differences(snapshot: Update, differences: list[Update]) -> Iterator[Levels]:
    """Yield the book from the first difference after the snapshot on."""
    depth = Depth(DEPTH)
    depth.replace(snapshot[1], snapshot[2])
    for at_us, bids, asks in differences:
        depth.change(bids, asks)
        changed = depth.changes(at_us)
        if changed:
            yield changed


def _from_tops(tops: list[Update]) -> Iterator[Levels]:
    depth = Depth(1)
    for at_us, bids, asks in tops:
        depth.replace(bids, asks)
        changed = depth.changes(at_us)
        if changed:
            yield changed


def _update_id(data: _Data) -> int:
    return data.u


def _top(data: _Data, units: Units) -> Update:
    bid, ask = (units.price(str(data.b)), units.size(data.B)), (units.price(str(data.a)), units.size(data.A))
    return data.at_us, [bid], [ask]


def _levels(texts: Texts | str | int, units: Units) -> list[Level]:
    if not isinstance(texts, list):
        return []
    return [(units.price(price), units.size(size)) for price, size in texts]


def _first_message(file: Path) -> _Data:
    """Return the first stamped message of a file; raises ConfigError when it has none."""
    for line in _lines(file):
        if line.data is not None and line.data.at_us:
            return line.data
    raise ConfigError([f"tape: {file} holds no message"])


def _lines(file: Path) -> Iterator[_Line]:
    try:
        with gzip.open(file, "rb") as lines:
            for number, line in enumerate(lines, 1):
                stamp, _, message = line.partition(b" ")
                if not stamp.isdigit():
                    raise ConfigError([f"tape: {file}: line {number} does not begin with a time"])
                yield _LINE.decode(message)
    except (OSError, EOFError, msgspec.DecodeError) as error:
        raise ConfigError([f"tape: {file} cannot be read: {error}"]) from None
