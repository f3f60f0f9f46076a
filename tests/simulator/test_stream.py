import json

import pytest

from helpers.local_venue import SECOND_US, Venue
from lighterman.domain.errors import VenueError
from lighterman.simulator.app import AppRules
from lighterman.simulator.limits import LimitRules
from lighterman.simulator.stream import StreamRules

PRIVATE = [
    "account_all_orders/100",
    "account_orders/0/100",
    "account_market/1/100",
    "account_tx/100",
    "account_all_assets/100",
]
OPEN = ["account_all/100", "account_all_trades/100", "account_all_positions/100", "user_stats/100"]
PUBLIC = ["height", "order_book/0", "ticker/0", "trade/0", "market_stats/0", "market_stats/all"]


def error(code, message):
    return [{"error": {"code": code, "message": message}}]


def test_the_greeting_comes_first():
    """A connection is greeted at once with a session id (protocol reference 3.1)."""
    venue = Venue()
    (one,), (two,) = venue.listen().greeting, venue.listen().greeting

    assert one.keys() == {"session_id", "type"}
    assert one["type"] == "connected"
    assert one["session_id"] != two["session_id"]


@pytest.mark.parametrize("channel", PUBLIC + OPEN)
def test_open_channels_need_no_token(channel):
    """The first frame of a channel is its snapshot."""
    venue = Venue()
    venue.trader()
    (frame,) = venue.listen().subscribe(channel)

    assert frame["type"] == "subscribed/" + channel.partition("/")[0]
    assert frame["channel"] == channel.replace("/", ":")


@pytest.mark.parametrize("channel", PRIVATE)
def test_private_channels_need_a_token(channel):
    """Without a token 20001 with the colon channel, with one the snapshot; no update comes before it."""
    venue = Venue()
    trader = venue.trader()
    listener = venue.listen()

    colon = channel.replace("/", ":")
    assert listener.subscribe(channel) == error(20001, f"invalid param : auth field is required: {colon}")
    (frame,) = listener.subscribe(channel, trader.token())
    assert frame["type"] == "subscribed/" + channel.partition("/")[0]


def test_bad_tokens_are_20013_and_name_the_channel():
    """An expired, malformed or foreign token opens nothing, not even a channel that needs none."""
    venue = Venue()
    trader, other = venue.trader(100), venue.trader(200)
    listener = venue.listen()
    expired = trader.token(life_s=1)
    venue.go(2)

    assert listener.subscribe("account_tx/100", expired) == error(
        20013, "invalid auth: invalid deadline: account_tx:100"
    )
    for token in ("nonsense", other.token()):
        (frame,) = listener.subscribe("account_all/100", token)
        assert frame["error"]["code"] == 20013
        assert frame["error"]["message"].endswith(": account_all:100")
    assert listener.session.subscriptions == {}


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        ("{", 30000, "Invalid Json"),
        ("", 30000, "Invalid Json"),
        (b"\xff\x00", 30000, "Invalid Json"),
        ("[1]", 30001, "Invalid Type"),
        ("7", 30001, "Invalid Type"),
        ({}, 30001, "Invalid Type"),
        ({"type": 7}, 30001, "Invalid Type"),
        ({"type": "sing"}, 30001, "Invalid Type"),
        ({"type": "subscribe"}, 30005, "Invalid Channel"),
        ({"type": "subscribe", "channel": "trade/9"}, 30005, "Invalid Channel"),
        ({"type": "subscribe", "channel": "account_all/9"}, 30005, "Invalid Channel"),
        ({"type": "unsubscribe", "channel": "x"}, 30005, "Invalid Channel"),
        ({"type": "unsubscribe", "channel": "trade/1"}, 30002, "Not Subscribed to : trade:1"),
        ({"type": "jsonapi/sendtx"}, 30007, "Invalid Data"),
        ({"type": "jsonapi/sendtx", "data": {"tx_type": "x", "tx_info": {}}}, 30007, "Invalid Data"),
        ({"type": "jsonapi/sendtxbatch", "data": {"tx_types": "[1", "tx_infos": "[]"}}, 30007, "Invalid Data"),
        ({"type": "jsonapi/sendtxbatch", "data": {"tx_types": "[14]", "tx_infos": [7]}}, 21501, None),
    ],
)
def test_faults_are_error_frames(message, code, text):
    """Each fault has the frame of protocol reference 3.2: no type, no id."""
    (frame,) = Venue().listen().ask(message)

    assert frame.keys() == {"error"}
    assert frame["error"]["code"] == code
    assert text in {None, frame["error"]["message"]}


