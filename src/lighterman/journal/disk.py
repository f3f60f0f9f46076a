"""The disk, behind a seam: everything this room writes or reads goes through it.

Law: every method either did all it says or raises OSError. What was appended is on the disk
only after `fsync`; a rename is, when it returns. A simulation puts a disk of its own here,
with losses, full disks and torn tails.
"""

import os
from pathlib import Path
from typing import Protocol

FILE_MODE = 0o600
FOLDER_MODE = 0o700


class Disk(Protocol):
    """What this room needs of a disk. Paths are texts; a missing file is FileNotFoundError."""

    def append(self, path: str, data: bytes) -> None:
        """Add bytes at the end of a file, which is made if it is not there."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Make a file hold these bytes and nothing else."""
        ...

    def fsync(self, path: str) -> None:
        """Return once everything written to the file is on the disk."""
        ...

    def rename(self, source: str, target: str) -> None:
        """Put one file in another's place, at once and durably."""
        ...

    def read(self, path: str, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset` on; fewer only at the end of the file."""
        ...

    def list(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted; none if it is not there."""
        ...

    def make_folder(self, path: str) -> bool:
        """Make a folder and those above it; return whether it was not there before."""
        ...

    def close(self, path: str) -> None:
        """Let go of a file that was appended to."""
        ...


class SystemDisk:
    """The disk of this machine. Files are readable by their owner alone."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}  # descriptors of files being appended to

    def append(self, path: str, data: bytes) -> None:
        """Add bytes at the end of a file; it stays open until `close`."""
        handle = self._open.get(path)
        if handle is None:
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
            self._open[path] = handle
        _write_all(handle, data)

    def write(self, path: str, data: bytes) -> None:
        """Replace a file's content."""
        handle = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            _write_all(handle, data)
        finally:
            os.close(handle)

    def fsync(self, path: str) -> None:
        """Flush a file, open or not."""
        handle = self._open.get(path)
        if handle is None:
            _fsync_path(path)
        else:
            os.fsync(handle)

    def rename(self, source: str, target: str) -> None:
        """Rename, then flush the folder that holds the new name."""
        Path(source).replace(target)
        _fsync_path(str(Path(target).parent))

    def read(self, path: str, offset: int, size: int) -> bytes:
        """Return part of a file."""
        with Path(path).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def list(self, folder: str) -> list[str]:
        """Return a folder's names."""
        try:
            return sorted(os.listdir(folder))  # noqa: PTH208  (names are wanted, not paths)
        except FileNotFoundError:
            return []

    def make_folder(self, path: str) -> bool:
        """Make a folder for its owner alone."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        try:
            Path(path).mkdir(mode=FOLDER_MODE)
        except FileExistsError:
            return False
        _fsync_path(str(Path(path).parent))
        return True

    def close(self, path: str) -> None:
        """Close a descriptor, if there is one."""
        handle = self._open.pop(path, None)
        if handle is not None:
            os.close(handle)


def write_durably(disk: Disk, path: str, data: bytes) -> None:
    """Replace a small file so that a crash leaves either the old content or the new."""
    passing = f"{path}.new"
    disk.write(passing, data)
    disk.fsync(passing)
    disk.rename(passing, path)


def _write_all(handle: int, data: bytes) -> None:
    """Write every byte: a single write may take fewer."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _fsync_path(path: str) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
