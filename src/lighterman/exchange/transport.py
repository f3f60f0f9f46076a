"""What carries the bytes: two operations, so that sockets and memory are interchangeable.

Law: no text is understood here. A transport never follows redirects, never reads more than the
caps below, and says in its error whether something may have been sent.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from lighterman.domain.errors import TransportError

BODY_BYTES_MAX = 8 * 2**20  # after decompression: 398 kB of gzip can be 400 MB (protocol reference 13, 46)
FRAME_BYTES_MAX = 4 * 2**20  # protocol reference 3.1


class NotSent(TransportError):  # noqa: N818  (a statement: certainly nothing has left us)
    """No connection could be made, so nothing was sent: the outcome is known."""


class HttpReply(msgspec.Struct, frozen=True, gc=False):
    """What came back over HTTP."""

    status: int
    content_type: str
    body: bytes


class Stream(Protocol):
    """An open WebSocket."""

    def send(self, data: bytes) -> None:
        """Put a text frame behind those that wait to be sent; raises TransportError when it is closed."""
        ...

    def close(self) -> None:
        """End it; no callback comes any more."""
        ...


class Transport(Protocol):
    """The way to one venue."""

    async def open_stream(self, url: str, on_text: Callable[[bytes], None], on_close: Callable[[str], None]) -> Stream:
        """Open a WebSocket; raises TransportError.

        No callback comes before this has returned. `on_close` comes once, with a reason, unless
        we close it ourselves; a binary frame, or one above FRAME_BYTES_MAX, is such a reason.
        """
        ...

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        form: Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> HttpReply:
        """Ask over HTTP; raises NotSent, or TransportError when something may have been sent."""
        ...
