"""The wire tier: streams of bytes in memory, below the unmodified client and server.

Law: what runs above is the real thing. Our streams and aiohttp ask the loop for Unix sockets, and
`WireLoop` gives them the two ends of a `Connection`; nothing is patched. An end does what asyncio's transport on a
socket does, and a `Direction` what the kernels and the network between two ends do: bytes arrive
late, in pieces, after a while or never, but those that arrive do so in order and once. Nothing
is duplicated here, since TCP does not: a frame that comes twice was sent twice.

Every end belongs to the process that opened it, and every call of its protocol is a step of that
process. What was given to the network arrives though its sender has died meanwhile; what a dead
process still had in its own buffer does not, and its kernel ends its connections.
"""

import asyncio
import contextvars
import enum
import errno
import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from aiohttp import web
from msgspec.structs import replace

from lighterman.chance import seeded
from lighterman.domain.chance import Rng
from lighterman.simulation.virtual import Node, VirtualLoop, here, outside
from lighterman.simulator.server import CLOSE_S_MAX, STREAM_PATH, Server

HOST = "127.0.0.1"  # every process is on this machine: the local exchange opens accounts for nobody else
CONNECT_S_MAX = 127.0  # how long a system goes on asking for a connection when nobody answers
WRITE_BUFFER_BYTES = 64 * 1024  # asyncio's own: above it a writer is asked to pause

_STREAM_REQUEST = f"GET {STREAM_PATH}".encode()

Factory = Callable[[], asyncio.Protocol]


class Line(msgspec.Struct, kw_only=True):
    """How one direction carries bytes; may be changed while it does."""

    latency_s: float = 0.002
    jitter_s: float = 0.0  # up to so much more, drawn for every piece
    bytes_per_s: float = math.inf
    piece_bytes_max: int = 0  # 0: as written; 1: byte by byte; else in pieces of drawn sizes up to this
    window_bytes: int = 256 * 1024  # what may be on the way or unread; the rest waits in the sender


class _Mark(enum.Enum):
    END = "no more bytes will come"
    RESET = "the connection is no more"


class Direction:
    """The bytes on their way from one end of a connection to the other, and what may happen to them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, line: Line, rng: Rng, reset: Callable[[], None]) -> None:
        self.line = line
        self.sender: _End
        self.receiver: _End
        self.is_stream = False  # a WebSocket was asked for
        self._loop = loop
        self._rng = rng
        self._reset_both = reset
        self._queue: deque[tuple[float, bytes | _Mark]] = deque()  # when it is due, and what
        self._timer: asyncio.TimerHandle | None = None
        self._free_s = 0.0  # when the line has taken in all that it was given
        self._due_s = 0.0  # when the last of it arrives
        self._stalled_until_s = 0.0
        self._unread_bytes = 0
        self._bytes_to_reset = math.inf
        self._is_cut = False
        self._is_ended = False

    # -- what a fault does to it -------------------------------------------------------------

    def stall(self, seconds: float) -> None:
        """Let nothing arrive for a while; then everything comes at once."""
        self._stalled_until_s = self._now_s() + seconds
        self._arm()

    def cut(self) -> None:
        """Half-open: let nothing arrive any more, for ever and without an error; the sender is not told."""
        self._is_cut = True
        self._queue.clear()
        self._arm()

    def end(self) -> None:
        """Half-close: the receiver is told that nothing more will come, and nothing more comes."""
        self.put(_Mark.END)

    def reset_after(self, count_bytes: int) -> None:
        """Let so many bytes arrive yet; before the next one both ends are told that the connection is no more."""
        self._bytes_to_reset = count_bytes

    def reset(self) -> None:
        """Tell the receiver at once that the connection is no more; what was on the way is lost."""
        self.cut()
        self._stalled_until_s = 0.0
        self._queue.append((self._now_s(), _Mark.RESET))
        self._arm()

    # -- what its ends do to it --------------------------------------------------------------

    def room_bytes(self) -> int:
        """Return how much more it takes until some of it has been read."""
        return self.line.window_bytes - self._unread_bytes

    def send(self, data: bytes) -> None:
        """Carry bytes to the other end."""
        self.is_stream = self.is_stream or data.startswith(_STREAM_REQUEST)
        self._unread_bytes += len(data)
        for piece in self._pieces(data):
            self.put(piece)

    def put(self, item: bytes | _Mark) -> None:
        """Carry one piece, or a mark behind all pieces."""
        if self._is_cut or (self._is_ended and item is not _Mark.RESET):
            return
        line = self.line
        size = len(item) if isinstance(item, bytes) else 0
        self._free_s = max(self._free_s, self._now_s()) + size / line.bytes_per_s
        late_s = self._rng.uniform(0.0, line.jitter_s) if line.jitter_s else 0.0
        self._due_s = max(self._due_s, self._free_s + line.latency_s + late_s)
        self._queue.append((self._due_s, item))
        self._is_ended = not isinstance(item, bytes)
        if self._timer is None:
            self._arm()

    def was_read(self, count_bytes: int) -> None:
        """Take note that the process at the far end has read so much: the sender hears of it a little later."""
        self._unread_bytes -= count_bytes
        if self.sender.get_write_buffer_size():
            outside(self.line.latency_s, self.sender.go_on)

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        longest = self.line.piece_bytes_max or len(data)
        start = 0
        while start < len(data):
            size = self._rng.randrange(1, longest + 1) if 1 < longest < len(data) else longest
            yield data[start : start + size]
            start += size

    def _arm(self) -> None:
        """Set the timer for what is due next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._queue:
            due_s = max(self._queue[0][0], self._stalled_until_s)
            self._timer = outside(due_s - self._now_s(), self._carry)

    def _carry(self) -> None:
        """Hand over what is due; the first of it is, since the timer was set for it."""
        self._deliver(self._queue.popleft()[1])
        while self._queue and self._queue[0][0] <= self._now_s():
            self._deliver(self._queue.popleft()[1])
        self._arm()

    def _deliver(self, item: bytes | _Mark) -> None:
        if isinstance(item, bytes):
            if len(item) > self._bytes_to_reset:
                if self._bytes_to_reset:
                    self.receiver.arrive(item[: int(self._bytes_to_reset)])
                self._reset_both()
                return
            self._bytes_to_reset -= len(item)
        self.receiver.arrive(item)

    def _now_s(self) -> float:
        return self._loop.time()  # house-ok: a wire has no clock but that of its loop


