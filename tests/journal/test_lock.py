"""One bot per account."""

import os
import subprocess
import sys

import pytest

from lighterman.domain.errors import PreflightError
from lighterman.journal.lock import InstanceLock

HOLD = """
import os, sys
from lighterman.journal.lock import InstanceLock
InstanceLock(sys.argv[1], "testnet", 7).acquire(os.getpid())
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_second_instance_is_refused(tmp_path):
    """Whoever comes second is told which process has the account (defect L7)."""
    first, second = (InstanceLock(str(tmp_path), "testnet", 7) for _ in range(2))
    first.acquire(1234)
    with pytest.raises(PreflightError, match=r"another instance \(process 1234\) trades account 7 on testnet"):
        second.acquire(5678)

    first.release()
    first.release()
    second.acquire(5678)
    with pytest.raises(PreflightError, match="process 5678"):
        first.acquire(1234)
    second.release()


def test_other_accounts_are_free(tmp_path):
    """Locks of different accounts and networks do not meet."""
    locks = [InstanceLock(str(tmp_path), *which) for which in (("testnet", 7), ("testnet", 8), ("mainnet", 7))]
    for lock in locks:
        lock.acquire(os.getpid())
    for lock in locks:
        lock.release()


def test_a_killed_holder_lets_go(tmp_path):
    """The lock of a process that was killed is free at once."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert "locked\n" == holder.stdout.readline()
        mine = InstanceLock(str(tmp_path), "testnet", 7)
        with pytest.raises(PreflightError, match=f"process {holder.pid}"):
            mine.acquire(os.getpid())
        holder.kill()
        holder.wait()

    mine.acquire(os.getpid())
    mine.release()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    """Where no lock can be kept, nothing starts."""
    (tmp_path / "state").write_text("a file in the way")

    with pytest.raises(PreflightError, match="File exists"):
        InstanceLock(str(tmp_path), "testnet", 7).acquire(1)
