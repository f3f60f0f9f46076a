import msgspec
import pytest

from helpers.golden import golden_object, shape
from helpers.local_venue import Venue
from lighterman.protocol import messages


def scene():
    """Return an exchange whose account 100 holds a position, two orders, trades and an ended order."""
    venue = Venue()
    trader = venue.trader()
    trader.send(trader.take(size=900))
    venue.go(0.3)
    trader.send(trader.create(price=290_000))
    trader.send(trader.create(price=310_000, is_ask=True))
    trader.send(trader.create(price=990_000, size=300, market=1))
    trader.send(trader.cancel(5003))
    return venue, trader


def snapshot(channel):
    venue, trader = scene()
    (frame,) = venue.listen().subscribe(channel, trader.token())
    return frame


def test_all_open_orders_come_first():
    """The snapshot of orders holds every open order by market, and no ended one."""
    orders = snapshot("account_all_orders/100")["orders"]

    assert {market: [row["client_order_index"] for row in rows] for market, rows in orders.items()} == {
        "0": [5002],
        "1": [5004],
    }
    assert [row["client_order_index"] for row in snapshot("account_orders/0/100")["orders"]["0"]] == [5002]


def test_an_account_shows_positions_money_and_counts():
    """account_all begins with positions, assets and volumes; trades are not repeated."""
    frame = snapshot("account_all/100")

    assert frame["positions"]["0"]["position"] == "0.0900"
    assert frame["assets"]["3"]["symbol"] == "USDC"
    assert (frame["trades"], frame["funding_histories"], frame["shares"]) == ({}, {}, [])
    assert (frame["total_trades_count"], frame["daily_volume"], frame["total_volume"]) == (1, 270.09, 270.09)


def test_a_market_of_an_account_shows_its_part():
    """account_market holds orders, position and trades of one market."""
    frame = snapshot("account_market/0/100")

    assert [row["client_order_index"] for row in frame["orders"]] == [5002]
    assert frame["position"]["position"] == "0.0900"
    assert [row["size"] for row in frame["trades"]] == ["0.0900"]
    assert frame["assets"] is None


def test_transactions_begin_empty():
    """account_tx begins without transactions (protocol reference 3.6)."""
    assert snapshot("account_tx/100") == {"channel": "account_tx:100", "type": "subscribed/account_tx"}


def test_recent_trades_are_replayed_oldest_first():
    """The snapshot of public trades repeats the last ones in order."""
    venue, trader = scene()
    trader.send(trader.take(size=25_000))
    venue.go(0.3)
    (frame,) = venue.listen().subscribe("trade/0")

    assert [row["trade_id"] for row in frame["trades"]] == [1, 2, 3]


def test_the_book_is_whole_and_best_first():
    """Every level is in the snapshot, best first on both sides, begin_nonce 0."""
    body = snapshot("order_book/0")["order_book"]

    assert body["begin_nonce"] == 0
    asks, bids = ([float(row["price"]) for row in body[side]] for side in ("asks", "bids"))
    assert asks == sorted(asks)
    assert bids == sorted(bids, reverse=True)
    assert len(asks) == 5
    assert len(bids) == 6


@pytest.mark.parametrize(
    ("channel", "name", "part"),
    [
        ("order_book/0", "order_book_subscribed", None),
        ("ticker/0", "ticker", None),
        ("user_stats/100", "user_stats", None),
        ("account_all_trades/100", "account_all_trades", None),
        ("market_stats/0", "market_stats", None),
        ("account_all_positions/100", "account_all_positions", "positions"),
    ],
)
def test_snapshots_have_the_shape_of_the_venue(channel, name, part):
    """Keys and types of values are those of the captured frames."""
    mine, venue = snapshot(channel), golden_object(name)
    if part:
        mine, venue = mine[part]["0"], venue[part]["0"]
    newer = {"total_funding_paid_out", "best_ask_price", "best_bid_price"}
    if "market_stats" in mine:
        mine, venue = mine["market_stats"], venue["market_stats"]

    assert shape(venue) == {key: value for key, value in shape(mine).items() if key not in newer}


def test_our_own_client_reads_every_snapshot():
    """What the exchange encodes the client decodes, on every channel."""
    venue, trader = scene()
    listener = venue.listen()
    channels = "order_book/0 ticker/0 trade/0 market_stats/0 market_stats/all height account_all/100 account_tx/100 account_all_orders/100 account_orders/0/100 account_market/0/100 account_all_trades/100 account_all_positions/100 account_all_assets/100 user_stats/100"  # noqa: E501
    for channel in channels.split():
        (frame,) = listener.subscribe(channel, trader.token())
        read = messages.decode(msgspec.json.encode(frame))
        assert not isinstance(read, messages.Unknown | messages.ErrorFrame)
