"""Runs the engine over a recorded session and demands the same decisions, to the byte.

Nothing is connected: the journal holds every event and every call of `decide`, and the engine
has no other input. A difference means that the program is not the one that recorded, or that
something in the engine depends on more than its events.
"""

import msgspec

from lighterman.domain.errors import InvariantBroken
from lighterman.engine.engine import Engine
from lighterman.journal.reader import JournalReader
from lighterman.journal.records import Decided, encode_decision


class Difference(msgspec.Struct, frozen=True):
    """The first decision that came out otherwise than recorded."""

    record: int
    now_ns: int
    recorded: str
    replayed: str


class Replay(msgspec.Struct, frozen=True):
    """What a replay found; `ending` is how the journal ended, in its own words."""

    session: str
    recorded_by: str
    events: int
    decisions: int
    commands: int
    identical: bool
    difference: Difference | None
    complete: bool
    ending: str


def replay(reader: JournalReader) -> Replay:
    """Return how the engine's decisions compare with the recorded ones.

    Stops at the first difference. Raises JournalError where the journal is corrupt.
    """
    header = reader.header
    engine = Engine(header.params, epoch=header.epoch, loss=header.loss)
    events = decisions = commands = 0
    difference: Difference | None = None
    for record in reader:
        try:
            if not isinstance(record, Decided):
                events += 1
                engine.observe(record)
                continue
            decisions += 1
            decision = engine.decide(record.now_ns)
            commands += len(decision.approved)
            replayed = encode_decision(decision)
        except InvariantBroken as broken:
            replayed = f"invariant broken: {broken}".encode()
        recorded = record.data if isinstance(record, Decided) else b"an event was taken"
        if replayed != recorded:
            now_ns = record.now_ns if isinstance(record, Decided) else record.recv_ns
            difference = Difference(reader.records - 1, now_ns, recorded.decode(), replayed.decode())
            break
    return Replay(
        session=header.session,
        recorded_by=header.lighterman_version,
        events=events,
        decisions=decisions,
        commands=commands,
        identical=difference is None,
        difference=difference,
        complete=reader.is_complete,
        ending=reader.ending,
    )
