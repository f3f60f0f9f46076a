"""The simulated disk: what must survive a crash survives, what must not be relied on is taken away."""

import copy
import errno

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from helpers.journals import EVENTS, HEADER, HandClock
from lighterman.chance import seeded
from lighterman.domain.errors import JournalError
from lighterman.journal.disk import Disk, SystemDisk, write_durably
from lighterman.journal.reader import JournalReader
from lighterman.journal.session import create_session, find_session, write_summary
from lighterman.journal.settings import JournalSettings
from lighterman.journal.state import AccountStore
from lighterman.journal.writer import JournalState, JournalWriter
from lighterman.risk.pnl import LossState
from lighterman.simulation.disk import SimulatedDisk

PATHS = st.sampled_from(["a", "runs/b", "runs/c"])
DATA = st.binary(max_size=4)
BYTES = 1 << 20
OLD, NEW = LossState(20_000, -5, ""), LossState(20_000, -900, "daily_loss")


def content(disk: Disk, path: str) -> bytes | None:
    try:
        return disk.read(path, 0, BYTES)
    except FileNotFoundError:
        return None


def crashed(disk: SimulatedDisk, seed: int) -> SimulatedDisk:
    """Return what a crash may make of a disk, which itself stays as it is."""
    disk = copy.deepcopy(disk)
    disk.crash(seeded(seed, "crash"))
    return disk


class Crashes(RuleBasedStateMachine):
    """Any order of operations, faults and crashes against a model: what is in a file, and what a crash may leave."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = SimulatedDisk()
        self.disk.make_folder("runs")
        self.now: dict[str, bytes] = {}
        self.after: dict[str, set[bytes | None]] = {}  # None: no such file
        self.beyond_saving: set[str] = set()

    def wrote(self, path: str, start: bytes, data: bytes) -> None:
        written = data[: len(data) // 2] if self.disk.is_full or self.disk.fails_writes else data
        self.now[path] = start + written
        self.after.setdefault(path, {None}).update(start + written[:size] for size in range(len(written) + 1))

    @rule(path=PATHS, data=DATA, replaces=st.booleans())
    def write(self, path: str, data: bytes, replaces: bool) -> None:
        operation = self.disk.write if replaces else self.disk.append
        if self.disk.is_full or self.disk.fails_writes:
            with pytest.raises(OSError, match=f"{path}'") as raised:
                operation(path, data)
            assert (errno.EIO if self.disk.fails_writes else errno.ENOSPC) == raised.value.errno
        else:
            operation(path, data)
        self.wrote(path, b"" if replaces else self.now.get(path, b""), data)
        if replaces:
            self.beyond_saving.discard(path)

    @rule(path=PATHS)
    def fsync(self, path: str) -> None:
        if path not in self.now:
            with pytest.raises(FileNotFoundError):
                self.disk.fsync(path)
        elif self.disk.fails_flushes:
            with pytest.raises(OSError, match=f"{path}'"):
                self.disk.fsync(path)
            self.beyond_saving.add(path)
        else:
            self.disk.fsync(path)
            if path not in self.beyond_saving:
                self.after[path] = {self.now[path]}

    @rule(path=PATHS, new_path=PATHS)
    def rename(self, path: str, new_path: str) -> None:
        if path not in self.now:
            with pytest.raises(FileNotFoundError):
                self.disk.rename(path, new_path)
            return
        self.disk.rename(path, new_path)
        if path in self.beyond_saving:
            self.beyond_saving = self.beyond_saving - {path} | {new_path}
        else:
            self.beyond_saving.discard(new_path)
        left = self.after.pop(path)
        self.after[new_path] = (left - {None}) | ({b""} if None in left else set())
        self.now[new_path] = self.now.pop(path)

    @rule(full=st.booleans(), writes=st.booleans(), flushes=st.booleans())
    def set_faults(self, full: bool, writes: bool, flushes: bool) -> None:
        self.disk.is_full, self.disk.fails_writes, self.disk.fails_flushes = full, writes, flushes

    @rule(seed=st.integers(0, 1_000))
    def crash(self, seed: int) -> None:
        self.disk.crash(seeded(seed, "crash"))
        left = {path: content(self.disk, path) for path in self.after}
        for path, data in left.items():
            assert data in self.after[path]
        self.now = {path: data for path, data in left.items() if data is not None}
        self.after = {path: {data} for path, data in self.now.items()}
        self.beyond_saving.clear()

    @invariant()
    def shows_what_was_written(self) -> None:
        for path in ("a", "runs/b", "runs/c"):
            assert self.now.get(path) == content(self.disk, path)
        assert sorted(path[5:] for path in self.now if path.startswith("runs/")) == self.disk.list("runs")


Crashes.TestCase.settings = settings(max_examples=150, stateful_step_count=30)
TestCrashes = Crashes.TestCase


def test_every_fate_comes_up():
    """What was not flushed is lost by one seed, torn by another, kept by a third; so is a file never flushed."""
    disk = SimulatedDisk()
    disk.append("old", b"sure")
    disk.fsync("old")
    disk.append("old", b"maybe")
    disk.append("new", b"maybe")
    left = [crashed(disk, seed) for seed in range(300)]

    assert {b"suremaybe"[:size] for size in range(4, 10)} == {content(each, "old") for each in left}
    assert {None, *(b"maybe"[:size] for size in range(6))} == {content(each, "new") for each in left}
    assert len({(content(each, "old"), content(each, "new")) for each in left}) > 30


def test_an_unflushed_replacement_may_take_the_old_content_along():
    """A file written over and not flushed may hold the old content, the new, or a part of the new."""
    disk = SimulatedDisk()
    write_durably(disk, "a", b"old")
    disk.write("a", b"newer")
    disk.write("a", b"new")

    assert {b"old", b"", b"n", b"ne", b"new"} == {content(crashed(disk, seed), "a") for seed in range(100)}


def test_a_file_renamed_before_it_was_flushed_may_be_empty():
    """The name survives and the content may not: the order of a durable write matters."""
    disk = SimulatedDisk()
    write_durably(disk, "a", b"old")
    disk.write("b", b"new")
    disk.rename("b", "a")

    assert {b"", b"n", b"ne", b"new"} == {content(crashed(disk, seed), "a") for seed in range(100)}


def test_a_failed_flush_is_not_made_good_by_another():
    """Whoever flushes again after a failure is told that it succeeded, and may still lose the bytes."""
    disk = SimulatedDisk()
    disk.append("a", b"sure")
    disk.fsync("a")
    disk.append("a", b"maybe")
    disk.fails_flushes = True
    with pytest.raises(OSError, match="Input/output error"):
        disk.fsync("a")
    disk.fails_flushes = False
    disk.fsync("a")
    left = [crashed(disk, seed) for seed in range(100)]
    assert b"sure" in {content(each, "a") for each in left}
    for each in left:  # another process, which flushes with success
        each.append("a", b"!")
        each.fsync("a")
        each.crash(seeded(len(each.read("a", 0, BYTES)), "crash"))
        assert b"!" == (content(each, "a") or b"")[-1:]
    write_durably(disk, "a", b"anew")
    assert {b"anew"} == {content(crashed(disk, seed), "a") for seed in range(100)}


def test_it_answers_as_the_system_does(tmp_path):
    """The same calls give the same answers and errors here and on this machine's disk."""

    def answers(disk: Disk, root: str) -> list[object]:
        def tried(operation, *arguments):
            try:
                return operation(*arguments)
            except OSError as error:
                return error.errno

        path, other = f"{root}/x/y/file", f"{root}/x/other"
        return [
            tried(disk.append, path, b"1"),
            tried(disk.make_folder, f"{root}/x/y"),
            tried(disk.make_folder, f"{root}/x/y"),
            tried(disk.make_folder, f"{root}/x"),
            tried(disk.read, path, 0, 9),
            tried(disk.fsync, path),
            tried(disk.rename, path, other),
            tried(disk.append, path, b"12"),
            tried(disk.append, path, b"34"),
            tried(disk.fsync, path),
            tried(disk.read, path, 1, 2),
            tried(disk.read, path, 3, 9),
            tried(disk.read, path, 9, 9),
            tried(disk.close, path),
            tried(disk.close, path),
            tried(disk.rename, path, f"{root}/nowhere/file"),
            tried(disk.rename, path, other),
            tried(disk.write, other, b"5"),
            tried(disk.read, other, 0, 9),
            tried(disk.list, f"{root}/x"),
            tried(disk.list, f"{root}/x/"),
            tried(disk.list, f"{root}/x/y"),
            tried(disk.list, f"{root}/nowhere"),
        ]

    simulated = SimulatedDisk()
    simulated.make_folder("/runs")

    assert answers(SystemDisk(), str(tmp_path)) == answers(simulated, "/runs")


