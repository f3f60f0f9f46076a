"""What an account must not forget between sessions."""

import errno

import pytest

from helpers.journals import MemoryDisk
from lighterman.domain.errors import JournalError
from lighterman.journal.frames import MAGIC, FrameWriter
from lighterman.journal.state import EPOCH_MAX, AccountState, AccountStore
from lighterman.risk.pnl import LossState

TRIPPED = LossState(20_657, -(10**20), "daily_loss", 10**22)


def store(disk: MemoryDisk, network: str = "testnet", account: int = 7) -> AccountStore:
    """Return the store of an account."""
    return AccountStore(disk, "runs", network, account)


def test_restarts_are_counted():
    """Each start has a number of its own, durable before it is used (reliability I8)."""
    disk = MemoryDisk()

    assert [1, 2, 3] == [store(disk).begin().epoch for _ in range(3)]
    assert len(disk.files["runs/state/testnet-7"]) == disk.synced["runs/state/testnet-7"]


def test_a_tripped_limit_survives():
    """The day's loss and its trip are there after a restart, even one without a clean end (defect R7)."""
    disk = MemoryDisk()
    first = store(disk)
    first.begin()
    first.save_loss(TRIPPED)

    second = store(disk).begin()
    assert (2, TRIPPED) == (second.epoch, second.loss)
    assert TRIPPED == store(disk).begin().loss


def test_what_may_be_left_is_remembered():
    """After a session without the venue's word that no order is left, the next one knows that some may be (P1)."""
    disk = MemoryDisk()
    first = store(disk)
    assert not first.begin().may_have_orders
    assert store(disk).begin().may_have_orders

    third = store(disk)
    third.begin()
    third.settle()
    third.save_loss(TRIPPED)
    assert not store(disk).begin().may_have_orders


def test_a_file_of_before_the_baseline_was_kept_is_read():
    """The file of an earlier version, without the day's baseline, loads as it was (reliability P9)."""
    disk = MemoryDisk()
    store(disk).begin()
    disk.files["runs/state/testnet-7"] = MAGIC + FrameWriter().frame(b'{"epoch":4,"loss":[20657,-5,"daily_loss"]}')

    assert AccountState(5, LossState(20_657, -5, "daily_loss")) == store(disk).begin()


def test_accounts_do_not_share():
    """Each account on each network has a state of its own."""
    disk = MemoryDisk()
    store(disk).begin()

    assert 1 == store(disk, account=8).begin().epoch
    assert 1 == store(disk, network="mainnet").begin().epoch
    assert 2 == store(disk).begin().epoch


def test_the_count_stays_within_its_bits():
    """After 65535 starts the count begins again at 1: it is part of a 48-bit order id."""
    disk = MemoryDisk()
    first = store(disk)
    first._state = AccountState(EPOCH_MAX - 1, TRIPPED)  # noqa: SLF001  (65 thousand starts take too long)

    assert [EPOCH_MAX, 1, 2] == [first.begin().epoch, store(disk).begin().epoch, store(disk).begin().epoch]


def test_damage_is_a_refusal():
    """A state that was cut or changed anywhere is refused, not guessed (reliability P8)."""
    disk = MemoryDisk()
    store(disk).begin()
    path = "runs/state/testnet-7"
    whole = disk.files[path]
    damaged = [whole[:cut] for cut in range(len(whole))]
    damaged += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    for data in [*damaged, whole + whole[8:], whole + b"\x01"]:
        disk.files[path] = data
        with pytest.raises(JournalError, match="which is not guessed"):
            store(disk).begin()


@pytest.mark.parametrize("operation", ["write", "fsync", "rename"])
def test_a_failed_save_keeps_the_old_state(operation):
    """A save that fails at any step leaves the old state, says so, and the next one may succeed."""
    disk = MemoryDisk()
    mine = store(disk)
    mine.begin()

    def fault(happening: str, path: str) -> None:
        if happening == operation:
            raise OSError(errno.ENOSPC, "No space left on device", path)

    disk.fault = fault
    mine.save_loss(TRIPPED)
    assert "runs/state/testnet-7: No space left on device" == mine.failure
    with pytest.raises(JournalError, match="No space left"):
        store(disk).begin()
    disk.fault = lambda operation, path: None
    assert LossState() == store(disk).begin().loss
    mine.save_loss(TRIPPED)
    assert "" == mine.failure
    assert TRIPPED == store(disk).begin().loss


def test_an_unreadable_folder_is_a_refusal():
    """A state that may be there but cannot be read is not taken for a fresh start."""

    def fault(operation: str, path: str) -> None:
        if operation == "list":
            raise PermissionError(errno.EACCES, "Permission denied", path)

    with pytest.raises(JournalError, match="Permission denied"):
        store(MemoryDisk(fault)).begin()
