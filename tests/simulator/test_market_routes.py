import json

import pytest

from helpers.golden import golden_object, shape
from helpers.local_venue import START_US, Venue
from lighterman.matching.views import FundingRound
from lighterman.protocol import objects, rest
from lighterman.simulator import market_rendering
from lighterman.simulator.markets import all_markets


def traded():
    """Return an exchange with a trader who bought three times, the last time in another market."""
    venue = Venue()
    trader = venue.trader()
    for size, market in ((1_000, 0), (2_000, 0), (300, 1)):
        trader.send(trader.take(size=size, market=market))
        venue.go(1)
    return venue, trader


def test_markets_are_described_as_the_venue_does():
    """A row of orderBookDetails has every key of the captured one, with the same types."""
    _, reply = Venue().get("orderBookDetails", market_id=0)
    (row,), venue_row = reply["order_book_details"], golden_object("order_book_detail")

    assert shape(venue_row) == {key: value for key, value in shape(row).items() if key in venue_row}
    assert set(venue_row) == set(row)
    assert reply["spot_order_book_details"] == []
    assert (row["min_base_amount"], row["min_quote_amount"], row["index_price"]) == ("0.0050", "10.000000", "3000.00")


def test_listings_can_be_chosen():
    """Without a market all are listed; spot has none; an unknown market is 21602."""
    venue = Venue()

    assert [row["symbol"] for row in venue.get("orderBooks")[1]["order_books"]] == ["ETH", "BTC"]
    assert venue.get("orderBooks", filter="spot")[1]["order_books"] == []
    assert venue.get("orderBooks", market_id=9)[1]["code"] == 21602
    assert shape(golden_object("order_book_listing")) == shape(
        venue.get("orderBooks", market_id=0)[1]["order_books"][0]
    )


def test_the_book_can_be_read_order_by_order():
    """`orderBookOrders` gives the best orders of both sides, padded to the market's decimals (12.2)."""
    venue = Venue()
    trader = venue.trader()
    trader.send(trader.create(price=299_950, size=60))
    _, reply = venue.get("orderBookOrders", market_id=0, limit=2)

    assert (reply["total_asks"], reply["total_bids"]) == (2, 2)
    assert [(row["price"], row["remaining_base_amount"]) for row in reply["bids"]] == [
        ("2999.50", "0.0060"),
        ("2999.00", "1.0000"),
    ]
    assert reply["bids"][0]["owner_account_index"] == 100
    assert shape(golden_object("simple_order")) == shape(reply["asks"][0])


def test_recent_trades_are_newest_first():
    """`recentTrades` gives a market's last trades."""
    venue, _ = traded()
    _, reply = venue.get("recentTrades", market_id=0, limit=5)

    assert [(row["trade_id"], row["size"]) for row in reply["trades"]] == [(2, "0.2000"), (1, "0.1000")]
    assert all(row["market_id"] == 0 for row in reply["trades"])


def walk(venue, token=None, **parameters):
    cursor, pages = {}, []
    while True:
        _, reply = venue.get("trades", token, sort_by="trade_id", **parameters, **cursor)
        pages.append([row["trade_id"] for row in reply["trades"]])
        if "next_cursor" not in reply:
            return pages
        cursor = {"cursor": reply["next_cursor"]}


def test_trades_are_walked_page_by_page():
    """A cursor leads through all trades once, newest first; a bad one is 20009."""
    venue, _ = traded()
    ids = [number for page in walk(venue, limit=2) for number in page]

    assert ids == sorted(set(ids), reverse=True)
    assert ids == [row for page in walk(venue, limit=100) for row in page]
    assert venue.get("trades", sort_by="trade_id", limit=1, cursor="x")[1]["code"] == 20009


