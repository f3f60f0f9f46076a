import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.golden import golden, golden_object, shape
from lighterman.domain.errors import RemoteProtocolError
from lighterman.protocol import objects, rest

NEWER = {  # fields that appeared after the captures (protocol reference 2.7.1, 2.7.4, 3.5)
    "order": {
        "integrator_fee_collector_index",
        "integrator_taker_fee",
        "integrator_maker_fee",
        "transaction_time",
        "order_flags",
        "order_version",
    },
    "market_stats": {"best_ask_price", "best_bid_price"},
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("order_book_listing", objects.MarketListing),
        ("order_book_detail", objects.MarketDetail),
        ("simple_order", objects.SimpleOrder),
        ("trade", objects.Trade),
        ("order", objects.Order),
        ("detailed_account", objects.DetailedAccount),
        ("transaction", objects.EnrichedTransaction),
        ("status", rest.Status),
        ("candles", rest.Candles),
        ("fundings", rest.Fundings),
        ("exchange_stats", rest.ExchangeStats),
        ("next_nonce", rest.NextNonce),
        ("sendtx_http_reply", rest.SendReply),
    ],
)
def test_what_we_send_has_the_shape_of_the_venue(name, kind):
    """An object of the venue, read and written again, has the same keys and the same types of values."""
    sent = msgspec.json.decode(msgspec.json.encode(objects.decode(golden(name), kind)))
    venue = golden_object(name)

    extra = sent.keys() - venue.keys()
    assert extra <= NEWER.get(name, set())
    assert shape(venue) == shape({key: value for key, value in sent.items() if key not in extra})


@pytest.mark.parametrize(
    ("name", "kind", "full"),
    [
        ("order_book_detail", objects.MarketFacts, objects.MarketDetail),
        ("trade", objects.TradeFacts, objects.Trade),
        ("order", objects.OrderFacts, objects.Order),
        ("detailed_account", objects.AccountFacts, objects.DetailedAccount),
        ("transaction", objects.TransactionFacts, objects.EnrichedTransaction),
    ],
)
def test_a_field_nobody_reads_cannot_break_a_client(name, kind, full):
    """Null or nonsense in a field that is not among the facts changes nothing that is read."""
    facts = {field.encode_name for field in msgspec.structs.fields(kind)}
    venue = golden_object(name)
    spoiled = {key: value if key in facts else {"odd": [None]} for key, value in venue.items()}

    assert issubclass(full, kind)
    assert objects.decode(golden(name), kind) == objects.decode(msgspec.json.encode(spoiled), kind)


def test_ids_may_come_as_text():
    """A number sent as text is read as the number."""
    row = golden_object("trade")
    texts = {key: str(value) if key.endswith("_id") else value for key, value in row.items()}

    assert objects.decode(golden("trade"), objects.TradeFacts) == objects.decode(
        msgspec.json.encode(texts), objects.TradeFacts
    )


def test_zero_and_false_are_left_out_of_trades():
    """A trade carries no fee of zero: its absence says so (protocol reference 9.5)."""
    full = objects.decode(golden("trade"), objects.Trade)

    assert b"taker_fee" not in msgspec.json.encode(full)
    assert b"maker_fee" not in msgspec.json.encode(msgspec.structs.replace(full, maker_fee=0))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.binary(max_size=60) | JSON.map(msgspec.json.encode))
def test_nothing_but_the_documented_error_leaves_the_decoder(data):
    """Arbitrary bytes either decode or raise RemoteProtocolError."""
    try:
        objects.decode(data, objects.TradeFacts)
    except RemoteProtocolError:
        return
    pytest.fail("a trade without any of its fields was accepted")


def test_deep_nesting_is_refused():
    """A body of brackets is refused like any other that is not the venue's."""
    with pytest.raises(RemoteProtocolError):
        objects.decode(b'{"a":' + b"[" * 100_000, objects.TradeFacts)
