"""What lies between the bot and the exchange, one message at a time: latency, order, and every way to fail.

Law: what is on the wire belongs to nobody's process. It arrives although its sender was killed, and
it calls a receiver only as a step of the receiver's node. A connection has two directions, each in
order; its faults are levers of the `Weather` it goes through, and a lever is the only way to lose,
repeat, change or delay anything. A calm network draws its latencies and nothing else.

Connections are named by what they carry: `public`, `private` (known from what they subscribe to),
`transactions` (any other), and `rest` for requests.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode

from lighterman.domain.chance import Rng
from lighterman.domain.errors import TransportError, VenueError
from lighterman.exchange.transport import HttpReply, NotSent
from lighterman.protocol.rest import JSON
from lighterman.simulation.ear import KINDS, PRIVATE, PUBLIC, REST, TRANSACTIONS, kind_of
from lighterman.simulation.virtual import NS_PER_S, Node, NodeClock, outside
from lighterman.simulator.app import LocalExchange
from lighterman.simulator.calls import HttpRequest
from lighterman.simulator.sessions import Session

CONNECT_TIMEOUT_S = 10.0  # as the real transport's
BOT_IP = "10.0.0.1"
FAULTS_IP = "10.0.0.2"  # whose reads count against nobody's limits
FORM_TYPE = "application/x-www-form-urlencoded"


class Passage(NamedTuple):
    """One frame that goes on; a late one is overtaken by those behind it."""

    data: bytes
    late_s: float = 0.0


BOOK = b'/order_book"'
NONCES = re.compile(rb'"(nonce|begin_nonce)":(\d+)')

T = TypeVar("T")

Tamper = Callable[["MemoryStream", bytes], Sequence[Passage] | None]  # None: this frame does not concern it


class Fate(NamedTuple):
    """What befalls a request: never arrives, or its answer does not, or another answer comes in its place."""

    is_lost: bool = False  # on the way to the exchange
    is_reply_lost: bool = False
    reply: HttpReply | None = None  # instead of the exchange's; with `is_lost` the exchange never saw the request
    late_s: float = 0.0


Judge = Callable[[HttpRequest, Mapping[str, str] | None], Fate | None]  # what is asked, and a form


class Weather:
    """What one kind of connection goes through. Every attribute is a lever."""

    def __init__(self, latency_s: float, jitter_s: float) -> None:
        self.latency_s = latency_s
        self.jitter_s = jitter_s
        self.slowness = 1.0  # factor on the latency
        self.stalled_until_s = 0.0  # nothing arrives before; what is sent meanwhile waits
        self.is_cut = False  # nothing arrives at all, nobody can connect, and nobody is told
        self.is_refusing = False  # nobody can connect, and everybody is told
        self.tampers_in: dict[Tamper, None] = {}  # towards the bot
        self.tampers_out: dict[Tamper, None] = {}
        self.judges: dict[Judge, None] = {}  # of requests


class Network:
    """Carries what the bot and the exchange say to each other, and lets the exchange's time pass."""

    def __init__(self, app: LocalExchange, clock: NodeClock, rng_of: Callable[[str], Rng]) -> None:
        self.app = app
        self.book_nonce_offset = 0  # the venue tells the nonces of its books lower by so much
        self.weather = {kind: _drawn(rng_of(f"weather {kind}")) for kind in KINDS}
        self._clock = clock
        self._latency = {kind: rng_of(f"latency {kind}") for kind in KINDS}
        self._streams: dict[Session, MemoryStream] = {}
        self._pace()

    @property
    def streams(self) -> "list[MemoryStream]":
        """Return the open connections."""
        return list(self._streams.values())

    def now_us(self) -> int:
        """Return the exchange's time."""
        return self._clock.wall_us()

    def delay_s(self, kind: str) -> float:
        """Draw how long something takes."""
        weather = self.weather[kind]
        return (weather.latency_s + self._latency[kind].expovariate(1 / weather.jitter_s)) * weather.slowness

    def deliver(self) -> None:
        """Put on the wire what the exchange has to say."""
        for session in self.app.take_ready():
            stream = self._streams.get(session)
            if stream is not None:
                stream.forward()

    def drop_streams(self, node: Node) -> None:
        """A process has died: its machine closes its connections."""
        for stream in self.streams:
            if stream.node is node:
                stream.hang_up()

    def cut_streams(self, kinds: Sequence[str], reason: str) -> None:
        """Reset the connections of some kinds."""
        for stream in self.streams:
            if stream.kind in kinds:
                stream.reset(reason)

    def accept(self, stream: "MemoryStream") -> None:
        """Take note of a connection that the exchange has accepted."""
        self._streams[stream.session] = stream
        self.deliver()

    def closed(self, session: Session) -> None:
        """The exchange learns that a connection has ended."""
        if self._streams.pop(session, None) is not None:
            self.app.disconnect(session)

    def heard(self, stream: "MemoryStream", data: bytes) -> None:
        """A frame is at the exchange."""
        if stream.session in self._streams:
            self.app.receive(stream.session, data, self.now_us())
            self.deliver()

    def answered(self, request: HttpRequest) -> HttpReply:
        """A request is at the exchange."""
        response = self.app.handle(request, self.now_us())
        self.deliver()
        return HttpReply(response.status, JSON, response.body)

    def as_told(self, frame: bytes) -> bytes:
        """Return a frame with the nonces of books as the venue counts them since its last restart."""
        if not self.book_nonce_offset or BOOK not in frame:
            return frame
        return NONCES.sub(self._lowered, frame)

    def _lowered(self, found: re.Match[bytes]) -> bytes:
        nonce = int(found[2])
        return b'"%s":%d' % (found[1], nonce - self.book_nonce_offset if nonce else 0)

    def peek(self, path: str, query: str) -> bytes:
        """Return what the exchange would answer a read now."""
        return self.app.handle(HttpRequest("GET", path, query, {}, b"", FAULTS_IP), self.now_us()).body

    def now_ns(self) -> int:
        """Return the nanoseconds since the world began."""
        return self._clock.mono_ns()

    def _pace(self) -> None:
        """Let the exchange's time pass."""
        self.app.advance(self.now_us())
        self.deliver()
        outside(max(0.001, (self.app.next_due_us() - self.now_us()) / 1e6), self._pace)


