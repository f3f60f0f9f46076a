"""Puts the local exchange on sockets: HTTP and WebSocket on one port, at the root of the URL.

Law of this file: it paces time and moves bytes, and decides nothing. Time is the wall clock at
start plus the monotonic clock since, so that the exchange never sees a step or a suspended
machine; when it falls behind it goes on in slices, so that sockets are served meanwhile. It
listens on this machine alone unless told otherwise, says SIMULATED wherever it introduces
itself, and prints nothing on standard output but the one line that says it is ready.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from lighterman import __version__
from lighterman.chance import secret_bytes
from lighterman.clock import SystemClock
from lighterman.domain.clock import Clock
from lighterman.domain.errors import ConfigError, VenueError
from lighterman.protocol.codes import Code
from lighterman.protocol.rest import JSON
from lighterman.simulator.app import AppRules, LocalExchange
from lighterman.simulator.calls import HttpRequest
from lighterman.simulator.door import HttpResponse, failure
from lighterman.simulator.driver import MarketDriver, synthetic_driver, tape_driver
from lighterman.simulator.limits import LimitRules
from lighterman.simulator.markets import markets_named
from lighterman.simulator.options import ServeOptions, check_options
from lighterman.simulator.sessions import SLOW_READER, Session

STREAM_PATH = "/stream"
MESSAGE_BYTES_MAX = 256 * 1024
SLICE_US = 50_000
CLOSE_S_MAX = 0.5
SERVER_NAME = f"lighterman/{__version__} (SIMULATED)"

Ready = Callable[[Mapping[str, str | int]], None]


class Server:
    """One exchange on one port."""

    def __init__(self, app: LocalExchange, clock: Clock) -> None:
        self._clock = clock
        self._start_us = app.now_us
        self._start_ns = clock.mono_ns()
        self._app = app
        self._sockets: dict[Session, _Socket] = {}
        self._woken = asyncio.Event()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer whatever comes over the port."""
        if request.path == STREAM_PATH and request.headers.get("upgrade", "").lower() == "websocket":
            return await self._converse(request)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _to_web(failure(VenueError(Code.INVALID_PARAM, f"{Code.INVALID_PARAM.text}: body too large")))
        except ConnectionResetError:
            return web.Response(status=400)  # to nobody: who asked is gone
        asked = HttpRequest(
            method=request.method,
            path=request.path,
            query=request.rel_url.raw_query_string,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            ip=request.remote or "",
        )
        response = self._app.handle(asked, self._now_us())
        self._deliver()
        return _to_web(response)

    async def pace(self) -> None:
        """Let the exchange's time pass, for ever."""
        while True:
            now_us = self._now_us()
            self._app.advance(now_us)
            self._deliver()
            ahead_s = (self._app.next_due_us() - self._real_us()) / 1e6
            self._woken.clear()
            try:
                async with asyncio.timeout(max(ahead_s, 0.0)):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def close(self) -> None:
        """Say goodbye to every connection."""
        await asyncio.gather(*(socket.close() for socket in tuple(self._sockets.values())))

    async def _converse(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one connection of the stream until either side ends it."""
        is_read_only = request.query.get("readonly", "") == "true"
        try:
            session = self._app.connect(request.remote or "", self._now_us(), is_read_only=is_read_only)
        except VenueError as error:
            return _to_web(failure(error))
        websocket = web.WebSocketResponse(max_msg_size=MESSAGE_BYTES_MAX)
        websocket.headers["Server"] = SERVER_NAME
        await websocket.prepare(request)
        socket = self._sockets[session] = _Socket(session, websocket, request.transport)
        try:
            self._deliver()
            async for message in websocket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    self._app.receive(session, message.data, self._now_us())
                    self._deliver()
        finally:
            socket.stop()
            del self._sockets[session]
            self._app.disconnect(session)
        return websocket

    def _deliver(self) -> None:
        """Let every connection send what it has, and look again at when something is due."""
        for session in self._app.take_ready():
            socket = self._sockets.get(session)
            if socket is not None:
                socket.wake()
        self._woken.set()

    def _real_us(self) -> int:
        return self._start_us + (self._clock.mono_ns() - self._start_ns) // 1_000

    def _now_us(self) -> int:
        """Return the present, or as much of it as may pass at once."""
        return min(self._real_us(), self._app.now_us + SLICE_US)


class _Socket:
    """Sends what a session has to send, in order, without holding up the exchange."""

    def __init__(self, session: Session, websocket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self._session = session
        self._websocket = websocket
        self._transport = transport
        self._awake = asyncio.Event()
        self._task = asyncio.create_task(self._send_all())

    def wake(self) -> None:
        """There is something to send, or the client reads so slowly that it is cut off."""
        self._awake.set()
        closing = self._session.closing
        if closing is not None and closing.code == SLOW_READER and self._transport is not None:
            self._transport.abort()

    def stop(self) -> None:
        """The connection has ended."""
        self._task.cancel()

    async def close(self) -> None:
        """End the connection because the server stops."""
        self._task.cancel()
        try:
            async with asyncio.timeout(CLOSE_S_MAX):
                await self._websocket.close(code=WSCloseCode.GOING_AWAY, message=b"server stops")
        except TimeoutError:
            pass

    async def _send_all(self) -> None:
        try:
            while True:
                await self._awake.wait()
                self._awake.clear()
                for frame in self._session.take():
                    await self._websocket.send_frame(frame, WSMsgType.TEXT)
                closing = self._session.closing
                if closing is not None:
                    await self._websocket.close(code=closing.code, message=closing.reason.encode())
        except ConnectionError:
            pass  # the other side is gone; its reader ends the session


async def serve(
    options: ServeOptions, ready: Ready, stop: asyncio.Event, *, driver: MarketDriver | None = None
) -> None:
    """Run the exchange until `stop` is set; `ready` is called once, with its addresses.

    Raises ConfigError for options that cannot be used, OSError when the port cannot be had.
    """
    check_options(options)
    rules = AppRules(
        chain_id=options.chain_id,
        default_tier=options.tier,
        verification=options.verification,
        limits=LimitRules(enforced=options.enforces_limits),
    )
    driver = driver or make_driver(options)
    clock = SystemClock()
    server = Server(LocalExchange(driver, rules, secret_bytes, clock.wall_us()), clock)
    runner = web.ServerRunner(web.Server(server.answer, access_log=None), shutdown_timeout=CLOSE_S_MAX)
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port)
        await site.start()
        address = f"{_bracketed(options.host)}:{runner.addresses[0][1]}"
        async with asyncio.TaskGroup() as tasks:
            pacing = tasks.create_task(server.pace())
            ready(
                {
                    "event": "ready",
                    "url": f"http://{address}",
                    "ws_url": f"ws://{address}{STREAM_PATH}",
                    "chain_id": options.chain_id,
                }
            )
            await stop.wait()
            pacing.cancel()
        await server.close()
    finally:
        await runner.cleanup()


def make_driver(options: ServeOptions) -> MarketDriver:
    """Return the market the options ask for; raises ConfigError."""
    if options.tape is not None:
        return tape_driver(options.tape, options.speed)
    return synthetic_driver(options.scenario, markets_named(options.symbols), options.seed)


async def run(options: ServeOptions) -> None:
    """Run the exchange as a process: the ready line on standard output, stop on SIGINT or SIGTERM.

    With `watches_stdin` it also stops when standard input ends, so that a killed parent leaves
    no orphan. Errors as for `serve`.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    if options.watches_stdin:
        await _stop_with_stdin(stop)
    driver = make_driver(options)
    sys.stderr.write(f"{SERVER_NAME} on {options.host}, chain id {options.chain_id}; {driver.note}\n")
    await serve(options, _print_ready, stop, driver=driver)


def _print_ready(event: Mapping[str, str | int]) -> None:
    sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
    sys.stdout.flush()


class _StdinWatch(asyncio.Protocol):
    """Sets `stop` when standard input ends; what comes in is thrown away."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (however it ended)
        """Take the end of standard input as the end of the parent."""
        self._stop.set()


async def _stop_with_stdin(stop: asyncio.Event) -> None:
    try:
        await asyncio.get_running_loop().connect_read_pipe(lambda: _StdinWatch(stop), sys.stdin)
    except (ValueError, OSError) as error:
        raise ConfigError([f"--watch-stdin: standard input cannot be watched ({error})"]) from None


def _to_web(response: HttpResponse) -> web.Response:
    headers = {"Content-Type": JSON, "Server": SERVER_NAME}
    return web.Response(status=response.status, body=response.body, headers=headers)


def _bracketed(host: str) -> str:
    """Return a host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
