"""The real client and the real server on streams of bytes in memory, and what those streams may do."""

import asyncio
import functools
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from helpers.local_venue import START_US, QuietMarket, crowd
from helpers.memory_venue import DirectSigner, approved
from lighterman.chance import seeded
from lighterman.domain.commands import CancelAll, PlaceOrder
from lighterman.domain.errors import TransportError
from lighterman.domain.events import BookDelta, BookLost, CommandExecuted, FillReport, Link, LinkReport, OrderReport
from lighterman.exchange.lighter import LighterVenue
from lighterman.exchange.params import ClientParams
from lighterman.exchange.sockets import SocketTransport
from lighterman.exchange.transport import NotSent
from lighterman.matching.requests import TimeInForce
from lighterman.signing.pure import PureSigner, generate_key
from lighterman.simulation.virtual import Node, NodeClock, run
from lighterman.simulation.wire import Line, Wire, WireLoop, serve
from lighterman.simulator.app import AppRules, LocalExchange
from lighterman.simulator.server import Server

CHAIN, ACCOUNT = 77, 100
ADDRESS = "venue"
LATENCY_S = 0.01

GRAVEYARD = []  # what dead processes left: collected, it would run what no dead process runs


class Market(QuietMarket):
    """Shows the exchange's core to whoever plays the crowd."""

    def start(self, exchange, now_us):
        super().start(exchange, now_us)
        self.exchange = exchange


class CountingServer(Server):
    """Knows how many conversations are going on."""

    conversations = 0

    async def answer(self, request):
        is_stream = "upgrade" in request.headers
        self.conversations += is_stream
        try:
            return await super().answer(request)
        finally:
            self.conversations -= is_stream


class Overheard:
    """The client's transport, with a note of every text frame, when it came or left, and on which stream."""

    def __init__(self, transport, clock):
        self.transport, self.clock = transport, clock
        self.request = transport.request
        self.streams = 0
        self.frames = []

    async def open_stream(self, url, on_text, on_close):
        self.streams += 1
        number = self.streams

        def hear(data):
            self._note(number, "<", data)
            on_text(data)

        stream = await self.transport.open_stream(url, hear, on_close)
        send = stream.send

        def say(data):
            self._note(number, ">", data)
            send(data)

        stream.send = say
        return stream

    def _note(self, number, direction, data):
        self.frames.append(f"{self.clock.mono_ns()} {number}{direction}".encode() + bytes(data))


