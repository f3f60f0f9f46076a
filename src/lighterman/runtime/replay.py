"""Runs the engine over a recorded session and demands the same decisions, to the byte.

Nothing is connected: the journal holds every event and every call of `decide`, and the engine
has no other input. A difference means that the program is not the one that recorded, or that
something in the engine depends on more than its events. A session that ended with a bug of the
engine is identical when the engine breaks again, at the same place and in the same words.
"""

import msgspec

from lighterman.domain.events import Event
from lighterman.engine.engine import Engine
from lighterman.journal.reader import JournalReader
from lighterman.journal.records import Broke, Decided, encode_decision

NOTHING_SAID = "the journal goes on as if nothing had happened"


class Difference(msgspec.Struct, frozen=True):
    """The first record at which the engine did otherwise than recorded; `now_ns` is 0 before `decide`."""

    record: int
    now_ns: int
    recorded: str
    replayed: str


class Replay(msgspec.Struct, frozen=True):
    """What a replay found; `broke` is how the engine broke, `ending` how the journal ended, in its own words."""

    session: str
    recorded_by: str
    events: int
    decisions: int
    commands: int
    identical: bool
    difference: Difference | None
    broke: str
    complete: bool
    ending: str


def replay(reader: JournalReader) -> Replay:
    """Return how the engine's decisions compare with the recorded ones.

    Stops at the first difference. Raises JournalError where the journal is corrupt.
    """
    header = reader.header
    machine = _Machine(Engine(header.params, epoch=header.epoch, loss=header.loss))
    difference: Difference | None = None
    for record in reader:
        difference = machine.take(record, reader.records - 1)
        if difference is not None:
            break
    else:
        difference = machine.unsaid(reader.records - 1) if reader.is_complete else None
    return Replay(
        session=header.session,
        recorded_by=header.lighterman_version,
        events=machine.events,
        decisions=machine.decisions,
        commands=machine.commands,
        identical=difference is None,
        difference=difference,
        broke=machine.broke,
        complete=reader.is_complete,
        ending=reader.ending,
    )


def how_it_broke(error: Exception) -> str:
    """Return the words in which the end of an engine is recorded and compared."""
    return f"{type(error).__name__}: {error}"


class _Machine:
    """The engine, run by records."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_said = False  # the journal knows too that the engine broke
        self.events = 0
        self.decisions = 0
        self.commands = 0
        self.broke = ""

    def take(self, record: Event | Decided | Broke, number: int) -> Difference | None:
        """Do what the record says was done; return what came out otherwise."""
        if isinstance(record, Broke):
            if not self.broke and record.now_ns:
                self._decide(record.now_ns)
            self._is_said = True
            same = self.broke == record.reason
            return None if same else Difference(number, record.now_ns, record.reason, self.broke or "nothing broke")
        if self.broke:
            return self.unsaid(number)
        if isinstance(record, Decided):
            self.decisions += 1
            replayed = self._decide(record.now_ns)
            same = replayed == record.data
            return None if same else Difference(number, record.now_ns, record.data.decode(), replayed.decode())
        self.events += 1
        try:
            self._engine.observe(record)
        except Exception as error:  # noqa: BLE001  (any bug of the engine is what is compared here)
            self.broke = how_it_broke(error)
        return None

    def unsaid(self, number: int) -> Difference | None:
        """Return the difference that it is when the engine broke and the journal does not say so."""
        return Difference(number, 0, NOTHING_SAID, self.broke) if self.broke and not self._is_said else None

    def _decide(self, now_ns: int) -> bytes:
        """Return the engine's decision, or how it broke, as bytes."""
        try:
            decision = self._engine.decide(now_ns)
        except Exception as error:  # noqa: BLE001  (as above)
            self.broke = how_it_broke(error)
            return self.broke.encode()
        self.commands += len(decision.approved)
        return encode_decision(decision)
