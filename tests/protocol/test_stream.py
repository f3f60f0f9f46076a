import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.book_feed import BookFeed
from helpers.golden import golden
from helpers.markets import ETH
from lighterman.chance import seeded
from lighterman.domain.book import OrderBook
from lighterman.domain.events import BookSnapshot
from lighterman.protocol import messages
from lighterman.protocol.stream import NS_PER_S, STREAM_TRANSITIONS, ChannelState, StreamSession
from lighterman.protocol.translate import Translator

AUTH = "8:5"
HELLO = b'{"session_id":"x","type":"connected"}'


def _said(frames):
    return [(frame.get("type"), frame.get("channel")) for frame in map(msgspec.json.decode, frames)]


def _subscribed(family, market=0, body='"x":1'):
    return f'{{"type":"subscribed/{family}","channel":"{family}:{market}",{body}}}'.encode()


def _open(*channels):
    session = StreamSession(channels)
    session.token = AUTH
    session.on_open(0)
    session.receive(HELLO, 0)
    return session, session.poll(0)


def _live_book(feed):
    session, _ = _open("order_book/0")
    assert len(session.receive(feed.snapshot(), 0)) == 1
    return session


def test_every_state_can_be_reached_and_left():
    """The table of transitions is complete: each state has a way in and a way out."""
    reached = {state for moves in STREAM_TRANSITIONS.values() for state in moves.values()}

    assert set(ChannelState) - {ChannelState.WANTED} == reached
    assert set(ChannelState) == set(STREAM_TRANSITIONS)


def test_subscribes_after_the_greeting():
    """Nothing is said before the venue has said that we are connected."""
    session = StreamSession(["order_book/0", "market_stats/0"])

    assert [] == session.on_open(0)
    assert [] == session.poll(NS_PER_S)

    session.receive(HELLO, NS_PER_S)
    expected = [("subscribe", "order_book/0"), ("subscribe", "market_stats/0")]
    assert expected == _said(session.poll(NS_PER_S))


def test_subscribes_anyway_after_three_seconds():
    """A greeting that does not come is not waited for."""
    session = StreamSession(["order_book/0"])
    session.on_open(0)

    assert ("subscribe", "order_book/0") in _said(session.poll(3 * NS_PER_S))


def test_only_account_channels_carry_the_token():
    """The token goes to every account channel and to no public one."""
    _, frames = _open("order_book/0", "account_all/7")

    assert [None, AUTH] == [msgspec.json.decode(frame).get("auth") for frame in frames]


def test_is_ready_when_every_channel_has_had_its_first_data():
    """A connection counts as usable only with data on all that was asked for."""
    session, _ = _open("order_book/0", "market_stats/0")
    feed = BookFeed(seeded(1, "ready"))
    session.receive(feed.snapshot(), 0)
    assert not session.is_ready

    session.receive(_subscribed("market_stats", body='"market_stats":{}'), 0)
    assert session.is_ready


def test_subscribes_within_the_venue_s_limits():
    """At most 35 requests are unanswered, and in a minute less than half of the venue's 150 leave on one link."""
    session, frames = _open(*(f"market_stats/{market}" for market in range(100)))
    sent = list(frames)
    assert len(frames) <= 35

    for turn in range(1, 200):
        now_ns = turn * NS_PER_S // 10
        for kind, channel in _said(frames):
            if kind == "subscribe":
                session.receive(_subscribed("market_stats", channel.split("/")[1], '"market_stats":{}'), now_ns)
        frames = session.poll(now_ns)
        assert len(frames) <= 35
        sent += frames
        if turn % 20 == 0:
            for market in range(30):
                session.lose(f"market_stats:{market}", "test", now_ns)

    assert 50 < len(sent) < 75


def test_an_update_before_the_snapshot_is_dropped():
    """Without a snapshot there is nothing to update, and nothing is wrong either."""
    feed = BookFeed(seeded(2, "early"))
    session, _ = _open("order_book/0")

    assert not session.receive(feed.update(), 0)
    assert not session.gaps
    assert session.counters.early == 1


