"""One connection, with a transport that the test holds in its hand."""

import asyncio
from urllib.parse import urlsplit

import pytest

from helpers.virtual_time import run
from helpers.websockets import KEY, accept, close_frame, handshake, server_frame
from lighterman.domain.errors import TransportError
from lighterman.exchange import frames, websocket
from lighterman.exchange.websocket import WebSocket

NO_MASK = bytes(4)


class Line:
    """A transport that keeps what is written, and closes when it is told to."""

    def __init__(self):
        self.written = []
        self.state = "open"
        self.high_bytes = 0
        self.protocol = None

    def write(self, data):
        self.written.append(data)

    def set_write_buffer_limits(self, high):
        self.high_bytes = high

    def is_closing(self):
        return self.state != "open"

    def close(self):
        if self.state == "open":
            self.state = "closed"
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def abort(self):
        if self.state != "aborted":
            self.state = "aborted"
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


class Talk:
    """A connection, both its callbacks and its line."""

    def __init__(self):
        self.heard, self.closed = [], []
        self.closes_when_told = False
        self.line = Line()
        url = urlsplit("ws://venue/stream")
        self.socket = WebSocket(url, "test", self._entropy, self._hear, self.closed.append)
        self.line.protocol = self.socket
        self.socket.connection_made(self.line)

    def _entropy(self, count):
        return KEY if count == len(KEY) else NO_MASK

    def _hear(self, data):
        self.heard.append(data)
        if self.closes_when_told:
            self.socket.close()

    def says(self, data):
        self.socket.data_received(data)

    async def begun(self):
        self.says(handshake())
        await self.socket.opened
        self.socket.begin()
        await asyncio.sleep(0)
        del self.line.written[:]
        return self


def talk(body):
    """Run a test with a connection that has begun, in virtual time."""

    def test():
        async def work():
            await body(await Talk().begun())

        run(work())

    test.__name__, test.__doc__ = body.__name__, body.__doc__
    return test


@talk
async def test_what_is_sent_is_written_within_the_call(talk):
    """No task has a turn between `send` and the socket; frames stand in the order of the calls."""
    talk.socket.send(b"one")
    talk.socket.send(b"two")

    assert [b"\x81\x83\0\0\0\0one", b"\x81\x83\0\0\0\0two"] == talk.line.written


@talk
async def test_what_comes_is_handed_over_within_the_callback(talk):
    """All messages that end in what was read, in order, before the callback returns; a beginning waits."""
    whole = server_frame(0x81, b"three")
    talk.says(server_frame(0x81, b"one") + server_frame(0x81, b"two") + whole[:4])
    assert [b"one", b"two"] == talk.heard
    talk.says(whole[4:])
    assert talk.heard[2:] == [b"three"]


def test_what_comes_with_the_handshake_waits_for_the_caller():
    """Frames in the same segment as the reply, and even the end, are told after `begin`, not before."""

    async def work():
        talk = Talk()
        talk.says(handshake() + server_frame(0x81, b"hello"))
        talk.says(server_frame(0x81, b"again"))
        talk.socket.connection_lost(None)
        await talk.socket.opened
        talk.socket.begin()
        assert ([], []) == (talk.heard, talk.closed)
        await asyncio.sleep(0)
        assert [b"hello", b"again"] == talk.heard
        assert len(talk.closed) == 1
        with pytest.raises(TransportError):
            talk.socket.send(b"x")

    run(work())


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 302 Found\r\nLocation: ws://other/\r\n\r\n",
        b"x" * (frames.HEAD_BYTES_MAX + 1),
        handshake(bytes(16)),
    ],
)
def test_a_wrong_reply_opens_nothing(reply):
    """The connection is given up at once, and nobody is called back."""

    async def work():
        talk = Talk()
        talk.says(reply)
        with pytest.raises(TransportError, match="no WebSocket"):
            await talk.socket.opened
        await asyncio.sleep(0)
        assert talk.line.state == "aborted"
        assert ([], []) == (talk.heard, talk.closed)

    run(work())


