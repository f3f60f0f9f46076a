"""The network of messages: order, loss, delay, death of either side, and requests that fail."""

import asyncio

import pytest

from helpers.local_venue import START_US, QuietMarket
from lighterman.chance import seeded
from lighterman.domain.errors import TransportError
from lighterman.exchange.transport import HttpReply, NotSent
from lighterman.protocol.rest import JSON
from lighterman.simulation.ear import PRIVATE, PUBLIC, REST, TRANSACTIONS
from lighterman.simulation.network import Fate, Network, NodeTransport, Passage
from lighterman.simulation.virtual import Node, NodeClock, VirtualLoop, run
from lighterman.simulator.app import AppRules, LocalExchange

GRAVES = []  # what killed processes left
SUBSCRIBE = b'{"type":"subscribe","channel":"order_book/0"}'
PING = b'{"type":"ping"}'
PONG = b'{"type":"pong"}'


class Wired:
    """One process on a network with an exchange behind it."""

    def __init__(self):
        clock = NodeClock(START_US)
        app = LocalExchange(QuietMarket(), AppRules(), seeded(1, "entropy").randbytes, START_US)
        self.network = Network(app, clock, lambda name: seeded(7, name))
        self.node = Node("bot")
        self.transport = NodeTransport(self.network, self.node)
        self.heard, self.closed = [], []

    async def open(self):
        self.stream = await self.own(self.transport.open_stream("ws://x", self.heard.append, self.closed.append))
        return self.stream

    async def own(self, work):
        """Have the process do something."""
        return await self.node.spawn(work)

    async def get(self, path="/", **query):
        return await self.own(self.transport.request("GET", path, query, None, {}))

    def count(self, text):
        return sum(text in frame for frame in self.heard)


def wired(test):
    """Run a test in virtual time, with a process on a network."""

    def wrapped():
        async def world():
            await test(Wired())

        loop = VirtualLoop()
        GRAVES.append(loop)
        run(world(), loop)
        assert [] == loop.failures

    wrapped.__name__, wrapped.__doc__ = test.__name__, test.__doc__
    return wrapped


@wired
async def test_frames_arrive_in_order(desk):
    """Whatever the latency draws, a direction of a connection keeps its order, and takes time."""
    stream = await desk.open()
    before_ns = desk.network.now_ns()
    for _ in range(50):
        stream.send(PING)
        stream.send(SUBSCRIBE)
    await asyncio.sleep(1)

    assert 50 == desk.count(b'"pong"')
    assert b'"connected"' in desk.heard[0]
    assert desk.network.now_ns() > before_ns
    assert all(b'"pong"' in frame or b'"error"' in frame or b"order_book" in frame for frame in desk.heard[1:])


@wired
async def test_a_connection_is_named_by_what_it_carries(desk):
    """A stream is known by its first subscription; without one it carries transactions."""
    stream = await desk.open()
    assert TRANSACTIONS == stream.kind
    stream.send(SUBSCRIBE)
    assert PUBLIC == stream.kind
    other = await desk.open()
    other.send(b'{"type":"subscribe","channel":"account_all/1"}')
    assert PRIVATE == other.kind


@wired
async def test_what_was_sent_arrives_after_its_sender_has_died(desk):
    """Bytes on the wire belong to nobody's process; the exchange learns of the end behind them."""
    stream = await desk.open()
    stream.send(SUBSCRIBE)
    desk.node.kill()
    desk.network.drop_streams(desk.node)
    assert [stream] == desk.network.streams
    heard = len(desk.heard)
    (session,) = [each.session for each in desk.network.streams]
    subscribed = []
    for _ in range(200):
        subscribed.append(bool(session.subscriptions))
        await asyncio.sleep(0.001)

    assert any(subscribed)
    assert ([], heard) == (desk.network.streams, len(desk.heard))


