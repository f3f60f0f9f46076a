"""The writer: bounded, off the hot path, and honest about what it could not keep."""

import errno
import threading

import pytest

from helpers.journals import DECISION, EMPTY_DECISION, EVENTS, HEADER, HandClock, MemoryDisk, open_writer, replayed
from lighterman.domain.errors import JournalError
from lighterman.domain.events import CommandAcked
from lighterman.journal.records import Broke, encode_decision
from lighterman.journal.writer import BATCH_RECORDS, PENDING_MAX, JournalState, JournalThread

OPERATIONS = ["append", "fsync"]


class Faults:
    """Raises an error at the nth of an operation, and ever after."""

    def __init__(self, operation: str, number: int, code: int) -> None:
        self.operation, self.left, self.code = operation, number, code

    def __call__(self, operation: str, path: str) -> None:
        if operation == self.operation:
            self.left -= 1
            if self.left <= 0:
                raise OSError(self.code, errno.errorcode[self.code], path)


def test_a_session_comes_back():
    """Events and decisions are read back in the order in which they happened."""
    disk = MemoryDisk()
    writer = open_writer(disk)
    writer.observe_event(EVENTS[0])
    writer.observe_decision(DECISION)
    writer.observe_event(EVENTS[1])
    writer.observe_decision(EMPTY_DECISION)
    health = writer.close("asked to stop")

    records, reader = replayed(disk.files["j"])

    assert EVENTS[:2] == records[::2]
    assert [encode_decision(DECISION), encode_decision(EMPTY_DECISION)] == [record.data for record in records[1::2]]  # type: ignore[union-attr]
    assert HEADER == reader.header
    assert reader.is_complete
    assert "closed: asked to stop" == reader.ending
    assert (JournalState.CLOSED, 6, 0) == (health.state, health.records, health.dropped)
    assert len(disk.files["j"]) == health.bytes_written == health.bytes_synced == disk.synced["j"]


def test_a_broken_engine_is_kept():
    """What broke, and where, stands in the journal after the event on which it did."""
    disk = MemoryDisk()
    writer = open_writer(disk)
    writer.observe_event(EVENTS[0])
    writer.observe_break(0, "crossed ourselves")
    writer.close("broken")

    records, _ = replayed(disk.files["j"])

    assert [EVENTS[0], Broke(0, "crossed ourselves")] == records


def test_observing_writes_nothing():
    """The trading side touches no disk; the writing side does."""
    disk = MemoryDisk()
    writer = open_writer(disk)
    begun = disk.files["j"]

    for event in EVENTS:
        writer.observe_event(event)

    assert begun == disk.files["j"]
    assert (len(EVENTS), True) == (writer.health.pending, writer.health.may_create)
    writer.flush()
    assert begun != disk.files["j"]
    assert 0 == writer.health.pending


def test_a_batch_is_bounded():
    """One flush writes at most one batch, so that the trading thread gets its turn."""
    writer = open_writer(MemoryDisk())
    for number in range(2 * BATCH_RECORDS + 1):
        writer.observe_event(CommandAcked(number, 0, 0))

    assert [True, True, False] == [writer.flush() for _ in range(3)]


def test_what_is_old_enough_is_on_the_disk():
    """Records are flushed to the disk once the interval has passed, not before."""
    disk, clock = MemoryDisk(), HandClock()
    writer = open_writer(disk, clock, fsync_interval_ms=100)
    begun = disk.synced["j"]
    writer.observe_event(EVENTS[0])

    clock.now_ns = 99_999_999
    writer.flush()
    assert begun == disk.synced["j"] == writer.health.bytes_synced
    clock.now_ns = 100_000_000
    writer.flush()
    assert len(disk.files["j"]) == disk.synced["j"] == writer.health.bytes_synced


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_failing_disk_is_said(operation, code):
    """A failed write or fsync ends recording, is never retried, and forbids new orders (reliability P6)."""
    disk = MemoryDisk()
    writer = open_writer(disk)
    disk.fault = Faults(operation, 1, code)
    writer.observe_event(EVENTS[0])

    writer.flush()
    if operation == "fsync":
        writer.close("end")

    health = writer.health
    assert (JournalState.FAILED, False) == (health.state, health.may_create)
    assert f"j: {errno.errorcode[code]}" == health.reason
    disk.fault = lambda operation, path: None
    kept = disk.files["j"]
    writer.observe_event(EVENTS[1])
    assert not writer.flush()
    assert JournalState.FAILED is writer.close("end").state
    assert kept == disk.files["j"]
    assert writer.health.dropped >= 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_journal_that_cannot_begin_refuses(operation):
    """Without a journal there is no session."""
    with pytest.raises(JournalError, match="j: cannot be written: ENOSPC"):
        open_writer(MemoryDisk(Faults(operation, 1, errno.ENOSPC)))


