from helpers.local_venue import Venue, crowd

ALL = [
    "account_all_orders/100",
    "account_orders/0/100",
    "account_market/0/100",
    "account_all_trades/100",
    "account_all_positions/100",
    "account_all/100",
    "account_all_assets/100",
    "user_stats/100",
    "account_tx/100",
]


def scene():
    venue = Venue()
    trader = venue.trader()
    return venue, trader, venue.listen(*ALL, token=trader.token())


def by_family(frames):
    return [frame["type"].removeprefix("update/") for frame in frames]


def test_an_order_is_told_on_its_channels_once_per_transaction():
    """A resting order makes one frame on each channel of orders and transactions, at once."""
    venue, trader, listener = scene()
    trader.send(trader.create())
    frames = listener.frames()

    assert by_family(frames) == ["account_all_orders", "account_orders", "account_market", "account_tx"]
    rows = [frames[0]["orders"]["0"][0], frames[1]["orders"]["0"][0], frames[2]["orders"][0]]
    assert rows[0] == rows[1] == rows[2]
    assert (rows[0]["status"], rows[0]["client_order_index"]) == ("open", 5001)
    assert frames[1]["channel"] == "account_orders:0"
    assert (frames[1]["account"], frames[1]["nonce"]) == (100, venue.exchange.book(0).nonce)
    assert frames[2]["channel"] == "account_market:0:100"
    assert frames[2]["position"] is None


def test_a_fill_is_told_in_two_frames_of_account_all():
    """First the trades with positions empty and assets null, then positions and assets (protocol reference 3.6)."""
    venue, trader, listener = scene()
    trader.send(trader.create(price=299_950))
    listener.frames()
    crowd(venue.exchange, 0, is_ask=True, price_ticks=299_950, size_lots=400)
    venue.go(0.001)
    frames = listener.frames()

    first, second = [frame for frame in frames if frame["type"] == "update/account_all"]
    assert (first["positions"], first["assets"], first["funding_histories"], first["shares"]) == ({}, None, {}, [])
    assert second["trades"] == {}
    (trade,), position = first["trades"]["0"], second["positions"]["0"]
    assert (trade["size"], trade["bid_account_id"], trade["maker_fee"]) == ("0.0400", 100, 40)
    assert (position["sign"], position["position"], position["avg_entry_price"]) == (1, "0.0400", "2999.50")
    assert second["assets"]["3"]["margin_balance"] == "9999.995200800000"


def test_orders_trades_positions_and_money_agree():
    """All channels tell of the same fill: cumulative amounts, trade, position, collateral."""
    venue, trader, listener = scene()
    trader.send(trader.take(size=700))
    venue.go(0.2)
    frames = {frame["type"].removeprefix("update/"): frame for frame in listener.frames() if "type" in frame}

    order = frames["account_all_orders"]["orders"]["0"][0]
    (trade,) = frames["account_all_trades"]["trades"]["0"]
    assert (order["status"], order["filled_base_amount"]) == ("filled", "0.0700")
    assert (trade["size"], trade["bid_client_id"]) == ("0.0700", 5001)
    assert frames["account_all_positions"]["positions"]["0"]["position"] == "0.0700"
    collateral = frames["account_all_assets"]["assets"]["3"]["margin_balance"]
    assert collateral == "9999.941180400000"
    assert frames["user_stats"]["stats"]["collateral"] == "9999.941180400000"


def test_realised_pnl_is_told_to_its_owner_alone():
    """A closing trade carries the account's own PnL on its channel and none in public (protocol reference 2.7.3)."""
    venue, trader, listener = scene()
    public = venue.listen("trade/0")
    for is_ask in (False, True):
        trader.send(trader.take(size=500, is_ask=is_ask))
    venue.go(0.5)

    opening, closing = [frame["trades"]["0"][0] for frame in listener.frames("account_all_trades")]
    assert "bid_account_pnl" not in opening
    assert closing["ask_account_pnl"] == "-0.100000"
    assert closing["taker_position_size_before"] == "0.0500"
    assert all("ask_account_pnl" not in row for frame in public.frames() for row in frame["trades"])


def test_a_canceled_order_shows_nothing_remaining():
    """The row of a canceled order has remaining amount and base size zeroed (protocol reference 2.7.4)."""
    _, trader, listener = scene()
    trader.send(trader.create())
    listener.frames()
    trader.send(trader.cancel(5001))

    row = listener.frames("account_all_orders")[0]["orders"]["0"][0]
    assert (row["status"], row["remaining_base_amount"], row["base_size"]) == ("canceled", "0.0000", 0)
    assert row["initial_base_amount"] == "0.1000"


def test_why_a_transaction_failed_stands_in_ae():
    """An executed transaction without effect is told with its reason in event_info (protocol reference 2.7.7)."""
    _, trader, listener = scene()
    trader.send(trader.cancel(4242))
    (frame,) = listener.frames()

    (tx,) = frame["txs"]
    assert tx["event_info"] == '{"a":100,"i":4242,"u":0,"ae":"given order is not an active limit order"}'
    assert (tx["status"], tx["nonce"], tx["api_key_index"], tx["type"]) == (2, 0, 5, 15)


def test_a_dropped_transaction_is_told_as_failed():
    """What could not be included is status 0, and what was queued behind it fails with it (protocol reference 4.7)."""
    venue, trader, listener = scene()
    soon = venue.now_ms + 100
    trader.send(trader.take(expired_at=soon))
    trader.send(trader.cancel(1))
    venue.go(0.3)

    txs = [tx for frame in listener.frames("account_tx") for tx in frame["txs"]]
    assert [tx["status"] for tx in txs] == [0, 0]
    assert '"ae":"transaction is expired"' in txs[0]["event_info"]
    assert '"ae":"invalid nonce"' in txs[1]["event_info"]
    assert venue.get("nextNonce", account_index=100, api_key_index=5)[1]["nonce"] == 0


def test_a_batch_makes_a_frame_for_each_transaction():
    """Transactions of a batch are told one by one, in their order."""
    venue, trader, listener = scene()
    trader.send_batch(trader.create(), trader.create(is_ask=True, price=310_000), trader.cancel(5001))
    venue.go(0.001)

    assert [frame["txs"][0]["nonce"] for frame in listener.frames("account_tx")] == [0, 1, 2]


def test_funding_is_told_with_all_its_digits():
    """A payment appears in funding_histories with twelve decimals where six would lose some."""
    venue, trader, listener = scene()
    trader.send(trader.take(size=777))
    venue.go(1)
    listener.frames()
    venue.go(3_600)

    frames = [frame for frame in listener.frames("account_all") if frame["funding_histories"]]
    (payment,) = frames[0]["funding_histories"]["0"]
    (paid,) = venue.exchange.fundings_of(100)
    whole, _, digits = payment["change"].partition(".")
    assert int(whole + digits.ljust(12, "0")) == paid.amount_pico
    assert (payment["position_size"], payment["position_side"]) == ("0.0777", "long")
    assert frames[0]["assets"]["3"]["margin_balance"] == venue_text(venue)


def venue_text(venue):
    pico = venue.ledger(100)[1]["collateral_pico"]
    return f"{pico // 10**12}.{pico % 10**12:012d}"


def test_nothing_is_told_of_others():
    """A listener of one account hears nothing of another's orders and trades."""
    venue = Venue()
    venue.trader(100)
    other = venue.trader(200)
    listener = venue.listen("account_all/100", "account_all_positions/100", "user_stats/100")
    other.send(other.take())
    venue.go(1)

    assert listener.frames() == []
