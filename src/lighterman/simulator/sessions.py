"""One connection of the stream as data: what it listens to, what it has still to be sent.

No I/O: whoever hosts it takes the frames with `take`, sends them in order, and closes the
connection when `closing` is set. A client that does not read is cut off before it fills memory.
"""

import msgspec

from lighterman.simulator.channels import Channel
from lighterman.simulator.limits import Window

OUTBOX_BYTES_MAX = 8 * 2**20
SLOW_READER = 1008


class Close(msgspec.Struct, frozen=True, gc=False):
    """Why the server ends a connection (RFC 6455 codes)."""

    code: int
    reason: str


class Subscription(msgspec.Struct, frozen=True, gc=False):
    """What a connection listens to; a private channel ends when its token does."""

    channel: Channel
    deadline_us: int | None


class Session:
    """One connection."""

    __slots__ = (
        "_outbox",
        "_outbox_bytes",
        "_ready",
        "closing",
        "ip",
        "is_read_only",
        "last_heard_us",
        "last_pinged_us",
        "messages",
        "session_id",
        "subscriptions",
        "unsent_replies",
    )

    def __init__(
        self, session_id: str, ip: str, *, is_read_only: bool, now_us: int, ready: dict["Session", None]
    ) -> None:
        self.session_id = session_id
        self.ip = ip
        self.is_read_only = is_read_only
        self.subscriptions: dict[str, Subscription] = {}
        self.last_heard_us = now_us
        self.last_pinged_us = now_us
        self.messages = Window()
        self.closing: Close | None = None
        self.unsent_replies = 0
        self._outbox: list[bytes] = []
        self._outbox_bytes = 0
        self._ready = ready

    def __repr__(self) -> str:
        return f"<Session {self.session_id} {self.ip} {list(self.subscriptions)}>"

    def push(self, frame: bytes) -> None:
        """Put a frame behind those that wait to be sent."""
        if self.closing is not None:
            return
        self._outbox.append(frame)
        self._outbox_bytes += len(frame)
        self._ready[self] = None
        if self._outbox_bytes > OUTBOX_BYTES_MAX:
            self.close(SLOW_READER, "slow reader")

    def reply(self, frame: bytes) -> None:
        """Put the answer to a message of this client behind the frames that wait."""
        self.unsent_replies += 1
        self.push(frame)

    def close(self, code: int, reason: str) -> None:
        """End the connection; what waits is dropped when the client was too slow to read it."""
        if self.closing is None:
            self.closing = Close(code, reason)
            self._ready[self] = None
        if code == SLOW_READER:
            self._outbox.clear()
            self._outbox_bytes = 0

    def take(self) -> list[bytes]:
        """Return the frames to send now, in order."""
        taken, self._outbox = self._outbox, []
        self._outbox_bytes = 0
        self.unsent_replies = 0
        return taken

    def accounts(self) -> set[int]:
        """Return the accounts this connection listens to."""
        subscriptions = self.subscriptions.values()
        return {each.channel.account for each in subscriptions if each.channel.account is not None}
