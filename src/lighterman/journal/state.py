"""What an account must not forget between sessions: the restart count, the daily loss, what may be left.

Law: the file is replaced as a whole, durably, or not at all. A damaged file is a refusal to
start, because it holds the day's loss and whether it has tripped, and neither may be guessed.
"""

import msgspec
from msgspec.structs import replace

from lighterman.domain.errors import JournalError
from lighterman.journal.disk import Disk, write_durably
from lighterman.journal.frames import MAGIC, FrameWriter, read_frames
from lighterman.risk.pnl import LossState

EPOCH_MAX = (1 << 16) - 1  # the epoch is the upper 16 of a client order index's 48 bits


class AccountState(msgspec.Struct, frozen=True):
    """`epoch` counts restarts (from 1, and again after 65535); `loss` is the risk room's own record.

    `may_have_orders` says that the last session ended without the venue's word that no order is left.
    """

    epoch: int
    loss: LossState
    may_have_orders: bool = False


class AccountStore:
    """The state of one account on one network, kept in one small file."""

    def __init__(self, disk: Disk, directory: str, network: str, account_index: int) -> None:
        self._disk = disk
        self._folder = f"{directory}/state"
        self._path = f"{self._folder}/{network}-{account_index}"
        self._state = AccountState(0, LossState())
        self.failure = ""  # why the last save did not succeed

    def begin(self) -> AccountState:
        """Count this start and return what is known; raises JournalError. The count is durable on return."""
        known = self._load()
        self._state = AccountState(known.epoch % EPOCH_MAX + 1, known.loss, may_have_orders=True)
        try:
            self._disk.make_folder(self._folder)
            self._write()
        except OSError as error:
            raise JournalError(f"{self._path}: cannot be written: {error.strerror or error}") from None
        return replace(self._state, may_have_orders=known.may_have_orders)

    def settle(self) -> None:
        """Keep that the venue has said that no order is left; else as `save_loss`."""
        self._save(replace(self._state, may_have_orders=False))

    def save_loss(self, loss: LossState) -> None:
        """Keep the day's loss; waits for the disk. A failure is kept in `failure`, not raised."""
        self._save(replace(self._state, loss=loss))

    def _save(self, state: AccountState) -> None:
        self._state = state
        try:
            self._write()
            self.failure = ""
        except OSError as error:
            self.failure = f"{self._path}: {error.strerror or error}"

    def _load(self) -> AccountState:
        try:
            if self._path.rpartition("/")[2] not in self._disk.list(self._folder):
                return self._state
            (payload,) = read_frames(self._disk, self._path)
            if isinstance(payload, bytes):
                return msgspec.json.decode(payload, type=AccountState)
            damage = str(payload)
        except (JournalError, OSError, ValueError, msgspec.DecodeError) as error:
            damage = str(error)
        raise JournalError(
            f"{self._path}: cannot be used ({damage}). It holds the daily loss, which is not guessed: restore it, or "
            "remove it knowing that the day's loss and a tripped limit are then forgotten"
        )

    def _write(self) -> None:
        payload = msgspec.json.encode(self._state)
        write_durably(self._disk, self._path, MAGIC + FrameWriter().frame(payload))