def test_a_flipped_bit_is_one_bit():
    """Any one bit of a file may be flipped, and no other."""
    disk = SimulatedDisk()
    disk.append("a", bytes(3))
    seen = set()
    for seed in range(500):
        one = copy.deepcopy(disk)
        position = one.flip_bit("a", seeded(seed, "flip"))
        data = one.read("a", 0, 3)
        assert 1 == int.from_bytes(data, "big").bit_count()
        assert data[position]
        seen.add(data)
    assert 24 == len(seen)


# -- the journal's own classes on it


def journal(disk: SimulatedDisk, clock: HandClock) -> JournalWriter:
    return JournalWriter(disk, "j", HEADER, JournalSettings(), clock)


def test_a_last_record_torn_at_every_byte_is_cut_and_named():
    """Whatever a crash leaves of the last record, all records before it are read, and the tear is told."""
    disk, clock = SimulatedDisk(), HandClock()
    writer = journal(disk, clock)
    for event in EVENTS[:-1]:
        writer.observe_event(event)
    clock.now_ns += 10**12
    writer.flush()
    good = len(disk.read("j", 0, BYTES))
    writer.observe_event(EVENTS[-1])
    writer.flush()
    whole = len(disk.read("j", 0, BYTES))

    sizes = set()
    for seed in range(2_000):
        left = crashed(disk, seed)
        size = len(left.read("j", 0, BYTES))
        if size in sizes:
            continue
        sizes.add(size)
        reader = JournalReader(left, "j")
        records = list(reader)

        assert not reader.is_complete
        if size == whole:
            assert EVENTS == records
        else:
            assert EVENTS[:-1] == records
            assert reader.ending.startswith("never closed" if size == good else f"torn at byte {good}: ")
    assert set(range(good, whole + 1)) == sizes


