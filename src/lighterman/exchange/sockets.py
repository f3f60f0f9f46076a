"""The transport over real sockets: streams of our own, aiohttp for HTTP with all it does by itself switched off.

Law: certificates are always verified, redirects never followed, the environment's proxies never
used, nothing is decompressed and nothing grows beyond the caps. aiohttp's exceptions end here.
Streams are `websocket.py`, because aiohttp hands each message over by a queue and a task (decision 005).
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, urlsplit

import aiohappyeyeballs
import aiohttp

from lighterman.domain.errors import TransportError
from lighterman.exchange.transport import BODY_BYTES_MAX, HttpReply, NotSent, Stream
from lighterman.exchange.websocket import Entropy, WebSocket

CONNECT_TIMEOUT_S = 10.0
SECOND_ADDRESS_S = 0.25  # a host's next address is tried beside one that is silent for so long (RFC 8305)
CHUNK_BYTES = 64 * 1024


class SocketTransport:
    """One venue over HTTP and WebSocket; made and closed inside the running loop.

    `entropy(count)` returns unpredictable bytes, for masks. `unix_path` is connected to instead of the
    URLs' hosts.
    """

    def __init__(self, base_url: str, user_agent: str, entropy: Entropy, unix_path: str = "") -> None:
        self._base_url = base_url.rstrip("/")
        self._user_agent = user_agent
        self._entropy = entropy
        self._unix_path = unix_path
        self._tls: ssl.SSLContext | None = None
        self._streams: dict[WebSocket, None] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(unix_path) if unix_path else None,
            headers={"User-Agent": user_agent, "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        streams = list(self._streams)
        for stream in streams:
            stream.close()
        await asyncio.gather(*(stream.ended for stream in streams))
        await self._session.close()

    async def open_stream(self, url: str, on_text: Callable[[bytes], None], on_close: Callable[[str], None]) -> Stream:
        """Open a WebSocket (see `Transport`)."""
        parts = urlsplit(url)
        stream = WebSocket(parts, self._user_agent, self._entropy, on_text, on_close)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._connect(parts, stream)
                await stream.opened
        except (OSError, TimeoutError, TransportError) as error:
            stream.abort()
            raise NotSent(f"{url}: {_words(error)}") from None
        except asyncio.CancelledError:
            stream.abort()
            raise
        self._streams[stream] = None
        stream.ended.add_done_callback(lambda _: self._streams.pop(stream))
        stream.begin()
        return stream

    async def _connect(self, url: SplitResult, stream: WebSocket) -> None:
        loop, host = asyncio.get_running_loop(), url.hostname or ""
        if self._unix_path:
            await loop.create_unix_connection(lambda: stream, self._unix_path)
            return
        is_secure = url.scheme == "wss"
        addresses = await loop.getaddrinfo(host, url.port or (443 if is_secure else 80), type=socket.SOCK_STREAM)
        connected = await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=SECOND_ADDRESS_S)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = self._context() if is_secure else None
        await loop.create_connection(lambda: stream, sock=connected, ssl=tls, server_hostname=host if tls else None)

    def _context(self) -> ssl.SSLContext:
        """Return what verifies certificates; made once, because that takes 20 ms."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

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


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
