"""A disk in memory that forgets in a crash what was not flushed, and fails when told to.

Law: it keeps what `journal.disk.Disk` promises and not a byte more. What was written and not
flushed survives a crash whole, in part or not at all, each file for itself, as the seed says; what
was flushed, and a rename, survives. A write that fails leaves half of itself. A flush that failed is
never made good, as on real systems: later ones say that they succeeded and save nothing, until the
file is written anew.
"""

import errno
import os

from lighterman.domain.chance import Rng

KEPT, TORN, LOST = range(3)


class SimulatedDisk:
    """A `Disk` that outlives the processes of its world.

    The three faults last for as long as they are set: `is_full` (ENOSPC) and `fails_writes` (EIO)
    concern `append` and `write`, `fails_flushes` (EIO) concerns `fsync`.
    """

    def __init__(self) -> None:
        self.is_full = False
        self.fails_writes = False
        self.fails_flushes = False
        self._files: dict[str, _File] = {}
        self._folders: dict[str, None] = {}

    # -- what `Disk` asks for

    def append(self, path: str, data: bytes) -> None:
        """Add bytes at the end of a file, which is made if it is not there."""
        fault = self._write_fault(path)
        self._file(path).content += data[: len(data) // 2] if fault else data
        if fault:
            raise fault

    def write(self, path: str, data: bytes) -> None:
        """Make a file hold these bytes and nothing else."""
        fault = self._write_fault(path)
        self._file(path).replace(data[: len(data) // 2] if fault else data)
        if fault:
            raise fault

    def fsync(self, path: str) -> None:
        """Let the file's content survive a crash."""
        file = self._existing(path)
        if self.fails_flushes:
            file.is_forsaken = True
            raise _error(errno.EIO, path)
        if not file.is_forsaken:
            file.settle()

    def rename(self, source: str, target: str) -> None:
        """Put one file in another's place; the names survive a crash, unflushed content may not."""
        file = self._existing(source)
        self._require_folder(target)
        file.is_named = True
        del self._files[source]
        self._files[target] = file

    def read(self, path: str, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset` on."""
        return bytes(memoryview(self._existing(path).content)[offset : offset + size])

    def list(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted; none if it is not there."""
        inside = folder.rstrip("/") + "/"
        return sorted(
            path[len(inside) :]
            for path in (*self._files, *self._folders)
            if path.startswith(inside) and "/" not in path[len(inside) :]
        )

    def make_folder(self, path: str) -> bool:
        """Make a folder and those above it, to survive a crash; return whether it was not there before."""
        if path in self._folders:
            return False
        while path and path != "/":
            self._folders[path] = None
            path = _parent(path)
        return True

    def close(self, path: str) -> None:
        """Let go of a file: nothing here is held."""

    # -- levers

    def crash(self, rng: Rng) -> None:
        """Let everything that was not flushed be lost, torn at a byte, or kept."""
        for path in sorted(self._files):
            if not self._files[path].crash(rng):
                del self._files[path]

    def flip_bit(self, path: str, rng: Rng) -> int:
        """Change one bit of a file that is not empty; return the number of its byte."""
        content = self._existing(path).content
        bit = rng.randrange(0, 8 * len(content))
        content[bit // 8] ^= 1 << bit % 8
        return bit // 8

    def _write_fault(self, path: str) -> OSError | None:
        if self.fails_writes:
            return _error(errno.EIO, path)
        return _error(errno.ENOSPC, path) if self.is_full else None

    def _file(self, path: str) -> "_File":
        """Return a file to write to, made if it is not there."""
        file = self._files.get(path)
        if file is None:
            self._require_folder(path)
            file = self._files[path] = _File()
        return file

    def _existing(self, path: str) -> "_File":
        file = self._files.get(path)
        if file is None:
            raise _error(errno.ENOENT, path)
        return file

    def _require_folder(self, path: str) -> None:
        folder = _parent(path)
        if folder and folder != "/" and folder not in self._folders:
            raise _error(errno.ENOENT, path)


class _File:
    """A file as its readers see it, and what a crash leaves of it.

    On the disk are the first `settled` bytes of `content`, or `before` where an unflushed write has
    replaced what was there. A file without a name there yet may be gone after a crash.
    """

    __slots__ = ("before", "content", "is_forsaken", "is_named", "settled")

    def __init__(self) -> None:
        self.content = bytearray()
        self.settled = 0
        self.before: bytes | None = None
        self.is_named = False
        self.is_forsaken = False  # a flush failed: no other saves what was written before it

    def replace(self, data: bytes) -> None:
        """Take other content; what is on the disk stays until a flush."""
        if self.before is None:
            self.before = bytes(self.content[: self.settled])
        self.content = bytearray(data)
        self.settled = 0
        self.is_forsaken = False

    def settle(self) -> None:
        """Have the disk hold the content."""
        self.settled = len(self.content)
        self.before = None
        self.is_named = True

    def crash(self, rng: Rng) -> bool:
        """Keep what the disk holds, the content, or something between; return whether there is a file."""
        fate = rng.randrange(KEPT, LOST + 1)
        if fate == TORN:
            del self.content[rng.randrange(self.settled, len(self.content) + 1) :]
        elif fate == LOST:
            if not self.is_named:
                return False
            self.content = bytearray(self.content[: self.settled] if self.before is None else self.before)
        self.settle()
        self.is_forsaken = False
        return True


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)  # becomes FileNotFoundError where it is that


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or ("/" if path.startswith("/") else "")
