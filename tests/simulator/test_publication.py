import json

from helpers.local_venue import Venue, crowd


def test_the_snapshot_comes_before_any_update():
    """Whatever happens between, the first frame of every channel is its snapshot (protocol reference 9.5)."""
    venue = Venue()
    trader = venue.trader()
    crowd(venue.exchange, 0, is_ask=False, price_ticks=299_950, size_lots=100)
    trader.send(trader.create())
    listener = venue.listen()
    for channel in ("order_book/0", "ticker/0", "account_all_orders/100"):
        listener.say({"type": "subscribe", "channel": channel, "auth": trader.token()})
        crowd(venue.exchange, 0, is_ask=False, price_ticks=299_960, size_lots=100)
        trader.send(trader.create())
    venue.go(1)

    first = {}
    for frame in listener.frames():
        first.setdefault(frame["channel"], frame["type"])
    assert {kind.partition("/")[0] for kind in first.values()} == {"subscribed"}


def test_the_answer_comes_before_what_the_transaction_did():
    """On one connection the answer to a transaction precedes the frames it causes."""
    venue = Venue()
    trader = venue.trader()
    listener = venue.listen("account_all_orders/100", token=trader.token())
    sent = trader.create()
    frames = listener.ask(
        {"type": "jsonapi/sendtx", "data": {"id": "1", "tx_type": 14, "tx_info": json.loads(sent.info)}}
    )

    assert [frame["type"] for frame in frames] == ["jsonapi/sendtx", "update/account_all_orders"]


def test_everybody_hears_the_same_bytes():
    """Two listeners of a channel are sent one and the same frame."""
    venue = Venue()
    one, two = venue.listen("order_book/0"), venue.listen("order_book/0")
    crowd(venue.exchange, 0, is_ask=False, price_ticks=290_000, size_lots=100)
    venue.go(0.05)

    (first,), (second,) = one.session.take(), two.session.take()
    assert first is second


def test_nothing_due_is_missed_when_time_jumps():
    """After a jump of an hour there is one book batch, one line of statistics per change, and the funding."""
    venue = Venue()
    listener = venue.listen("order_book/0", "market_stats/0")
    crowd(venue.exchange, 0, is_ask=False, price_ticks=290_000, size_lots=100)
    venue.go(3_600)

    kinds = [frame["type"] for frame in listener.frames()]
    assert sorted(kinds) == ["update/market_stats", "update/order_book"]
    assert len(venue.exchange.fundings(0)) == 1
