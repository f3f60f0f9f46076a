"""The transport over real sockets: aiohttp, with everything it does by itself switched off.

Law: certificates are always verified, redirects never followed, the environment's proxies never
used, nothing is decompressed and nothing grows beyond the caps. aiohttp's exceptions end here.
"""

import asyncio
from collections.abc import Callable, Mapping

import aiohttp

from lighterman.domain.errors import TransportError
from lighterman.exchange.transport import BODY_BYTES_MAX, FRAME_BYTES_MAX, HttpReply, NotSent, Stream

CONNECT_TIMEOUT_S = 10.0
RFC_PING_S = 30.0  # beside the protocol's own pings (protocol reference 3.1)
CLOSE_TIMEOUT_S = 1.0
OUTBOX_FRAMES_MAX = 1_000
CHUNK_BYTES = 64 * 1024


class SocketTransport:
    """One venue over HTTP and WebSocket; made and closed inside the running loop.

    `connector` is another way to connect than TCP, and is closed with the rest.
    """

    def __init__(self, base_url: str, user_agent: str, connector: aiohttp.BaseConnector | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={"User-Agent": user_agent, "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        self._goodbyes: dict[asyncio.Task[None], None] = {}  # of streams that are being closed

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*self._goodbyes)
        await self._session.close()

    async def open_stream(self, url: str, on_text: Callable[[bytes], None], on_close: Callable[[str], None]) -> Stream:
        """Open a WebSocket (see `Transport`)."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                socket = await self._session.ws_connect(
                    url,
                    max_msg_size=FRAME_BYTES_MAX,
                    heartbeat=RFC_PING_S,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                    decode_text=False,
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NotSent(f"{url}: {_words(error)}") from None
        return _SocketStream(socket, on_text, on_close, self._goodbyes)

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        form: Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> HttpReply:
        """Ask over HTTP (see `Transport`)."""
        try:
            async with self._session.request(
                method, self._base_url + path, params=query, data=form, headers=headers, allow_redirects=False
            ) as response:
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    raise TransportError(f"{method} {path}: a compressed reply that was not asked for")
                body = bytearray()
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    body += chunk
                    if len(body) > BODY_BYTES_MAX:
                        raise TransportError(f"{method} {path}: reply above {BODY_BYTES_MAX} bytes")
                return HttpReply(response.status, response.content_type, bytes(body))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(f"{method} {path}: {_words(error)}") from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise TransportError(f"{method} {path}: {_words(error)}") from None


class _SocketStream:
    """One WebSocket: a task that reads, a task that writes in order."""

    def __init__(
        self,
        socket: "aiohttp.ClientWebSocketResponse[bool]",
        on_text: Callable[[bytes], None],
        on_close: Callable[[str], None],
        goodbyes: dict[asyncio.Task[None], None],
    ) -> None:
        self._socket = socket
        self._on_text = on_text
        self._on_close = on_close
        self._goodbyes = goodbyes
        self._is_closed = False
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue(OUTBOX_FRAMES_MAX)
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]

    def send(self, data: bytes) -> None:
        """Put a text frame behind those that wait."""
        if self._is_closed:
            raise TransportError("the stream is closed")
        try:
            self._outbox.put_nowait(data)
        except asyncio.QueueFull:
            raise TransportError(f"{OUTBOX_FRAMES_MAX} frames wait to be sent") from None

    def close(self) -> None:
        """End it, politely but without waiting."""
        if not self._is_closed:
            self._is_closed = True
            goodbye = asyncio.create_task(self._say_goodbye())
            self._goodbyes[goodbye] = None
            goodbye.add_done_callback(self._goodbyes.pop)

    async def _read(self) -> None:
        reason = "closed by the venue"
        async for message in self._socket:
            if self._is_closed:
                return
            if message.type is aiohttp.WSMsgType.TEXT:
                self._on_text(message.data)
            elif message.type is aiohttp.WSMsgType.ERROR:
                reason = _words(message.data)
                break
            else:
                reason = "a binary frame, which this protocol does not have"
                break
        self._end(f"{reason} ({self._socket.close_code})")

    async def _write(self) -> None:
        while True:
            data = await self._outbox.get()
            try:
                await self._socket.send_frame(data, aiohttp.WSMsgType.TEXT)
            except (aiohttp.ClientError, OSError) as error:
                self._end(_words(error))
                return

    def _end(self, reason: str) -> None:
        if not self._is_closed:
            self.close()
            self._on_close(reason)

    async def _say_goodbye(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._socket.close()


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
