"""One WebSocket connection: what the socket reads goes to `on_text`, what is sent goes to the socket.

Law: no task and no queue stands between them. `send` writes within the call, and a message is
handed over within the callback that read its last byte, in order. It ends once, with one reason;
after `close` nothing is handed over any more. A peer that leaves, breaks the protocol or shows no
sign of life is told goodbye where that is possible, and is left in any case.
"""

import asyncio
from collections.abc import Callable
from typing import cast
from urllib.parse import SplitResult

from lighterman.domain.errors import TransportError
from lighterman.exchange import frames
from lighterman.exchange.frames import CloseCode, FrameFault, FrameReader, Opcode

PING_S = 30.0  # beside the protocol's own pings (protocol reference 3.1); so long a silence ends it, too
CLOSE_TIMEOUT_S = 1.0
OUTBOX_BYTES_MAX = 1024 * 1024

Entropy = Callable[[int], bytes]


class WebSocket(asyncio.Protocol):
    """A `Stream`: give it to the loop as a protocol, await `opened`, then call `begin`."""

    def __init__(
        self,
        url: SplitResult,
        user_agent: str,
        entropy: Entropy,
        on_text: Callable[[bytes], None],
        on_close: Callable[[str], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._entropy = entropy
        self._on_text = on_text
        self._on_close = on_close
        self._key = entropy(frames.KEY_BYTES)
        self._request = frames.request(url, user_agent, self._key)
        self._transport: asyncio.Transport | None = None
        self._reader = FrameReader()
        self._early: bytearray | None = bytearray()  # what came before `begin`: the handshake, and frames behind it
        self._early_end = ""  # why it ended before that
        self._is_over = False  # nothing is handed over and nothing sent any more
        self._is_full = False  # too much waits to be sent
        self._is_alive = True  # something came since the last ping
        self._timer: asyncio.TimerHandle | None = None  # of the next ping, or of the end of the goodbye

    # -- the stream --------------------------------------------------------------------------

    def begin(self) -> None:
        """Hand over what comes, when the caller has come to its next wait."""
        self._loop.call_soon(self._begin)

    def send(self, data: bytes) -> None:
        """Send a text frame; see `Stream`."""
        if self._is_over or self._transport is None:
            raise TransportError("the stream is closed")
        if self._is_full:
            raise TransportError(f"{OUTBOX_BYTES_MAX} bytes wait to be sent")
        self._transport.write(frames.encode(Opcode.TEXT, data, self._entropy(frames.MASK_BYTES)))

    def close(self) -> None:
        """End it, politely but without waiting; see `Stream`."""
        if not self._is_over:
            self._say_goodbye(CloseCode.NORMAL)

    # -- what the socket tells ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        self._transport = opened = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        opened.set_write_buffer_limits(high=OUTBOX_BYTES_MAX)
        opened.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Hand over the messages that end in these bytes."""
        self._is_alive = True
        if self._early is None:
            self._read(data)
            return
        self._early += data
        if not self.opened.done():
            self._shake_hands(self._early)

    def eof_received(self) -> None:
        """Close our side too: there is no half of a WebSocket."""

    def pause_writing(self) -> None:
        """Take nothing more to send."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Take more to send."""
        self._is_full = False

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is closed, by whomever."""
        self._stop_timer()
        reason = f"the connection ended without a goodbye: {error or 'closed'} ({CloseCode.ABNORMAL.value})"
        self.ended.set_result(None)
        if not self.opened.done():
            self._is_over = True
            self.opened.set_exception(TransportError(reason))
        elif self._early is None:
            self._tell_end(reason)
        else:
            self._early_end = reason

    # -- inside ------------------------------------------------------------------------------

    def _shake_hands(self, early: bytearray) -> None:
        """See whether the reply to our request is all there, and whether it is a WebSocket."""
        end = early.find(b"\r\n\r\n")
        if end < 0 and len(early) <= frames.HEAD_BYTES_MAX:
            return
        reason = frames.why_refused(bytes(early[: max(end, 0)]), self._key)
        if reason:
            self.opened.set_exception(TransportError(reason))
            self.abort()
            return
        del early[: end + 4]
        self.opened.set_result(None)

    def _begin(self) -> None:
        early, self._early = self._early, None
        self._read(bytes(early or b""))
        if self._early_end:
            self._tell_end(self._early_end)
        if not self._is_over:
            self._timer = self._loop.call_later(PING_S, self._beat)

    def _read(self, data: bytes) -> None:
        try:
            for opcode, payload in self._reader.feed(data):
                if self._is_over:
                    return
                if opcode is Opcode.TEXT:
                    self._on_text(payload)
                else:
                    self._take_control(opcode, payload)
        except FrameFault as fault:
            self._end(fault.code, str(fault))

    def _take_control(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.PING and self._transport is not None:
            self._transport.write(frames.encode(Opcode.PONG, payload, self._entropy(frames.MASK_BYTES)))
        elif opcode is Opcode.CLOSE:
            said = f"{int.from_bytes(payload[:2], 'big')} {payload[2:].decode(errors='replace')}".strip()
            self._end(CloseCode.NORMAL, f"closed by the venue ({said if payload else 'no code'})")
        elif opcode is Opcode.BINARY:
            raise FrameFault(CloseCode.UNSUPPORTED, "a binary frame, which this protocol does not have")

    def _beat(self) -> None:
        """Ask for a sign of life, or find that there was none since the last time."""
        if self._transport is None or self._is_over:
            return
        if not self._is_alive:
            self._tell_end(f"nothing heard for {PING_S:g} s after a ping ({CloseCode.ABNORMAL.value})")
            self.abort()
            return
        self._is_alive = False
        self._transport.write(frames.encode(Opcode.PING, b"", self._entropy(frames.MASK_BYTES)))
        self._timer = self._loop.call_later(PING_S, self._beat)

    def _end(self, code: CloseCode, reason: str) -> None:
        """Leave a peer that has left or is wrong."""
        if not self._is_over:
            self._say_goodbye(code)
            if self._transport is not None:
                self._transport.close()
            self._on_close(reason)

    def _say_goodbye(self, code: CloseCode) -> None:
        """Say that it is over, and wait for the peer to close, but not for long."""
        self._is_over = True
        self._stop_timer()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frames.goodbye(code, self._entropy(frames.MASK_BYTES)))
            self._timer = self._loop.call_later(CLOSE_TIMEOUT_S, self.abort)

    def _tell_end(self, reason: str) -> None:
        if not self._is_over:
            self._is_over = True
            self._on_close(reason)

    def abort(self) -> None:
        """End it now, whatever waits, without a word to anybody."""
        self._is_over = True
        if self._transport is not None:
            self._transport.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
