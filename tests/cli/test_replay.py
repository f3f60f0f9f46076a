"""`lighterman replay`: what it says of a session, and its exit codes."""

import json
import subprocess
import sys

import pytest

from helpers.bot_runs import DOCUMENT
from helpers.processes import settings_file
from lighterman.cli.main import parse
from lighterman.cli.replay import replay
from lighterman.journal.disk import SystemDisk
from lighterman.journal.frames import MAGIC, FrameWriter, read_frames


def code(folder, *words):
    """Run the command in this process, on sessions below a folder."""
    return replay(parse(["replay", *words, "--directory", str(folder)]))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Record one short session; return the folder of sessions and the session's own."""
    folder = tmp_path_factory.mktemp("recorded")
    settings = settings_file(folder, DOCUMENT)
    words = ["run", "-c", settings, "--for", "500ms", "--json", "--scenario", "calm"]
    ended = subprocess.run([sys.executable, "-m", "lighterman", *words], cwd=folder, check=True, capture_output=True)
    return folder / "runs", folder / json.loads(ended.stdout)["session"]


@pytest.fixture
def session(recorded, tmp_path):
    """Return a copy of the session that may be damaged, in a folder of its own."""
    copy = tmp_path / recorded[1].name
    copy.mkdir()
    (copy / "journal").write_bytes((recorded[1] / "journal").read_bytes())
    return copy


def test_whole_session(recorded, capsys):
    """A session replays identically: by name, by path and as the last, in words and as one JSON object."""
    folder, session = recorded

    assert code(folder, "last", "--verify") == 0
    assert "every decision is identical, to the byte" in capsys.readouterr().out
    assert code(folder, session.name, "--verify") == 0
    assert code("elsewhere", str(session), "--verify") == 0
    capsys.readouterr()
    assert code(folder, "last", "--json") == 0
    assert '"identical":true' in capsys.readouterr().out


def test_flipped_byte(session, capsys):
    """A flipped byte ends with 75 and is named by its place; stdout says nothing."""
    data = bytearray((session / "journal").read_bytes())
    data[len(data) // 2] ^= 4
    (session / "journal").write_bytes(data)

    assert code(session.parent, "last", "--verify") == 75
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{session}/journal: byte " in said.err


def test_changed_decision(session, capsys):
    """A decision that comes out otherwise is shown with its record; only --verify makes it an error."""
    path = str(session / "journal")
    writer, frames = FrameWriter(), [bytes(frame) for frame in read_frames(SystemDisk(), path)]
    number = next(number for number, frame in enumerate(frames) if b"PlaceOrder" in frame)
    frames[number] = frames[number].replace(b"PlaceOrder", b"PlaceOrdre")
    (session / "journal").write_bytes(MAGIC + b"".join(map(writer.frame, frames)))

    assert code(session.parent, "last", "--verify") == 70
    said = capsys.readouterr().out
    assert f"DIFFERENT at record {number} " in said
    assert "PlaceOrdre" in said
    assert code(session.parent, "last") == 0


def test_cut_session(session, capsys):
    """A session that was cut off replays to where it goes, and says that it is incomplete."""
    data = (session / "journal").read_bytes()
    (session / "journal").write_bytes(data[:-7])

    assert code(session.parent, "last", "--verify") == 0
    assert "INCOMPLETE, torn at byte" in capsys.readouterr().out


def test_session_that_is_not_there(tmp_path, capsys):
    """A session that does not exist ends with 75 and its name."""
    assert code(tmp_path, "yesterday") == 75
    assert "no session 'yesterday'" in capsys.readouterr().err
