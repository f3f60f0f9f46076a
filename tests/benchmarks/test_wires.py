"""The benchmark's exchange speaks HTTP and WebSocket with whoever its bots use."""

import asyncio

import aiohttp
import pytest

from helpers.native import load_script


@pytest.fixture(scope="module")
def wires(repository):
    """Return the module."""
    return load_script(repository / "benchmarks" / "wires.py")


class Echo:
    """Answers with what was asked, and remembers when it was read."""

    def __init__(self):
        self.open, self.read_ns, self.pongs = [], [], 0

    def request(self, method, target, headers, body):
        return 200, f"{method} {target} {body.decode()}".encode()

    def opened(self, connection):
        self.open.append(connection)

    def said(self, connection, text, at_ns):
        self.read_ns.append(at_ns)
        connection.send(text)

    def ponged(self, at_ns):
        self.pongs += 1

    def gone(self, connection):
        self.open.remove(connection)


@pytest.fixture
def served(wires):
    """Serve until the other side, on a thread of its own, is done; gives a function that runs both."""
    reactor, echo = wires.Reactor(), Echo()
    url = f"http://127.0.0.1:{reactor.listen(echo)}"

    async def both(client):
        asking = asyncio.create_task(client(url))
        while not asking.done():
            await asyncio.to_thread(reactor.turn, 0.01)
        return await asking

    yield both, echo
    reactor.close()


async def test_http_is_answered_over_one_connection(served):
    """Two requests of one session, one with a body, are answered in turn."""
    both, _ = served

    async def client(url):
        async with aiohttp.ClientSession() as session:
            first = await (await session.get(f"{url}/a?b=c")).text()
            second = await (await session.post(f"{url}/d", data=b"body")).text()
            return first, second

    assert await both(client) == ("GET /a?b=c ", "POST /d body")


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 200_000])
async def test_texts_of_every_length_come_back(served, size):
    """Frames with short, 16-bit and 64-bit lengths are unmasked and sent back whole."""
    both, echo = served

    async def client(url):
        async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as socket:
            await socket.send_str("x" * size)
            return await socket.receive_str()

    assert await both(client) == "x" * size
    assert len(echo.read_ns) == 1


async def test_a_ping_is_answered_and_a_close_ends_it(served):
    """A client's ping gets its pong, and a closed WebSocket is forgotten."""
    both, echo = served

    async def client(url):
        async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=False) as socket:
            await socket.ping(b"here")
            answer = await socket.receive()
            return answer.type, answer.data

    assert await both(client) == (aiohttp.WSMsgType.PONG, b"here")
    assert echo.open == []


async def test_its_own_ping_brings_a_pong(served):
    """What lag is measured with: a ping sent behind other frames is answered after them."""
    both, echo = served

    async def client(url):
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            await socket.send_str("first")
            await socket.receive_str()
            echo.open[0].ping()
            echo.open[0].send(b"second")
            return await socket.receive_str()

    assert await both(client) == "second"
    assert echo.pongs == 1
