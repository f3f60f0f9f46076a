"""25,000 messages that are wrong, into the whole client: nothing breaks, nothing moves."""

import asyncio
import sys

import msgspec
import pytest

from helpers.book_feed import BookFeed
from helpers.golden import golden_object
from helpers.malformed import (
    GARBAGE,
    MISSING,
    STRANGE,
    WRONG_INTEGERS,
    WRONG_LEVEL_NUMBERS,
    WRONG_LISTS,
    WRONG_TEXTS,
    corrupted,
    spoil,
    truncated,
)
from helpers.markets import ETH
from helpers.memory_venue import ACCOUNT, World, json_reply
from helpers.virtual_time import VirtualClock, run
from lighterman.chance import seeded
from lighterman.domain.errors import LightermanError
from lighterman.domain.events import BookDelta, BookLost, BookSnapshot, LinkReport
from lighterman.exchange.link import StreamLink
from lighterman.exchange.public import PublicFeed
from lighterman.exchange.ratelimit import Bucket
from lighterman.protocol.stream import StreamSession
from lighterman.protocol.translate import Translator

BURST = 500


def _book(world):
    """Return the update that the session expects next, as a good frame."""
    nonce = next(event.nonce for event in reversed(world.events) if isinstance(event, BookSnapshot | BookDelta))
    frame = golden_object("order_book_update")
    body = {"nonce": nonce + 5, "begin_nonce": nonce, "bids": [{"price": "2000.00", "size": "1.0000"}]}
    body["asks"] = [{"price": "2064.54", "size": "0.3285"}]
    return frame | {"channel": "order_book:0", "order_book": frame["order_book"] | body}


BOOK_WRONG = [
    (("order_book", "nonce"), WRONG_INTEGERS),
    (("order_book", "nonce"), MISSING),
    (("order_book", "begin_nonce"), WRONG_INTEGERS),
    (("order_book", "begin_nonce"), MISSING),
    (("order_book", "asks"), WRONG_LISTS),
    (("order_book", "bids"), WRONG_LISTS),
    (("order_book", "asks", 0, "price"), WRONG_LEVEL_NUMBERS),
    (("order_book", "bids", 0, "size"), WRONG_LEVEL_NUMBERS),
    (("order_book", "bids", 0, "price"), MISSING),
    (("order_book",), WRONG_LISTS),
    (("order_book",), MISSING),
]
_trade = golden_object("trade") | {"market_id": 0, "bid_account_id": ACCOUNT, "price": "2000.00", "size": "1.0000"}
_order = golden_object("order") | {"market_index": 0}
_position = {"market_id": 0, "symbol": "ETH", "sign": 1, "position": "1.0000", "avg_entry_price": "2000.00"}
_funding = {"market_id": 0, "funding_id": 5, "change": "-0.000212", "timestamp": 1783947600}
_usdc = {"symbol": "USDC", "asset_id": 3, "balance": "0.000000", "margin_balance": "100.000000"}
WRONG_MONEY = ("1e5", "nan", "x", "--1", None, [], "9" * 60)
PRIVATE = [
    (
        {"type": "update/account_all_trades", "channel": f"account_all_trades:{ACCOUNT}", "trades": {"0": [_trade]}},
        [(("trades", "0", 0, name), WRONG_INTEGERS) for name in ("trade_id", "bid_id", "bid_client_id", "market_id")]
        + [(("trades", "0", 0, name), MISSING) for name in ("trade_id", "price", "size", "is_maker_ask", "market_id")]
        + [(("trades", "0", 0, name), (*WRONG_TEXTS, "0", "0.0000")) for name in ("price", "size")]
        + [(("trades",), WRONG_LISTS), (("trades", "0"), WRONG_LISTS)],
    ),
    (
        {"type": "update/account_all_orders", "channel": f"account_all_orders:{ACCOUNT}", "orders": {"0": [_order]}},
        [(("orders", "0", 0, name), WRONG_INTEGERS) for name in ("client_order_index", "order_index", "market_index")]
        + [(("orders", "0", 0, name), WRONG_TEXTS) for name in ("price", "initial_base_amount", "filled_base_amount")]
        + [(("orders", "0", 0, name), MISSING) for name in ("status", "is_ask", "filled_base_amount", "price")]
        + [(("orders",), WRONG_LISTS), (("orders", "0"), WRONG_LISTS)],
    ),
    (
        {"type": "update/account_all", "channel": f"account_all:{ACCOUNT}", "funding_histories": {"0": [_funding]}},
        [
            (("funding_histories", "0", 0, "funding_id"), WRONG_INTEGERS),
            (("funding_histories", "0", 0, "change"), WRONG_MONEY),
            (("funding_histories",), WRONG_LISTS),
        ],
    ),
    (
        {"type": "update/account_all", "channel": f"account_all:{ACCOUNT}", "assets": {"3": _usdc}},
        [
            (("assets", "3", "margin_balance"), ("1e5", "nan", "x", "--1", None, [], "9" * 60)),
            (("assets",), WRONG_LISTS),
        ],
    ),
    (
        {"type": "update/account_tx", "channel": f"account_tx:{ACCOUNT}", "txs": [{"hash": "ab", "status": 2}]},
        [(("txs", 0, "hash"), MISSING), (("txs", 0, "status"), MISSING), (("txs",), WRONG_LISTS)],
    ),
]


