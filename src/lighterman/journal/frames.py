"""Frames: how records lie in a file, so that any damage is found and named.

    file   = MAGIC, frame, frame, ...
    frame  = length (4 bytes), chained checksum (4), checksum of these eight (4), payload
    chained checksum = CRC32 of the payload, continued from the frame before it (the first:
                       from MAGIC), so that a frame taken out, doubled or moved is found too

All integers little endian. Two kinds of damage are told apart. A file that simply stops
within a frame (or ends in zeros, as some file systems leave it) was torn by a crash: what
stands before is good. Anything else is corruption, and nothing behind it is believed.
"""

import struct
import zlib
from collections.abc import Iterator

import msgspec

from lighterman.domain.errors import JournalError
from lighterman.journal.disk import Disk

MAGIC = b"ltrmjnl1"
PAYLOAD_BYTES_MAX = 1 << 26
CHUNK_BYTES = 1 << 20

_SUMS = struct.Struct("<II")
_HEAD = struct.Struct("<III")


class FrameWriter:
    """Makes frames; remembers the checksum that the next one continues."""

    __slots__ = ("_chain",)
    HEAD_BYTES = _HEAD.size

    def __init__(self) -> None:
        self._chain = zlib.crc32(MAGIC)

    def frame(self, payload: bytes) -> bytes:
        """Return the payload in its frame."""
        self._chain = zlib.crc32(payload, self._chain)
        sums = _SUMS.pack(len(payload), self._chain)
        return sums + zlib.crc32(sums).to_bytes(4, "little") + payload


class Torn(msgspec.Struct, frozen=True):
    """The file stops within a frame: everything before `offset` is good."""

    offset: int
    record: int
    bytes_lost: int

    def __str__(self) -> str:
        """Say what was cut off."""
        return f"torn at byte {self.offset}: record {self.record} is incomplete, {self.bytes_lost} bytes were cut off"


def read_frames(disk: Disk, path: str) -> Iterator[bytes | Torn]:
    """Yield the payloads of a file in order, and at last a Torn if its end is missing.

    Raises JournalError, naming byte and record, where the file is corrupt or no journal.
    """
    source = _Source(disk, path)
    if source.take(len(MAGIC)) != MAGIC:
        raise JournalError(f"{path}: is no journal of this format (byte 0)")
    chain, record = zlib.crc32(MAGIC), 0
    while True:
        offset = source.offset
        head = source.take(_HEAD.size)
        if not head:
            return
        if len(head) < _HEAD.size or (not any(head) and source.only_zeros_left()):
            yield Torn(offset, record, source.size() - offset)
            return
        length, expected, check = _HEAD.unpack(head)
        if zlib.crc32(head[: _SUMS.size]) != check or length > PAYLOAD_BYTES_MAX:
            raise JournalError(f"{path}: byte {offset}, record {record}: the head of the record is damaged")
        payload = source.take(length)
        if len(payload) < length:
            yield Torn(offset, record, source.size() - offset)
            return
        chain = zlib.crc32(payload, chain)
        if chain != expected:
            raise JournalError(f"{path}: byte {offset}, record {record}: the record does not fit its checksum")
        yield payload
        record += 1


class _Source:
    """A file read from front to back in large pieces; `offset` is where the next `take` begins."""

    __slots__ = ("_buffer", "_disk", "_path", "_start", "offset")

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk = disk
        self._path = path
        self._buffer = b""
        self._start = 0
        self.offset = 0

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes, or what is left."""
        if len(self._buffer) - self._start < size:
            kept = self._buffer[self._start :]
            self._buffer = kept + self._read(self.offset + len(kept), max(size, CHUNK_BYTES))
            self._start = 0
        taken = self._buffer[self._start : self._start + size]
        self._start += len(taken)
        self.offset += len(taken)
        return taken

    def only_zeros_left(self) -> bool:
        """Tell whether nothing but zeros follows; reads the file to its end."""
        while piece := self.take(CHUNK_BYTES):
            if any(piece):
                return False
        return True

    def size(self) -> int:
        """Return where the file ends; reads it to its end."""
        while self.take(CHUNK_BYTES):
            pass
        return self.offset

    def _read(self, offset: int, size: int) -> bytes:
        try:
            return self._disk.read(self._path, offset, size)
        except OSError as error:
            raise JournalError(f"{self._path}: cannot be read: {error.strerror}") from None
