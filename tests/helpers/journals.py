"""A disk in memory that can be told to fail, a clock that is set by hand, and some records."""

from collections.abc import Callable

from lighterman.domain.commands import CancelOrder, PlaceOrder
from lighterman.domain.events import BookDelta, CollateralReport, CommandAcked, Event, FillReport, StopRequested
from lighterman.engine.decision import Decision
from lighterman.engine.params import EngineParams
from lighterman.journal.reader import JournalReader
from lighterman.journal.records import Broke, Decided, Header
from lighterman.journal.settings import JournalSettings
from lighterman.journal.writer import JournalWriter
from lighterman.risk.gate import Approved, Refusal
from lighterman.risk.limits import AccountLimits
from lighterman.risk.pnl import LossState

PARAMS = EngineParams(
    markets=[],
    limits=AccountLimits(total_position_micro_max=3, order_value_micro_max=2, daily_loss_micro_max=1),
    account_index=7,
)
HEADER = Header(
    lighterman_version="0.1.0",
    session="s",
    config_hash="c",
    epoch=3,
    params=PARAMS,
    loss=LossState(20_000, -5, "daily_loss"),
)
EVENTS: list[Event] = [
    BookDelta(0, [(100, 5), (99, 0)], [(101, 7)], 12, 1_784_946_862_000_000, 1000),
    CommandAcked(1, 1_784_946_862_123, 2000),
    FillReport(0, 9, 8, 7, True, 101, 3, True, 40, 1_784_946_862_000_000, 3000),
    CollateralReport(10**24 + 1, 4000),
    StopRequested('a "reason"\n ünd mehr', 5000),
]
DECISION = Decision(
    2500,
    [Approved(PlaceOrder(1, 0, (3 << 32) + 1, False, 100, 5)), Approved(CancelOrder(2, 0, 77))],
    [Refusal(PlaceOrder(3, 0, (3 << 32) + 2, True, 101, 5), 0, "position_limit")],
    [],
    [],
    LossState(20_001, -(10**25), ""),
)
EMPTY_DECISION = Decision(2600, [], [], [], [], None)


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ns = 0

    def mono_ns(self) -> int:
        """Return what it was set to."""
        return self.now_ns

    def wall_us(self) -> int:
        """Return the same instant as microseconds after a fixed day."""
        return 1_784_946_862_000_000 + self.now_ns // 1000


class MemoryDisk:
    """Files in a dictionary. `fault(operation, path)` may raise before each operation."""

    def __init__(self, fault: Callable[[str, str], None] = lambda operation, path: None) -> None:
        self.files: dict[str, bytes] = {}
        self.synced: dict[str, int] = {}
        self.folders: set[str] = set()
        self.fault = fault

    def append(self, path: str, data: bytes) -> None:
        self.fault("append", path)
        self.files[path] = self.files.get(path, b"") + data

    def write(self, path: str, data: bytes) -> None:
        self.fault("write", path)
        self.files[path] = data

    def fsync(self, path: str) -> None:
        self.fault("fsync", path)
        self.synced[path] = len(self.files[path])

    def rename(self, source: str, target: str) -> None:
        self.fault("rename", target)
        self.files[target] = self.files.pop(source)
        self.synced[target] = self.synced.pop(source, 0)

    def read(self, path: str, offset: int, size: int) -> bytes:
        self.fault("read", path)
        if path not in self.files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return self.files[path][offset : offset + size]

    def list(self, folder: str) -> list[str]:
        self.fault("list", folder)
        inside = [path for path in (*self.files, *self.folders) if path.startswith(f"{folder}/")]
        return sorted({path[len(folder) + 1 :].partition("/")[0] for path in inside})

    def make_folder(self, path: str) -> bool:
        self.fault("make_folder", path)
        is_new = path not in self.folders
        self.folders.add(path)
        return is_new

    def close(self, path: str) -> None:
        self.fault("close", path)


def open_writer(disk: MemoryDisk, clock: HandClock | None = None, **settings: int) -> JournalWriter:
    """Begin a journal named "j"."""
    return JournalWriter(disk, "j", HEADER, JournalSettings(**settings), clock or HandClock())  # type: ignore[arg-type]


def recorded(events: list[Event] = EVENTS, reason: str = "done") -> bytes:
    """Return the bytes of a whole journal of some events and two decisions."""
    disk = MemoryDisk()
    writer = open_writer(disk)
    for event in events:
        writer.observe_event(event)
    writer.observe_decision(DECISION)
    writer.observe_decision(EMPTY_DECISION)
    writer.close(reason)
    return disk.files["j"]


def replayed(data: bytes) -> tuple[list[Event | Decided | Broke], JournalReader]:
    """Return the records in a journal's bytes, and its reader after the last of them."""
    disk = MemoryDisk()
    disk.files["j"] = data
    reader = JournalReader(disk, "j")
    return list(reader), reader