def test_a_gap_loses_the_book_and_fetches_it_anew():
    """`begin_nonce` other than the nonce before it: the book is lost at once, and subscribed anew."""
    feed = BookFeed(seeded(3, "gap"))
    session = _live_book(feed)
    feed.update()

    assert not session.receive(feed.update(), 1)
    assert ["order_book:0"] == [gap.channel for gap in session.gaps]
    assert [("unsubscribe", "order_book/0"), ("subscribe", "order_book/0")] == _said(session.poll(1))
    assert not session.receive(feed.update(), 2)
    assert len(session.receive(feed.snapshot(), 3)) == 1
    assert len(session.receive(feed.update(), 4)) == 1


def test_losses_in_a_row_are_retried_later_and_later():
    """A book that is lost again and again does not become a storm of subscriptions."""
    session = _live_book(feed := BookFeed(seeded(4, "storm")))
    said = 0
    for turn in range(600):
        now_ns = turn * NS_PER_S // 10
        session.lose("order_book:0", "test", now_ns)
        said += sum(kind == "subscribe" for kind, _ in _said(session.poll(now_ns)))
        session.receive(feed.snapshot(), now_ns)

    assert said < 20


def test_a_snapshot_whose_nonce_went_back_is_reported():
    """A lower nonce after a new subscription means a venue that restarted: said, and the book is taken."""
    feed = BookFeed(seeded(5, "restart"))
    session = _live_book(feed)
    feed.nonce = 1
    session.on_open(NS_PER_S)
    session.receive(HELLO, NS_PER_S)
    session.poll(NS_PER_S)

    assert len(session.receive(feed.snapshot(), NS_PER_S)) == 1
    assert "went back" in session.gaps[0].reason
    assert session.counters.regressions == 1


def test_a_book_that_goes_back_on_a_live_connection_is_fetched_anew():
    """Updates from before the book, one after the other: the venue went back, and its snapshot is asked for at once."""
    feed = BookFeed(seeded(3, "back"))
    session = _live_book(feed)
    earlier = [feed.update() for _ in range(10)]
    for frame in earlier:
        assert session.receive(frame, NS_PER_S)
    heard = [session.receive(frame, 2 * NS_PER_S) for frame in earlier[:6]]

    assert not any(heard)
    assert "went back" in session.gaps[0].reason
    assert ("subscribe", "order_book/0") in _said(session.poll(2 * NS_PER_S))


def test_an_echo_costs_nothing():
    """Every frame told twice, and one of long ago: dropped, and the book stands."""
    feed = BookFeed(seeded(3, "echo"))
    session = _live_book(feed)
    earlier = [feed.update() for _ in range(20)]
    for frame in earlier:
        assert session.receive(frame, NS_PER_S)
        assert not session.receive(frame, NS_PER_S)
        assert not session.receive(earlier[0], NS_PER_S)

    assert session.counters.old == 40
    assert not session.gaps


def test_a_malformed_frame_of_a_book_loses_that_book_alone():
    """What cannot be read may have been a change of the book it names."""
    feed = BookFeed(seeded(6, "malformed"))
    session, _ = _open("order_book/0", "order_book/1")
    session.receive(feed.snapshot(), 0)
    broken = feed.update().replace(b'"asks":[', b'"asks":[7,')

    assert not session.receive(broken, 1)
    assert ["order_book:0"] == [gap.channel for gap in session.gaps]
    assert not session.failure


def test_a_malformed_frame_of_an_account_ends_the_connection():
    """It may have been a fill: only a new connection with its gap-fill is sure."""
    session, _ = _open("account_all_orders/7")
    session.receive(b'{"type":"update/account_all_orders","channel":"account_all_orders:7","orders":5}', 1)

    assert "malformed" in session.failure


