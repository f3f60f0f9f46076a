"""The local exchange in virtual time: a quiet market, people with keys, short ways to speak the protocol."""

import json
import random
from urllib.parse import urlencode

from msgspec.structs import replace

from lighterman.matching.flow import PARTICIPANTS_FROM
from lighterman.matching.requests import NewOrder, TimeInForce
from lighterman.protocol import transactions
from lighterman.protocol.signing import signature_text
from lighterman.protocol.transactions import (
    CancelAllMode,
    CancelAllOrdersTx,
    CancelOrderTx,
    CreateOrderTx,
    ModifyOrderTx,
    OrderType,
    TxType,
    UpdateLeverageTx,
)
from lighterman.protocol.transactions import TimeInForce as Tif
from lighterman.signing.pure import PureSigner, generate_key
from lighterman.simulator.app import AppRules, LocalExchange
from lighterman.simulator.calls import HttpRequest
from lighterman.simulator.markets import markets_named

START_US = 1_800_000_000_000_000  # a second and a minute begin here
SECOND_US = 1_000_000
HOUR_MS = 3_600_000
CROWD = PARTICIPANTS_FROM + 7
MID_TICKS = {0: 300_000, 1: 1_000_000}  # ETH 3000.00, BTC 100000.0
STEP_TICKS = 100
LEVELS = 5
SIZE_LOTS = 10_000
API = "/api/v1/"


class QuietMarket:
    """A MarketDriver whose participant stands one book and then does nothing."""

    def __init__(self, symbols=("ETH", "BTC")):
        self.markets = markets_named(symbols)
        self.note = "SIMULATED: nothing happens here"

    def start(self, exchange, now_us):
        exchange.open_account(CROWD, collateral_micro=10**15, tier="standard", l1_address="", free_of_limits=True)
        for market in self.markets:
            mid = MID_TICKS[market.index]
            exchange.set_index(market.index, mid, now_us)
            for level in range(1, LEVELS + 1):
                for is_ask in (True, False):
                    price = mid + level * STEP_TICKS * (1 if is_ask else -1)
                    crowd(exchange, market.index, is_ask=is_ask, price_ticks=price, size_lots=SIZE_LOTS * level)

    def next_due_us(self):
        return None

    def advance(self, exchange, now_us):
        raise AssertionError


def crowd(exchange, market, *, is_ask, price_ticks, size_lots, tif=TimeInForce.GTT):
    """Let the market's own participant send an order."""
    order = NewOrder(
        account_index=CROWD,
        market=market,
        size_lots=size_lots,
        price_ticks=price_ticks,
        is_ask=is_ask,
        time_in_force=tif,
    )
    return exchange.act(order, exchange.now_us)


class Venue:
    """The exchange with a clock that stands still unless it is told to go."""

    def __init__(self, rules=None, driver=None, start_us=START_US):
        self.entropy = random.Random(7).randbytes
        self.now_us = start_us
        self.app = LocalExchange(driver or QuietMarket(), rules or AppRules(), self.entropy, start_us)
        self.chain_id = (rules or AppRules()).chain_id
        self.exchange = self.app.exchange

    @property
    def now_ms(self):
        return self.now_us // 1000

    @property
    def now_s(self):
        return self.now_us // SECOND_US

    def go(self, seconds=0.0):
        self.now_us += round(seconds * SECOND_US)
        self.app.advance(self.now_us)

    def http(self, method, path, query="", body=b"", headers=None, ip="127.0.0.1"):
        request = HttpRequest(method, path, query, headers or {}, body, ip)
        response = self.app.handle(request, self.now_us)
        return response.status, json.loads(response.body)

    def get(self, name, token=None, /, ip="127.0.0.1", **parameters):
        headers = {"authorization": token} if token else {}
        return self.http("GET", API + name, urlencode(parameters), headers=headers, ip=ip)

    def post(self, name, token=None, /, **fields):
        headers = {"content-type": "application/x-www-form-urlencoded"} | ({"authorization": token} if token else {})
        return self.http("POST", API + name, body=urlencode(fields).encode(), headers=headers)

    def open(self, body, ip="127.0.0.1"):
        return self.http("POST", "/local/v1/accounts", body=json.dumps(body).encode(), ip=ip)

    def ledger(self, account_index, ip="127.0.0.1"):
        return self.http("GET", f"/local/v1/accounts/{account_index}/ledger", ip=ip)

    def trader(self, account_index=100, api_key_index=5, **options):
        return Trader(self, account_index, api_key_index, **options)

    def listen(self, *channels, token=None, ip="127.0.0.1", is_read_only=False):
        listener = Listener(self, ip, is_read_only=is_read_only)
        for channel in channels:
            listener.subscribe(channel, token)
        return listener  # its first frames are taken