@pytest.mark.parametrize("operation", [*OPERATIONS, "close"])
def test_an_end_that_fails_is_said(operation):
    """A journal whose last record or whose file cannot be closed did not end well."""
    disk = MemoryDisk()
    writer = open_writer(disk)
    disk.fault = Faults(operation, 1, errno.EIO)

    assert JournalState.FAILED is writer.close("end").state


def test_a_full_journal_is_said():
    """At its bound the journal ends with a record that says so, still readable, and forbids new orders."""
    disk = MemoryDisk()
    writer = open_writer(disk, bytes_max=1 << 16)
    while writer.health.may_create:
        for number in range(100):
            writer.observe_event(CommandAcked(number, 0, 0))
        while writer.flush():
            pass

    records, reader = replayed(disk.files["j"])

    assert JournalState.FULL is writer.health.state
    assert len(disk.files["j"]) <= 1 << 16
    assert "full: 65536 bytes are written" == reader.ending
    assert not reader.is_complete
    assert len(records) == writer.health.records - 2
    assert writer.health.dropped > 0
    assert JournalState.FULL is writer.close("end").state


def test_a_slow_disk_is_said():
    """When too much waits for the disk, recording ends after what waited, and forbids new orders."""
    disk = MemoryDisk()
    writer = open_writer(disk)
    event = CommandAcked(1, 2, 3)
    for _ in range(PENDING_MAX + 10):
        writer.observe_event(event)

    assert (JournalState.BEHIND, False, 10) == (writer.health.state, writer.health.may_create, writer.health.dropped)
    while writer.flush():
        pass
    records, reader = replayed(disk.files["j"])
    assert PENDING_MAX == len(records)
    assert reader.ending.startswith("behind: the disk is too slow")
    assert not reader.is_complete


def test_an_unwritable_record_is_said():
    """A record that cannot be encoded ends recording instead of the process."""
    writer = open_writer(MemoryDisk())
    writer.observe_event(CommandAcked(object(), 0, 0))  # type: ignore[arg-type]
    writer.flush()

    assert JournalState.FAILED is writer.health.state
    assert "cannot be encoded" in writer.health.reason


def test_the_thread_writes_and_ends():
    """On its own thread everything observed is written, errands are done, and the end waits for both."""
    disk = MemoryDisk()
    writer = open_writer(disk)
    thread = JournalThread(writer)
    thread.start()
    errands: list[str] = []
    for number in range(2000):
        writer.observe_event(CommandAcked(number, 0, 0))
        if number % 500 == 0:
            thread.submit(lambda: errands.append(threading.current_thread().name))

    assert thread.stop(10)
    writer.close("end")
    records, reader = replayed(disk.files["j"])

    assert [CommandAcked(number, 0, 0) for number in range(2000)] == records
    assert reader.is_complete
    assert ["journal"] * 4 == errands


def test_a_hanging_disk_does_not_hold_up_the_end():
    """The end of the thread is waited for only as long as allowed."""
    released = threading.Event()
    disk = MemoryDisk()
    writer = open_writer(disk)

    def hang(operation: str, path: str) -> None:
        released.wait(10)

    disk.fault = hang
    thread = JournalThread(writer)
    thread.start()
    writer.observe_event(EVENTS[0])

    assert not thread.stop(0.05)
    released.set()
    assert thread.stop(10)