@pytest.mark.parametrize("frame", [b"null", b"[]", b'"hello"', b"5", b'{"type":"update/nobody","channel":"x"}', b"{}"])
def test_frames_we_do_not_know_are_ignored_and_counted(frame):
    """Frames that are no object, and unknown types, are no error."""
    session, _ = _open("account_all_orders/7")

    assert not session.receive(frame, 1)
    assert not session.failure
    assert session.counters.unknown == 1


def test_pings_are_answered_at_once():
    """The venue's ping gets its pong with the next poll."""
    session, _ = _open()
    session.receive(b'{"type":"ping"}', 1)

    assert [messages.PONG] == session.poll(1)


def test_speaks_every_25_seconds():
    """The venue drops a client that says nothing for two minutes."""
    session, _ = _open("market_stats/0")
    session.receive(_subscribed("market_stats", body='"market_stats":{}'), 0)
    pings = []
    for second in range(1, 200):
        session.receive(b'{"type":"pong"}', second * NS_PER_S)
        pings += [second for frame in session.poll(second * NS_PER_S) if frame == messages.PING]

    assert [25, 50, 75, 100, 125, 150, 175] == pings


def test_silence_is_asked_about_and_ends_the_connection():
    """A half-open connection is noticed within seven seconds."""
    session, _ = _open()
    said = {}
    for second in range(1, 40):
        said[second] = session.poll(second * NS_PER_S)
        if session.failure:
            break

    assert messages.PING in said[3]
    assert second == 7
    assert session.failure == "ping unanswered"


@pytest.mark.parametrize(
    ("seconds", "frame", "reason"),
    [
        (1, b'{"type":"shutdown","close_in_ms":5000}', "shutdown"),
        (1, b'{"error":{"code":20013,"message":"invalid auth: invalid deadline: account_tx:1"}}', "token refused"),
        (23 * 3600, b'{"type":"pong"}', "23 hours"),
    ],
)
def test_what_ends_a_connection(seconds, frame, reason):
    """Announced shutdown, a refused token, and age are each a reason to connect anew."""
    session, _ = _open("account_tx/1")
    session.receive(frame, seconds * NS_PER_S)
    session.poll(seconds * NS_PER_S)

    assert reason in session.failure


def test_being_subscribed_already_is_no_error():
    """30003 is harmless."""
    session, _ = _open("account_tx/1")

    assert not session.receive(b'{"error":{"code":30003,"message":"Already Subscribed to : account_tx:1"}}', 1)
    assert not session.failure


def test_too_many_messages_makes_us_wait():
    """30009 and its kin stop new subscriptions for a while."""
    session, _ = _open("order_book/0")
    session.receive(b'{"error":{"code":30009,"message":"Too Many Websocket Messages!"}}', 0)
    session.lose("order_book:0", "test", 0)

    assert not _said(session.poll(NS_PER_S))
    session.receive(b'{"type":"pong"}', 10 * NS_PER_S)
    assert ("subscribe", "order_book/0") in _said(session.poll(10 * NS_PER_S))


def test_an_answer_to_a_transaction_goes_to_the_caller():
    """Replies and errors on a connection without channels are the sender's business."""
    session, _ = _open()
    reply = session.receive(b'{"code":200,"id":"a-17","tx_hash":"3a54","type":"jsonapi/sendtx"}', 1)
    error = session.receive(b'{"error":{"code":21104,"message":"invalid nonce"},"id":"a-18"}', 1)

    assert ("a-17", 200) == (reply[0].id, reply[0].code)
    assert ("a-18", 21104) == (error[0].id, error[0].error.code)


def test_a_new_token_subscribes_account_channels_anew():
    """Unsubscribe, then subscribe: a plain subscribe would be refused. Data goes on meanwhile."""
    session, _ = _open("account_tx/1")
    session.receive(b'{"type":"subscribed/account_tx","channel":"account_tx:1"}', 0)
    session.renew("NEW", 1)
    assert session.is_ready
    frames = session.poll(1)

    assert [("unsubscribe", "account_tx/1"), ("subscribe", "account_tx/1")] == _said(frames)
    assert msgspec.json.decode(frames[1])["auth"] == "NEW"
    assert not session.is_ready
    assert len(session.receive(b'{"type":"update/account_tx","channel":"account_tx:1","txs":[]}', 2)) == 1


