import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.local_venue import CROWD, STEP_TICKS, Venue, crowd
from lighterman.domain.book import OrderBook
from lighterman.domain.units import parse_fixed
from lighterman.matching.requests import DropAll


def levels(rows):
    return [(parse_fixed(row["price"], 2), parse_fixed(row["size"], 4)) for row in rows]


def rebuild(frames):
    """Return the book a client would have, checking the chain of nonces on the way."""
    book = OrderBook()
    for frame in frames:
        body = frame["order_book"]
        if frame["type"] == "subscribed/order_book":
            assert body["begin_nonce"] == 0
            book.replace(levels(body["bids"]), levels(body["asks"]), body["nonce"])
        else:
            assert body["begin_nonce"] == book.nonce
            book.apply(levels(body["bids"]), levels(body["asks"]), body["nonce"])
    return book


steps = st.lists(
    st.tuples(st.booleans(), st.integers(-8, 8), st.integers(0, 30_000), st.sampled_from([0.0, 0.01, 0.05, 0.2])),
    max_size=25,
)


@settings(max_examples=60)
@given(steps)
def test_a_client_can_rebuild_the_book(moves):
    """Snapshot and updates give exactly the exchange's book, whenever the client came (protocol reference 3.4)."""
    venue = Venue()
    early, late = venue.listen(), venue.listen()
    frames = {early: early.subscribe("order_book/0"), late: []}
    for number, (is_ask, offset, size, wait_s) in enumerate(moves):
        crowd(venue.exchange, 0, is_ask=is_ask, price_ticks=300_000 + offset * STEP_TICKS, size_lots=size + 50)
        venue.go(wait_s)
        frames[early] += early.frames()
        if number == len(moves) // 2:
            frames[late] = late.subscribe("order_book/0")
    venue.go(0.1)
    if not moves:
        frames[late] = late.subscribe("order_book/0")

    real = venue.exchange.book(0)
    for listener, seen in frames.items():
        mine = rebuild(seen + listener.frames())
        assert (mine.bids, mine.asks, mine.nonce) == (real.bids, real.asks, real.nonce)


def test_books_are_batched_on_a_grid_of_50_ms():
    """Changes within 50 ms make one update with each level once; its time stands on the grid or later."""
    venue = Venue()
    listener = venue.listen("order_book/0")
    listener.frames()
    for price in (290_000, 291_000, 290_000):
        crowd(venue.exchange, 0, is_ask=False, price_ticks=price, size_lots=5_000)
    venue.go(0.049)
    assert listener.frames() == []
    venue.go(0.001)

    (frame,) = listener.frames()
    body = frame["order_book"]
    assert body["bids"] == [{"price": "2900.00", "size": "1.0000"}, {"price": "2910.00", "size": "0.5000"}]
    assert body["nonce"] - body["begin_nonce"] == 3
    assert frame["timestamp"] % 50 == 0
    assert frame["offset"] == body["offset"]


def test_an_emptied_level_has_size_zero():
    """A level that went is told with size zero, padded like every other size."""
    venue = Venue()
    listener = venue.listen("order_book/0")
    listener.frames()
    venue.exchange.act(DropAll(account_index=CROWD, market=0), venue.now_us)
    venue.go(0.05)

    (frame,) = listener.frames()
    sizes = {row["size"] for side in ("asks", "bids") for row in frame["order_book"][side]}
    assert sizes == {"0.0000"}
    assert listener.frames() == []


def test_the_best_level_is_told_at_once():
    """A ticker comes without waiting for the grid, and only when the best level changed (protocol reference 3.5)."""
    venue = Venue()
    listener = venue.listen("ticker/0")
    listener.frames()
    crowd(venue.exchange, 0, is_ask=False, price_ticks=290_000, size_lots=5_000)
    venue.go(0.001)
    assert listener.frames() == []
    crowd(venue.exchange, 0, is_ask=False, price_ticks=299_950, size_lots=5_000)
    venue.go(0.001)

    (frame,) = listener.frames()
    assert frame["ticker"] | {"last_updated_at": 0} == {
        "s": "ETH",
        "a": {"price": "3001.00", "size": "1.0000"},
        "b": {"price": "2999.50", "size": "0.5000"},
        "last_updated_at": 0,
    }
    assert frame["nonce"] == venue.exchange.book(0).nonce


def test_an_empty_side_has_empty_texts():
    """A ticker of a market without orders shows empty prices and sizes."""
    venue = Venue()
    listener = venue.listen("ticker/0")
    listener.frames()
    venue.exchange.act(DropAll(account_index=CROWD, market=0), venue.now_us)
    venue.go(0.001)

    (frame,) = listener.frames()
    assert frame["ticker"]["a"] == frame["ticker"]["b"] == {"price": "", "size": ""}


def test_trades_are_told_at_once_and_oldest_first():
    """One frame holds the trades of a taker in the order of their ids; zero fees are left out."""
    venue = Venue()
    listener = venue.listen("trade/0")
    listener.frames()
    trader = venue.trader()
    trader.send(trader.take(size=35_000))
    venue.go(0.2)

    (frame,) = listener.frames()
    assert [(row["trade_id"], row["price"], row["size"]) for row in frame["trades"]] == [
        (1, "3001.00", "1.0000"),
        (2, "3002.00", "2.0000"),
        (3, "3003.00", "0.5000"),
    ]
    assert frame["liquidation_trades"] == []
    assert frame["trades"][0]["taker_fee"] == 280
    assert not {"maker_fee", "ask_account_pnl", "taker_position_size_before"} & frame["trades"][0].keys()


@pytest.mark.parametrize("channel", ["market_stats/0", "market_stats/all"])
def test_statistics_come_each_second_when_they_changed(channel):
    """Unchanged statistics are not repeated; `all` holds only the markets that changed."""
    venue = Venue()
    listener = venue.listen(channel)
    venue.go(1)
    listener.frames()
    venue.go(1)
    assert listener.frames() == []
    venue.exchange.set_index(0, 303_000, venue.now_us)
    venue.go(1)

    (frame,) = listener.frames()
    stats = frame["market_stats"] if channel.endswith("0") else frame["market_stats"]["0"]
    assert stats["index_price"] == "3030.00"
    assert channel.endswith("0") or frame["market_stats"].keys() == {"0"}


def test_the_height_grows_with_time():
    """Block numbers come at multiples of half a second and never fall."""
    venue = Venue()
    listener = venue.listen("height")
    listener.frames()
    heights = []
    for _ in range(20):
        venue.go(0.5)
        heights += [frame["height"] for frame in listener.frames()]

    assert len(heights) >= 4
    assert heights == sorted(set(heights))


def test_random_flow_keeps_the_chain_whole():
    """Through a thousand random orders no update breaks the chain of nonces."""
    venue, rng = Venue(), random.Random(3)
    listener = venue.listen()
    frames = listener.subscribe("order_book/1")
    for _ in range(1_000):
        offset = rng.randint(-6, 6) * STEP_TICKS
        crowd(
            venue.exchange,
            1,
            is_ask=rng.random() < 0.5,
            price_ticks=1_000_000 + offset,
            size_lots=rng.randint(20, 9_000),
        )
        venue.go(rng.choice([0, 0.003, 0.07]))
    venue.go(0.1)
    frames += listener.frames()
    nonce = frames[0]["order_book"]["nonce"]
    for frame in frames[1:]:
        assert frame["order_book"]["begin_nonce"] == nonce
        nonce = frame["order_book"]["nonce"]

    assert nonce == venue.exchange.book(1).nonce
