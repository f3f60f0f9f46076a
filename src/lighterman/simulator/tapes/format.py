"""Our tape format: one recorded market, to be replayed as the market.

    file   = gzip members, end to end (so that a recorder may append)
    inside = frame, frame, ...
    frame  = length (4 bytes, little endian), MessagePack
    first frame = TapeHeader, the others = Levels or Print, by time

A tape holds what the public saw, already in the market's ticks and lots: conversion rounds
nothing (protocol reference 9.6 gives the scales), and what had to be decided on the way is
written in the header. gzip's checksums find damage; a tape that is cut off ends there.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from lighterman.domain.book import Level
from lighterman.domain.errors import ConfigError, JournalError
from lighterman.domain.market import Market

SUFFIX = ".tape"
FORMAT = "lighterman tape"
VERSION = 1
LENGTH_BYTES = 4
FRAME_BYTES_MAX = 1_000_000
COMPRESSION = 6


class TapeHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What the tape is of. `source` is for people; `reading` says how doubtful levels were read."""

    market: Market
    source: str
    reading: str
    format: str = FORMAT
    version: int = VERSION


class Levels(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="L"):
    """The recorded book changed: new absolute sizes, 0 for a level no longer shown.

    Without levels it says that the recorder was told something, and that the book stands.
    """

    at_us: int
    bids: list[Level]
    asks: list[Level]


class Print(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="P"):
    """A recorded trade."""

    at_us: int
    price_ticks: int
    size_lots: int
    taker_is_ask: bool


Record = Levels | Print


class Recording(msgspec.Struct, kw_only=True):
    """A recorded market as it is read: `records` come by time, the first is a Levels."""

    header: TapeHeader
    records: Iterator[Record]


_HEADER = msgspec.msgpack.Decoder(TapeHeader)
_RECORD: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def write_tape(path: Path, recording: Recording) -> Iterator[Record]:
    """Write a tape, yielding each record as it is written; raises OSError."""
    encoder = msgspec.msgpack.Encoder()
    # No name and no time inside, so that the same recording gives the same bytes.
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=COMPRESSION, mtime=0) as file,
    ):
        file.write(_frame(encoder.encode(recording.header)))
        for record in recording.records:
            file.write(_frame(encoder.encode(record)))
            yield record


def read_tape(path: Path) -> Recording:
    """Open a tape; raises ConfigError when it is none. Damage met later raises JournalError."""
    frames = _frames(path)
    try:
        header = _HEADER.decode(next(frames))
    except (StopIteration, JournalError, msgspec.DecodeError):
        raise ConfigError([f"tape: {path} is not a tape of this format"]) from None
    if header.format != FORMAT or header.version != VERSION:
        raise ConfigError([f"tape: {path} is {header.format!r} version {header.version}, known is {VERSION}"])
    return Recording(header=header, records=_records(path, frames))


def _frame(payload: bytes) -> bytes:
    return len(payload).to_bytes(LENGTH_BYTES, "little") + payload


def _records(path: Path, frames: Iterable[bytes]) -> Iterator[Record]:
    for number, frame in enumerate(frames, 1):
        try:
            yield _RECORD.decode(frame)
        except msgspec.DecodeError as error:
            raise JournalError(f"tape {path}: record {number} is damaged: {error}") from None


def _frames(path: Path) -> Iterator[bytes]:
    """Yield the payloads of a file; a file that stops within a frame, or within gzip, ends there."""
    with gzip.open(path, "rb") as file:
        while True:
            try:
                length = int.from_bytes(_exactly(file, LENGTH_BYTES), "little")
                if length > FRAME_BYTES_MAX:
                    raise JournalError(f"tape {path}: a frame claims {length} bytes")
                yield _exactly(file, length)
            except EOFError:
                return
            except (OSError, zlib.error) as error:
                raise JournalError(f"tape {path} is damaged: {error}") from None


def _exactly(file: BinaryIO | gzip.GzipFile, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise EOFError
    return data
