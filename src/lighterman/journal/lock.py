"""One bot per account on one machine: two would quote against each other with one set of nonces."""

import contextlib
import fcntl
import os
from pathlib import Path

from lighterman.domain.errors import PreflightError

LOCK_MODE = 0o600
FOLDER_MODE = 0o700
PID_BYTES_MAX = 20


class InstanceLock:
    """A lock that the system lets go of when its holder ends, however that happens."""

    def __init__(self, directory: str, network: str, account_index: int) -> None:
        self._path = Path(directory) / "state" / f"{network}-{account_index}.lock"
        self._what = f"account {account_index} on {network}"
        self._handle: int | None = None

    def acquire(self, pid: int) -> None:
        """Take the lock; raises PreflightError, naming the process that has it."""
        try:
            self._path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, LOCK_MODE)
        except OSError as error:
            raise PreflightError(f"{self._path}: {error.strerror}") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(handle, PID_BYTES_MAX).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise PreflightError(f"another instance (process {holder}) trades {self._what}") from None
        self._handle = handle
        with contextlib.suppress(OSError):  # the number helps a reader; the lock holds without it
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{pid}\n".encode(), 0)

    def release(self) -> None:
        """Let go; doing it twice does no harm."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
