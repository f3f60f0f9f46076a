import asyncio

import msgspec

from helpers.book_feed import BookFeed
from helpers.markets import BTC, ETH
from helpers.memory_venue import in_world
from lighterman.chance import seeded
from lighterman.domain.book import OrderBook
from lighterman.domain.commands import ResyncBook
from lighterman.domain.events import BookDelta, BookLost, BookSnapshot, Link, LinkReport, StatsReport
from lighterman.exchange import public
from lighterman.exchange.public import PublicFeed
from lighterman.protocol import messages
from lighterman.protocol.stream import BookGap
from lighterman.protocol.translate import Translator


class _Clock:
    def mono_ns(self):
        return 9


def _feed():
    translator, events = Translator(1), []
    translator.learn([ETH, BTC])
    return PublicFeed([0, 1], translator, _Clock(), events.append), events


def test_every_market_needs_its_book_and_its_statistics():
    """Two channels a market."""
    expected = ["order_book/0", "market_stats/0", "order_book/7", "market_stats/7"]

    assert expected == public.channels([0, 7])


def test_frames_become_events():
    """Books and statistics; what else comes is nobody's business."""
    feed, events = _feed()
    source = BookFeed(seeded(1, "public"))
    stats = {"market_id": 1, "index_price": "100.0", "mark_price": "100.1"}
    frame = {"type": "update/market_stats", "channel": "market_stats:1", "market_stats": stats}
    for data in (
        source.snapshot(),
        source.update(),
        msgspec.json.encode(frame),
        b'{"type":"update/height","height":5}',
    ):
        feed.heard(messages.decode(data), 1)

    assert [BookSnapshot, BookDelta, StatsReport] == [type(event) for event in events]


def test_a_gap_names_its_market_and_a_cut_all_of_them():
    """Lost books are told before the link is told to be down."""
    feed, events = _feed()
    feed.lost(BookGap("order_book:1", "gap"), 1)
    feed.went_down("cut")

    assert [BookLost(1, "gap", 1), BookLost(0, "cut", 9), BookLost(1, "cut", 9)] == events[:3]
    assert LinkReport(Link.PUBLIC, up=False, reason="cut", recv_ns=9) == events[3]


@in_world(symbols=["ETH"])
async def test_the_book_we_hear_is_the_exchange_s(world):
    """Through trades, new orders and a resync: book after book, level for level."""
    book, rng = OrderBook(), seeded(3, "hits")
    for turn in range(40):
        price = 300_000 + rng.randrange(-600, 600)
        world.network.hit(0, is_ask=rng.random() < 0.5, price_ticks=price, size_lots=rng.randrange(1000, 20_000))
        if turn == 20:
            world.venue.query([ResyncBook(0)])
        await asyncio.sleep(0.1)
    for event in world.events:
        if isinstance(event, BookSnapshot):
            book.replace(event.bids, event.asks, event.nonce)
        elif isinstance(event, BookDelta):
            book.apply(event.bids, event.asks, event.nonce)
    true = world.network.exchange.book(0)

    assert (true.bids, true.asks) == (book.bids, book.asks)
    assert ["crossed book"] == [event.reason for event in world.of(BookLost)]
    assert len(world.of(BookSnapshot)) == 2
