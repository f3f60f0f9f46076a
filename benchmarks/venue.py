"""The exchange of the end-to-end benchmark: the local exchange, with a scripted book and a stopwatch.

Everything but the book is `lighterman exchange serve`'s own code: accounts, keys, tokens, the private
stream, matching, and the verification of every signature. The frames of `order_book` are not its own:
they come from `feed.py`, one when it is told, so that every bot sees the same bytes, and the exchange
has nothing to compute between the update it sends and the order it waits for. Each bot has a lane: an
exchange, a port and an account of its own, all of them served by one thread.
"""

import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass

import feed
import msgspec
import wires

from lighterman.chance import secret_bytes
from lighterman.clock import SystemClock
from lighterman.domain.market import Market
from lighterman.matching.exchange import Exchange
from lighterman.matching.flow import PARTICIPANTS_FROM
from lighterman.matching.requests import NewOrder, TimeInForce
from lighterman.protocol.rest import OpenAccount
from lighterman.signing.pure import generate_key
from lighterman.simulator.app import AppRules, LocalExchange
from lighterman.simulator.calls import HttpRequest
from lighterman.simulator.limits import LimitRules
from lighterman.simulator.sessions import Session

TIER = "premium"  # makers are not delayed
ACCOUNT_INDEX = 101
SPARE_KEY_INDEX = 200  # opens the account before its owner comes
COLLATERAL_USDC = "1000000"
OTHER = PARTICIPANTS_FROM + 1  # who trades with the owner, so that he has a position
INDEX_EVERY_US = 1_000_000


@dataclass(frozen=True)
class Arrival:
    """One signed order, as its bytes came in at `at_ns`."""

    at_ns: int
    tx_type: int
    order: int
    price_ticks: int
    size_lots: int
    is_ask: bool | None  # a modify does not say


class _Info(msgspec.Struct):
    """What of a transaction the benchmark compares, by the venue's names."""

    market: int = msgspec.field(name="MarketIndex", default=0)
    client_order: int = msgspec.field(name="ClientOrderIndex", default=0)
    order: int = msgspec.field(name="Index", default=0)
    size: int = msgspec.field(name="BaseAmount", default=0)
    price: int = msgspec.field(name="Price", default=0)
    is_ask: int | None = msgspec.field(name="IsAsk", default=None)


class _Data(msgspec.Struct):
    tx_type: int = 0
    tx_info: msgspec.Raw = msgspec.Raw(b"{}")
    tx_types: str | list[int] = ""
    tx_infos: str | list[str] = ""


class _Sent(msgspec.Struct):
    type: str
    data: _Data = msgspec.field(default_factory=_Data)


class _Heard(msgspec.Struct):
    type: str = ""
    channel: str = ""
    code: int = 0
    error: msgspec.Raw = msgspec.Raw(b"")


_sent = msgspec.json.Decoder(_Sent).decode
_heard = msgspec.json.Decoder(_Heard).decode


class _Driver:
    """A market without participants: its index price moves a little, its book is scripted elsewhere."""

    note = "SIMULATED: a scripted book"

    def __init__(self, markets: tuple[Market, ...]) -> None:
        self.markets = markets
        self._due_us = 0

    def start(self, exchange: Exchange, now_us: int) -> None:
        """Set the index prices."""
        self.advance(exchange, now_us)
        exchange.open_account(OTHER, collateral_micro=10**15, tier="standard", l1_address="", free_of_limits=True)

    def next_due_us(self) -> int:
        """Return when the index moves."""
        return self._due_us

    def advance(self, exchange: Exchange, now_us: int) -> None:
        """Move the index by a tick, and back."""
        self._due_us = now_us + INDEX_EVERY_US
        step = self._due_us // INDEX_EVERY_US % 2
        for market in self.markets:
            exchange.set_index(market.index, feed.MID_TICKS + step, now_us)


