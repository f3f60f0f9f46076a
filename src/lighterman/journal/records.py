"""What a journal holds, and its bytes: one letter for the kind, then JSON.

JSON and not msgpack: the venue's money has twelve decimals, so an amount above 18.4 million
USDC does not fit the 64 bits of a msgpack integer; encoding costs the same; and a journal
can be read by eye. The same record always gives the same bytes, which is what `replay
--verify` compares.
"""

import struct

import msgspec

from lighterman.domain.errors import JournalError
from lighterman.domain.events import Event
from lighterman.engine.decision import Decision
from lighterman.engine.params import EngineParams
from lighterman.risk.pnl import LossState

FORMAT_VERSION = 1

_HEADER, _EVENT, _MARK, _DECISION, _BREAK, _ENDING = b"H", b"E", b"M", b"D", b"X", b"Z"
_NOW = struct.Struct("<q")
_EVENT_DECODER = msgspec.json.Decoder(Event)


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first record: all that the engine was made from, so that a replay can make it again."""

    format_version: int = FORMAT_VERSION
    lighterman_version: str
    session: str
    config_hash: str
    epoch: int
    params: EngineParams
    loss: LossState


class Decided(msgspec.Struct, frozen=True):
    """`decide(now_ns)` was called here, and `data` is what it answered, encoded by `encode_decision`."""

    now_ns: int
    data: bytes


class Broke(msgspec.Struct, frozen=True):
    """The engine broke: on the event before this, or in `decide(now_ns)` where that is not 0."""

    now_ns: int
    reason: str


class Ending(msgspec.Struct, frozen=True):
    """The last record: why recording ended, and how many records could not be kept."""

    reason: str
    dropped: int = 0


Record = Header | Event | Decided | Broke | Ending


def encode_decision(decision: Decision) -> bytes:
    """Return the bytes that two equal decisions share."""
    return msgspec.json.encode(decision)


def encode(record: Header | Event | Decision | Broke | Ending) -> bytes:
    """Return a record's payload; a decision that says nothing is only its mark."""
    if isinstance(record, Decision):
        now = _NOW.pack(record.now_ns)
        return _MARK + now if record.is_empty else _DECISION + now + encode_decision(record)
    if isinstance(record, Header):
        return _HEADER + msgspec.json.encode(record)
    if isinstance(record, Broke):
        return _BREAK + msgspec.json.encode(record)
    if isinstance(record, Ending):
        return _ENDING + msgspec.json.encode(record)
    return _EVENT + msgspec.json.encode(record)


def decode(payload: bytes) -> Record:
    """Return the record in a payload; raises JournalError for one that no version of this program writes."""
    kind, body = payload[:1], payload[1:]
    try:
        if kind == _EVENT:
            event: Event = _EVENT_DECODER.decode(body)
            return event
        if kind in (_MARK, _DECISION):
            (now_ns,) = _NOW.unpack_from(body)
            data = body[_NOW.size :]
            return Decided(now_ns, data or encode_decision(Decision(now_ns, [], [], [], [], None)))
        if kind == _HEADER:
            return msgspec.json.decode(body, type=Header)
        if kind == _BREAK:
            return msgspec.json.decode(body, type=Broke)
        if kind == _ENDING:
            return msgspec.json.decode(body, type=Ending)
    except (msgspec.DecodeError, struct.error) as error:
        raise JournalError(f"is not understood: {error}") from None
    raise JournalError(f"is of no known kind: {kind!r}")
