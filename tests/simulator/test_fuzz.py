"""Malformed and adversarial messages: none may crash the exchange, change it, or make it grow."""

import gc
import json
import random
import tracemalloc

import pytest

from helpers.local_venue import Venue
from lighterman.simulator.app import AppRules
from lighterman.simulator.limits import LimitRules

MESSAGES = 12_500  # over each protocol
GROWTH_BYTES_MAX = 1_500_000  # caches that are bounded may still be filling

NUMBERS = [0, -1, 1, 255, 2**31, 2**48, 2**53, 2**63 - 1, 2**64, 10**40, -(2**63), 1.5, 1e308, True, None]
TEXTS = [
    "",
    "0",
    "-1",
    "all",
    "0x",
    "\x00",
    "٣",
    "é" * 9,
    "a" * 999,
    "../..",
    "%00",
    "{}",
    "[]",
    "null",
    "NaN",
    "1e9",
    "0/0",
]
PATHS = [
    "account?by=index&value=100",
    "accountsByL1Address?l1_address=0x0",
    "apikeys?account_index=100",
    "accountTxs?by=account_index&value=100&limit=5",
    "nextNonce?account_index=100&api_key_index=5",
    "accountLimits?account_index=100",
    "tx?by=hash&value=ab",
    "currentHeight",
    "accountActiveOrders?account_index=100",
    "accountInactiveOrders?account_index=100&limit=9&cursor=1-1",
    "accountOrders?client_order_indexes=1,2",
    "positionFunding?account_index=100&limit=9",
    "liquidations?account_index=100&limit=9",
    "exchangeStats",
    "orderBooks?market_id=0",
    "orderBookDetails",
    "orderBookOrders?market_id=0&limit=5",
    "recentTrades?market_id=0&limit=5",
    "trades?sort_by=timestamp&limit=5",
    "candles?market_id=0&resolution=1m&start_timestamp=0&end_timestamp=9&count_back=1",
    "fundings?market_id=0&resolution=1h&start_timestamp=0&end_timestamp=9&count_back=1",
    "funding-rates",
    "tokens?account_index=100",
    "pnl?by=index&value=100&resolution=1h&start_timestamp=0&end_timestamp=1&count_back=1",
    "getMakerOnlyApiKeys?account_index=100",
]
POSTS = ["sendTx", "sendTxBatch", "changeAccountTier", "setMakerOnlyApiKeys", "tokens/create", "tokens/revoke"]
CHANNELS = [
    "order_book/0",
    "ticker/1",
    "trade/0",
    "market_stats/all",
    "height",
    "account_all/100",
    "user_stats/100",
    "account_tx/100",
    "account_orders/0/100",
    "account_market/0/100",
]
BODY_TYPES = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=B", ""]
LOCAL_PATHS = ["/local/v1/accounts", "/local/v1/accounts/100/ledger", "/x", "/"]


