"""Every kind of recording that can be a market, and how each is opened."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from lighterman.domain.errors import ConfigError
from lighterman.simulator.tapes import binance, hyperliquid, lighter, standx
from lighterman.simulator.tapes.format import SUFFIX, Levels, Record, Recording, read_tape

AUTO = "auto"
HOUR_US = 3_600_000_000


class Kind(msgspec.Struct, frozen=True):
    """A format: whether a path holds it, its recordings in a reading, and the readings (first: default)."""

    recognises: Callable[[Path], bool]
    recordings: Callable[[Path, str], list[Recording]]
    readings: tuple[str, ...]


def _is_tape(source: Path) -> bool:
    return bool(_tapes(source))


def _open_tapes(source: Path, _reading: str) -> list[Recording]:
    return [read_tape(path) for path in _tapes(source)]


def _tapes(source: Path) -> list[Path]:
    return sorted(source.glob(f"*{SUFFIX}")) if source.is_dir() else [source] * (source.suffix == SUFFIX)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "tape": Kind(_is_tape, _open_tapes, ("as written",)),
        "standx": Kind(standx.recognises, standx.recordings, standx.READINGS),
        "lighter": Kind(lighter.recognises, lighter.recordings, lighter.READINGS),
        "hyperliquid": Kind(hyperliquid.recognises, hyperliquid.recordings, hyperliquid.READINGS),
        "binance": Kind(binance.recognises, binance.recordings, binance.READINGS),
    },
)


def open_recordings(
    source: Path, *, kind: str = AUTO, reading: str = "", hours: float | None = None
) -> list[Recording]:
    """Return the recorded markets of a file or folder, each from its first book on, by market index.

    `reading` chooses among a kind's ways to read doubtful levels (default: its first), `hours`
    takes only the first ones. Raises ConfigError when nothing usable is there.
    """
    if not source.exists():
        raise ConfigError([f"tape: there is no {source}"])
    found = _kind_of(source, kind)
    if reading and reading not in found.readings:
        raise ConfigError([f"tape: reading {reading!r} is none of {', '.join(found.readings)}"])
    opened = [
        Recording(header=recording.header, records=_limited(recording.records, hours))
        for recording in found.recordings(source, reading or found.readings[0])
    ]
    indexes = [recording.header.market.index for recording in opened]
    if len(set(indexes)) < len(indexes):
        raise ConfigError([f"tape: {source} holds one market twice"])
    return sorted(opened, key=lambda recording: recording.header.market.index)


def _kind_of(source: Path, kind: str) -> Kind:
    if kind == AUTO:
        found = next((each for each in KINDS.values() if each.recognises(source)), None)
        if found is None:
            raise ConfigError([f"tape: {source} holds no recording of a known kind ({', '.join(KINDS)})"])
        return found
    if kind not in KINDS:
        raise ConfigError([f"tape: kind {kind!r} is none of {AUTO}, {', '.join(KINDS)}"])
    if not KINDS[kind].recognises(source):
        raise ConfigError([f"tape: {source} holds no recording of kind {kind}"])
    return KINDS[kind]


def _limited(records: Iterator[Record], hours: float | None) -> Iterator[Record]:
    """Drop prints older than the first book, and everything after the first hours of it."""
    end_us: float | None = None
    for record in records:
        if end_us is None:
            if not isinstance(record, Levels):
                continue
            end_us = float("inf") if hours is None else record.at_us + hours * HOUR_US
        if record.at_us > end_us:
            return
        yield record
