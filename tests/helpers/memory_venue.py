"""The local exchange behind the client's transport, in memory and in virtual time, with a network that fails on demand.

`Network` is the wire: its switches say what happens to what. `World` is a client on it with
everything the client said, in order.
"""

import asyncio
import functools
import json
from collections import deque
from urllib.parse import urlencode

from helpers.local_venue import START_US, QuietMarket, crowd
from helpers.virtual_time import VirtualClock, run
from lighterman.chance import seeded
from lighterman.domain.errors import TransportError
from lighterman.domain.events import Link, LinkReport
from lighterman.exchange.lighter import LighterVenue
from lighterman.exchange.params import ClientParams
from lighterman.exchange.ratelimit import Allowance, RateLimits
from lighterman.exchange.reads import Reads
from lighterman.exchange.tokens import AuthTokens
from lighterman.exchange.transport import HttpReply, NotSent
from lighterman.exchange.venuetime import VenueTime
from lighterman.protocol.rest import JSON
from lighterman.risk.gate import Approved
from lighterman.signing.pure import PureSigner, generate_key
from lighterman.simulator.app import AppRules, LocalExchange
from lighterman.simulator.calls import HttpRequest

CHAIN = 77
ACCOUNT = 100
CREATE_KEY, CANCEL_KEY = 5, 6
LATENCY_S = 0.002


class Network:
    """A `Transport` to an exchange in memory."""

    def __init__(self, rules=None, driver=None):
        self.clock = VirtualClock(START_US)
        self.entropy = seeded(7, "entropy").randbytes
        self.app = LocalExchange(driver or QuietMarket(), rules or AppRules(chain_id=CHAIN), self.entropy, START_US)
        self.exchange = self.app.exchange
        self.streams = []
        self.requests = []  # (method, endpoint)
        self.is_refusing = False  # nobody can connect
        self.loses_request = lambda endpoint: False  # never arrives
        self.loses_reply = lambda endpoint: False  # arrives, and the answer is lost
        self.instead = {}  # endpoint -> reply given in its place, once
        self._pacer = None

    def now_us(self):
        return self.clock.start_us + self.clock.mono_ns() // 1000

    def start(self):
        self._pacer = asyncio.create_task(self._pace())

    def stop(self):
        self._pacer.cancel()

    async def _pace(self):
        while True:
            self.app.advance(self.now_us())
            self.deliver()
            await asyncio.sleep(max(0.001, (self.app.next_due_us() - self.now_us()) / 1e6))

    def deliver(self):
        for session in self.app.take_ready():
            for stream in self.streams:
                if stream.session is session:
                    stream.forward()

    async def open_stream(self, url, on_text, on_close):
        await asyncio.sleep(LATENCY_S)
        if self.is_refusing:
            raise NotSent("refused")
        stream = MemoryStream(self, on_text, on_close)
        self.streams.append(stream)
        self.deliver()
        return stream

    async def request(self, method, path, query, form, headers):
        endpoint = path.rpartition("/")[2]
        self.requests.append((method, endpoint))
        await asyncio.sleep(LATENCY_S)
        if self.is_refusing:
            raise NotSent("refused")
        if self.loses_request(endpoint):
            await asyncio.sleep(1)
            raise TransportError("reset")
        if endpoint in self.instead:
            return self.instead.pop(endpoint)
        known = {name.lower(): value for name, value in headers.items()}
        body = urlencode(form).encode() if form is not None else b""
        if form is not None:
            known["content-type"] = "application/x-www-form-urlencoded"
        response = self.app.handle(HttpRequest(method, path, urlencode(query), known, body, "127.0.0.1"), self.now_us())
        self.deliver()
        if self.loses_reply(endpoint):
            await asyncio.sleep(1)
            raise TransportError("reset")
        await asyncio.sleep(LATENCY_S)
        return HttpReply(response.status, JSON, response.body)

    # -- what a test does to it --------------------------------------------------------------

    def stream_of(self, family):
        """Return the open stream that carries a channel family ("" for the transactions' one)."""
        for stream in reversed(self.streams):
            families = {name.partition(":")[0] for name in stream.session.subscriptions}
            if not stream.is_closed and (family in families or (not family and not families)):
                return stream
        raise LookupError(family)

    def hit(self, market, *, is_ask, price_ticks, size_lots):
        """Let the market's own participant take a resting order."""
        self.app.advance(self.now_us())
        crowd(self.exchange, market, is_ask=is_ask, price_ticks=price_ticks, size_lots=size_lots)
        self.app.advance(self.now_us())
        self.deliver()

    def nonce(self, key):
        return self.exchange.next_nonce(ACCOUNT, key)