def test_subscribing_twice_is_30003():
    """A second subscription to a channel is refused by its name."""
    assert Venue().listen("height").subscribe("height") == error(30003, "Already Subscribed to : height")


def test_unsubscribing_is_answered_and_ends_the_channel():
    """The answer names the channel with colons; afterwards nothing comes, and it may be subscribed again."""
    venue = Venue()
    trader = venue.trader()
    listener = venue.listen("order_book/0", "ticker/0")
    listener.frames()

    assert listener.ask({"type": "unsubscribe", "channel": "order_book/0"}) == [
        {"type": "unsubscribed", "channel": "order_book:0"}
    ]
    trader.send(trader.create())
    venue.go(1)
    assert listener.frames("order_book") == []
    assert listener.subscribe("order_book/0")[0]["type"] == "subscribed/order_book"


def test_a_ping_is_answered():
    """{"type":"ping"} gives {"type":"pong"}; a pong gives nothing."""
    listener = Venue().listen()

    assert listener.ask({"type": "ping"}) == [{"type": "pong"}]
    assert listener.ask({"type": "pong"}) == []


def test_two_minutes_of_silence_end_a_connection():
    """A client that says nothing is closed with 1000; any message keeps it (protocol reference 3.1)."""
    venue = Venue()
    silent, alive = venue.listen(), venue.listen()
    for _ in range(3):
        venue.go(45)
        alive.say({"type": "pong"})

    assert silent.session.closing is not None
    assert (silent.session.closing.code, silent.session.closing.reason) == (1000, "read tcp: i/o timeout")
    assert alive.session.closing is None


def test_pings_are_a_switch():
    """Switched on, the server pings every minute and closes with 1008 who does not answer (A-30)."""
    venue = Venue(AppRules(stream=StreamRules(ping_us=60 * SECOND_US, silence_us=10**12)))
    mute, alive = venue.listen(), venue.listen()
    venue.go(61)
    assert mute.frames() == alive.frames() == [{"type": "ping"}]
    alive.say({"type": "pong"})
    venue.go(61)

    assert mute.session.closing is not None
    assert mute.session.closing.code == 1008
    assert alive.session.closing is None


def test_a_channel_ends_with_its_token():
    """When its token expires a private channel ends with 20013 and can be opened again with a new one."""
    venue = Venue()
    trader = venue.trader()
    listener = venue.listen("account_tx/100", "account_all_orders/100", token=trader.token(life_s=60))
    listener.subscribe("account_all/100")
    venue.go(59)
    assert listener.frames() == []
    venue.go(2)

    assert [frame["error"]["message"] for frame in listener.frames() if "error" in frame] == [
        "invalid auth: token expired: account_tx:100",
        "invalid auth: token expired: account_all_orders:100",
    ]
    assert list(listener.session.subscriptions) == ["account_all:100"]
    assert listener.subscribe("account_tx/100", trader.token())[0]["type"] == "subscribed/account_tx"


def sendtx(sent, request_id="a-17", as_text=False):
    info = sent.info if as_text else json.loads(sent.info)
    return {"type": "jsonapi/sendtx", "data": {"id": request_id, "tx_type": int(sent.tx_type), "tx_info": info}}


@pytest.mark.parametrize("as_text", [False, True])
def test_a_transaction_over_the_stream(as_text):
    """tx_info is an object, a text is taken too; the answer repeats id and type (protocol reference 3.7)."""
    venue = Venue()
    trader = venue.trader()
    (reply,) = venue.listen().ask(sendtx(trader.create(), as_text=as_text))

    assert (reply["code"], reply["id"], reply["type"]) == (200, "a-17", "jsonapi/sendtx")
    assert reply["predicted_execution_time_ms"] == venue.now_ms
    assert len(reply["tx_hash"]) == 80
    assert len(venue.exchange.open_orders(100)) == 1


def test_a_text_may_be_refused():
    """The venue's own strictness is a switch: a text is 30007 then."""
    venue = Venue(AppRules(stream=StreamRules(accepts_text_tx_info=False)))
    trader = venue.trader()

    assert venue.listen().ask(sendtx(trader.create(), as_text=True))[0]["error"]["code"] == 30007


