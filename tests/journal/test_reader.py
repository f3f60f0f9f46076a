"""The reader: the good part of a journal, and the truth about the rest."""

import pytest

from helpers.journals import EVENTS, HEADER, MemoryDisk, open_writer, recorded, replayed
from lighterman.domain.errors import JournalError
from lighterman.journal.frames import MAGIC, FrameWriter
from lighterman.journal.reader import JournalReader
from lighterman.journal.records import Ending, Header, encode

WHOLE = recorded()


def test_a_whole_journal_is_complete():
    """A journal that was closed gives everything and says so."""
    records, reader = replayed(WHOLE)

    assert EVENTS == records[: len(EVENTS)]
    assert len(EVENTS) + 2 == len(records)
    assert (True, "closed: done") == (reader.is_complete, reader.ending)


def test_a_journal_torn_anywhere_gives_its_good_part():
    """Cut at every byte: a prefix of the records comes back, and the ending tells what is missing (reliability G5)."""
    whole, _ = replayed(WHOLE)
    header_end = len(MAGIC) + len(FrameWriter().frame(encode(HEADER)))
    for cut in range(header_end, len(WHOLE)):
        records, reader = replayed(WHOLE[:cut])

        assert whole[: len(records)] == records
        assert not reader.is_complete
        assert reader.ending.startswith(("torn at byte ", f"never closed: record {len(records)} is the last"))


def test_a_journal_torn_in_its_header_is_refused():
    """Without a whole header there is nothing to replay."""
    header_end = len(MAGIC) + len(FrameWriter().frame(encode(HEADER)))
    for cut in range(header_end):
        with pytest.raises(JournalError):
            replayed(WHOLE[:cut])


def test_every_flipped_byte_is_found_and_named():
    """A flip at every byte ends the reading with file, byte and record; what comes before it is right."""
    whole, _ = replayed(WHOLE)
    for position in range(len(WHOLE)):
        damaged = WHOLE[:position] + bytes([WHOLE[position] ^ 0x40]) + WHOLE[position + 1 :]
        disk = MemoryDisk()
        disk.files["j"] = damaged
        records = []
        with pytest.raises(JournalError, match=r"^j: .*byte \d+") as raised:
            records.extend(JournalReader(disk, "j"))

        named = int(str(raised.value).partition("byte ")[2].rstrip(")").partition(",")[0])
        assert named <= position
        assert whole[: len(records)] == records


def test_an_unclosed_journal_is_readable():
    """A journal whose process was killed gives what was written, and is not called complete."""
    disk = MemoryDisk()
    writer = open_writer(disk)
    for event in EVENTS:
        writer.observe_event(event)
    writer.flush()

    records, reader = replayed(disk.files["j"])

    assert EVENTS == records
    assert (False, "never closed: record 5 is the last") == (reader.is_complete, reader.ending)


def journal_of(*payloads: bytes) -> bytes:
    """Return a file of payloads that may never stand together."""
    writer = FrameWriter()
    return MAGIC + b"".join(writer.frame(payload) for payload in payloads)


NEWER = Header(
    format_version=2,
    lighterman_version="9",
    session="s",
    config_hash="",
    epoch=1,
    params=HEADER.params,
    loss=HEADER.loss,
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (journal_of(), "j: record 0 is no header"),
        (journal_of(encode(EVENTS[0])), "j: record 0 is no header"),
        (journal_of(encode(NEWER)), "j: is of format 2, this program reads 1"),
        (journal_of(encode(HEADER), encode(HEADER)), "j: record 1: a second header"),
        (
            journal_of(encode(HEADER), encode(Ending("x")), encode(EVENTS[0])),
            "j: record 2: something follows the last record",
        ),
        (journal_of(encode(HEADER), b"E[1]"), "j: record 1 is not understood"),
        (journal_of(b"junk"), "j: record 0 is of no known kind"),
    ],
    ids=["empty", "headless", "newer", "twice", "after-end", "foreign", "junk"],
)
def test_impossible_journals_are_refused(data, reason):
    """Sound frames in an order that no session writes are refused where they go wrong."""
    with pytest.raises(JournalError) as raised:
        replayed(data)

    assert str(raised.value).startswith(reason)