class Stage:
    """The exchange's process and the client's on one wire."""

    def __init__(self, seed, **line):
        self.seed = seed
        self.wire = Wire(seed, Line(**line))
        self.clock = NodeClock(START_US)
        self.venue_node, self.bot = Node("venue"), Node("bot")
        self.market = Market()
        self.events, self.failures = [], []

    async def open(self):
        entropy = seeded(self.seed, "entropy").randbytes
        app = LocalExchange(self.market, AppRules(chain_id=CHAIN), entropy, self.clock.wall_us())
        self.server = CountingServer(app, self.clock)
        self.serving = self.venue_node.spawn(serve(self.server, ADDRESS))
        await asyncio.sleep(1)
        await self.bot.spawn(self._start_client())
        await self.until(lambda: self.links_up() == list(Link))

    async def close(self):
        await self.bot.spawn(self._stop_client())
        self.serving.cancel()
        await asyncio.gather(self.serving, return_exceptions=True)
        await asyncio.sleep(1)
        assert self.wire.connections == []
        assert self.failures == []

    async def _start_client(self):
        keys = seeded(self.seed, "keys").randbytes
        secrets = {index: generate_key(keys) for index in (5, 6)}
        self.transport = SocketTransport(f"http://{ADDRESS}", "test", keys, ADDRESS)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(ADDRESS)) as http:
            for index, (_, public) in secrets.items():
                body = {"account_index": ACCOUNT, "api_key_index": index, "public_key": public, "tier": "premium"}
                async with http.post(f"http://{ADDRESS}/local/v1/accounts", json=body) as reply:
                    assert reply.status == 200
        self.overheard = Overheard(self.transport, self.clock)
        self.venue = LighterVenue(
            ClientParams(
                stream_url=f"ws://{ADDRESS}/stream",
                chain_id=CHAIN,
                account_index=ACCOUNT,
                symbols=["ETH", "BTC"],
                order_value_micro_max=10**12,
            ),
            {index: DirectSigner(PureSigner(secrets[index][0], ACCOUNT, index, CHAIN, keys)) for index in secrets},
            self.overheard,
            self.clock,
            seeded(self.seed, "client"),
            self.events.append,
            self.failures.append,
        )
        await self.venue.start()

    async def _stop_client(self):
        await self.venue.close()
        await self.transport.close()

    async def until(self, condition, seconds=60.0):
        for _ in range(round(seconds * 100)):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"not within {seconds} s: {self.events[-8:]}")

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def links_up(self):
        last = {event.link: event.up for event in self.of(LinkReport)}
        return [link for link in Link if last.get(link)]

    def streams(self):
        return [connection for connection in self.wire.connections if connection.is_stream]

    def downs(self):
        """Return why links went down, in order."""
        return [event.reason for event in self.of(LinkReport) if not event.up]

    def submit(self, *commands):
        self.bot.call(self.venue.submit, [approved(command) for command in commands])

    def crowd(self, price_ticks, size_lots, tif=TimeInForce.GTT):
        """Let the crowd sell."""
        crowd(self.market.exchange, 0, is_ask=True, price_ticks=price_ticks, size_lots=size_lots, tif=tif)

    async def trade(self):
        """Rest an order, have part of it filled, cancel the rest."""
        self.submit(PlaceOrder(1, 0, 1001, False, 299_950, 2_000))
        await self.until(lambda: self.of(CommandExecuted))
        self.crowd(299_950, 500, TimeInForce.IOC)
        await self.until(lambda: self.of(FillReport))
        self.submit(CancelAll(2))
        await self.until(lambda: len(self.of(CommandExecuted)) == 2)


def in_loop(work, wire, seed=1):
    """Run a world on a wire, and hold that nothing went wrong unseen."""
    loop = WireLoop(wire, seeded(seed, "order"))
    try:
        result = run(work, loop)
    finally:
        GRAVEYARD.extend(asyncio.all_tasks(loop))
        loop.close()
    assert loop.failures == []
    return result


def staged(**line):
    """Run a test with both processes at work."""

    def decorate(test):
        @functools.wraps(test)
        def wrapped():
            stage = Stage(1, **line)

            async def body():
                GRAVEYARD.append(stage)
                await stage.open()
                await test(stage)
                if stage.bot.is_alive:
                    await stage.close()
                    GRAVEYARD.remove(stage)

            in_loop(body(), stage.wire)

        del wrapped.__wrapped__
        return wrapped

    return decorate


@staged()
async def test_client_and_server_trade_over_it(stage):
    """Orders are placed, filled and cancelled by the code that does so on sockets, in virtual time alone."""
    await stage.trade()
    assert stage.downs() == []
    assert {report.status for report in stage.of(OrderReport)} >= {"open", "canceled"}
    assert sum(fill.size_lots for fill in stage.of(FillReport)) == 500
    assert len(stage.streams()) == stage.server.conversations == 3


@staged(piece_bytes_max=1, latency_s=0.001)
async def test_frames_may_come_byte_by_byte(stage):
    """Neither HTTP nor WebSocket needs more than one byte at a time, both ways."""
    await stage.trade()
    assert stage.downs() == []


@staged(piece_bytes_max=700, jitter_s=0.05)
async def test_drawn_pieces_keep_their_order(stage):
    """Pieces of drawn sizes with drawn delays are put together as they were written: no book has a gap."""
    await stage.trade()
    assert stage.downs() == []
    assert stage.of(BookLost) == []