def test_a_connection_that_breaks_before_the_reply_opens_nothing():
    """Whoever waits for `opened` is told."""

    async def work():
        talk = Talk()
        talk.says(handshake()[:20])
        talk.socket.connection_lost(ConnectionResetError("reset"))
        with pytest.raises(TransportError, match="reset"):
            await talk.socket.opened
        assert [] == talk.closed

    run(work())


@talk
async def test_a_ping_is_answered_with_its_words(talk):
    """And a pong is no message."""
    talk.says(server_frame(0x89, b"abc") + server_frame(0x8A, b""))

    assert [b"\x8a\x83\0\0\0\0abc"] == talk.line.written
    assert [] == talk.heard


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        (server_frame(0x82, b"x"), 1003, "binary frame"),
        (server_frame(0x83, b"x"), 1002, "0x83"),
        (b"\x81\x7f" + (1 << 40).to_bytes(8, "big"), 1009, "above"),
        (close_frame(1008, b"no pong"), 1000, "closed by the venue (1008 no pong)"),
        (server_frame(0x88, b""), 1000, "closed by the venue (no code)"),
    ],
)
def test_a_peer_that_is_wrong_or_leaves_is_left(said, code, reason):
    """It is told a code and left; the reason comes once, and what follows is not heard."""

    async def body(talk):
        talk.says(said + server_frame(0x81, b"more"))
        talk.says(server_frame(0x81, b"and more"))
        await talk.socket.ended

        assert [frames.goodbye(code, NO_MASK)] == talk.line.written
        assert ["closed"] == [talk.line.state]
        assert len(talk.closed) == 1
        assert reason in talk.closed[0]
        assert [] == talk.heard

    talk(body)()


@talk
async def test_a_lost_connection_is_told_once(talk):
    """With the words of the error; sending is over."""
    talk.socket.connection_lost(ConnectionResetError("Connection reset by peer"))

    assert len(talk.closed) == 1
    assert "Connection reset by peer" in talk.closed[0]
    with pytest.raises(TransportError, match="closed"):
        talk.socket.send(b"x")


@talk
async def test_after_close_nothing_is_told(talk):
    """What is on its way is not heard, and the end is no news; the peer has a second to answer."""
    talk.socket.close()
    talk.socket.close()
    talk.says(server_frame(0x81, b"late"))
    talk.says(server_frame(0x82, b"and wrong"))
    with pytest.raises(TransportError):
        talk.socket.send(b"x")

    assert [frames.goodbye(1000, NO_MASK)] == talk.line.written
    assert talk.line.state == "open"
    await talk.socket.ended
    assert (talk.line.state, asyncio.get_running_loop().time()) == ("aborted", websocket.CLOSE_TIMEOUT_S)
    assert ([], []) == (talk.heard, talk.closed)


@talk
async def test_closing_within_a_message_ends_it_there(talk):
    """Whoever closes while he is told something is told no more."""
    talk.closes_when_told = True
    talk.says(server_frame(0x81, b"one") + server_frame(0x81, b"two"))

    assert [b"one"] == talk.heard


@talk
async def test_a_peer_that_reads_nothing_is_no_place_for_orders(talk):
    """Above the bound nothing more is taken, instead of sending it some time later; below it all is well."""
    assert talk.line.high_bytes == websocket.OUTBOX_BYTES_MAX
    talk.socket.pause_writing()
    with pytest.raises(TransportError, match="wait to be sent"):
        talk.socket.send(b"x")
    talk.socket.resume_writing()
    talk.socket.send(b"x")
    assert len(talk.line.written) == 1


@talk
async def test_a_silent_connection_is_found_out(talk):
    """A ping every half a minute; where nothing at all came since the last one, it is dead."""
    for _ in range(3):
        await asyncio.sleep(websocket.PING_S)
        talk.says(server_frame(0x8A, b""))
    assert talk.line.written == [frames.encode(frames.Opcode.PING, b"", NO_MASK)] * 3
    assert [] == talk.closed
    await asyncio.sleep(2 * websocket.PING_S + 1)

    assert len(talk.closed) == 1
    assert "nothing heard" in talk.closed[0]
    assert talk.line.state == "aborted"


def test_the_proof_is_the_venues():
    """The reply proves that our key was read: the example of RFC 6455, 1.3."""
    assert accept(b"the sample nonce") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