def test_a_refusal_repeats_the_id():
    """The error frame of a transaction carries its id."""
    venue = Venue()
    trader = venue.trader()

    assert venue.listen().ask(sendtx(trader.create(nonce=3), "a-18")) == [
        {"error": {"code": 21104, "message": "invalid nonce"}, "id": "a-18"}
    ]


@pytest.mark.parametrize("shape", ["texts", "arrays of texts", "arrays of objects"])
def test_a_batch_over_the_stream(shape):
    """Fields are JSON-encoded texts or arrays (A-5); all hashes come back in order."""
    venue = Venue()
    trader = venue.trader()
    sent = [trader.create(), trader.create(is_ask=True, price=310_000), trader.cancel(5001)]
    types, infos = [int(each.tx_type) for each in sent], [each.info for each in sent]
    data = {
        "texts": {"tx_types": json.dumps(types), "tx_infos": json.dumps(infos)},
        "arrays of texts": {"tx_types": types, "tx_infos": infos},
        "arrays of objects": {"tx_types": types, "tx_infos": [json.loads(info) for info in infos]},
    }[shape]
    (reply,) = venue.listen().ask({"type": "jsonapi/sendtxbatch", "data": {"id": "b-3"} | data})

    assert (reply["code"], reply["id"], reply["type"]) == (200, "b-3", "jsonapi/sendtxbatch")
    assert len(reply["tx_hash"]) == 3
    assert [row.client_order_index for row in venue.exchange.open_orders(100)] == [5002]


def test_a_read_only_connection_sends_nothing():
    """?readonly=true refuses transactions with 30006 and still listens."""
    venue = Venue()
    trader = venue.trader()
    listener = venue.listen("order_book/0", is_read_only=True)

    (reply,) = listener.ask(sendtx(trader.create()))
    assert reply["error"] == {"code": 30006, "message": "Operation isn't supported"}
    assert venue.get("nextNonce", account_index=100, api_key_index=5)[1]["nonce"] == 0


def test_messages_are_limited_and_transactions_are_not():
    """The 201st message of a minute is 30009; transactions are counted elsewhere (protocol reference 3.3)."""
    venue = Venue()
    trader = venue.trader()
    listener = venue.listen()
    replies = [listener.ask({"type": "ping"})[0] for _ in range(201)]

    assert replies[199] == {"type": "pong"}
    assert replies[200]["error"]["code"] == 30009
    assert listener.ask(sendtx(trader.create()))[0]["code"] == 200
    venue.go(61)
    assert listener.ask({"type": "ping"}) == [{"type": "pong"}]


def test_unanswered_messages_are_limited():
    """Whoever sends on without reading the answers is told 30010 after 50 of them."""
    listener = Venue().listen()
    for _ in range(51):
        listener.say({"type": "ping"})

    assert listener.codes() == [30010]


def test_connections_are_limited_by_address():
    """Connections and new connections of one address have limits of their own: 23003."""
    venue = Venue(AppRules(limits=LimitRules(connections_per_ip=2, connects_per_minute=3)))
    first = venue.listen()
    venue.listen()
    with pytest.raises(VenueError, match="23003"):
        venue.listen()
    venue.app.disconnect(first.session)
    with pytest.raises(VenueError, match="23003"):
        venue.listen()
    venue.listen(ip="127.0.0.2")
    venue.go(61)
    venue.listen()


def test_subscriptions_are_limited():
    """Channels per connection and per address are 23001, accounts per connection 23002."""
    limits = LimitRules(subscriptions_per_connection=3, subscriptions_per_ip=4, accounts_per_connection=1)
    venue = Venue(AppRules(limits=limits))
    venue.trader(100)
    venue.trader(200)
    listener = venue.listen("height", "account_all/100")

    assert listener.subscribe("account_all/200")[0]["error"]["code"] == 23002
    assert listener.subscribe("user_stats/100")[0]["type"] == "subscribed/user_stats"
    assert listener.subscribe("ticker/0")[0]["error"]["code"] == 23001
    other = venue.listen("ticker/0")
    assert other.subscribe("ticker/1")[0]["error"]["code"] == 23001


def test_a_connection_that_has_ended_gets_nothing():
    """After a disconnect nobody listens in its name."""
    venue = Venue()
    trader = venue.trader()
    listener = venue.listen("order_book/0", "account_all/100")
    venue.app.disconnect(listener.session)
    trader.send(trader.take())
    venue.go(1)

    assert listener.frames() == []
    assert venue.app.take_ready() == []
