"""Frames: whatever happens to the bytes is found, and named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.journals import MemoryDisk
from lighterman.domain.errors import JournalError
from lighterman.journal.frames import CHUNK_BYTES, MAGIC, FrameWriter, Torn, read_frames

PAYLOADS = [b"first", b"", b"third record", b"\x00" * 20, b"last"]


def written(payloads: list[bytes]) -> bytes:
    """Return the bytes of a file of frames."""
    writer = FrameWriter()
    return MAGIC + b"".join(writer.frame(payload) for payload in payloads)


def found(data: bytes) -> list[bytes | Torn]:
    """Return what is read back from a file's bytes."""
    disk = MemoryDisk()
    disk.files["f"] = data
    return list(read_frames(disk, "f"))


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_payloads_come_back(payloads):
    """What is written is read, in order, to the last byte."""
    assert payloads == found(written(payloads))


def test_large_payloads_come_back():
    """Frames larger than one piece of reading come back as well."""
    payloads = [b"a" * (CHUNK_BYTES - 30), b"b" * (3 * CHUNK_BYTES), b"c"]

    assert payloads == found(written(payloads))


def test_every_tear_is_said():
    """A file cut at any byte gives the whole records before the cut, and says where and how much was lost."""
    data = written(PAYLOADS)
    starts = [len(written(PAYLOADS[:count])) for count in range(len(PAYLOADS) + 1)]
    for cut in range(len(MAGIC), len(data)):
        whole = sum(start <= cut for start in starts) - 1
        torn = [] if cut in starts else [Torn(starts[whole], whole, cut - starts[whole])]

        assert PAYLOADS[:whole] + torn == found(data[:cut])


def test_zeros_at_the_end_are_a_tear():
    """A tail of zeros, as some file systems leave after a crash, counts as torn."""
    data = written(PAYLOADS)
    for zeros in (1, 11, 12, 13, 5000, CHUNK_BYTES * 2):
        assert [*PAYLOADS, Torn(len(data), len(PAYLOADS), zeros)] == found(data + b"\x00" * zeros)


def test_large_damage_is_measured():
    """A large torn frame is measured to the end of the file, and zeros with something behind them are no tear."""
    data = written(PAYLOADS)
    large = written([*PAYLOADS, b"x" * (3 * CHUNK_BYTES)])[:-1]

    assert Torn(len(data), len(PAYLOADS), len(large) - len(data)) == found(large)[-1]
    with pytest.raises(JournalError, match="head of the record is damaged"):
        found(data + b"\x00" * (2 * CHUNK_BYTES) + b"x")


def test_every_flipped_bit_is_found():
    """Each bit of the file, flipped, stops the reading at its own record, with the byte named."""
    data = written(PAYLOADS)
    starts = [len(written(PAYLOADS[:count])) for count in range(len(PAYLOADS) + 1)]
    for position in range(len(data)):
        record = sum(start <= position for start in starts) - 1
        for bit in range(8):
            damaged = data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]
            with pytest.raises(JournalError) as raised:
                found(damaged)
            place = f"byte {starts[record]}, record {record}" if position >= len(MAGIC) else "byte 0"
            assert place in str(raised.value)


@given(st.permutations(range(4)), st.integers(0, 4))
def test_moved_frames_are_found(order, count):
    """Frames in another order, or missing from the middle, do not pass for the original."""
    whole = written([b"a", b"b", b"c", b"d"])
    size = (len(whole) - len(MAGIC)) // 4
    frames = [whole[len(MAGIC) + index * size :][:size] for index in order[:count]]
    data = MAGIC + b"".join(frames)

    if whole.startswith(data):
        assert [b"a", b"b", b"c", b"d"][:count] == found(data)
    else:
        with pytest.raises(JournalError):
            found(data)


@given(st.binary(max_size=200))
def test_noise_is_refused_or_torn(noise):
    """Arbitrary bytes behind the good ones never pass for records."""
    data = written(PAYLOADS)
    try:
        records = found(data + noise)
    except JournalError:
        return
    assert PAYLOADS == records[: len(PAYLOADS)]
    assert all(isinstance(record, Torn) for record in records[len(PAYLOADS) :])


@pytest.mark.parametrize("data", [b"", b"ltrm", b"{}", MAGIC[:-1] + b"9"], ids=["empty", "short", "json", "version"])
def test_other_files_are_refused(data):
    """A file that does not begin as a journal is not read as one."""
    with pytest.raises(JournalError, match="is no journal"):
        found(data)


def test_a_missing_file_is_named():
    """A file that cannot be read is a JournalError with its path."""
    with pytest.raises(JournalError, match="f: cannot be read: No such file"):
        list(read_frames(MemoryDisk(), "f"))