class Lane:
    """One bot's exchange. `tick` is the stopwatch."""

    def __init__(
        self, reactor: wires.Reactor, markets: tuple[Market, ...], *, chain_id: int, position_lots: int = 0
    ) -> None:
        self._reactor = reactor
        self._clock = SystemClock()
        self._start_us, self._start_ns = self._clock.wall_us(), self._clock.mono_ns()
        rules = AppRules(chain_id=chain_id, default_tier=TIER, limits=LimitRules(enforced=False))
        self._app = LocalExchange(_Driver(markets), rules, secret_bytes, self._start_us)
        self._sessions: dict[wires.Connection, Session] = {}
        self._books: dict[str, wires.Connection] = {}  # who listens to the book of a channel
        self._feeds: dict[str, Iterator[bytes]] = {}
        self._recipes: dict[str, feed.Recipe] = {}
        self.arrivals: list[Arrival] = []
        self.pong_ns = 0
        self.refusals: list[bytes] = []
        self.url = f"http://127.0.0.1:{reactor.listen(self)}"
        self._open_account(markets[0], position_lots)

    def script(self, recipe: feed.Recipe, count: int) -> None:
        """Let a market's book follow a recipe, for so many updates."""
        channel = f"order_book:{recipe.market}"
        self._recipes[channel] = recipe
        self._feeds[channel] = iter(list(feed.frames(count, recipe)))

    @property
    def has_listener(self) -> bool:
        """Tell whether somebody listens to every scripted book."""
        return len(self._books) == len(self._recipes)

    def push(self, market: int = 0) -> int:
        """Send the next update of a book; return when."""
        channel = f"order_book:{market}"
        data = wires.frame(next(self._feeds[channel]))
        listener = self._books[channel]
        at_ns = time.perf_counter_ns()
        listener.write(data)
        return at_ns

    def tick(self, orders: int, patience_s: float) -> list[int]:
        """Send an update and wait for so many orders; return how long each took, in nanoseconds."""
        self.arrivals.clear()
        began_ns = self.push()
        self._reactor.until(lambda: len(self.arrivals) >= orders, patience_s, _nothing)
        return [arrival.at_ns - began_ns for arrival in self.arrivals]

    def ping(self) -> int:
        """Send a ping behind the updates; return when."""
        at_ns = time.perf_counter_ns()
        next(iter(self._books.values())).ping()
        return at_ns

    def advance(self) -> None:
        """Let the exchange's time pass, and send what it has to say."""
        now_us = self._now_us()
        if self._app.next_due_us() <= now_us:
            self._app.advance(now_us)
        self._deliver()

    # -- the port -------------------------------------------------------------------------

    def request(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Answer over HTTP."""
        path, _, query = target.partition("?")
        asked = HttpRequest(method, urllib.parse.unquote(path), query, headers, body, "127.0.0.1")
        response = self._app.handle(asked, self._now_us())
        self._deliver()
        return response.status, response.body

    def opened(self, connection: wires.Connection) -> None:
        """Begin a session."""
        self._sessions[connection] = self._app.connect("127.0.0.1", self._now_us())
        self._deliver()

    def said(self, connection: wires.Connection, text: bytes, at_ns: int) -> None:
        """Take a message; what carries orders is noted with the time of its bytes."""
        if b"jsonapi/sendtx" in text:
            self.arrivals += _arrivals(text, at_ns)
        self._app.receive(self._sessions[connection], text, self._now_us())
        self._deliver()

    def ponged(self, at_ns: int) -> None:
        """Note when a ping was answered."""
        self.pong_ns = at_ns

    def gone(self, connection: wires.Connection) -> None:
        """End a session."""
        self._app.disconnect(self._sessions.pop(connection))
        self._books = {channel: each for channel, each in self._books.items() if each is not connection}

    def _deliver(self) -> None:
        waiting = {id(session) for session in self._app.take_ready()}
        for connection, session in tuple(self._sessions.items()):
            if id(session) in waiting:
                for data in session.take():
                    self._send(connection, data)

    def _send(self, connection: wires.Connection, data: bytes) -> None:
        """Send a frame of the exchange; those of books are replaced by the script's."""
        heard = _heard(data)
        if heard.channel in self._recipes:
            if heard.type == "subscribed/order_book":
                self._books[heard.channel] = connection
                connection.send(next(self._feeds[heard.channel]))
            return
        if heard.error or (heard.type.startswith("jsonapi/") and heard.code != 200):
            self.refusals.append(data)
        connection.send(data)

    def _now_us(self) -> int:
        return self._start_us + (self._clock.mono_ns() - self._start_ns) // 1000

    def _open_account(self, market: Market, position_lots: int) -> None:
        _, public_key = generate_key(secret_bytes)
        self.open_key(SPARE_KEY_INDEX, public_key)
        if position_lots:
            ends = ((OTHER, True, TimeInForce.GTT), (ACCOUNT_INDEX, False, TimeInForce.IOC))
            for account, is_ask, time_in_force in ends:
                order = NewOrder(
                    account_index=account,
                    market=market.index,
                    size_lots=position_lots,
                    price_ticks=feed.MID_TICKS,
                    is_ask=is_ask,
                    time_in_force=time_in_force,
                )
                self._app.exchange.act(order, self._app.now_us)

    def open_key(self, api_key_index: int, public_key: str) -> None:
        """Show a key to the exchange; the first opens the account."""
        wanted = OpenAccount(ACCOUNT_INDEX, api_key_index, public_key, collateral_usdc=COLLATERAL_USDC, tier=TIER)
        status, body = self.request("POST", "/local/v1/accounts", {}, msgspec.json.encode(wanted))
        if status != 200:
            raise SystemExit(f"no account: {body.decode()}")


def _arrivals(text: bytes, at_ns: int) -> list[Arrival]:
    sent = _sent(text)
    if sent.type == "jsonapi/sendtx":
        pairs = [(sent.data.tx_type, bytes(sent.data.tx_info))]
    else:
        types, infos = sent.data.tx_types, sent.data.tx_infos
        types = msgspec.json.decode(types, type=list[int]) if isinstance(types, str) else types
        infos = msgspec.json.decode(infos, type=list[str]) if isinstance(infos, str) else infos
        pairs = [(kind, info.encode()) for kind, info in zip(types, infos, strict=True)]
    return [_arrival(kind, info, at_ns) for kind, info in pairs]


def _arrival(kind: int, info: bytes, at_ns: int) -> Arrival:
    if info[:1] == b'"':  # a text in which the JSON stands
        info = msgspec.json.decode(info, type=str).encode()
    read = msgspec.json.decode(info, type=_Info)
    is_ask = None if read.is_ask is None else bool(read.is_ask)
    return Arrival(at_ns, kind, read.client_order or read.order, read.price, read.size, is_ask)


def _nothing() -> None:
    """Do nothing between turns: the stopwatch runs."""
