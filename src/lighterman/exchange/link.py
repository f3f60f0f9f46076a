"""One way to the venue that is kept open: connects, listens, and connects again.

Law: a link is up only when the first data of every channel has come and its owner has caught up
with what was missed (`become_ready`); it is down from the moment anything is wrong with it.
After a failure it waits longer and longer, with jitter, and never above the venue's connection
rate. What is said and heard is decided in `protocol/stream.py`; here are only socket and timers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import NoReturn, Protocol

from lighterman.domain.chance import Rng
from lighterman.domain.clock import Clock
from lighterman.domain.errors import InvariantBroken, LightermanError, RemoteProtocolError, TransportError, UnitError
from lighterman.exchange.ratelimit import Bucket
from lighterman.exchange.transport import Stream, Transport
from lighterman.protocol.messages import BookFrame, ChannelFrame, ErrorFrame, Frame
from lighterman.protocol.rest import SendReply
from lighterman.protocol.stream import BookGap, StreamSession

NS_PER_S = 1_000_000_000
TICK_S = 0.2
BACKOFF_FIRST_S = 0.25
BACKOFF_LAST_S = 10.0  # a venue that is back is quoted on within 30 s
SETTLED_NS = 60 * NS_PER_S  # a connection that lived so long is forgiven its predecessors
TOKEN_LOOK_S = 60.0

Heard = BookFrame | Frame | SendReply | ErrorFrame


class LinkOwner(Protocol):
    """Who a link works for."""

    def heard(self, frame: Heard, recv_ns: int) -> None:
        """Take a frame; raises RemoteProtocolError or UnitError when it cannot be understood."""
        ...

    def lost(self, gap: BookGap, recv_ns: int) -> None:
        """Take note that a book is no longer known."""
        ...

    async def become_ready(self) -> None:
        """Catch up; when this returns the link is up. Raises LightermanError when it cannot."""
        ...

    def went_down(self, reason: str) -> None:
        """Take note that the link is down; said once for each time it could not be used."""
        ...


class StreamLink:
    """A connection kept open; `session` holds its subscriptions."""

    def __init__(
        self,
        url: str,
        session: StreamSession,
        owner: LinkOwner,
        transport: Transport,
        clock: Clock,
        rng: Rng,
        connections: Bucket,
        token: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self.session = session
        self._url = url
        self._owner = owner
        self._transport = transport
        self._clock = clock
        self._rng = rng
        self._connections = connections
        self._token = token
        self._stream: Stream | None = None
        self._ended: asyncio.Future[str] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._was_ready = False

    async def run(self) -> NoReturn:
        """Keep the link open for ever; raises InvariantBroken."""
        failures = 0
        while True:
            await asyncio.sleep(self._connections.book(1, self._clock.mono_ns()) / NS_PER_S)
            began_ns = self._clock.mono_ns()
            self._owner.went_down(await self._one_connection())
            failures = 0 if self._clock.mono_ns() - began_ns > SETTLED_NS else failures + 1
            await asyncio.sleep(self._backoff_s(failures))

    def send(self, data: bytes) -> None:
        """Send a frame over the open connection; raises TransportError when there is none."""
        if self._stream is None:
            raise TransportError("not connected")
        self._stream.send(data)

    def resync(self, gap: BookGap) -> None:
        """Give up a book for a reason that only its holder can see, and fetch it anew."""
        now_ns = self._clock.mono_ns()
        self.session.lose(gap.channel, gap.reason, now_ns)
        self._tell_gaps(now_ns)

    def _backoff_s(self, failures: int) -> float:
        """Return the wait before the next try: it doubles, and half of it is chance."""
        longest_s = min(BACKOFF_FIRST_S * 2.0 ** min(max(failures - 1, 0), 10), BACKOFF_LAST_S)
        return longest_s * self._rng.uniform(0.5, 1.0)

    async def _one_connection(self) -> str:
        """Connect, serve the connection until it ends, and return why it did."""
        tasks: list[asyncio.Task[None]] = []
        try:
            if self._token is not None:
                self.session.token = await self._token()
            self._stream = await self._transport.open_stream(self._url, self._on_text, self._end)
            self._ended = asyncio.get_running_loop().create_future()
            self._was_ready = False
            self._say(self.session.on_open(self._clock.mono_ns()))
            tasks.append(self._spawn(self._tick()))
            if self._token is not None:
                tasks.append(self._spawn(self._keep_token(self._token)))
            return await self._ended
        except InvariantBroken:
            raise
        except LightermanError as error:
            return str(error)
        finally:
            if self._catching_up is not None:
                tasks.append(self._catching_up)
                self._catching_up = None
            for task in tasks:
                task.cancel()
            if self._stream is not None:
                self._stream.close()
                self._stream = None

    # -- what happens on a connection ------------------------------------------------------

    def _on_text(self, data: bytes) -> None:
        try:
            self._listen(data, self._clock.mono_ns())
        except Exception as error:
            self._break(error)  # must end the run, not vanish in the transport's task
            raise

    def _listen(self, data: bytes, now_ns: int) -> None:
        session = self.session
        frames = session.receive(data, now_ns)
        if session.gaps:
            self._tell_gaps(now_ns)
        for frame in frames:
            try:
                self._owner.heard(frame, now_ns)
            except (RemoteProtocolError, UnitError) as error:
                self._reject(frame, str(error), now_ns)
        if not frames:
            self._say(session.poll(now_ns))
        if session.failure or not self._was_ready:
            self._look(now_ns)

    def _reject(self, frame: Heard, reason: str, now_ns: int) -> None:
        channel = frame.channel if isinstance(frame, BookFrame | ChannelFrame) else ""
        self.session.reject(channel.replace("/", ":"), reason, now_ns)
        self._tell_gaps(now_ns)

    def _tell_gaps(self, now_ns: int) -> None:
        for gap in self.session.gaps:
            self._owner.lost(gap, now_ns)
        self.session.gaps.clear()
        self._say(self.session.poll(now_ns))

    def _look(self, now_ns: int) -> None:
        """See whether the session has failed, or has become ready."""
        if self.session.gaps:
            self._tell_gaps(now_ns)
        if self.session.failure:
            self._end(self.session.failure)
        elif not self.session.is_ready:
            self._was_ready = False
        elif not self._was_ready and self._catching_up is None:
            self._was_ready = True
            self._catching_up = self._spawn(self._catch_up())

    async def _catch_up(self) -> None:
        try:
            await self._owner.become_ready()
        except InvariantBroken:
            raise
        except LightermanError as error:
            self._end(f"could not catch up: {error}")
        else:
            self._catching_up = None

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now_ns = self._clock.mono_ns()
            self._say(self.session.poll(now_ns))
            self._look(now_ns)

    async def _keep_token(self, token: Callable[[], Awaitable[str]]) -> None:
        """Subscribe anew, and so catch up anew, whenever the token has been replaced."""
        while True:
            await asyncio.sleep(TOKEN_LOOK_S)
            try:
                current = await token()
            except LightermanError as error:
                self._end(f"no token: {error}")
                return
            if current != self.session.token:
                self.session.renew(current, self._clock.mono_ns())
                self._was_ready = False

    def _say(self, frames: list[bytes]) -> None:
        try:
            for frame in frames:
                self.send(frame)
        except TransportError as error:
            self._end(str(error))

    def _end(self, reason: str) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(reason)

    def _break(self, error: BaseException) -> None:
        """A bug: it ends `run`, and is raised there."""
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(error)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._break(error)
