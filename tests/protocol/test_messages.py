import gzip

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.golden import golden, golden_object, shape
from lighterman.domain.errors import RemoteProtocolError
from lighterman.protocol import messages, objects
from lighterman.protocol.rest import SendReply

FRAMES = {
    "connected": messages.Connected,
    "unsubscribed": messages.Unsubscribed,
    "ticker": messages.TickerFrame,
    "trade_frame": messages.TradeFrame,
    "market_stats": messages.MarketStatsFrame,
    "height": messages.HeightFrame,
    "account_all_orders": messages.OrdersFrame,
    "account_orders": messages.MarketOrdersFrame,
    "account_tx": messages.TransactionsFrame,
    "account_all_trades": messages.AccountTradesFrame,
    "account_all_positions": messages.PositionsFrame,
    "account_all_trade": messages.AccountFrame,
    "account_all_position": messages.AccountFrame,
    "account_all_funding": messages.AccountFrame,
    "user_stats": messages.UserStatsFrame,
    "sendtx_reply": SendReply,
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_known_by_its_type(name):
    """Each frame of the venue decodes as its own kind, and is written again with the same keys."""
    frame = messages.decode(golden(name))
    again = msgspec.json.decode(msgspec.json.encode(frame))

    assert FRAMES[name].__name__ == type(frame).__name__
    assert golden_object(name).keys() == again.keys()


@pytest.mark.parametrize("name", ["order_book_subscribed", "order_book_update"])
def test_the_order_book_is_read_and_written(name):
    """The hot frame keeps what continuity and the book need; the published one has the venue's shape."""
    venue = golden_object(name)
    frame = messages.decode(golden(name))
    published = objects.decode(golden(name), messages.PublishedBookFrame)

    assert isinstance(frame, messages.BookFrame)
    assert frame.order_book is not None
    assert venue["order_book"]["nonce"] == frame.order_book.nonce
    assert venue["order_book"]["begin_nonce"] == frame.order_book.begin_nonce
    assert frame.is_snapshot == (name == "order_book_subscribed")
    assert shape(venue) == shape(msgspec.json.decode(msgspec.json.encode(published)))


def test_an_empty_book_may_lack_its_lists():
    """An empty market, and lists that are null, are books without levels (protocol reference 3.4)."""
    empty = messages.decode(golden("order_book_empty"))
    nulls = messages.decode(
        b'{"channel":"order_book:0","order_book":{"asks":null,"nonce":0},"type":"update/order_book"}'
    )

    for frame in (empty, nulls):
        assert isinstance(frame, messages.BookFrame)
        assert frame.order_book is not None
        assert not frame.order_book.asks
        assert not frame.order_book.bids


def test_market_stats_of_one_and_of_all_read_alike():
    """`market_stats:all` holds a map of what `market_stats:<m>` holds alone."""
    one = messages.decode(golden("market_stats"))
    row = golden_object("market_stats")["market_stats"]
    both = messages.decode(
        msgspec.json.encode({"channel": "market_stats:all", "market_stats": {"1": row}, "type": "update/market_stats"})
    )

    assert isinstance(one, messages.MarketStatsFrame)
    assert isinstance(both, messages.MarketStatsFrame)
    assert one.rows() == both.rows()


def test_errors_are_read_in_all_their_forms():
    """An error has no type; with an id it answers a transaction; a flat one has a type (A-13)."""
    plain = messages.decode(golden("error"))
    answered = messages.decode(golden("sendtx_error"))
    flat = messages.decode(b'{"type":"jsonapi/sendtx","code":21727,"message":"x"}')

    assert plain == messages.ErrorFrame(objects.Failure(30003, "Already Subscribed to : height"))
    assert answered == messages.ErrorFrame(objects.Failure(21104, "invalid nonce"), "a-18")
    assert isinstance(flat, SendReply)
    assert flat.stated == objects.Failure(21727, "x")


def test_unknown_frames_are_ignored():
    """An unknown type and JSON that is no object are Unknown, not errors (protocol reference 3.1)."""
    for data in (b'{"type":"update/novelty","channel":"novelty:1"}', b"[1]", b"7", b"null", b"{}"):
        assert isinstance(messages.decode(data), messages.Unknown)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b'{"type":"update/order_book","order_book":{"nonce":"x"}}',
        b'{"type":"update/ticker"}',
        b'{"type":7}',
    ],
)
def test_a_broken_frame_is_refused(data):
    """What is not JSON, or a known frame without what it must hold, raises."""
    with pytest.raises(RemoteProtocolError):
        messages.decode(data)


@given(st.integers(1, 5), st.text(min_size=1, max_size=10))
def test_a_batch_travels_as_texts(count, request_id):
    """The batch request holds JSON-encoded texts, which is what official clients send (A-5)."""
    infos = [msgspec.json.encode({"Nonce": nonce}) for nonce in range(count)]
    request = objects.decode(messages.send_batch(request_id, [14] * count, infos), messages.Request)
    data = objects.decode(bytes(request.data), messages.SendBatchData)

    assert data.id == request_id
    assert isinstance(data.tx_types, str)
    assert isinstance(data.tx_infos, str)
    assert msgspec.json.decode(data.tx_infos) == [info.decode() for info in infos]


def test_one_transaction_travels_as_an_object():
    """`tx_info` of a single transaction is the object itself, byte for byte (protocol reference 3.7)."""
    frame = messages.send_transaction("a-1", 14, b'{"Nonce":7}')

    assert msgspec.json.decode(frame) == {
        "type": "jsonapi/sendtx",
        "data": {"id": "a-1", "tx_type": 14, "tx_info": {"Nonce": 7}},
    }


def test_a_subscription_carries_its_token():
    """`auth` is left out when there is no token."""
    assert msgspec.json.decode(messages.subscribe("height")) == {"type": "subscribe", "channel": "height"}
    assert b'"auth":"t"' in messages.subscribe("account_tx/1", "t")


def test_recorded_frames_of_the_venue_decode(shared_data):
    """Every recorded frame of mainnet is of a known kind, and every row of its statistics is read."""
    rows = 0
    for path in sorted((shared_data / "lighter_mainnet_market_stats_202511").glob("*.jsonl.gz")):
        with gzip.open(path) as lines:
            for line in lines:
                if b'"raw"' in line:  # the recorder's own log, not the venue's
                    continue
                frame = messages.decode(line)
                assert not isinstance(frame, messages.Unknown)
                rows += len(frame.rows()) if isinstance(frame, messages.MarketStatsFrame) else 0

    assert rows == 7615
