"""The tape format: exact, repeatable, appendable, and damage is found."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.market_lab import BTC
from helpers.tape_lab import levels, recording, sold
from lighterman.domain.errors import ConfigError, JournalError
from lighterman.simulator.tapes.format import Levels, Print, read_tape, write_tape

TIMES = st.integers(0, 2**53)
SIDES = st.lists(st.tuples(st.integers(1, 2**32 - 1), st.integers(0, 2**48 - 1)), max_size=40)
RECORDS = st.one_of(
    st.builds(Levels, TIMES, SIDES, SIDES),
    st.builds(Print, TIMES, st.integers(1, 2**32 - 1), st.integers(1, 2**48 - 1), st.booleans()),
)


def written(path, records):
    """Write a tape and return its path."""
    list(write_tape(path, recording(records)))
    return path


@given(records=st.lists(RECORDS, max_size=20))
def test_what_is_written_is_read(tmp_path_factory, records):
    """Header and records come back as they were, to the last unit."""
    path = written(tmp_path_factory.mktemp("tape") / "BTC.tape", records)
    tape = read_tape(path)

    assert tape.header.market == BTC
    assert tape.header.reading == "as recorded"
    assert list(tape.records) == records


def test_the_same_recording_gives_the_same_bytes(tmp_path):
    """Neither the time nor the place of writing is in a tape."""
    records = [levels(0, [(-1, 5)], [(1, 5)]), sold(1, -1, 3)]

    assert written(tmp_path / "a.tape", records).read_bytes() == written(tmp_path / "b.tape", records).read_bytes()


def test_a_tape_may_be_continued(tmp_path):
    """A recorder may append: the members of the file are read as one."""
    records = [levels(0, [(-1, 5)], [(1, 5)]), sold(1, -1, 3)]
    path = written(tmp_path / "BTC.tape", records)
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content[:100]) + gzip.compress(content[100:]))

    assert list(read_tape(path).records) == records


def test_a_cut_tape_ends_there(tmp_path):
    """What stands before the cut is read; the rest is missing, not wrong."""
    records = [sold(second, -second, second + 1) for second in range(2_000)]
    path = written(tmp_path / "BTC.tape", records)
    path.write_bytes(path.read_bytes()[:-500])
    read = list(read_tape(path).records)

    assert 100 < len(read) < len(records)
    assert read == records[: len(read)]


def test_a_flipped_byte_is_found(tmp_path):
    """Damage anywhere in the records is an error that names the tape."""
    records = [sold(second, -second, second + 1) for second in range(2_000)]
    path = written(tmp_path / "BTC.tape", records)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)

    with pytest.raises(JournalError, match=r"BTC\.tape"):
        list(read_tape(path).records)


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1", gzip.compress(b""), gzip.compress(b"\x03\x00\x00\x00abc")],
    ids=["empty", "parquet", "nothing zipped", "something zipped"],
)
def test_something_else_is_refused(tmp_path, content):
    """A file that is no tape is refused when it is opened."""
    path = tmp_path / "BTC.tape"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match="is not a tape of this format"):
        read_tape(path)


def test_a_newer_version_is_refused(tmp_path):
    """A tape of another version is not guessed at."""
    path = written(tmp_path / "BTC.tape", [])
    content = gzip.decompress(path.read_bytes()).replace(b"version\x01", b"version\x02")
    path.write_bytes(gzip.compress(content))

    with pytest.raises(ConfigError, match="version 2, known is 1"):
        read_tape(path)