class Fuzzer:
    """Makes messages that are nearly right, and some that are not right at all."""

    def __init__(self, venue, trader, seed):
        self.rng = random.Random(seed)
        self.token = trader.token(life_s=8 * 3600)
        self.infos = [
            json.loads(sent.info)
            for sent in (
                trader.create(),
                trader.cancel(1),
                trader.cancel_all(),
                trader.modify(1, price=5),
                trader.leverage(500),
            )
        ]
        self.types = [14, 15, 16, 17, 20]

    def odd(self, depth=0):
        kind = self.rng.randrange(6 if depth < 3 else 3)
        if kind < 2:
            return self.rng.choice(NUMBERS)
        if kind < 4:
            return self.rng.choice(TEXTS)
        children = [self.odd(depth + 1) for _ in range(self.rng.randrange(4))]
        return children if kind == 4 else {self.rng.choice(TEXTS): child for child in children}

    def info(self):
        """Return a transaction whose signature cannot be right, or which is none."""
        at = self.rng.randrange(len(self.infos))
        info = dict(self.infos[at])
        name = self.rng.choice(list(info))
        if self.rng.random() < 0.5:
            info[name] = self.odd()
        elif self.rng.random() < 0.5:
            del info[name]
        info["ExpiredAt"] = self.rng.choice([0, -1, "x", 2**42])
        return self.types[at], info

    def garble(self, data):
        """Return bytes with something cut, doubled, replaced or put in."""
        data = bytearray(data)
        for _ in range(self.rng.randrange(1, 4)):
            at = self.rng.randrange(len(data) + 1)
            match self.rng.randrange(4):
                case 0:
                    del data[at : at + self.rng.randrange(8)]
                case 1:
                    data[at:at] = data[max(0, at - 9) : at]
                case 2:
                    data[at : at + 1] = bytes([self.rng.randrange(256)])
                case _:
                    data[at:at] = self.rng.choice(
                        [b"\x00", b'"', b"{", b"[" * 2000, b"\xff", b"\\", b"1e9", b"&", b"--B"]
                    )
        return bytes(data)

    def frame(self):
        """Return a message for the stream."""
        data = json.dumps(self.message()).encode()
        return self.garble(data) if self.rng.random() < 0.5 else data

    def message(self):
        match self.rng.randrange(5):
            case 0:
                token = self.rng.choice([self.token, "x", 5, None])
                kind = self.rng.choice(["subscribe", "unsubscribe"])
                return {"type": kind, "channel": self.rng.choice(CHANNELS + TEXTS), "auth": token}
            case 1:
                tx_type, info = self.info()
                return {"type": "jsonapi/sendtx", "data": {"id": self.odd(), "tx_type": tx_type, "tx_info": info}}
            case 2:
                made = [self.info() for _ in range(self.rng.randrange(3))]
                infos = [json.dumps(info) for _, info in made]
                data = {"id": "b", "tx_types": json.dumps([kind for kind, _ in made]), "tx_infos": json.dumps(infos)}
                return {"type": "jsonapi/sendtxbatch", "data": data}
            case 3:
                return {"type": self.rng.choice(["ping", "pong", "connected", *TEXTS]), "data": self.odd()}
            case _:
                return self.odd()

    def request(self):
        """Return the arguments of an HTTP request."""
        kind = self.rng.random()
        if kind < 0.6:
            return self.question()
        return self.local_door() if kind < 0.7 else self.form()

    def question(self):
        path, _, query = self.rng.choice(PATHS).partition("?")
        if self.rng.random() < 0.7:
            query = self.garble(query.encode() + b"&limit=3").decode("latin-1")
        token = self.rng.choice([self.token, self.token, "", "x:y:z", "ro:1:all:9:ab"])
        return "GET", "/api/v1/" + path, query, b"", {"authorization": token}

    def local_door(self):
        key = self.rng.choice(["", "00" * 40, "ab"])
        body = json.dumps({"account_index": self.odd(), "api_key_index": 5, "public_key": key})
        return "POST", self.rng.choice(LOCAL_PATHS), "", self.garble(body.encode()), {}

    def form(self):
        tx_type, info = self.info()
        text = json.dumps(info)
        fields = {"tx_type": tx_type, "tx_info": text, "tx_types": f"[{tx_type}]", "tx_infos": json.dumps([text])}
        body = "&".join(f"{name}={value}" for name, value in fields.items())
        headers = {"content-type": self.rng.choice(BODY_TYPES)}
        return "POST", "/api/v1/" + self.rng.choice(POSTS), "", self.garble(body.encode()), headers


def state_of(venue):
    """Return everything a message could have changed."""
    exchange = venue.exchange
    accounts = [exchange.account(index) for index in exchange.account_indexes()]
    orders = [exchange.open_orders(index) for index in exchange.account_indexes()]
    books = [(exchange.book(market).bids.copy(), exchange.book(market).asks.copy()) for market in exchange.markets]
    keys = [exchange.keys(index) for index in exchange.account_indexes()]
    return accounts, orders, books, keys, exchange.total_value_pico(), exchange.deposited_pico()


@pytest.fixture
def scene():
    venue = Venue(AppRules(limits=LimitRules(enforced=False)))
    trader = venue.trader()
    trader.send(trader.take(size=500))
    venue.go(1)
    trader.send(trader.create())
    venue.go(1)
    tracemalloc.start()
    yield venue, Fuzzer(venue, trader, seed=11)
    tracemalloc.stop()


def memory():
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_no_frame_harms_the_exchange(scene):
    """12 500 odd messages over the stream: each is answered or ignored, state and memory stay."""
    venue, fuzzer = scene
    before, half = state_of(venue), 0
    listener = venue.listen()
    for number in range(MESSAGES):
        listener.say(fuzzer.frame())
        if number % 50 == 0:
            venue.go(0.001)
            assert all("error" in frame or "type" in frame for frame in listener.frames())
            assert listener.session.closing is None
        if number == MESSAGES // 2:
            half = memory()

    assert state_of(venue) == before
    assert memory() - half < GROWTH_BYTES_MAX


def test_no_request_harms_the_exchange(scene):
    """12 500 odd HTTP requests: each is answered in JSON with a documented status, state and memory stay."""
    venue, fuzzer = scene
    before, half = state_of(venue), 0
    statuses = set()
    for number in range(MESSAGES):
        method, path, query, body, headers = fuzzer.request()
        status, reply = venue.http(method, path, query, body, headers)
        statuses.add(status)
        assert (status == 200) == ("code" not in reply or reply["code"] == 200)
        if number == MESSAGES // 2:
            half = memory()

    assert statuses == {200, 400, 401, 404}
    assert state_of(venue) == before
    assert memory() - half < GROWTH_BYTES_MAX