@staged()
async def test_a_reset_in_the_middle_of_a_frame_leads_to_a_new_connection(stage):
    """Half a frame is no frame: the link is down at once, and all three come back."""
    old = stage.streams()
    for connection in old:
        connection.down.reset_after(20)
    stage.submit(PlaceOrder(1, 0, 1001, False, 299_950, 2_000))
    await stage.until(lambda: len(stage.downs()) == 3)
    assert all("1006" in reason for reason in stage.downs())  # no goodbye was said
    await stage.until(lambda: stage.links_up() == list(Link))
    assert all(connection.is_over for connection in old)
    await stage.until(lambda: any(report.client_order_index == 1001 for report in stage.of(OrderReport)))


@staged()
async def test_a_half_open_connection_is_noticed_by_silence(stage):
    """No byte and no error: the client asks for a sign of life, and connects anew when none comes."""
    old = stage.streams()
    for connection in old:
        connection.cut()
    began_ns = stage.clock.mono_ns()
    await stage.until(lambda: len(stage.downs()) == 3)
    assert stage.clock.mono_ns() - began_ns > 5e9
    await stage.until(lambda: stage.links_up() == list(Link))
    await stage.until(lambda: stage.server.conversations == 3, seconds=200)  # and the server, in its own time
    await stage.trade()


@staged()
async def test_a_stalled_stream_catches_up(stage):
    """What was held up arrives afterwards, whole and in order; nothing was lost, so nothing is fetched anew."""
    for connection in stage.streams():
        connection.down.stall(3)
    deltas = len(stage.of(BookDelta))
    for step in range(10):
        stage.crowd(301_000 + step, 1_000)
        await asyncio.sleep(0.25)
    assert len(stage.of(BookDelta)) == deltas
    await asyncio.sleep(1)
    assert len(stage.of(BookDelta)) >= deltas + 10
    assert stage.downs() == []
    assert stage.of(BookLost) == []


@staged()
async def test_a_server_that_is_gone_refuses_and_comes_back(stage):
    """Killed, its connections are reset and new ones refused; another process at its address is found."""
    stage.venue_node.kill()
    await stage.until(lambda: len(stage.downs()) == 3)
    with pytest.raises(NotSent, match="refused"):
        await stage.bot.spawn(stage.transport.request("GET", "/", {}, None, {}))
    stage.venue_node = Node("venue")
    stage.serving = stage.venue_node.spawn(serve(stage.server, ADDRESS))
    await stage.until(lambda: stage.links_up() == list(Link))


@staged()
async def test_a_killed_client_is_gone_for_the_server(stage):
    """Its kernel ends its connections and no step of it runs any more; what it had sent arrives."""
    stage.submit(PlaceOrder(1, 0, 1001, False, 299_950, 2_000))
    await asyncio.sleep(0.001)
    stage.bot.kill()
    heard, steps = len(stage.events), stage.bot.steps
    await asyncio.sleep(1)
    assert stage.server.conversations == 0
    assert stage.wire.connections == []
    assert [order.client_order_index for order in stage.market.exchange.open_orders(ACCOUNT)] == [1001]
    assert (heard, steps) == (len(stage.events), stage.bot.steps)


@staged()
async def test_a_client_that_stands_still_reads_later(stage):
    """Paused, it keeps its connections; what came meanwhile is read when it goes on."""
    stage.bot.pause()
    for step in range(3):
        stage.crowd(301_000 + step, 1_000)
        await asyncio.sleep(1)
    assert stage.of(BookDelta) == []
    stage.bot.resume()
    await asyncio.sleep(0.1)
    assert len(stage.of(BookDelta)) == 3
    assert stage.server.conversations == 3


@staged()
async def test_whether_a_request_left_is_known_as_on_sockets(stage):
    """Refused or unanswered, nothing was sent; reset during the reply, it may have been."""

    async def ask():
        async with asyncio.timeout(60):
            return await stage.transport.request("POST", "/api/v1/sendTx", {}, {}, {})

    assert (await stage.bot.spawn(ask())).status == 400
    idle = [connection for connection in stage.wire.connections if not connection.is_stream]
    for connection in idle:
        connection.down.reset_after(100)
    with pytest.raises(TransportError) as caught:
        await stage.bot.spawn(ask())
    assert not isinstance(caught.value, NotSent)

    stage.wire.is_silent = True
    with pytest.raises(NotSent):
        await stage.bot.spawn(ask())
    stage.wire.is_silent, stage.wire.is_refusing = False, True
    with pytest.raises(NotSent, match="refused"):
        await stage.bot.spawn(ask())


