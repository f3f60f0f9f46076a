"""Records a session off the hot path.

Law: the trading side only appends a reference to a queue; records are immutable, so encoding
and writing can happen later, on whichever side calls `flush`. The queue, a batch and the file
are bounded. A journal that has lost, or may have lost, a record is over: it says so through
`health`, and whoever trades must stop creating orders (cancels go on). A failed write or
fsync is never retried, because nobody knows what of it reached the disk.

No locks: each attribute is written by one side alone, `_overflowed` and `_refused` by the
trading side, all others by the writing side.
"""

import enum
import threading  # house-ok: of JournalThread alone; a simulation has another Scribe
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec

from lighterman.domain.clock import Clock
from lighterman.domain.errors import JournalError
from lighterman.domain.events import Event
from lighterman.engine.decision import Decision
from lighterman.journal.disk import Disk
from lighterman.journal.frames import MAGIC, FrameWriter
from lighterman.journal.records import Broke, Ending, Header, encode
from lighterman.journal.settings import JournalSettings

PENDING_MAX = 50_000  # records waiting to be written: some seconds of a busy market
BATCH_RECORDS = 128  # about 0.3 ms of encoding, then the other threads have their turn
ENDING_BYTES = 2048  # kept free for the last record
REASON_MAX = 200
IDLE_S = 0.02
PAUSE_S = 0.001
NS_PER_MS = 1_000_000

_TOO_SLOW = f"the disk is too slow: {PENDING_MAX} records waited for it"


class JournalState(enum.Enum):
    """Whether recording goes on."""

    RECORDING = "recording"
    FULL = "full"
    BEHIND = "behind"  # the disk did not keep up
    FAILED = "failed"
    CLOSED = "closed"


_RECORDING = JournalState.RECORDING  # asked for with each record, and a member is dear to look up


class JournalHealth(msgspec.Struct, frozen=True):
    """How the journal is; new orders may be created only while `may_create`."""

    state: JournalState
    reason: str
    records: int
    bytes_written: int
    bytes_synced: int
    pending: int
    dropped: int

    @property
    def may_create(self) -> bool:
        """Tell whether everything that happens is being recorded."""
        return self.state is JournalState.RECORDING


