"""The transport over real sockets, against servers on loopback that behave and that do not."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from lighterman.domain.errors import TransportError
from lighterman.exchange import sockets
from lighterman.exchange.sockets import SocketTransport
from lighterman.exchange.transport import NotSent

PATIENCE_S = 10.0


@asynccontextmanager
async def _venue(*routes: web.RouteDef):
    application = web.Application()
    application.add_routes(routes)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    transport = SocketTransport(address + "/", "lighterman/test")
    try:
        yield transport, address
    finally:
        await transport.close()
        await runner.cleanup()


class _Listener:
    def __init__(self):
        self.texts: asyncio.Queue[bytes] = asyncio.Queue()
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def next_text(self) -> bytes:
        return await asyncio.wait_for(self.texts.get(), PATIENCE_S)

    async def end(self) -> str:
        return await asyncio.wait_for(asyncio.shield(self.closed), PATIENCE_S)

    async def open_on(self, transport: SocketTransport, address: str):
        return await transport.open_stream(address + "/stream", self.texts.put_nowait, self.closed.set_result)


async def _echo(request: web.Request) -> web.Response:
    form = await request.post()
    seen = [request.method, dict(request.query), dict(form), request.headers["X-Token"], request.headers["User-Agent"]]
    return web.json_response(seen, status=400)


async def test_a_request_arrives_as_it_was_meant():
    """Query, form and headers arrive, and an error status is an answer like any other."""
    async with _venue(web.post("/echo", _echo)) as (transport, _):
        reply = await transport.request("POST", "/echo", {"a": 1}, {"b": "c d"}, {"X-Token": "t"})

    assert (400, "application/json") == (reply.status, reply.content_type)
    assert b'["POST", {"a": "1"}, {"b": "c d"}, "t", "lighterman/test"]' == reply.body


async def test_a_redirect_is_not_followed():
    """What asks us to go elsewhere is handed back: a token must not travel to another host."""

    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPFound("/other")

    async with _venue(web.get("/here", elsewhere)) as (transport, _):
        assert 302 == (await transport.request("GET", "/here", {}, None, {})).status


@pytest.mark.parametrize("headers", [{"Content-Encoding": "gzip"}, {}], ids=["compressed", "endless"])
async def test_a_reply_cannot_flood_us(monkeypatch, headers):
    """A compressed reply and one above the cap are refused, and may have had an effect."""
    monkeypatch.setattr(sockets, "BODY_BYTES_MAX", 1000)

    async def flood(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 100_000, headers=headers)

    async with _venue(web.get("/flood", flood)) as (transport, _):
        with pytest.raises(TransportError) as caught:
            await transport.request("GET", "/flood", {}, None, {})

    assert not isinstance(caught.value, NotSent)


async def test_a_lost_answer_is_not_called_unsent():
    """A connection that breaks after the request leaves the outcome unknown."""

    async def hang_up(request: web.Request) -> web.Response:
        request.transport.abort()
        return web.Response()

    async with _venue(web.post("/sendTx", hang_up)) as (transport, _):
        with pytest.raises(TransportError) as caught:
            await transport.request("POST", "/sendTx", {}, {"tx": "1"}, {})

    assert not isinstance(caught.value, NotSent)


async def test_nobody_there_is_called_unsent():
    """Where no connection can be made, nothing was sent, by HTTP or by WebSocket."""
    async with _venue() as (_, address):
        pass
    transport = SocketTransport(address, "lighterman/test")

    with pytest.raises(NotSent):
        await transport.request("GET", "/", {}, None, {})
    with pytest.raises(NotSent):
        await _Listener().open_on(transport, address)

    await transport.close()


async def _mirror(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.data == "bye":
            break
        if message.data == "binary":
            await socket.send_bytes(b"\x00")
        elif message.data == "large":
            await socket.send_str("x" * 10_000)
        else:
            await socket.send_str(message.data)
    await socket.close()
    return socket


async def test_frames_come_and_go_in_order():
    """Frames arrive in the order in which they were sent, both ways; closing it ourselves is silent."""
    async with _venue(web.get("/stream", _mirror)) as (transport, address):
        listener = _Listener()
        stream = await listener.open_on(transport, address)
        said = [f'{{"n":{number}}}'.encode() for number in range(100)]
        for data in said:
            stream.send(data)
        heard = [await listener.next_text() for _ in said]
        stream.close()

        assert said == heard
        with pytest.raises(TransportError):
            stream.send(b"{}")

    assert not listener.closed.done()


@pytest.mark.parametrize("word", ["bye", "binary", "large"])
async def test_the_end_of_a_stream_is_told_once(monkeypatch, word):
    """A stream that ends, talks binary or sends too large a frame is reported closed, with a reason."""
    monkeypatch.setattr(sockets, "FRAME_BYTES_MAX", 1000)
    async with _venue(web.get("/stream", _mirror)) as (transport, address):
        listener = _Listener()
        stream = await listener.open_on(transport, address)
        stream.send(word.encode())

        assert await listener.end()
        with pytest.raises(TransportError):
            stream.send(b"{}")


async def test_the_outbox_is_bounded(monkeypatch):
    """Frames that cannot be sent are refused in the end, never piled up without limit."""
    monkeypatch.setattr(sockets, "OUTBOX_FRAMES_MAX", 3)
    async with _venue(web.get("/stream", _mirror)) as (transport, address):
        stream = await _Listener().open_on(transport, address)

        for _ in range(3):
            stream.send(b"{}")

        with pytest.raises(TransportError, match="wait to be sent"):
            stream.send(b"{}")


async def test_a_plain_page_is_no_stream():
    """An address that does not speak WebSocket is an error of the transport, not of aiohttp."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    async with _venue(web.get("/stream", page)) as (transport, address):
        with pytest.raises(TransportError) as caught:
            await _Listener().open_on(transport, address)

    assert not isinstance(caught.value, aiohttp.ClientError)
