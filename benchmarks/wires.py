"""The server's side of HTTP/1.1 and WebSocket on plain sockets: as little as a benchmark's exchange needs.

One thread and one epoll (Linux), so that the moment of a read is known: `at_ns` of what arrives is taken
right after the bytes have left the kernel, before they are looked at. A bot often runs on the processor on
which it was woken, so what stands between a send and the next wait, and between the end of that and the read,
is counted as the bot's: it is kept as short as it can be. No TLS, no compression, no fragments: none of the
bots uses any of them here.
"""

import base64
import hashlib
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Protocol

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
SEND_TIMEOUT = struct.pack("@ll", 5, 0)  # seconds and microseconds, kept by the kernel: it asks nobody before
CHUNK_BYTES = 1 << 16


class Handler(Protocol):
    """Who answers on a port."""

    def request(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Return status and body."""
        ...

    def opened(self, connection: "Connection") -> None:
        """Take note of a WebSocket."""
        ...

    def said(self, connection: "Connection", text: bytes, at_ns: int) -> None:
        """Take a text that was read at `at_ns`."""
        ...

    def ponged(self, at_ns: int) -> None:
        """Take the answer to a ping."""
        ...

    def gone(self, connection: "Connection") -> None:
        """Take note that a WebSocket is closed."""
        ...


class Connection:
    """One accepted connection: HTTP until it is upgraded."""

    def __init__(self, sock: socket.socket, handler: Handler) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, SEND_TIMEOUT)
        self.socket = sock
        self.handler = handler
        self.is_stream = False
        self._buffer = b""
        self._is_closed = False

    def read(self) -> bool:
        """Take what has come, and say whether the connection is still open."""
        try:
            data = self.socket.recv(CHUNK_BYTES)
        except OSError:
            data = b""
        at_ns = time.perf_counter_ns()
        if not data:
            return False
        self._buffer += data
        while self._take_frame(at_ns) if self.is_stream else self._take_request():
            pass
        return not self._is_closed

    def send(self, text: bytes) -> None:
        """Send a text frame; somebody who has gone away is noticed when his socket is read."""
        self.write(frame(text))

    def ping(self) -> None:
        """Ask for a pong."""
        self.write(bytes((0x80 | PING, 0)))

    def write(self, data: bytes) -> None:
        """Send bytes."""
        try:  # noqa: SIM105  (which would stand in the measured time)
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _take_request(self) -> bool:
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return False
        method, target, _ = first.split(" ")
        self._buffer = rest[length:]
        if headers.get("upgrade", "").lower() == "websocket":
            self._upgrade(headers["sec-websocket-key"])
        else:
            status, body = self.handler.request(method, target, headers, rest[:length])
            self.write(
                f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
        return True

    def _upgrade(self, key: str) -> None:
        accept = base64.b64encode(hashlib.sha1(key.encode() + MAGIC).digest()).decode()  # noqa: S324  (RFC 6455 says so)
        self.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        self.is_stream = True
        self.handler.opened(self)

    def _take_frame(self, at_ns: int) -> bool:
        data = self._buffer
        if len(data) < 6:
            return False
        length, at = data[1] & 0x7F, 2
        if length == 126:
            length, at = int.from_bytes(data[2:4]), 4
        elif length == 127:
            length, at = int.from_bytes(data[2:10]), 10
        end = at + 4 + length
        if len(data) < end:
            return False
        self._buffer = data[end:]
        payload, operation = unmasked(data[at : at + 4], data[at + 4 : end]), data[0] & 0x0F
        if operation == PING:
            self.write(bytes((0x80 | PONG, len(payload))) + payload)
        elif operation == CLOSE:  # who serves says goodbye last and ends the connection
            self.write(bytes((0x80 | CLOSE, len(payload))) + payload)
            self._is_closed = True
        elif operation == PONG:
            self.handler.ponged(at_ns)
        else:
            self.handler.said(self, payload, at_ns)
        return True


class Reactor:
    """All ports and connections of one thread."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._listeners: dict[int, tuple[socket.socket, Handler]] = {}
        self._connections: dict[int, Connection] = {}

    def listen(self, handler: Handler) -> int:
        """Answer on a free port of this machine; returns it."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._listeners[listener.fileno()] = (listener, handler)
        self._epoll.register(listener, select.EPOLLIN)
        return int(listener.getsockname()[1])

    def turn(self, timeout_s: float) -> None:
        """Wait for something to come, no longer than given, and answer it."""
        for number, _ in self._epoll.poll(timeout_s):
            connection = self._connections.get(number)
            if connection is None:
                self._accept(*self._listeners[number])
            elif not connection.read():
                self._drop(number)

    def until(self, done: Callable[[], bool], patience_s: float, idle: Callable[[], None]) -> bool:
        """Take turns until something is so, or patience ends; tell which. `idle` runs between turns."""
        end_ns = time.perf_counter_ns() + int(patience_s * 1e9)
        while not done():
            left_s = (end_ns - time.perf_counter_ns()) / 1e9
            if left_s <= 0:
                return False
            self.turn(min(left_s, 0.02))
            idle()
        return True

    def close(self) -> None:
        """Close everything."""
        for number in tuple(self._connections):
            self._drop(number)
        for listener, _ in self._listeners.values():
            listener.close()
        self._epoll.close()

    def _accept(self, listener: socket.socket, handler: Handler) -> None:
        sock, _ = listener.accept()
        self._connections[sock.fileno()] = Connection(sock, handler)
        self._epoll.register(sock, select.EPOLLIN)

    def _drop(self, number: int) -> None:
        connection = self._connections.pop(number)
        self._epoll.unregister(number)
        connection.socket.close()
        if connection.is_stream:
            connection.handler.gone(connection)


def frame(text: bytes) -> bytes:
    """Return a server's text frame."""
    length = len(text)
    if length < 126:
        head = bytes((0x80 | TEXT, length))
    elif length < 1 << 16:
        head = bytes((0x80 | TEXT, 126)) + length.to_bytes(2)
    else:
        head = bytes((0x80 | TEXT, 127)) + length.to_bytes(8)
    return head + text


def unmasked(mask: bytes, payload: bytes) -> bytes:
    """Return what a client meant."""
    length = len(payload)
    key = int.from_bytes((mask * (length // 4 + 1))[:length])
    return (int.from_bytes(payload) ^ key).to_bytes(length)