class Connection:
    """Two ends and what lies between them: `up` carries what the client sends, `down` what it hears."""

    def __init__(self, wire: "Wire", loop: asyncio.AbstractEventLoop, number: int, port: "_Port") -> None:
        self.number = number
        up_rng, down_rng = seeded(wire.seed, f"wire/{number}/up"), seeded(wire.seed, f"wire/{number}/down")
        self.up = Direction(loop, replace(wire.line), up_rng, self.reset)
        self.down = Direction(loop, replace(wire.line), down_rng, self.reset)
        client_name, server_name = (HOST, 10_000 + number), (HOST, 80)
        self.client = _End(loop, contextvars.copy_context(), here(), self.up, self.down, client_name, server_name)
        self.server = _End(loop, port.context, port.node, self.down, self.up, server_name, client_name)

    @property
    def is_stream(self) -> bool:
        """Tell whether it carries a WebSocket, and not one request after the other."""
        return self.up.is_stream

    @property
    def is_over(self) -> bool:
        """Tell whether both ends have done with it."""
        return self.client.is_deaf and self.server.is_deaf

    def reset(self) -> None:
        """Tell both ends at once that the connection is no more."""
        self.up.reset()
        self.down.reset()

    def cut(self) -> None:
        """Half-open both ways: no byte arrives any more, and neither end is told."""
        self.up.cut()
        self.down.cut()