class Ear(asyncio.Protocol):
    """Notes what its transport does."""

    def __init__(self, *, keeps_open=False):
        self.said, self.told = bytearray(), []
        self.keeps_open = keeps_open

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.said += data
        self.told.append(len(data))

    def eof_received(self):
        self.told.append("end")
        return self.keeps_open

    def connection_lost(self, exc):
        self.told.append(type(exc).__name__)

    def pause_writing(self):
        self.told.append("pause")

    def resume_writing(self):
        self.told.append("resume")


def joined(seed=1, *, keeps_open=False, **line):
    """Run a test with the two ends of one connection and what lies between."""

    def decorate(test):
        @functools.wraps(test)
        def wrapped():
            wire = Wire(seed, Line(latency_s=LATENCY_S, **line))

            async def body():
                loop = asyncio.get_running_loop()
                server, node = Ear(keeps_open=keeps_open), Node("server")
                node.call(lambda: wire.listen(lambda: server, ADDRESS))
                await asyncio.sleep(0)
                _, client = await loop.create_unix_connection(Ear, ADDRESS)
                await test(client, server, wire.connections[0], node)

            in_loop(body(), wire)

        del wrapped.__wrapped__
        return wrapped

    return decorate


@joined()
async def test_bytes_take_their_time(client, server, *_):
    """One latency each way, and the other end is known by name."""
    client.transport.write(b"one")
    await asyncio.sleep(LATENCY_S * 0.9)
    assert server.told == []
    await asyncio.sleep(LATENCY_S * 0.2)
    assert bytes(server.said) == b"one"
    assert server.transport.get_extra_info("peername") == client.transport.get_extra_info("sockname")


@joined(bytes_per_s=1_000, window_bytes=1_000)
async def test_a_slow_reader_makes_the_writer_wait(client, server, *_):
    """What the line and the far end do not take waits in the sender, which is told to pause and to go on."""
    client.transport.set_write_buffer_limits(high=4_000)
    sent = bytes(range(250)) * 40
    client.transport.write(sent)
    assert client.told == ["pause"]
    assert client.transport.get_write_buffer_size() == 9_000
    await asyncio.sleep(5)
    assert client.told == ["pause"]
    await asyncio.sleep(6)
    assert client.told == ["pause", "resume"]
    assert bytes(server.said) == sent


@joined(window_bytes=1_000)
async def test_a_reader_that_pauses_leaves_the_bytes_with_the_sender(client, server, *_):
    """Nothing is lost and nothing piles up at the far end; closing waits for what is still to be sent."""
    server.transport.pause_reading()
    client.transport.write(b"x" * 5_000)
    client.transport.close()
    await asyncio.sleep(10)
    assert (server.told, client.told) == ([], [])
    server.transport.resume_reading()
    await asyncio.sleep(1)
    assert server.told == [1_000] * 5 + ["end", "NoneType"]
    assert client.told == ["NoneType"]


@joined(keeps_open=True)
async def test_one_direction_may_end_alone(client, server, connection, *_):
    """Half-closed, by its program or on the way, a connection still carries what goes the other way."""
    client.transport.write(b"question")
    client.transport.write_eof()
    await asyncio.sleep(1)
    server.transport.write(b"answer")
    await asyncio.sleep(1)
    assert server.told == [8, "end"]
    assert bytes(client.said) == b"answer"
    connection.down.end()
    server.transport.write(b"nobody hears this")
    await asyncio.sleep(1)
    assert client.told == [6, "end", "NoneType"]


@joined()
async def test_a_half_open_connection_tells_nobody(client, server, connection, *_):
    """Whatever is written, and however it is closed, the far end learns nothing."""
    connection.cut()
    client.transport.write(b"x" * 1_000_000)
    server.transport.write(b"hello?")
    await asyncio.sleep(1)
    assert (client.told, server.told) == (["pause"], [])
    client.transport.abort()
    await asyncio.sleep(1_000)
    assert server.told == []


