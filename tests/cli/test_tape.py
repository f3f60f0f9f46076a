"""`lighterman tape convert`: from a recording to a tape."""

from helpers.recorded import lighter
from lighterman.cli.main import parse
from lighterman.cli.tape import convert


def test_recording_becomes_a_tape(tmp_path, capsys):
    """A recording is converted, and what was written is told; the exit code is 0."""
    tops = [(second, 2000.0, 5.0, 2000.5, 5.0) for second in range(20)]
    source = lighter(tmp_path, "ETH", tops, [(5, 2000.5, 0.1, "buy")])

    assert convert(parse(["tape", "convert", str(source), str(tmp_path / "tape")])) == 0
    said = capsys.readouterr()
    assert ("", 1) == (said.err, said.out.count("Lighter ETH"))
    assert list((tmp_path / "tape").iterdir())


def test_recording_that_is_not_there(tmp_path, capsys):
    """A folder that holds no recording ends with 3, and is named."""
    assert convert(parse(["tape", "convert", str(tmp_path / "none"), str(tmp_path / "tape")])) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert str(tmp_path / "none") in said.err