class _End(asyncio.Transport):
    """One end of a connection: asyncio's transport on a socket, and the kernel's part of that socket."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context,
        node: Node | None,
        outbound: Direction,
        inbound: Direction,
        name: tuple[str, int],
        peer_name: tuple[str, int],
    ) -> None:
        super().__init__({"sockname": name, "peername": peer_name})
        self.node = node
        self.is_deaf = False  # closed, or its process is dead: the kernel answers for it
        outbound.sender = inbound.receiver = self
        self._loop = loop
        self._context = context
        self._out, self._in = outbound, inbound
        self._protocol: asyncio.Protocol | None = None
        self._inbox: deque[bytes | _Mark] = deque()
        self._unsent = bytearray()
        self._high_bytes, self._low_bytes = WRITE_BUFFER_BYTES, WRITE_BUFFER_BYTES // 4
        self._is_reading = self._is_woken = self._is_choked = False
        self._is_closing = self._is_ending = self._is_reset = False

    # -- the kernel's part -------------------------------------------------------------------

    def arrive(self, item: bytes | _Mark) -> None:
        """Keep what has come until the process reads it; bytes for nobody are answered with a reset."""
        if not self.is_deaf:
            self._inbox.append(item)
            self._wake()
            if item is _Mark.RESET:
                self._is_reset = True
                self.go_on()
        elif isinstance(item, bytes):
            self._out.put(_Mark.RESET)

    def hang_up(self) -> None:
        """Say goodbye for a process that closed it or died: with a reset if it had not read everything."""
        is_unread = any(isinstance(item, bytes) for item in self._inbox)
        self.is_deaf = True
        self._inbox.clear()
        self._out.put(_Mark.RESET if is_unread else _Mark.END)

    def go_on(self) -> None:
        """Have the process look again at what waits to be sent."""
        self._call(self._push)

    # -- the process's part ------------------------------------------------------------------

    def open(self, factory: Factory) -> asyncio.Protocol:
        """Give it the protocol of its process."""
        self._protocol = protocol = factory()
        protocol.connection_made(self)
        self.resume_reading()
        return protocol

    def accept(self, factory: Factory) -> None:
        """Have its process open it."""
        self._call(self.open, factory)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes, now or when there is room."""
        if self._is_ending:
            raise RuntimeError("write after write_eof")
        if self._is_closing:
            return
        self._unsent += data
        self._push()
        if len(self._unsent) > self._high_bytes and not self._is_choked:
            self._is_choked = True
            self._speaker().pause_writing()

    def write_eof(self) -> None:
        """Say that no more bytes will come, behind those that wait."""
        self._is_ending = True
        self._push()

    def can_write_eof(self) -> bool:
        """Tell that one direction can be closed alone."""
        return True

    def close(self) -> None:
        """Read nothing more, and end it when what waits has been sent."""
        if not self._is_closing:
            self._is_closing = True
            self._is_reading = False
            self._push()

    def abort(self) -> None:
        """End it; what waits is thrown away."""
        self._unsent.clear()
        self._lose(None)

    def is_closing(self) -> bool:
        """Tell whether it has been closed, or lost."""
        return self._is_closing

    def is_reading(self) -> bool:
        """Tell whether its protocol takes bytes."""
        return self._is_reading

    def pause_reading(self) -> None:
        """Leave in the kernel what comes."""
        self._is_reading = False

    def resume_reading(self) -> None:
        """Take what has come and what comes."""
        self._is_reading = not self._is_closing
        self._wake()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return who is called."""
        return self._speaker()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Call another protocol from now on."""
        if not isinstance(protocol, asyncio.Protocol):
            raise NotImplementedError("only streams of bytes")
        self._protocol = protocol

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait in the process."""
        return len(self._unsent)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return at how many waiting bytes the writer goes on, and pauses."""
        return self._low_bytes, self._high_bytes

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set at how many waiting bytes the writer pauses, and goes on."""
        self._high_bytes = (WRITE_BUFFER_BYTES if low is None else 4 * low) if high is None else high
        self._low_bytes = self._high_bytes // 4 if low is None else low

    def _wake(self) -> None:
        if self._is_reading and self._inbox and not self._is_woken:
            self._is_woken = True
            self._call(self._read)

    def _read(self) -> None:
        """Take one piece: a step of the process for each."""
        self._is_woken = False
        if not self._is_reading or not self._inbox:
            return
        item = self._inbox.popleft()
        try:
            if isinstance(item, bytes):
                self._in.was_read(len(item))
                self._speaker().data_received(item)
            elif item is _Mark.RESET:
                self._lose(_reset_error())
            elif not self._speaker().eof_received():
                self.close()
        finally:
            self._wake()

    def _push(self) -> None:
        """Give the network what it has room for, and do what was to be done after that."""
        if self.is_deaf:
            return
        if self._is_reset and self._unsent:
            self._lose(_reset_error())
            return
        room = self._out.room_bytes()
        if self._unsent and room > 0:
            self._out.send(bytes(self._unsent[:room]))
            del self._unsent[:room]
        if not self._unsent and self._is_closing:
            self._lose(None)
        elif not self._unsent and self._is_ending:
            self._out.put(_Mark.END)
        if self._is_choked and len(self._unsent) <= self._low_bytes:
            self._is_choked = False
            self._speaker().resume_writing()

    def _lose(self, error: Exception | None) -> None:
        if not self.is_deaf:
            self.hang_up()
            self._is_closing = True
            self._is_reading = False
            if self._protocol is not None:
                self._call(self._protocol.connection_lost, error)

    def _speaker(self) -> asyncio.Protocol:
        if self._protocol is None:
            raise RuntimeError("not open yet")
        return self._protocol

    def _call(self, callback: Callable[..., object], *args: object) -> None:
        """Have the process do a step."""
        self._loop.call_soon(callback, *args, context=self._context)


class _Port:
    """Where a process listens; what aiohttp asks of an asyncio server."""

    sockets = ()

    def __init__(self, factory: Factory) -> None:
        self.factory = factory
        self.context = contextvars.copy_context()
        self.node = here()
        self._is_closed = False

    @property
    def is_open(self) -> bool:
        """Tell whether its process listens; one that is paused does, and answers later."""
        return not self._is_closed and (self.node is None or self.node.is_alive)

    def close(self) -> None:
        """Listen no more; what is connected stays so."""
        self._is_closed = True


class Wire:
    """All connections of a world; `line` is what new ones begin with, and the rest is for faults."""

    def __init__(self, seed: int, line: Line | None = None) -> None:
        self.seed = seed
        self.line = line or Line()
        self.is_refusing = False  # who connects is turned away
        self.is_silent = False  # who connects gets no answer
        self._connections: list[Connection] = []
        self._number = 0
        self._ports: dict[str, _Port] = {}
        self._watched: dict[Node, None] = {}

    @property
    def connections(self) -> list[Connection]:
        """Return what is connected, in the order in which it was."""
        self._connections = [connection for connection in self._connections if not connection.is_over]
        return self._connections

    def listen(self, factory: Factory, address: str) -> _Port:
        """Let the present process have an address; raises OSError when another has it."""
        known = self._ports.get(address)
        if known is not None and known.is_open:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        self._ports[address] = port = _Port(factory)
        return port

    async def connect(self, factory: Factory, address: str) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """Connect the present process to an address; raises OSError."""
        if self.is_silent:
            await asyncio.sleep(CONNECT_S_MAX)
            raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")
        await asyncio.sleep(self.line.latency_s)
        port = self._ports.get(address)
        if self.is_refusing or port is None or not port.is_open:
            await asyncio.sleep(self.line.latency_s)
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        end = self._join(port)
        try:
            await asyncio.sleep(self.line.latency_s)
        except asyncio.CancelledError:
            end.abort()
            raise
        return end, end.open(factory)

    def _join(self, port: _Port) -> _End:
        self._number += 1
        connection = Connection(self, asyncio.get_running_loop(), self._number, port)
        self.connections.append(connection)
        self._watch(connection.client.node)
        self._watch(connection.server.node)
        connection.server.accept(port.factory)
        return connection.client

    def _watch(self, node: Node | None) -> None:
        """Hear of the death of a process, beside whoever does already."""
        if node is None or node in self._watched:
            return
        self._watched[node] = None
        others = node.on_killed

        def on_killed() -> None:
            others()
            self._hang_up(node)

        node.on_killed = on_killed

    def _hang_up(self, node: Node) -> None:
        for connection in self.connections:
            for end in (connection.client, connection.server):
                if end.node is node and not end.is_deaf:
                    end.hang_up()


class WireLoop(VirtualLoop):
    """Virtual time with a wire: its Unix sockets are there, and nowhere else.

    With an `order`, a seed repeats on one minor version of Python: from 3.12 aiohttp starts some of
    its tasks eagerly, so that others are ready together. Without one it repeats on all of them.
    """

    def __init__(self, wire: Wire, order: Rng | None = None) -> None:
        super().__init__(order)
        self.wire = wire

    async def create_unix_connection(  # type: ignore[override]
        self, protocol_factory: Factory, path: str
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """Connect to an address of the wire."""
        return await self.wire.connect(protocol_factory, path)

    async def create_unix_server(  # type: ignore[override]
        self, protocol_factory: Factory, path: str, **_: Any
    ) -> _Port:
        """Listen at an address of the wire."""
        return self.wire.listen(protocol_factory, path)


async def serve(server: Server, address: str) -> None:
    """Be the exchange's process, at an address of the wire, until it is cancelled or killed."""
    runner = web.ServerRunner(web.Server(server.answer, access_log=None), shutdown_timeout=CLOSE_S_MAX)
    await runner.setup()
    try:
        await web.UnixSite(runner, address).start()
        await server.pace()
    finally:
        await server.close()
        await runner.cleanup()


def _reset_error() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
