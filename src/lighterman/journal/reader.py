"""Reads a session's journal back: every record in order, and the truth about how it ended."""

from collections.abc import Iterator

from lighterman.domain.errors import JournalError
from lighterman.domain.events import Event
from lighterman.journal.disk import Disk
from lighterman.journal.frames import Torn, read_frames
from lighterman.journal.records import FORMAT_VERSION, Broke, Decided, Ending, Header, decode


class JournalReader:
    """One journal. Iterate once; `ending` then says how the journal ended.

    `header` is read at once. A corrupt record raises JournalError naming file, byte and
    record, after all records before it have been yielded.
    """

    def __init__(self, disk: Disk, path: str) -> None:
        self._path = path
        self._frames = read_frames(disk, path)
        self.ending = ""
        self.is_complete = False  # whether the session closed its journal itself and nothing was dropped
        self.records = 0
        first = next(self._frames, None)
        header = self._decode(first) if isinstance(first, bytes) else None
        if not isinstance(header, Header):
            raise JournalError(f"{path}: record 0 is no header" + (f"; {first}" if isinstance(first, Torn) else ""))
        if header.format_version != FORMAT_VERSION:
            raise JournalError(f"{path}: is of format {header.format_version}, this program reads {FORMAT_VERSION}")
        self.header = header

    def __iter__(self) -> Iterator[Event | Decided | Broke]:
        for frame in self._frames:
            if isinstance(frame, Torn):
                self.ending = str(frame)
                return
            record = self._decode(frame)
            if isinstance(record, Ending):
                self.ending = record.reason
                self.is_complete = record.dropped == 0
                if next(self._frames, None) is not None:
                    raise JournalError(f"{self._path}: record {self.records}: something follows the last record")
                return
            if isinstance(record, Header):
                raise JournalError(f"{self._path}: record {self.records - 1}: a second header")
            yield record
        self.ending = f"never closed: record {self.records - 1} is the last"

    def _decode(self, payload: bytes) -> Header | Event | Decided | Broke | Ending:
        try:
            record = decode(payload)
        except JournalError as error:
            raise JournalError(f"{self._path}: record {self.records} {error}") from None
        self.records += 1
        return record
