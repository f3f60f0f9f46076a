import asyncio
import contextlib
import gzip
import socket

import pytest
from aiohttp import WSMsgType, web

from helpers import tls
from lighterman.chance import secret_bytes
from lighterman.domain.errors import TransportError
from lighterman.exchange.sockets import SocketTransport
from lighterman.exchange.transport import BODY_BYTES_MAX, FRAME_BYTES_MAX, NotSent


async def _converse(request):
    server = web.WebSocketResponse(max_msg_size=0)
    await server.prepare(request)
    async for message in server:
        match message.data:
            case "binary":
                await server.send_bytes(b"x")
            case "large":
                await server.send_str("x" * (FRAME_BYTES_MAX + 1))
            case "leave":
                await server.close(code=1008, message=b"no pong")
            case _ if message.type is WSMsgType.TEXT:
                await server.send_str(f"heard {message.data}")
    return server


async def _answer(request):
    match request.path:
        case "/form":
            form = await request.post()
            said = {"form": dict(form), "agent": request.headers["User-Agent"], "query": dict(request.query)}
            return web.json_response(said)
        case "/redirect":
            raise web.HTTPFound("/form")
        case "/bomb":
            body = gzip.compress(bytes(64 * 2**20))
            return web.Response(body=body, headers={"Content-Encoding": "gzip"}, content_type="application/json")
        case "/flood":
            return web.Response(body=b" " * (BODY_BYTES_MAX + 1), content_type="application/json")
        case "/html":
            return web.Response(status=403, text="<html>", content_type="text/html")
        case "/cut":
            request.transport.abort()
    return web.Response(status=404)


