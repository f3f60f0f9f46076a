"""The real disk keeps its promises, and so does the one the tests use."""

import stat

import pytest

from helpers.journals import MemoryDisk
from lighterman.journal.disk import SystemDisk, write_durably


@pytest.fixture(params=["system", "memory"])
def place(request, tmp_path):
    """Return a disk and a folder on it."""
    if request.param == "system":
        return SystemDisk(), str(tmp_path / "folder")
    return MemoryDisk(), "folder"


def test_appended_bytes_are_read(place):
    """Appends add up, and any part of the file can be read."""
    disk, folder = place
    disk.make_folder(folder)
    for piece in (b"one", b"", b"two", b"x" * 100_000):
        disk.append(f"{folder}/f", piece)
    disk.fsync(f"{folder}/f")

    assert b"onetwo" == disk.read(f"{folder}/f", 0, 6)
    assert b"two" == disk.read(f"{folder}/f", 3, 3)
    assert b"" == disk.read(f"{folder}/f", 200_000, 5)
    disk.close(f"{folder}/f")
    disk.append(f"{folder}/f", b"end")
    assert b"xend" == disk.read(f"{folder}/f", 100_005, 9)
    disk.close(f"{folder}/f")
    disk.close(f"{folder}/f")


def test_a_durable_write_replaces(place):
    """A durable write leaves one file with the new content."""
    disk, folder = place
    disk.make_folder(folder)
    write_durably(disk, f"{folder}/f", b"old and longer")
    write_durably(disk, f"{folder}/f", b"new")

    assert ["f"] == disk.list(folder)
    assert b"new" == disk.read(f"{folder}/f", 0, 99)


def test_folders_are_listed(place):
    """Folders are made once, with those above them, and list what they hold."""
    disk, folder = place

    assert [] == disk.list(folder)
    assert disk.make_folder(f"{folder}/below")
    assert not disk.make_folder(f"{folder}/below")
    disk.write(f"{folder}/a", b"")
    assert ["a", "below"] == disk.list(folder)


def test_missing_files_are_errors(place):
    """Reading what is not there is FileNotFoundError."""
    disk, folder = place
    with pytest.raises(FileNotFoundError):
        disk.read(f"{folder}/nothing", 0, 1)


def test_files_are_private(tmp_path):
    """What is written can be read by its owner alone: it tells positions and strategy."""
    disk = SystemDisk()
    disk.make_folder(str(tmp_path / "s"))
    disk.append(str(tmp_path / "s" / "a"), b"x")
    disk.write(str(tmp_path / "s" / "w"), b"x")
    disk.close(str(tmp_path / "s" / "a"))

    modes = [stat.S_IMODE((tmp_path / "s" / name).stat().st_mode) for name in ("", "a", "w")]

    assert [0, 0, 0] == [mode & 0o077 for mode in modes]


def test_a_full_disk_is_an_error():
    """The real disk raises what the system says, here on the device that is always full."""
    with pytest.raises(OSError, match="No space left"):
        SystemDisk().write("/dev/full", b"x")