def test_trades_of_an_account_need_its_token():
    """An account's trades are told to its owner, with filters by role, side, type and order."""
    venue, trader = traded()
    token = trader.token()
    mine = {"account_index": 100, "limit": 100}

    assert venue.get("trades", sort_by="timestamp", **mine)[1]["code"] == 20001
    everything = walk(venue, token, **mine)[0]
    assert everything
    assert walk(venue, token, role="taker", **mine) == [everything]
    assert walk(venue, token, role="maker", **mine) == [[]]
    assert walk(venue, token, ask_filter=1, **mine) == [[]]
    assert walk(venue, token, ask_filter=0, **mine) == [everything]
    assert walk(venue, token, type="liquidation", **mine) == [[]]
    assert walk(venue, token, market_type="spot", **mine) == [[]]
    assert len(walk(venue, token, market_id=1, **mine)[0]) == 1
    order = venue.exchange.trades_of(100)[0].bid_order_index
    assert walk(venue, token, order_index=order, **mine) == [everything[:1]]
    after_ms = (START_US + 1_500_000) // 1000
    assert walk(venue, token, **{"from": after_ms}, **mine) == [everything[:1]]


def test_funding_is_told_per_hour_and_per_day():
    """A round has a magnitude and who paid; a day adds its hours (protocol reference 2.1)."""
    venue = Venue()
    venue.go(5 * 3_600)
    parameters = {"market_id": 0, "start_timestamp": 0, "end_timestamp": 10**13, "count_back": 0}
    _, hours = venue.get("fundings", resolution="1h", **parameters)
    _, days = venue.get("fundings", resolution="1d", **parameters)
    rounds = venue.exchange.fundings(0)

    assert [row["timestamp"] for row in hours["fundings"]] == sorted(each.at_us // 10**6 for each in rounds)
    assert hours["fundings"][-1]["rate"] == f"{abs(rounds[0].rate_ppm) / 10_000:.4f}"
    assert hours["fundings"][-1]["direction"] in {"long", "short"}
    assert sum(float(row["rate"]) for row in days["fundings"]) == pytest.approx(
        sum(float(row["rate"]) for row in hours["fundings"])
    )
    assert shape(golden_object("fundings")) == shape(hours)


def test_funding_value_is_rate_times_index():
    """0.0012 % of 2256.56 is 0.02707872 USDC per unit, as captured (protocol reference 2.1)."""
    round_ = FundingRound(market=0, funding_id=1, rate_ppm=12, index_ticks=225_656, at_us=1_778_702_400_000_000)
    row = market_rendering.funding(all_markets()["ETH"], round_)
    captured = golden_object("fundings")["fundings"][0]

    assert (row.value, row.rate, row.direction, row.timestamp) == (
        captured["value"],
        captured["rate"],
        captured["direction"],
        captured["timestamp"],
    )


def test_the_exchanges_day_is_told():
    """`exchangeStats` and funding-rates cover every market; currentHeight is a block."""
    venue, _ = traded()
    stats = venue.get("exchangeStats")[1]
    rates = venue.get("funding-rates")[1]["funding_rates"]

    assert shape(golden_object("exchange_stats")) == shape(stats)
    assert stats["total"] == 2
    assert stats["daily_usd_volume"] == pytest.approx(
        sum(row["daily_quote_token_volume"] for row in stats["order_book_stats"])
    )
    assert [(row["market_id"], row["exchange"]) for row in rates] == [(0, "lighter"), (1, "lighter")]
    assert venue.get("currentHeight")[1]["height"] == venue.exchange.block_height(venue.now_us)


def test_our_own_client_reads_the_replies():
    """What the routes encode the client's structs decode."""
    venue, _ = traded()
    detail = json.dumps(venue.get("orderBookDetails")[1]).encode()
    trades = json.dumps(venue.get("recentTrades", market_id=0, limit=3)[1]).encode()

    assert [row.symbol for row in rest.read_reply(200, detail, rest.OrderBookDetails).order_book_details or ()] == [
        "ETH",
        "BTC",
    ]
    assert all(isinstance(row, objects.TradeFacts) for row in rest.read_reply(200, trades, rest.Trades).trades or ())