class NodeTransport:
    """A `Transport` of one process."""

    def __init__(self, network: Network, node: Node) -> None:
        self._network = network
        self._node = node

    async def open_stream(
        self, url: str, on_text: Callable[[bytes], None], on_close: Callable[[str], None]
    ) -> "MemoryStream":
        """Open a connection (see `Transport`)."""
        opened: asyncio.Future[MemoryStream | str] = asyncio.get_running_loop().create_future()
        outside(self._network.delay_s(TRANSACTIONS), self._connect, on_text, on_close, opened)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                stream = await opened
        except TimeoutError:
            stream = "nobody answers"
        if isinstance(stream, str):
            raise NotSent(f"{url}: {stream}")
        return stream

    def _connect(
        self,
        on_text: Callable[[bytes], None],
        on_close: Callable[[str], None],
        opened: "asyncio.Future[MemoryStream | str]",
    ) -> None:
        """A connection is asked for at the exchange."""
        network = self._network
        weathers = [network.weather[kind] for kind in (PUBLIC, PRIVATE, TRANSACTIONS)]
        if opened.done() or any(weather.is_cut for weather in weathers):
            return
        wait_s = network.delay_s(TRANSACTIONS)
        answer: MemoryStream | str = "refused"
        if not any(weather.is_refusing for weather in weathers):
            try:
                session = network.app.connect(BOT_IP, network.now_us())
                answer = MemoryStream(network, self._node, session, on_text, on_close, wait_s)
                network.accept(answer)
            except VenueError as error:
                answer = str(error)
        outside(wait_s, _settle, opened, answer)

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        form: Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> HttpReply:
        """Ask (see `Transport`)."""
        network, weather = self._network, self._network.weather[REST]
        known = {name.lower(): value for name, value in headers.items()}
        body = b""
        if form is not None:
            body = urlencode(form).encode()
            known["content-type"] = FORM_TYPE
        request = HttpRequest(method, path, urlencode(query), known, body, BOT_IP)
        if weather.is_refusing:
            await asyncio.sleep(network.delay_s(REST))
            raise NotSent(f"{method} {path}: refused")
        answer: asyncio.Future[HttpReply | None] = asyncio.get_running_loop().create_future()
        fate = next((fate for judge in tuple(weather.judges) if (fate := judge(request, form))), Fate())
        outside(self._wait_s(fate.late_s), self._ask, request, fate, answer)
        reply = await answer
        if reply is None:
            raise TransportError(f"{method} {path}: connection reset")
        return reply

    def _ask(self, request: HttpRequest, fate: Fate, answer: "asyncio.Future[HttpReply | None]") -> None:
        """The request arrives, or does not; its answer goes back, or does not."""
        weather = self._network.weather[REST]
        if weather.is_cut:
            return
        reply: HttpReply | None = None
        if not fate.is_lost:
            reply = self._network.answered(request)
        if fate.is_reply_lost:
            reply = None
        outside(self._wait_s(0.0), _settle, answer, fate.reply or reply)

    def _wait_s(self, late_s: float) -> float:
        network = self._network
        stalled_s = network.weather[REST].stalled_until_s - network.now_ns() / NS_PER_S
        return max(0.0, stalled_s) + network.delay_s(REST) + late_s


