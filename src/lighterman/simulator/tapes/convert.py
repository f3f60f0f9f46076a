"""From a recording of some venue to tapes of our own format."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from lighterman.domain.errors import ConfigError, JournalError
from lighterman.simulator.tapes.format import SUFFIX, Levels, Record, Recording, write_tape
from lighterman.simulator.tapes.sources import AUTO, open_recordings

GAP_US = 5_000_000
US_PER_MINUTE = 60e6


class Converted(msgspec.Struct, frozen=True):
    """One tape that was written. A gap is a silence of the book of more than five seconds."""

    path: Path
    source: str
    reading: str
    books: int
    prints: int
    minutes: float
    gaps: int

    def __str__(self) -> str:
        """Return one line for people."""
        return (
            f"{self.path}: {self.source} (reading: {self.reading}), {self.books} book changes, "
            f"{self.prints} prints, {self.minutes:.1f} minutes, {self.gaps} gaps"
        )


class Summary(msgspec.Struct, frozen=True):
    """Everything that was written."""

    tapes: list[Converted]

    def __str__(self) -> str:
        """Return a line per tape."""
        return "\n".join(map(str, self.tapes))


def convert(
    source: Path, destination: Path, *, kind: str = AUTO, hours: float | None = None, reading: str = ""
) -> Summary:
    """Write a tape per recorded market into the folder `destination` and say what they hold.

    `kind` names the format (found out by default), `hours` takes only the first ones,
    `reading` is how doubtful levels are read. Raises ConfigError for what cannot be read,
    scaled exactly, or written: existing tapes are left alone.
    """
    recordings = open_recordings(source, kind=kind, reading=reading, hours=hours)
    try:
        destination.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError([f"tape: {destination} cannot be made: {error.strerror}"]) from None
    return Summary([_write(destination, recording) for recording in recordings])


def _write(destination: Path, recording: Recording) -> Converted:
    """Write one tape under a passing name, which it keeps only as long as it is unfinished."""
    path = destination / f"{recording.header.market.symbol}{SUFFIX}"
    if path.exists():
        raise ConfigError([f"tape: {path} exists already"])
    passing = path.with_name(f"{path.name}.part")
    try:
        books, prints, gaps, minutes = _count(write_tape(passing, recording))
        passing.rename(path)
    except (OSError, JournalError) as error:
        raise ConfigError([f"tape: {path} cannot be written: {error}"]) from None
    finally:
        passing.unlink(missing_ok=True)
    header = recording.header
    return Converted(path, header.source, header.reading, books, prints, minutes, gaps)


def _count(records: Iterator[Record]) -> tuple[int, int, int, float]:
    """Run through records and return how many books, prints and gaps, and how many minutes they are."""
    books = prints = gaps = first_us = last_us = 0
    for record in records:
        if isinstance(record, Levels):
            first_us = first_us or record.at_us
            gaps += books > 0 and record.at_us - last_us > GAP_US
            last_us = record.at_us
            books += 1
        else:
            prints += 1
    return books, prints, gaps, (last_us - first_us) / US_PER_MINUTE