def _wrong(rng, good, wrong):
    """Return one message: garbage, a piece, something strange, or a good frame with one thing spoilt."""
    match rng.randrange(10):
        case 0:
            return rng.choice(GARBAGE[:12])
        case 1:
            return truncated(rng, good)
        case 2:
            return rng.choice(STRANGE)
        case _:
            return spoil(rng, good, wrong)


async def _pour(world, family, count, make, allowed):
    """Pour wrong messages into a stream in bursts; between them the client may mend itself."""
    sizes = []
    while count > 0:
        await asyncio.sleep(2)
        await world.until(lambda: len(world.links_up()) == 3, seconds=600)
        stream = world.network.stream_of(family)
        world.events[:] = [event for event in world.events if isinstance(event, BookSnapshot)][-1:]
        for _ in range(min(BURST, count)):
            heard = len(world.events)
            stream.on_text(make())
            told = {type(event) for event in world.events[heard:]}
            assert told <= allowed, told - allowed
        count -= BURST
        sizes.append(sys.getallocatedblocks())
    return sizes


def _is_flat(sizes):
    return max(sizes[len(sizes) // 2 :]) < 1.1 * max(sizes[: len(sizes) // 2])


def test_wrong_public_messages_move_nothing():
    """8,000 into the public stream: a book may be lost and fetched anew, but none of them becomes a book."""
    rng = seeded(1, "public")

    async def body():
        async with World(symbols=["ETH"]) as world:

            def make():
                return _wrong(rng, _book(world), BOOK_WRONG)

            sizes = await _pour(world, "order_book", 8_000, make, {BookLost})
            await world.until(lambda: len(world.links_up()) == 3, seconds=60)
            assert _is_flat(sizes), sizes

    run(body())


class _Snapshots:
    """A transport to a venue that knows one book and says it to whoever subscribes."""

    def __init__(self, feed):
        self.feed = feed

    async def open_stream(self, url, on_text, on_close):
        self.on_text = on_text
        asyncio.get_running_loop().call_soon(on_text, b'{"type":"connected"}')
        return self

    def send(self, data):
        if b'"subscribe"' in data:
            asyncio.get_running_loop().call_soon(self.on_text, self.feed.snapshot())

    def close(self):
        pass


def _two_sided(source):
    """Return the next update, which names levels of both sides."""
    update = msgspec.json.decode(source.update())
    level = {"price": "3000.00", "size": "1.0000"}
    for side in ("asks", "bids"):
        update["order_book"][side].append(level)
    return update


def test_a_live_book_ends_with_each_wrong_message_in_its_place():
    """2,000, each where the next update should be: the book is lost or untouched, never changed, and comes back."""
    rng = seeded(5, "live")

    async def body():
        source, events, clock, translator = BookFeed(rng), [], VirtualClock(0), Translator(1)
        translator.learn([ETH])
        venue = _Snapshots(source)
        owner = PublicFeed([0], translator, clock, events.append)
        link = StreamLink("x", StreamSession(["order_book/0"]), owner, venue, clock, rng, Bucket(1000))
        running = asyncio.create_task(link.run())
        lost = 0
        for _ in range(2_000):
            await asyncio.sleep(0 if link.session.is_ready else 31)
            await asyncio.sleep(0)
            assert link.session.is_ready
            events.clear()
            venue.on_text(_wrong(rng, _two_sided(source), BOOK_WRONG))
            assert {type(event) for event in events} <= {BookLost}
            lost += bool(events)
            if not events:  # what was ignored was not the update, which is missing now
                venue.on_text(source.update())
                assert [BookLost] == [type(event) for event in events]
        running.cancel()
        assert lost > 1_000

    run(body())


def test_wrong_private_messages_move_nothing():
    """10,000 into the private stream: the connection may end and catch up, but no fill, order or money is told."""
    rng = seeded(2, "private")

    async def body():
        async with World(symbols=["ETH"]) as world:

            def make():
                return _wrong(rng, *rng.choice(PRIVATE))

            sizes = await _pour(world, "account_tx", 10_000, make, {LinkReport})
            assert _is_flat(sizes), sizes

    run(body())


ANSWERS = [
    {"type": "jsonapi/sendtx", "code": 200, "id": "1", "tx_hash": "ab", "predicted_execution_time_ms": 5},
    {"error": {"code": 21104, "message": "invalid nonce"}, "id": "1"},
]
ANSWER_WRONG = [
    [(("code",), ("x", [], {}, 1.5)), (("id",), ([], {}, 1.5, True)), (("tx_hash",), (5, {}, [5], True))],
    [(("error",), (5, "x", [], True)), (("error", "code"), ("x", None, [], {})), (("error", "message"), (5, []))],
]


def test_wrong_answers_to_transactions_are_no_answers():
    """3,000 into the transactions' stream: nothing is acknowledged or refused by them."""
    rng = seeded(3, "answers")

    async def body():
        async with World(symbols=["ETH"]) as world:

            def make():
                place = rng.randrange(2)
                return _wrong(rng, ANSWERS[place], ANSWER_WRONG[place])

            await _pour(world, "", 3_000, make, set())

    run(body())


@pytest.mark.parametrize("data", [*GARBAGE, *(corrupted(seeded(n, "bytes"), PRIVATE[0][0]) for n in range(30))])
def test_what_is_no_json_at_all_moves_nothing(data):
    """Deep nests, broken text, stray bytes, on each of the three streams."""

    async def body():
        async with World(symbols=["ETH"]) as world:
            for family in ("order_book", "account_tx", ""):
                heard = len(world.events)
                world.network.stream_of(family).on_text(data)
                assert {type(event) for event in world.events[heard:]} <= {BookLost, LinkReport}

    run(body())


READS = {  # reader -> a good reply, and what spoils it
    "next_nonce": ({"code": 200, "nonce": 5}, [(("nonce",), WRONG_INTEGERS[:9]), (("nonce",), MISSING)]),
    "active_orders": (
        {"code": 200, "orders": [_order]},
        [(("orders", 0, name), MISSING) for name in ("client_order_index", "price", "status")]
        + [(("orders",), WRONG_LISTS)],
    ),
    "newest_trade_id": (
        {"code": 200, "trades": [_trade]},
        [(("trades", 0, "trade_id"), MISSING), (("trades", 0, "is_maker_ask"), MISSING), (("trades",), WRONG_LISTS)],
    ),
    "account": (
        {"code": 200, "total": 1, "accounts": [{"index": ACCOUNT, "collateral": "1.0", "positions": [_position]}]},
        [
            (("accounts", 0, "index"), WRONG_INTEGERS),
            (("accounts", 0, "collateral"), MISSING),
            (("accounts",), WRONG_LISTS),
            (("accounts", 0, "positions"), WRONG_LISTS),
            (("accounts", 0, "positions", 0, "position"), MISSING),
        ],
    ),
    "markets": (
        {"code": 200, "order_book_details": [golden_object("order_book_detail")]},
        [(("order_book_details", 0, name), MISSING) for name in ("symbol", "market_id", "price_decimals")]
        + [(("order_book_details", 0, "size_decimals"), ("x", None, [], 1.5)), (("order_book_details",), WRONG_LISTS)],
    ),
}
ENDPOINTS = {
    "next_nonce": "nextNonce",
    "active_orders": "accountActiveOrders",
    "newest_trade_id": "trades",
    "account": "account",
    "markets": "orderBookDetails",
}


def test_wrong_replies_are_errors_of_ours():
    """2,000 replies over REST: each is refused with an error of our own, and none is believed."""
    rng = seeded(4, "replies")

    async def body():
        async with World(symbols=["ETH"]) as world:
            reads = world.reads()
            for _ in range(2_000):
                name = rng.choice(list(READS))
                good, wrong = READS[name]
                data = truncated(rng, good) if rng.random() < 0.2 else spoil(rng, good, wrong)
                world.network.instead[ENDPOINTS[name]] = json_reply(data.decode())
                with pytest.raises(LightermanError):
                    await getattr(reads, name)(*([5] if name == "next_nonce" else []))

    run(body())