@pytest.mark.parametrize("fault", ["is_full", "fails_writes", "fails_flushes"])
def test_a_journal_on_a_failing_disk_keeps_its_good_part(fault):
    """Each fault ends the journal; what was flushed before is read back, and nothing wrong behind it."""
    disk, clock = SimulatedDisk(), HandClock()
    writer = journal(disk, clock)
    writer.observe_event(EVENTS[0])
    clock.now_ns += 10**12
    writer.flush()
    setattr(disk, fault, True)
    for event in EVENTS[1:]:
        writer.observe_event(event)
    clock.now_ns += 10**12
    writer.flush()
    setattr(disk, fault, False)

    assert JournalState.FAILED is writer.close("the end").state
    for seed in range(20):
        records = list(JournalReader(crashed(disk, seed), "j"))
        assert EVENTS[0] == records[0]
        assert EVENTS[: len(records)] == records


def test_a_flipped_bit_in_a_journal_is_found():
    """No flipped bit is read as if it were right."""
    disk, clock = SimulatedDisk(), HandClock()
    writer = journal(disk, clock)
    for event in EVENTS:
        writer.observe_event(event)
    writer.close("the end")
    for seed in range(200):
        flipped = copy.deepcopy(disk)
        flipped.flip_bit("j", seeded(seed, "flip"))
        with pytest.raises(JournalError):
            list(JournalReader(flipped, "j"))


def test_a_finished_session_survives():
    """Settings, result and state of a session that was closed are there after any crash."""
    disk, clock = SimulatedDisk(), HandClock()
    session = create_session(disk, "runs", "sim", clock.wall_us(), b"{}")
    writer = JournalWriter(disk, session.journal_path, HEADER, JournalSettings(), clock)
    writer.close("the end")
    write_summary(disk, session, {"fills": 3})
    for seed in range(20):
        left = crashed(disk, seed)

        assert session == find_session(left, "runs", "last")
        assert ["config.json", "journal", "summary.json"] == left.list(session.folder)
        assert [] == list(JournalReader(left, session.journal_path))


class DeadError(Exception):
    """The process ended here."""


class Mortal:
    """A process's hold on the disk: it ends before the operation of the given number."""

    def __init__(self, disk: SimulatedDisk, ends_before: int) -> None:
        self.disk = disk
        self.left = ends_before

    def __getattr__(self, operation: str) -> object:
        def perform(*arguments: object) -> object:
            if self.left == 0:
                raise DeadError
            self.left -= 1
            return getattr(self.disk, operation)(*arguments)

        return perform


def store(disk: object) -> AccountStore:
    return AccountStore(disk, "runs", "sim", 7)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_start_killed_at_any_operation_never_gives_a_count_twice(is_first):
    """Killed anywhere in a start and crashed, the next start reads a state, and counts on from what was used."""
    known = SimulatedDisk()
    if not is_first:
        store(known).begin()
    ends = 0
    for ends_before in range(20):
        disk = copy.deepcopy(known)
        try:
            used = store(Mortal(disk, ends_before)).begin().epoch
        except DeadError:
            used, ends = 0, ends + 1
        for seed in range(20):
            assert max(used, 0 if is_first else 1) < store(crashed(disk, seed)).begin().epoch
    assert 5 <= ends < 20


def test_a_save_killed_at_any_operation_leaves_the_old_state_or_the_new():
    """Killed anywhere in a save and crashed, the loss is the old one or the new one, and the new one once saved."""
    ends = 0
    for ends_before in range(20):
        disk = SimulatedDisk()
        first = store(disk)
        first.begin()
        first.save_loss(OLD)
        mortal = Mortal(disk, 100)
        second = store(mortal)
        second.begin()
        mortal.left = ends_before
        try:
            second.save_loss(NEW)
            allowed = {NEW}
        except DeadError:
            allowed, ends = {OLD, NEW}, ends + 1
        for seed in range(20):
            left = store(crashed(disk, seed)).begin()
            assert left.loss in allowed
            assert (3, True) == (left.epoch, left.may_have_orders)
    assert 3 == ends


def test_a_failed_save_keeps_the_old_state():
    """A full or failing disk leaves the old state through a crash, and the next save succeeds."""
    for fault in ("is_full", "fails_writes", "fails_flushes"):
        disk = SimulatedDisk()
        mine = store(disk)
        mine.begin()
        mine.save_loss(OLD)
        setattr(disk, fault, True)
        mine.save_loss(NEW)
        assert mine.failure
        for seed in range(20):
            left = crashed(disk, seed)
            setattr(left, fault, False)
            assert OLD == store(left).begin().loss
        setattr(disk, fault, False)
        mine.save_loss(NEW)
        for seed in range(20):
            assert NEW == store(crashed(disk, seed)).begin().loss