@wired
async def test_a_stall_delays_and_loses_nothing(desk):
    """A stalled stream is silent, then everything comes in order."""
    stream = await desk.open()
    stream.send(SUBSCRIBE)
    await asyncio.sleep(0.5)
    desk.network.weather[PUBLIC].stalled_until_s = desk.network.now_ns() / 1e9 + 3
    heard = len(desk.heard)
    stream.send(PING)
    await asyncio.sleep(2.9)
    assert heard == len(desk.heard)
    await asyncio.sleep(1)
    assert 1 == desk.count(b'"pong"')


@wired
async def test_a_cut_is_silent(desk):
    """Behind a cut nothing arrives, nobody is told, and who connects waits in vain."""
    stream = await desk.open()
    stream.send(SUBSCRIBE)
    await asyncio.sleep(0.5)
    desk.network.weather[PUBLIC].is_cut = True
    stream.send(PING)
    with pytest.raises(NotSent, match="nobody answers"):
        await desk.open()
    assert (0, []) == (desk.count(b'"pong"'), desk.closed)


@wired
async def test_refusal_is_told(desk):
    """Who is refused knows at once that nothing was sent."""
    for weather in desk.network.weather.values():
        weather.is_refusing = True
    with pytest.raises(NotSent, match="refused"):
        await desk.open()
    with pytest.raises(NotSent, match="refused"):
        await desk.get()


@wired
async def test_a_reset_ends_both_sides(desk):
    """A broken connection takes what is on the way with it; the bot is told why, once."""
    stream = await desk.open()
    stream.send(PING)
    desk.network.cut_streams([TRANSACTIONS], "gone (1006)")
    await asyncio.sleep(1)

    assert (["gone (1006)"], [], 0) == (desk.closed, desk.network.streams, desk.count(b'"pong"'))
    with pytest.raises(TransportError):
        stream.send(PING)


@wired
async def test_levers_have_the_frame(desk):
    """A tamper may drop, repeat, change or delay a frame; a late one is overtaken."""
    stream = await desk.open()
    fates = iter([(), (Passage(PONG),) * 2, (Passage(PONG, 5.0),), None])
    desk.network.weather[TRANSACTIONS].tampers_in[lambda _, data: next(fates) if b"pong" in data else None] = None
    for _ in range(4):
        stream.send(PING)
    await asyncio.sleep(1)
    assert 3 == desk.count(b'"pong"')
    await asyncio.sleep(5)
    assert 4 == desk.count(b'"pong"')


@wired
async def test_a_half_open_connection_carries_nothing(desk):
    """Nothing arrives either way, and sending succeeds."""
    stream = await desk.open()
    stream.is_dead = True
    stream.send(PING)
    await asyncio.sleep(20)

    assert (0, []) == (desk.count(b'"pong"'), desk.closed)


@wired
async def test_requests_are_answered_lost_or_answered_by_another(desk):
    """A request may vanish, its reply may, or something else is said in the exchange's place."""
    assert 200 == (await desk.get()).status
    fates = [
        Fate(is_lost=True, is_reply_lost=True),
        Fate(is_reply_lost=True),
        Fate(is_lost=True, reply=HttpReply(429, JSON, b"{}")),
        Fate(late_s=3.0),
    ]
    desk.network.weather[REST].judges[lambda *_: fates.pop(0)] = None
    for _ in range(2):
        with pytest.raises(TransportError, match="reset"):
            await desk.get()
    assert 429 == (await desk.get()).status
    before_ns = desk.network.now_ns()
    assert 200 == (await desk.get()).status
    assert desk.network.now_ns() - before_ns > 3 * 10**9


@wired
async def test_books_are_told_with_the_venues_own_count(desk):
    """After a restart of the venue the nonces of its books are lower; a snapshot still begins at 0."""
    desk.network.book_nonce_offset = 3
    frame = b'{"channel":"order_book:0","order_book":{"nonce":10,"begin_nonce":9},"type":"update/order_book"}'
    first = b'{"channel":"order_book:0","order_book":{"nonce":10,"begin_nonce":0},"type":"subscribed/order_book"}'

    assert b'"nonce":7,"begin_nonce":6' in desk.network.as_told(frame)
    assert b'"nonce":7,"begin_nonce":0' in desk.network.as_told(first)
    assert PONG == desk.network.as_told(PONG)