@contextlib.asynccontextmanager
async def _server(tls=None):
    app = web.Application()
    app.router.add_get("/stream", _converse)
    app.router.add_route("*", "/{path:.*}", _answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    transport = SocketTransport(f"http://127.0.0.1:{port}", "lighterman-test", secret_bytes)
    try:
        yield transport, f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/stream"
    finally:
        await transport.close()
        await runner.cleanup()


class _Ear:
    """Both callbacks of a stream; waits for what they say."""

    def __init__(self):
        self.heard = asyncio.Queue()
        self.closed = []

    def text(self, data):
        self.heard.put_nowait(data)

    def close(self, reason):
        self.closed.append(reason)
        self.heard.put_nowait(None)

    async def next(self):
        async with asyncio.timeout(10):
            return await self.heard.get()


async def test_frames_go_out_and_come_in_in_order():
    """Bytes of text both ways."""
    async with _server() as (transport, url):
        ear = _Ear()
        stream = await transport.open_stream(url, ear.text, ear.close)
        for number in range(50):
            stream.send(str(number).encode())
        assert [f"heard {number}".encode() for number in range(50)] == [await ear.next() for _ in range(50)]
        stream.close()

    assert [] == ear.closed


@pytest.mark.parametrize(("word", "reason"), [("binary", "binary frame"), ("large", "1009"), ("leave", "1008")])
async def test_a_stream_that_ends_says_why_once(word, reason):
    """A binary frame, a frame above the cap, and the venue's own goodbye end the stream."""
    async with _server() as (transport, url):
        ear = _Ear()
        stream = await transport.open_stream(url, ear.text, ear.close)
        stream.send(word.encode())
        assert await ear.next() is None
        with pytest.raises(TransportError):
            stream.send(b"too late")

    assert len(ear.closed) == 1
    assert reason in ear.closed[0]


async def test_a_closed_stream_is_silent():
    """After `close` no callback comes, not even for what was on its way."""
    async with _server() as (transport, url):
        ear = _Ear()
        stream = await transport.open_stream(url, ear.text, ear.close)
        stream.send(b"x")
        stream.close()
        with pytest.raises(TransportError):
            stream.send(b"y")

    assert ear.heard.empty()


async def test_a_form_is_posted_with_our_name():
    """Query and form as given; the user agent is ours (1.2)."""
    async with _server() as (transport, _):
        reply = await transport.request("POST", "/form", {"a": 1}, {"tx_type": "14", "tx_info": '{"A":"é&="}'}, {})

    assert (200, "application/json") == (reply.status, reply.content_type)
    assert b"lighterman-test" in reply.body
    assert rb'"tx_info": "{\"A\":\"\u00e9&=\"}"' in reply.body
    assert b'"query": {"a": "1"}' in reply.body


async def test_redirects_are_not_followed():
    """A transaction goes where it was meant to go, or nowhere."""
    async with _server() as (transport, _):
        assert (await transport.request("POST", "/redirect", {}, {"tx_type": "14"}, {})).status == 302


@pytest.mark.parametrize(("path", "words"), [("/bomb", "compressed"), ("/flood", "above")])
async def test_what_would_fill_memory_is_refused(path, words):
    """A decompression bomb is not opened, and a body is not read beyond its cap."""
    async with _server() as (transport, _):
        with pytest.raises(TransportError, match=words):
            await transport.request("GET", path, {}, None, {})


async def test_a_firewall_s_page_keeps_its_type():
    """Whoever asked sees that it is no answer of the venue's."""
    async with _server() as (transport, _):
        reply = await transport.request("GET", "/html", {}, None, {})

    assert (403, "text/html") == (reply.status, reply.content_type)


async def test_a_cut_reply_may_have_been_sent():
    """The request left and the connection broke: not a certain refusal."""
    async with _server() as (transport, _):
        with pytest.raises(TransportError) as caught:
            await transport.request("POST", "/cut", {}, {"tx_type": "14"}, {})

    assert not isinstance(caught.value, NotSent)


async def test_nobody_there_means_nothing_was_sent():
    """A refused connection is certain, for HTTP and for a stream."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transport = SocketTransport(f"http://127.0.0.1:{port}", "lighterman-test", secret_bytes)
    with pytest.raises(NotSent):
        await transport.request("POST", "/form", {}, {}, {})
    with pytest.raises(NotSent):
        await transport.open_stream(f"ws://127.0.0.1:{port}/stream", print, print)
    await transport.close()


async def test_the_environment_s_proxies_are_not_used(monkeypatch):
    """Nobody comes between us and the venue by setting a variable."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with _server() as (transport, _):
        assert (await transport.request("GET", "/form", {}, None, {})).status == 200


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    """Nothing is sent to a server that cannot prove who it is."""
    async with _server(tls.server_context(tmp_path)) as (transport, url):
        with pytest.raises(NotSent, match="certificate verify failed"):
            await transport.open_stream(url, print, print)


async def test_a_stream_over_tls(tmp_path, monkeypatch):
    """With a certificate that the system trusts, and for the host that was asked for, all is as without."""
    tls.trust(tmp_path, monkeypatch)
    async with _server(tls.server_context(tmp_path)) as (transport, url):
        ear = _Ear()
        stream = await transport.open_stream(url, ear.text, ear.close)
        stream.send(b"a" * 100_000)
        assert await ear.next() == b"heard " + b"a" * 100_000
        stream.close()

    assert [] == ear.closed


@pytest.mark.parametrize("path", ["/form", "/redirect", "/html"])
async def test_what_is_no_stream_opens_none(path):
    """A page, a redirect and a firewall's answer are refusals: certainly nothing was sent."""
    async with _server() as (transport, url):
        with pytest.raises(NotSent, match="no WebSocket"):
            await transport.open_stream(url.replace("/stream", path), print, print)


async def test_closing_the_transport_closes_its_streams():
    """Whoever leaves the run leaves no connection behind, and is called back no more."""
    async with _server() as (transport, url):
        ear = _Ear()
        for _ in range(3):
            await transport.open_stream(url, ear.text, ear.close)
        await transport.close()

    assert ([], True) == (ear.closed, ear.heard.empty())
