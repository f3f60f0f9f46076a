"""WebSocket as a client speaks it: the handshake's bytes, frames out, frames in (RFC 6455). No I/O.

Law: nothing is offered beyond the plain protocol, so a peer that uses an extension, a reserved bit, a
mask, or an opcode we do not know is wrong, and nothing it says counts any more. A message is never
larger than the cap, in however many frames it comes.
"""

import base64
import enum
import hashlib
from collections.abc import Iterator
from urllib.parse import SplitResult

from lighterman.domain.errors import TransportError
from lighterman.exchange.transport import FRAME_BYTES_MAX

HEAD_BYTES_MAX = 16 * 1024
CONTROL_BYTES_MAX = 125
KEY_BYTES, MASK_BYTES = 16, 4
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FIN = 0x80
WHOLE_TEXT = FIN | 0x1


class Opcode(enum.IntEnum):
    """What a frame is."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class CloseCode(enum.IntEnum):
    """Why a connection ends (RFC 6455, 7.4.1)."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    UNSUPPORTED = 1003
    ABNORMAL = 1006  # never sent: there was no goodbye
    TOO_BIG = 1009


class FrameFault(TransportError):  # noqa: N818  (what the peer did, and the code that we answer with)
    """What came is no message of ours; `code` is what the peer is told."""

    def __init__(self, code: CloseCode, what: str) -> None:
        super().__init__(f"{what} ({code.value})")
        self.code = code


# ── handshake ────────────────────────────────────────────────────────────────────────────────


def request(url: SplitResult, user_agent: str, key: bytes) -> bytes:
    """Return the request that asks for a WebSocket; `key` are sixteen random bytes."""
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = (
        f"GET {target} HTTP/1.1",
        f"Host: {url.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(key).decode()}",
        "Sec-WebSocket-Version: 13",
        f"User-Agent: {user_agent}",
        "",
        "",
    )
    return "\r\n".join(lines).encode("ascii")


def why_refused(head: bytes, key: bytes) -> str:
    """Return what in the head of a reply keeps it from being a WebSocket of ours; "" for nothing."""
    status, *lines = head.decode("latin-1").split("\r\n")
    words = status.split(" ", 2)
    if words[0] != "HTTP/1.1" or words[1:2] != ["101"]:
        return f"no WebSocket: {status[:80]!r}"
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    digest = hashlib.sha1(base64.b64encode(key) + GUID, usedforsecurity=False).digest()
    is_ours = fields.get("sec-websocket-accept") == base64.b64encode(digest).decode()
    is_upgraded = fields.get("upgrade", "").lower() == "websocket" and "upgrade" in fields.get("connection", "").lower()
    if not is_ours or not is_upgraded:
        return "no WebSocket: a handshake that answers another"
    extras = [name for name in ("sec-websocket-extensions", "sec-websocket-protocol") if name in fields]
    return f"{extras[0]} that was not asked for" if extras else ""


# ── frames out ───────────────────────────────────────────────────────────────────────────────


def encode(opcode: Opcode, payload: bytes, mask: bytes) -> bytes:
    """Return a whole message in one frame; `mask` are four random bytes."""
    size = len(payload)
    if size <= CONTROL_BYTES_MAX:
        head = bytes((FIN | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((FIN | opcode, 0x80 | 126, size >> 8, size & 0xFF))
    else:
        head = bytes((FIN | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    key = int.from_bytes((mask * (size // MASK_BYTES + 1))[:size], "little")
    return head + mask + (int.from_bytes(payload, "little") ^ key).to_bytes(size, "little")


def goodbye(code: CloseCode, mask: bytes) -> bytes:
    """Return the frame that ends a connection."""
    return encode(Opcode.CLOSE, code.to_bytes(2, "big"), mask)


# ── frames in ────────────────────────────────────────────────────────────────────────────────


class FrameReader:
    """Makes messages of bytes that come in any pieces. After a fault it is of no more use."""

    __slots__ = ("_message", "_need", "_rest", "_rest_opcode")

    def __init__(self) -> None:
        self._rest = bytearray()  # the beginning of a frame
        self._need = 0  # how long it has to become before there is anything to look at
        self._message: bytearray | None = None  # the beginning of a message in several frames
        self._rest_opcode = Opcode.TEXT

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """Yield the messages that end in `data`, control frames among them; raises FrameFault."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._need:
                return
            data = bytes(self._rest)
            self._rest.clear()
        at, end = 0, len(data)
        while at < end:
            start, size = _payload_of(data, at, end)
            stop = start + size
            if stop > end:
                self._rest += data[at:]
                self._need = stop - at
                return
            if data[at] == WHOLE_TEXT and self._message is None:
                yield Opcode.TEXT, data[start:stop]
            else:
                whole = self._join(data[at], data[start:stop])
                if whole is not None:
                    yield whole
            at = stop

    def _join(self, first: int, payload: bytes) -> tuple[Opcode, bytes] | None:
        """Take any other frame than a message that is whole in itself; return the message it ends, if it does."""
        is_last = bool(first & FIN)
        try:
            opcode = Opcode(first & ~FIN)
        except ValueError:
            raise FrameFault(CloseCode.PROTOCOL_ERROR, f"a frame that begins with {first:#04x}") from None
        if opcode >= Opcode.CLOSE:
            if not is_last or len(payload) > CONTROL_BYTES_MAX:
                raise FrameFault(CloseCode.PROTOCOL_ERROR, "a control frame in pieces, or too large")
            return opcode, payload
        if (opcode is Opcode.CONTINUATION) == (self._message is None):
            raise FrameFault(CloseCode.PROTOCOL_ERROR, "a message within another, or the end of none")
        if self._message is None:
            self._message, self._rest_opcode = bytearray(), opcode
        self._message += payload
        if len(self._message) > FRAME_BYTES_MAX:
            raise _too_big()
        if not is_last:
            return None
        whole, self._message = bytes(self._message), None
        return self._rest_opcode, whole


def _payload_of(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the payload of the frame at `at` begins, and its size.

    Where the head is not all there yet, its payload seems to begin behind the end.
    """
    if end - at < 2:
        return at + 2, 0
    size, start = data[at + 1], at + 2
    if size > CONTROL_BYTES_MAX:
        if size > 127:
            raise FrameFault(CloseCode.PROTOCOL_ERROR, "a masked frame")
        start += 2 if size == 126 else 8
        if start > end:
            return start, 0
        size = int.from_bytes(data[at + 2 : start], "big")
    if size > FRAME_BYTES_MAX:
        raise _too_big()
    return start, size


def _too_big() -> FrameFault:
    return FrameFault(CloseCode.TOO_BIG, f"a message above {FRAME_BYTES_MAX} bytes")