def test_a_subscription_without_answer_is_repeated():
    """A first frame that does not come within ten seconds is asked for again."""
    session, _ = _open("market_stats/0")
    said = []
    for second in range(1, 13):
        session.receive(b'{"type":"pong"}', second * NS_PER_S)
        said += _said(session.poll(second * NS_PER_S))

    assert said.count(("subscribe", "market_stats/0")) == 1


def test_a_book_that_stands_still_is_fetched_anew():
    """A subscription that the venue forgot shows as a book that does not move."""
    session = _live_book(BookFeed(seeded(7, "quiet")))
    for second in range(1, 61):
        session.receive(b'{"type":"pong"}', second * NS_PER_S)
        said = _said(session.poll(second * NS_PER_S))

    assert ("subscribe", "order_book/0") in said
    assert "nothing for a minute" in session.gaps[0].reason


def test_the_venue_s_own_frames_pass():
    """Frames that the venue sent: the greeting opens, the snapshot counts, an update of later does not follow it."""
    session = StreamSession(["order_book/0"])
    session.on_open(0)
    session.receive(golden("connected"), 0)
    session.poll(0)

    assert len(session.receive(golden("order_book_subscribed"), 0)) == 1
    assert session.is_ready
    assert not session.receive(golden("order_book_update"), 0)
    assert "gap" in session.gaps[0].reason


class _Listener:
    """A client's end: session, translation and book together."""

    def __init__(self):
        self.session, _ = _open("order_book/0")
        self.translator, self.book, self.knows = Translator(1), OrderBook(), False
        self.translator.learn([ETH])

    def hear(self, frame, now_ns):
        for passed in self.session.receive(frame, now_ns):
            event = self.translator.book(passed, now_ns)
            change = self.book.replace if isinstance(event, BookSnapshot) else self.book.apply
            change(event.bids, event.asks, event.nonce)
            self.knows = True
        self.knows = self.knows and all("went back" in gap.reason for gap in self.session.gaps)
        self.session.gaps.clear()

    def asks_for_snapshot(self, now_ns):
        return any(kind == "subscribe" for kind, _ in _said(self.session.poll(now_ns)))


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.floats(0, 0.5))
def test_a_book_is_true_or_lost(seed, faults):
    """Whatever is dropped, doubled, reordered or spoilt: what we hold is a book the venue had, or nothing.

    Once the network is well again, the book is the venue's within a minute.
    """
    rng = seeded(seed, "network")
    feed, listener = BookFeed(rng), _Listener()
    wire = [feed.snapshot()]
    for now_ns in range(NS_PER_S, 60 * NS_PER_S, NS_PER_S):
        wire.append(feed.update())
        if rng.random() < faults:
            wire.insert(rng.randrange(len(wire)), rng.choice(wire))
        if rng.random() < faults:
            del wire[rng.randrange(len(wire))]
        if rng.random() < faults:
            rng.shuffle(wire)
        for frame in [wire.pop(0) for _ in range(min(len(wire), rng.randrange(4)))]:
            is_spoilt = rng.random() < faults / 4
            listener.hear(frame.replace(b'"nonce"', b'"n"') if is_spoilt else frame, now_ns)
        if listener.asks_for_snapshot(now_ns):
            wire.append(feed.snapshot())
        assert not listener.knows or feed.is_true(listener.book)

    for now_ns in range(60 * NS_PER_S, 120 * NS_PER_S, NS_PER_S):
        listener.hear(feed.update(), now_ns)
        if listener.asks_for_snapshot(now_ns):
            listener.hear(feed.snapshot(), now_ns)
    assert listener.knows
    assert feed.nonce == listener.book.nonce
    assert feed.is_true(listener.book)
