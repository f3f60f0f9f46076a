"""Session folders."""

import errno
import json

import pytest

from helpers.journals import HandClock, MemoryDisk
from lighterman.domain.errors import JournalError
from lighterman.journal.disk import SystemDisk
from lighterman.journal.session import SAME_SECOND_MAX, create_session, find_session, write_summary

WALL_US = HandClock().wall_us()


def test_a_session_has_its_folder(tmp_path):
    """A session begins with a folder named by time and mode that holds its settings."""
    disk = SystemDisk()
    session = create_session(disk, str(tmp_path / "runs"), "local", WALL_US, b"{}")
    write_summary(disk, session, {"fills": 3, "ledger_match": True})

    assert "2026-07-25T02-34-22Z-local" == session.name
    assert ["config.json", "summary.json"] == disk.list(session.folder)
    assert b"{}" == disk.read(session.config_path, 0, 9)
    assert {"fills": 3, "ledger_match": True} == json.loads(disk.read(session.summary_path, 0, 99))
    assert session.journal_path.startswith(session.folder)


def test_sessions_of_one_second_differ():
    """Two sessions that begin in the same second get different folders."""
    disk = MemoryDisk()
    names = [create_session(disk, "runs", "demo", WALL_US, b"").name for _ in range(3)]

    assert [f"2026-07-25T02-34-22Z-demo{suffix}" for suffix in ("", "-2", "-3")] == names


def test_no_end_of_sessions_in_one_second():
    """A clock that stands still is told, instead of being counted for ever."""
    disk = MemoryDisk()
    for _ in range(SAME_SECOND_MAX - 1):
        create_session(disk, "runs", "demo", WALL_US, b"")

    with pytest.raises(JournalError, match="sessions began in one second"):
        create_session(disk, "runs", "demo", WALL_US, b"")


def test_sessions_are_found():
    """A session is found by name, by path and as the latest; what else lies there does not disturb."""
    disk = MemoryDisk()
    first = create_session(disk, "runs", "demo", WALL_US, b"")
    later = create_session(disk, "runs", "local", WALL_US + 10**6, b"")
    disk.make_folder("runs/state")
    disk.files["runs/zzz"] = b""
    for session in (first, later):
        disk.files[session.journal_path] = b""
    create_session(disk, "runs", "local", WALL_US + 2 * 10**6, b"")  # a start that was refused

    assert first == find_session(disk, "runs", first.name)
    assert later == find_session(disk, "runs", "last") == find_session(disk, "elsewhere", f"{later.folder}/")


def test_unknown_sessions_are_refused():
    """A name that is no session's is refused, and the latest one named."""
    disk = MemoryDisk()
    with pytest.raises(JournalError, match=r"runs: no session 'last'$"):
        find_session(disk, "runs", "last")
    session = create_session(disk, "runs", "demo", WALL_US, b"")
    disk.files[session.journal_path] = b""
    for name in ("yesterday", ""):
        with pytest.raises(JournalError, match=f"the latest is {session.name}"):
            find_session(disk, "runs", name)


def test_a_refusing_disk_is_named():
    """A disk that refuses is a JournalError with the folder's name."""

    def fault(operation: str, path: str) -> None:
        raise OSError(errno.EROFS, "Read-only file system", path)

    with pytest.raises(JournalError, match="runs: no session can be kept here: Read-only file system"):
        create_session(MemoryDisk(fault), "runs", "demo", WALL_US, b"")
    session = create_session(MemoryDisk(), "runs", "demo", WALL_US, b"")
    with pytest.raises(JournalError, match=r"summary\.json: cannot be written"):
        write_summary(MemoryDisk(fault), session, {})