class Trader:
    """An account with one key, which signs what it sends."""

    def __init__(self, venue, account_index, api_key_index, **options):
        self.venue, self.account, self.key = venue, account_index, api_key_index
        secret, self.public_key = generate_key(venue.entropy)
        self.signer = PureSigner(secret, account_index, api_key_index, venue.chain_id, venue.entropy)
        self.nonce = 0
        self.next_client_index = 1000 * api_key_index
        status, reply = venue.open(
            {"account_index": account_index, "api_key_index": api_key_index, "public_key": self.public_key} | options
        )
        assert (status, reply["created"]) == (200, True), reply

    def token(self, life_s=600):
        return self.signer.auth_token(self.venue.now_s + life_s)

    def _head(self, changes):
        head = {
            "account_index": self.account,
            "api_key_index": self.key,
            "expired_at": self.venue.now_ms + 600_000,
            "nonce": self.nonce,
        }
        return head | changes

    def create(self, *, is_ask=False, price=290_000, size=1_000, market=0, tif=Tif.POST_ONLY, **changes):
        self.next_client_index += 1
        fields = {
            "market_index": market,
            "client_order_index": self.next_client_index,
            "base_amount": size,
            "price": price,
            "is_ask": int(is_ask),
            "order_type": OrderType.LIMIT,
            "time_in_force": tif,
            "reduce_only": 0,
            "trigger_price": 0,
            "order_expiry": 0 if tif == Tif.IMMEDIATE_OR_CANCEL else self.venue.now_ms + HOUR_MS,
        }
        return self._signed(CreateOrderTx(**self._head(fields | changes)))

    def take(self, *, is_ask=False, price=None, size=1_000, market=0, **changes):
        worst = price or (MID_TICKS[market] * (95 if is_ask else 105) // 100)
        return self.create(is_ask=is_ask, price=worst, size=size, market=market, tif=Tif.IMMEDIATE_OR_CANCEL, **changes)

    def modify(self, index, *, price, size=1_000, market=0, **changes):
        fields = {"market_index": market, "index": index, "base_amount": size, "price": price, "trigger_price": 0}
        return self._signed(ModifyOrderTx(**self._head(fields | changes)))

    def cancel(self, index, *, market=0, **changes):
        return self._signed(CancelOrderTx(**self._head({"market_index": market, "index": index} | changes)))

    def cancel_all(self, mode=CancelAllMode.IMMEDIATE, time_ms=0, **changes):
        return self._signed(CancelAllOrdersTx(**self._head({"time_in_force": mode, "time": time_ms} | changes)))

    def leverage(self, fraction, market=0, **changes):
        fields = {"market_index": market, "initial_margin_fraction": fraction, "margin_mode": 0}
        return self._signed(UpdateLeverageTx(**self._head(fields | changes)))

    def _signed(self, tx):
        """Return the signed JSON; what no honest signer would sign is signed all the same."""
        message = transactions.transaction_message(tx, self.venue.chain_id)
        sig = self.signer._signature(message)  # noqa: SLF001  (the public door refuses faulty fields)
        self.nonce = tx.nonce + 1
        return _Sent(tx.tx_type, transactions.encode(_with_signature(tx, sig)).decode())

    def send(self, sent, *, ok=True):
        status, reply = self.venue.post("sendTx", tx_type=int(sent.tx_type), tx_info=sent.info)
        if not ok or status != 200:
            self.nonce -= 1
        assert (status == 200) == ok, reply
        return reply

    def send_batch(self, *sent):
        types = json.dumps([int(each.tx_type) for each in sent])
        return self.venue.post("sendTxBatch", tx_types=types, tx_infos=json.dumps([each.info for each in sent]))


class _Sent:
    def __init__(self, tx_type: TxType, info: str):
        self.tx_type, self.info = tx_type, info

    def changed(self, **fields):
        return _Sent(self.tx_type, json.dumps(json.loads(self.info) | fields))


def _with_signature(tx, signature):
    return replace(tx, sig=signature_text(signature))


class Listener:
    """A connection of the stream."""

    def __init__(self, venue, ip, *, is_read_only=False):
        self.venue = venue
        self.session = venue.app.connect(ip, venue.now_us, is_read_only=is_read_only)
        self.greeting = self.frames()

    def say(self, message):
        data = message if isinstance(message, (str, bytes)) else json.dumps(message)
        self.venue.app.receive(self.session, data, self.venue.now_us)

    def ask(self, message):
        self.say(message)
        return self.frames()

    def subscribe(self, channel, token=None):
        return self.ask({"type": "subscribe", "channel": channel} | ({"auth": token} if token else {}))

    def frames(self, family=None):
        self.venue.app.take_ready()
        found = [json.loads(frame) for frame in self.session.take()]
        return found if family is None else [frame for frame in found if frame.get("type", "").endswith(f"/{family}")]

    def codes(self):
        return [frame["error"]["code"] for frame in self.frames() if "error" in frame]
