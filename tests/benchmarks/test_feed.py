"""The feeds are what the benchmarks say of them."""

import json
from itertools import pairwise

import pytest

from helpers.native import load_script
from lighterman.domain.book import OrderBook
from lighterman.domain.units import parse_fixed


@pytest.fixture(scope="module")
def feed(repository):
    """Return the feed as a module."""
    return load_script(repository / "benchmarks" / "feed.py")


def middles(feed, frames):
    """Return twice the middle after each frame, in ticks, as a book keeps it."""
    book, found = OrderBook(), []
    for number, data in enumerate(frames):
        body = json.loads(data)["order_book"]
        bids, asks = [
            [(parse_fixed(level["price"], 2), parse_fixed(level["size"], 4)) for level in body[side]]
            for side in ("bids", "asks")
        ]
        (book.apply if number else book.replace)(bids, asks, body["nonce"])
        found.append(book.best_bid()[0] + book.best_ask()[0])
    return found


def test_every_update_of_the_stopwatch_moves_the_middle(feed, repository):
    """The end-to-end benchmark waits for an order after each update, so each has to cause one."""
    moving = load_script(repository / "benchmarks" / "end_to_end.py").MOVING
    found = middles(feed, feed.frames(500, moving))

    assert all(before != after for before, after in pairwise(found))


def test_another_market_writes_its_own_decimals(feed):
    """A market without size decimals gets whole sizes, and its frames are of its channel."""
    frame = json.loads(next(feed.frames(0, feed.Recipe(market=3, price_decimals=6, size_decimals=0))))

    assert frame["channel"] == "order_book:3"
    assert all(
        "." not in level["size"] and len(level["price"].partition(".")[2]) == 6 for level in frame["order_book"]["bids"]
    )


def test_nonces_are_an_unbroken_chain(feed):
    """Each update begins at the nonce of the frame before."""
    books = [json.loads(frame)["order_book"] for frame in feed.frames(50)]

    assert [book["begin_nonce"] for book in books[1:]] == [book["nonce"] for book in books[:-1]]