class MemoryStream:
    """Both ends of one connection; a `Stream` to the bot."""

    def __init__(
        self,
        network: Network,
        node: Node,
        session: Session,
        on_text: Callable[[bytes], None],
        on_close: Callable[[str], None],
        opens_in_s: float,
    ) -> None:
        self.node = node
        self.kind = TRANSACTIONS
        self.session = session
        self.is_dead = False  # half open: nothing arrives any more, either way, and nobody is told
        self._network = network
        self._on_text, self._on_close = on_text, on_close
        self._is_closed = False  # by the bot, or told to it
        self._is_hung_up = False
        self._last_s = {"in": network.now_ns() / NS_PER_S + opens_in_s, "out": 0.0}

    # -- the bot's end -------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Put a frame on the wire; raises TransportError when it is closed."""
        if self._is_closed:
            raise TransportError("the stream is closed")
        if self.kind is TRANSACTIONS:
            self.kind = kind_of(data)
        for passage in self._passages(self._weather.tampers_out, data):
            self._carry("out", passage, self._arrive, passage.data)

    def close(self) -> None:
        """End it; what was sent still arrives, then the exchange learns of the end."""
        self._is_closed = True
        self.hang_up()

    # -- the network's side --------------------------------------------------------------

    @property
    def _weather(self) -> Weather:
        return self._network.weather[self.kind]

    def forward(self) -> None:
        """Put on the wire what the exchange has for this connection."""
        session = self.session
        for frame in session.take():
            told = self._network.as_told(frame)
            for passage in self._passages(self._weather.tampers_in, told):
                self._carry("in", passage, self._reach_bot, passage.data)
        if session.closing is not None:
            self._carry("in", Passage(b""), self.reset, f"{session.closing.reason} ({session.closing.code})")

    def inject(self, data: bytes) -> None:
        """Let the bot hear something that the exchange never said."""
        self._carry("in", Passage(data), self._reach_bot, data)

    def hang_up(self) -> None:
        """The bot's end is gone; the exchange learns of it behind what was sent."""
        self._is_closed = True
        if not self._is_hung_up:
            self._is_hung_up = True
            self._carry("out", Passage(b""), self._network.closed, self.session)

    def reset(self, reason: str) -> None:
        """Break it for both ends at once, with everything on the way."""
        self._network.closed(self.session)
        if not self._is_closed:
            self._is_closed = True
            self.node.call(self._on_close, reason)

    def _passages(self, tampers: Mapping[Tamper, None], data: bytes) -> Sequence[Passage]:
        """Let the levers have the frame, or let it pass as it is."""
        for tamper in tuple(tampers):
            passages = tamper(self, data)
            if passages is not None:
                return passages
        return (Passage(data),)

    def _carry(self, direction: str, passage: Passage, arrive: Callable[..., None], *args: object) -> None:
        """Have something arrive in order, or late and out of it."""
        weather, now_s = self._weather, self._network.now_ns() / NS_PER_S
        at_s = max(now_s + self._network.delay_s(self.kind), weather.stalled_until_s, self._last_s[direction] + 1e-6)
        if passage.late_s:
            at_s += passage.late_s
        else:
            self._last_s[direction] = at_s
        outside(at_s - now_s, arrive, *args)

    def _arrive(self, data: bytes) -> None:
        if not (self._weather.is_cut or self.is_dead):
            self._network.heard(self, data)

    def _reach_bot(self, data: bytes) -> None:
        if not (self._is_closed or self._weather.is_cut or self.is_dead):
            self.node.call(self._hear, data)

    def _hear(self, data: bytes) -> None:
        if not self._is_closed:
            self._on_text(data)


def _settle(future: "asyncio.Future[T]", value: T) -> None:
    """Give an answer to whoever still waits for it."""
    if not future.done():
        future.set_result(value)


def _drawn(rng: Rng) -> Weather:
    """Return calm weather with this seed's distances."""
    return Weather(latency_s=rng.uniform(0.001, 0.02), jitter_s=rng.uniform(0.0005, 0.006))