class MemoryStream:
    """Both ends of one WebSocket."""

    def __init__(self, network, on_text, on_close):
        self.network = network
        self.session = network.app.connect("127.0.0.1", network.now_us())
        self.on_text, self.on_close = on_text, on_close
        self.is_closed = False
        self.inbound, self.outbound = deque(), deque()
        self.drops_inbound = lambda frame: False
        self.drops_outbound = lambda frame: False
        self.answers = deque()  # texts said to the next transactions in the venue's place; {id} is the request's
        self.said = []

    def send(self, data):
        if self.is_closed:
            raise TransportError("closed")
        self.said.append(data)
        self.outbound.append(data)
        asyncio.get_running_loop().call_later(LATENCY_S, self._carry_out)

    def close(self):
        if not self.is_closed:
            self.is_closed = True
            self.network.app.disconnect(self.session)

    def cut(self, reason="cut"):
        """Break the connection, with all that is on the way."""
        if not self.is_closed:
            self.close()
            self.on_close(reason)

    def forward(self):
        for frame in self.session.take():
            self.inbound.append(frame)
            asyncio.get_running_loop().call_later(LATENCY_S, self._carry_in)
        if self.session.closing is not None:
            asyncio.get_running_loop().call_later(LATENCY_S, self.cut, self.session.closing.reason)

    def _carry_out(self):
        data = self.outbound.popleft()
        if self.answers and b"jsonapi" in data:
            answer = self.answers.popleft().replace("{id}", json.loads(data)["data"]["id"])
            self.on_text(answer.encode())
        elif not self.is_closed and not self.drops_outbound(data):
            self.network.app.receive(self.session, data, self.network.now_us())
            self.network.deliver()

    def _carry_in(self):
        frame = self.inbound.popleft()
        if not self.is_closed and not self.drops_inbound(frame):
            self.on_text(frame)


class DirectSigner:
    """An `AsyncSigner` without a thread: it signs where it stands, and may be made to fail or to wait.

    With `signs_in_place` it is used as the native signer is, else as one on a thread.
    """

    def __init__(self, signer):
        self.signer = signer
        self.public_key = signer.public_key
        self.backend = "pure"
        self.delay_s = 0.0
        self.failure = None
        self.batches = []
        self.signs_in_place = False

    async def sign(self, transactions):
        await asyncio.sleep(self.delay_s)
        return self.sign_now(transactions)

    def sign_now(self, transactions):
        if self.failure is not None:
            raise self.failure
        self.batches.append(len(transactions))
        return self.signer.sign(transactions)

    async def auth_token(self, deadline_s):
        return self.signer.auth_token(deadline_s)

    def close(self):
        pass


class World:
    """A client and its venue; `async with` starts and ends both."""

    def __init__(
        self,
        network=None,
        *,
        keys=(CREATE_KEY, CANCEL_KEY),
        tier="premium",
        account=ACCOUNT,
        signs_in_place=False,
        **params,
    ):
        self.network = network or Network()
        self.clock = self.network.clock
        self.events = []
        self.failures = []
        self.links = {}  # which links are up
        self.trap = ()  # kinds of events at which whoever listens breaks
        self.signers = {key: self._signer(key, tier, account) for key in keys}
        for signer in self.signers.values():
            signer.signs_in_place = signs_in_place
        settings = {"symbols": ["ETH", "BTC"], "order_value_micro_max": 10**12} | params
        self.params = ClientParams(stream_url="ws://x/stream", chain_id=CHAIN, account_index=account, **settings)
        self.venue = LighterVenue(
            self.params,
            self.signers,
            self.network,
            self.clock,
            seeded(1, "client"),
            self._hear,
            self.failures.append,
        )

    def _signer(self, key, tier, account):
        secret, public = generate_key(self.network.entropy)
        body = f'{{"account_index":{account},"api_key_index":{key},"public_key":"{public}","tier":"{tier}"}}'
        request = HttpRequest("POST", "/local/v1/accounts", "", {}, body.encode(), "127.0.0.1")
        assert self.network.app.handle(request, START_US).status == 200
        return DirectSigner(PureSigner(secret, account, key, CHAIN, self.network.entropy))

    def _hear(self, event):
        self.events.append(event)
        if isinstance(event, LinkReport):
            self.links[event.link] = event.up
        if isinstance(event, self.trap):
            raise ZeroDivisionError

    def reads(self):
        """Return another reader of the same account."""
        tokens = AuthTokens(list(self.signers.values()), VenueTime(self.clock))
        return Reads(
            self.network,
            self.clock,
            RateLimits(Allowance()),
            tokens,
            account_index=self.params.account_index,
            timeout_ms=self.params.request_timeout_ms,
        )

    async def __aenter__(self):
        self.network.start()
        await self.venue.start()
        await self.until(lambda: len(self.links_up()) == 3)
        return self

    async def __aexit__(self, kind, *_):
        await self.venue.close()
        self.network.stop()
        assert kind is not None or not self.failures, self.failures

    async def until(self, condition, seconds=60.0):
        """Let time pass until something is so."""
        for _ in range(round(seconds * 100)):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"not within {seconds} s; the last events: {self.events[-8:]}")

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def links_up(self):
        return [link for link in Link if self.links.get(link)]

    def outcomes(self, kind):
        """Return the command ids of the outcomes of one kind, in order."""
        return [event.command_id for event in self.of(kind)]

    def submit(self, *commands):
        self.venue.submit([approved(command) for command in commands])


def approved(command):
    """Approve as no program may: tests stand in for the gate."""
    return Approved(command)


def in_world(**options):
    """Run a test with a client and its venue, in virtual time."""

    def decorate(test):
        @functools.wraps(test)
        def wrapped():
            async def body():
                async with World(**options) as world:
                    await test(world)

            run(body())

        del wrapped.__wrapped__
        return wrapped

    return decorate


def in_both_worlds(**options):
    """Do the same twice: with signers that have to be waited for, and with such that sign in place."""

    def decorate(test):
        waiting, in_place = in_world(**options)(test), in_world(signs_in_place=True, **options)(test)

        @functools.wraps(test)
        def wrapped():
            waiting()
            in_place()

        del wrapped.__wrapped__
        return wrapped

    return decorate


def json_reply(text, status=200):
    return HttpReply(status, JSON, text.encode())
