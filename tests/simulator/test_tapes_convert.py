"""A recording becomes tapes that play the same."""

import pytest

from helpers.recorded import lighter, standx
from helpers.tape_lab import levels, recording, sold
from lighterman.domain.errors import ConfigError
from lighterman.simulator.tapes.convert import convert
from lighterman.simulator.tapes.format import write_tape
from lighterman.simulator.tapes.sources import open_recordings

BOOKS = [(second, [(900_000 - second, 50)], [(900_010, 30)]) for second in (0, 1, 8)]
TRADES = [(0.5, 9_000_000, 7, -1)]


def test_a_tape_holds_the_recording(tmp_path):
    """What is played from the tape is what is played from the recording itself."""
    source = standx(tmp_path, BOOKS, TRADES)
    summary = convert(source, tmp_path / "tapes")

    (tape,), (original,) = open_recordings(tmp_path / "tapes"), open_recordings(source)
    assert tape.header == original.header
    assert list(tape.records) == list(original.records)
    (made,) = summary.tapes
    assert (made.path.name, made.books, made.prints, made.gaps) == ("BTC.tape", 3, 1, 1)
    assert str(summary).endswith("(reading: bucket), 3 book changes, 1 prints, 0.1 minutes, 1 gaps")


def test_a_reading_and_hours_can_be_chosen(tmp_path):
    """The other reading and the first hours are taken when asked for."""
    source = standx(tmp_path, BOOKS, TRADES)
    summary = convert(source, tmp_path / "tapes", kind="standx", hours=2 / 3_600, reading="netted")

    assert [(made.reading, made.books) for made in summary.tapes] == [("netted", 2)]


def test_an_existing_tape_is_left_alone(tmp_path):
    """Nothing is overwritten."""
    source = standx(tmp_path, BOOKS, TRADES)
    convert(source, tmp_path / "tapes")
    content = (tmp_path / "tapes" / "BTC.tape").read_bytes()

    with pytest.raises(ConfigError, match="exists already"):
        convert(source, tmp_path / "tapes", hours=0.0001)
    assert (tmp_path / "tapes" / "BTC.tape").read_bytes() == content


def test_a_failure_leaves_no_tape(tmp_path):
    """When a recording turns out damaged half-way, the error says so and no half tape stays."""
    list(write_tape(tmp_path / "BTC.tape", recording([levels(0, [(-1, 5)], [(1, 5)]), *map(_sale, range(2_000))])))
    content = bytearray((tmp_path / "BTC.tape").read_bytes())
    content[len(content) // 2] ^= 0x10
    (tmp_path / "BTC.tape").write_bytes(content)

    with pytest.raises(ConfigError, match="cannot be written"):
        convert(tmp_path, tmp_path / "tapes")
    assert list((tmp_path / "tapes").iterdir()) == []


def _sale(second):
    return sold(second, -second, second + 1)


def test_a_place_that_cannot_be_is_refused(tmp_path):
    """A destination that is a file is refused."""
    source = lighter(tmp_path, "BTC", [(0.0, 100.1, 0.1, 100.2, 0.1)], [])
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="cannot be made"):
        convert(source, tmp_path / "file")