@joined()
async def test_a_reset_comes_to_both_ends(client, server, connection, *_):
    """After the bytes that were let through, both ends have an error, and the rest is lost."""
    connection.up.reset_after(4)
    client.transport.write(b"abcdefgh")
    await asyncio.sleep(1)
    assert bytes(server.said) == b"abcd"
    assert (server.told, client.told) == ([4, "ConnectionResetError"], ["ConnectionResetError"])
    assert connection.is_over


@joined(window_bytes=1_000)
async def test_a_reset_ends_a_writer_that_waits(client, server, connection, *_):
    """Closing is no hiding place: what cannot be sent any more is an error."""
    server.transport.pause_reading()
    client.transport.write(b"x" * 5_000)
    client.transport.close()
    await asyncio.sleep(1)
    connection.reset()
    await asyncio.sleep(1)
    assert client.told == ["ConnectionResetError"]


@joined(keeps_open=True)
async def test_who_writes_to_the_gone_is_reset(client, server, *_):
    """A closed end takes nothing: its kernel says so to who writes to it."""
    client.transport.close()
    await asyncio.sleep(1)
    server.transport.write(b"are you there?")
    await asyncio.sleep(1)
    assert server.told == ["end", "ConnectionResetError"]


@joined()
async def test_a_dead_process_has_its_kernel_say_goodbye(client, server, connection, node):
    """What it had given to the network arrives and then the end; its protocol hears nothing any more."""
    server.transport.write(b"last words")
    node.kill()
    client.transport.write(b"too late")
    await asyncio.sleep(1)
    assert bytes(client.said) == b"last words"
    assert client.told == [10, "end", "NoneType"]
    assert server.told == []


@joined(piece_bytes_max=1)
async def test_a_process_may_die_between_two_bytes(client, server, connection, node):
    """Every piece is a step of its own; unread bytes make the goodbye a reset."""
    node.kill_at = node.steps + 3
    client.transport.write(b"abcdef")
    await asyncio.sleep(1)
    assert bytes(server.said) == b"ab"
    assert client.told == ["ConnectionResetError"]


@joined(piece_bytes_max=100, jitter_s=0.5)
async def test_pieces_are_drawn_and_keep_their_order(client, server, *_):
    """Every byte arrives once, in order, whatever is drawn."""
    sent = bytes(range(256)) * 16
    client.transport.write(sent)
    await asyncio.sleep(2)
    assert bytes(server.said) == sent
    assert max(server.told) <= 100
    assert len(set(server.told)) > 10


@joined()
async def test_an_address_has_one_owner(client, server, connection, node):
    """A second process cannot listen where one does, and can when it has died."""
    loop = asyncio.get_running_loop()
    with pytest.raises(OSError, match="in use"):
        await loop.create_unix_server(Ear, ADDRESS)
    node.kill()
    port = await loop.create_unix_server(Ear, ADDRESS)
    port.close()
    with pytest.raises(ConnectionRefusedError):
        await loop.create_unix_connection(Ear, ADDRESS)


def overheard(seed):
    """Trade on a wire that does what it may, and return a digest of every text frame with its time."""
    stage = Stage(seed, piece_bytes_max=300, jitter_s=0.01, bytes_per_s=200_000)

    async def body():
        await stage.open()
        stage.streams()[0].down.stall(2)
        await stage.trade()
        stage.streams()[1].down.reset_after(100)
        await asyncio.sleep(20)
        await stage.until(lambda: stage.links_up() == list(Link))
        stage.streams()[2].cut()
        await asyncio.sleep(60)
        await stage.close()

    in_loop(body(), stage.wire, seed)
    return hashlib.sha256(b"\n".join(stage.overheard.frames)).hexdigest()


def test_a_seed_repeats_to_the_byte():
    """Twice in this process and under two hash seeds in others: the same frames at the same times."""
    program = "import test_wire; print(test_wire.overheard(5))"
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    elsewhere = []
    for hash_seed in ("0", "4711"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
        ran = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        elsewhere.append(ran.stdout.strip())
    assert {overheard(5), overheard(5), *elsewhere} == {elsewhere[0]}
    assert overheard(6) != elsewhere[0]