class JournalWriter:
    """One session's journal. `observe_*` on the trading side, `flush` and `close` on the writing side."""

    def __init__(self, disk: Disk, path: str, header: Header, settings: JournalSettings, clock: Clock) -> None:
        self._disk = disk
        self._path = path
        self._clock = clock
        self._bytes_max = settings.bytes_max
        self._fsync_interval_ns = settings.fsync_interval_ms * NS_PER_MS
        self._pending: deque[Event | Decision | Broke] = deque()  # append and popleft are atomic
        self._frames = FrameWriter()
        self._state = JournalState.RECORDING
        self._reason = ""
        self._records = 0
        self._bytes_written = 0
        self._bytes_synced = 0
        self._synced_ns = clock.mono_ns()
        self._discarded = 0  # taken from the queue, or left in it, and not written
        self._overflowed = False
        self._refused = 0  # not even put into the queue
        try:
            self._append(MAGIC + self._frames.frame(encode(header)), 1)
            self._sync()
        except OSError as error:
            raise JournalError(f"{path}: cannot be written: {error.strerror}") from None

    @property
    def health(self) -> JournalHealth:
        """Return how the journal is now."""
        is_behind = self._overflowed and self._state is JournalState.RECORDING
        return JournalHealth(
            JournalState.BEHIND if is_behind else self._state,
            _TOO_SLOW if is_behind else self._reason,
            self._records,
            self._bytes_written,
            self._bytes_synced,
            len(self._pending),
            self._refused + self._discarded,
        )

    @property
    def may_create(self) -> bool:
        """Tell whether everything that happens is being recorded; see `JournalHealth`."""
        return self._state is _RECORDING and not self._overflowed

    # -- the trading side ------------------------------------------------------------------

    def observe_break(self, now_ns: int, reason: str) -> None:
        """Keep that the engine broke on the last event, or in `decide(now_ns)` where that is not 0."""
        self._keep(Broke(now_ns, reason))

    def _keep(self, record: Event | Decision | Broke) -> None:
        pending = self._pending
        if self._state is not _RECORDING or self._overflowed:
            self._refused += 1
        elif len(pending) >= PENDING_MAX:
            self._overflowed = True
            self._refused += 1
        else:
            pending.append(record)

    observe_event = _keep  # which the engine is about to see
    observe_decision = _keep  # of which nothing has been sent yet

    # -- the writing side ------------------------------------------------------------------

    def flush(self) -> bool:
        """Write one batch of what is pending; return whether more is waiting."""
        if self._state is not JournalState.RECORDING:
            self._discard()
            return False
        try:
            self._write_batch()
            if self._overflowed and not self._pending:
                self._end(JournalState.BEHIND, _TOO_SLOW)
            elif self._clock.mono_ns() - self._synced_ns >= self._fsync_interval_ns:
                self._sync()
        except OSError as error:
            self._fail(error.strerror or str(error))
        except (TypeError, ValueError, OverflowError) as error:
            self._fail(f"a record cannot be encoded: {error}")
        return bool(self._pending)

    def close(self, reason: str) -> JournalHealth:
        """Write everything that is pending and the last record; return how it went."""
        while self.flush():
            pass
        try:
            if self._state is JournalState.RECORDING:
                self._end(JournalState.CLOSED, reason)
            self._disk.close(self._path)
        except OSError as error:
            self._fail(error.strerror or str(error))
        return self.health

    def _write_batch(self) -> None:
        frames: list[bytes] = []
        size = self._bytes_written + ENDING_BYTES
        while self._pending and len(frames) < BATCH_RECORDS:
            payload = encode(self._pending[0])
            size += len(payload) + FrameWriter.HEAD_BYTES
            if size > self._bytes_max:
                break
            frames.append(self._frames.frame(payload))
            self._pending.popleft()
        if frames:
            self._append(b"".join(frames), len(frames))
        if size > self._bytes_max:
            self._end(JournalState.FULL, f"{self._bytes_max} bytes are written")

    def _end(self, state: JournalState, reason: str) -> None:
        """Write the last record and set the state that says why it is the last."""
        self._state, self._reason = state, reason
        self._discard()
        ending = Ending(f"{state.value}: {reason}"[:REASON_MAX], self._refused + self._discarded)
        self._append(self._frames.frame(encode(ending)), 1)
        self._sync()

    def _fail(self, reason: str) -> None:
        self._state, self._reason = JournalState.FAILED, f"{self._path}: {reason}"

    def _discard(self) -> None:
        while self._pending:
            self._pending.popleft()
            self._discarded += 1

    def _append(self, data: bytes, records: int) -> None:
        self._disk.append(self._path, data)
        self._bytes_written += len(data)
        self._records += records

    def _sync(self) -> None:
        self._disk.fsync(self._path)
        self._bytes_synced = self._bytes_written
        self._synced_ns = self._clock.mono_ns()


class Scribe(Protocol):
    """Who does what waits for the disk: writes the journal's batches, and other errands, in order."""

    def start(self) -> None:
        """Begin writing."""
        ...

    def submit(self, errand: Callable[[], None]) -> None:
        """Have something else written; it handles its own errors."""
        ...

    def stop(self, timeout_s: float) -> bool:
        """End when the errands are done; return False if the disk took longer than allowed."""
        ...


class JournalThread:
    """A `Scribe`: calls `flush` on a thread of its own, and does other slow errands (`submit`) there."""

    def __init__(self, writer: JournalWriter) -> None:
        self._writer = writer
        self._errands: deque[Callable[[], None]] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def submit(self, errand: Callable[[], None]) -> None:
        """Have something that waits for the disk done there, in order; it handles its own errors."""
        self._errands.append(errand)

    def stop(self, timeout_s: float) -> bool:
        """End the thread once its errands are done; return False if the disk kept it longer than allowed."""
        self._stop.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.wait(IDLE_S):
            self._work()
        self._work()

    def _work(self) -> None:
        while self._errands:
            self._errands.popleft()()
        while self._writer.flush():
            self._stop.wait(PAUSE_S)  # lets the trading thread have the interpreter
