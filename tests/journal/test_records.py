"""Records: every event and decision survives its bytes."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.journals import DECISION, EMPTY_DECISION, EVENTS, HEADER
from lighterman.domain.errors import JournalError
from lighterman.domain.events import BookSnapshot, Event, Link, LinkReport, MarketReport
from lighterman.domain.market import Market
from lighterman.engine.decision import Decision
from lighterman.journal.records import Broke, Decided, Ending, decode, encode, encode_decision

WHOLE = st.integers(-(10**30), 10**30)
MARKET = Market(
    index=1,
    symbol="BTC",
    price_decimals=1,
    size_decimals=5,
    min_base_lots=20,
    min_quote_micro=10_000_000,
    order_quote_limit_micro=10**15,
)


def event_of(kind: type, data: st.DataObject) -> Event:
    """Draw an event of a kind, each field by its declared type."""
    strategies: dict[object, st.SearchStrategy] = {
        int: WHOLE,
        str: st.text(max_size=20),
        bool: st.booleans(),
        Link: st.sampled_from(Link),
        Market: st.just(MARKET),
        list[int]: st.lists(WHOLE, max_size=5),
        list[tuple[int, int]]: st.lists(st.tuples(WHOLE, WHOLE), max_size=5),
        list[tuple[int, int, int]]: st.lists(st.tuples(WHOLE, WHOLE, WHOLE), max_size=5),
    }
    fields = msgspec.structs.fields(kind)
    return kind(*[data.draw(strategies.get(field.type, st.just([]))) for field in fields])


@given(st.sampled_from(get_args(Event)), st.data())
def test_every_event_comes_back(kind, data):
    """Each kind of event, with integers of any size and texts of any kind, comes back equal and to the byte."""
    event = event_of(kind, data)
    payload = encode(event)

    assert event == decode(payload)
    assert payload == encode(decode(payload))  # type: ignore[arg-type]


def test_the_sample_events_come_back():
    """So do events as they really look, with lists of levels and with a market inside."""
    link = LinkReport(Link.PRIVATE, up=False, reason="gap", recv_ns=1)
    for event in [*EVENTS, link, MarketReport(MARKET, 5), BookSnapshot(0, [(1, 2)], [], 1, 2, 3)]:
        assert event == decode(encode(event))


def test_a_decision_is_its_bytes():
    """A decision comes back as the moment it was asked for and the bytes it was answered with."""
    assert Decided(2500, encode_decision(DECISION)) == decode(encode(DECISION))
    assert DECISION == msgspec.json.decode(encode_decision(DECISION), type=Decision)


def test_an_empty_decision_is_a_mark():
    """A decision that says nothing costs nine bytes, and comes back as if it were written out."""
    assert 9 == len(encode(EMPTY_DECISION))
    assert Decided(2600, encode_decision(EMPTY_DECISION)) == decode(encode(EMPTY_DECISION))


def test_the_rare_records_come_back():
    """The first record, the last one and that of a broken engine come back equal."""
    for record in (HEADER, Broke(7, "order filled twice"), Ending("closed: done", 4)):
        assert record == decode(encode(record))


@pytest.mark.parametrize(
    "payload", [b"", b"X", b"E", b"E[]", b'E["Nothing",1]', b"M", b"D\x00", b"H{}", b"Z[]", b"E{}"]
)
def test_foreign_payloads_are_refused(payload):
    """A payload that this program does not write is a JournalError."""
    with pytest.raises(JournalError):
        decode(payload)


@given(st.binary(max_size=60))
def test_any_payload_is_answered(payload):
    """Arbitrary payloads give a record or a JournalError."""
    for kind in (b"", b"E", b"D", b"H", b"Z", b"M"):
        try:
            decode(kind + payload)
        except JournalError:
            continue
