import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.golden import golden, golden_object
from helpers.markets import BTC, ETH, perpetual
from lighterman.domain.commands import CancelAll, CancelOrder, ModifyOrder, PlaceOrder
from lighterman.domain.errors import LightermanError, RemoteProtocolError, UnitError
from lighterman.domain.events import (
    BookDelta,
    BookSnapshot,
    CollateralReport,
    FundingReport,
    OrderReport,
    PositionReport,
    StatsReport,
)
from lighterman.domain.units import PICO_PER_MICRO, format_fixed
from lighterman.protocol import messages, objects, transactions
from lighterman.protocol.transactions import TxType
from lighterman.protocol.translate import (
    Envelope,
    Translator,
    by_market,
    collateral_pico,
    epoch_us,
    market_of,
    transaction,
    verdict,
)

ENVELOPE = Envelope(
    account_index=8, api_key_index=5, expired_at_ms=1_795_357_261_946, order_expiry_ms=1_800_000_000_000
)


def _translator(account_index=8):
    translator = Translator(account_index)
    translator.learn([ETH, BTC])
    return translator


def _trade(**changes):
    return msgspec.convert(golden_object("trade") | changes, objects.TradeFacts)


def _order(**changes):
    return msgspec.convert(golden_object("order") | changes, objects.OrderFacts)


def _book_frame(price, size, market=0):
    level = {"price": price, "size": size}
    body = {"asks": [level], "bids": None, "nonce": 9, "begin_nonce": 8, "last_updated_at": 5}
    frame = {"type": "update/order_book", "channel": f"order_book:{market}", "order_book": body}
    return messages.decode(msgspec.json.encode(frame))


def test_a_captured_book_becomes_ticks_and_lots():
    """Snapshot and increment of the venue, to the last digit."""
    snapshot = _translator().book(messages.decode(golden("order_book_subscribed")), 1)
    update = _translator().book(messages.decode(golden("order_book_update")), 2)

    bids, asks = [(200_000, 200)], [(232_500, 990_000), (234_125, 3_401_028)]
    assert BookSnapshot(0, bids, asks, 904_845, 1_778_138_389_655_150, 1) == snapshot
    assert BookDelta(0, [], [(206_454, 3285)], 9_182_390_020, 1_774_884_082_309_144, 2) == update


def test_an_empty_book_is_a_book():
    """No level on either side, and a time of zero: the sending time stands in."""
    assert BookSnapshot(39, [], [], 0, 1_778_138_582_602_000, 1) == _empty_book()


def _empty_book():
    translator = _translator()
    translator.learn([perpetual(39, "ADA", 5, 1, 1)])
    return translator.book(messages.decode(golden("order_book_empty")), 1)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 2**32 - 1), st.integers(0, 2**48 - 1), st.integers(0, 3))
def test_texts_become_integers_exactly(price_decimals, size_decimals, price_ticks, size_lots, padding):
    """Whatever the scale, and however many zeros pad the text, the integer is the one it was written from."""
    translator = Translator(8)
    translator.learn([perpetual(0, "X", price_decimals, size_decimals, 1)])
    pad = "0" * padding if price_decimals and size_decimals else ""
    price, size = format_fixed(price_ticks, price_decimals) + pad, format_fixed(size_lots, size_decimals) + pad

    assert [(price_ticks, size_lots)] == translator.book(_book_frame(price, size), 1).asks


@pytest.mark.parametrize(
    ("price", "size"),
    [
        ("2064.541", "1.0000"),
        ("2064.54", "0.00001"),
        ("-1.00", "1.0000"),
        ("nan", "1.0000"),
        ("", "1.0000"),
        ("42949672.96", "1.0000"),
        ("1.00", "28147497671.0656"),
        ("1_0.00", "1.0000"),
        ("1.00", " 1.0000"),
        ("1.00", "-1000000000000"),
        ("1.00", "-1e17"),
        ("1.00", "inf"),
        ("1.00", "-inf"),
        ("1.00", "nan"),
        ("9" * 5000, "1.0000"),
    ],
)
def test_what_is_no_whole_number_of_units_is_refused(price, size):
    """Too fine, negative, too large, or not plainly a number: never rounded, never guessed."""
    with pytest.raises(LightermanError):
        _translator().book(_book_frame(price, size), 1)


@pytest.mark.parametrize(
    ("price", "ticks"), [("1e5", 10_000_000), (5, 500), (5.5, 550), ("2000.0", 200_000), ("0.10", 10)]
)
def test_a_price_is_a_number_however_it_is_written(price, ticks):
    """Other texts of an exact number, and bare numbers, mean what they say."""
    assert [(ticks, 10_000)] == _translator().book(_book_frame(price, "1"), 1).asks


def test_numbers_that_do_not_fit_an_event_are_refused():
    """Nonces, times and ids fit 64 bits, or the frame is refused."""
    with pytest.raises(RemoteProtocolError):
        _translator().fills([_trade(trade_id=2**63, bid_account_id=8)], 1)
    with pytest.raises(RemoteProtocolError):
        _translator().orders([_order(client_order_index=-1)], 1)
    with pytest.raises(RemoteProtocolError):
        _translator().orders([_order(updated_at=10**30)], 1)


def test_a_market_that_was_never_described_has_no_book():
    """Without scales a price means nothing."""
    with pytest.raises(RemoteProtocolError):
        _translator().book(_book_frame("1.00", "1.0000", market=77), 1)


def test_changed_decimals_leave_the_meaning_of_a_text():
    """What is held is counted in the first scale: later texts are read in it, or refused where they are finer."""
    translator = _translator()
    translator.learn([perpetual(0, "ETH", 3, 3, 50)])

    assert [(100, 10_000)] == translator.book(_book_frame("1.000", "1.000"), 1).asks
    with pytest.raises(LightermanError):
        translator.book(_book_frame("1.001", "1.000"), 1)


def test_market_stats_become_ticks_and_ppm():
    """The funding rate is percent per hour on the wire, ppm in the event; too fine a mark is rounded to a tick."""
    frame = messages.decode(golden("market_stats"))
    assert [StatsReport(1, 643_563, 644_001, -28, 7)] == _translator().stats(frame.rows(), 7)

    row = objects.MarketStats(market_id=1, index_price="", mark_price="64356.36", current_funding_rate="-0.00285")
    assert [StatsReport(1, 643_564, 0, -28, 7)] == _translator().stats([row], 7)


def test_stats_without_a_mark_or_of_a_stranger_say_nothing():
    """An empty mark price is no price; an unknown market is counted."""
    translator = _translator()
    rows = [
        objects.MarketStats(market_id=market, index_price="1", mark_price=mark) for market, mark in ((1, ""), (99, "1"))
    ]

    assert [] == translator.stats(rows, 1)
    assert translator.unknown_rows == 1


def test_an_order_keeps_its_filled_amount_and_its_status():
    """What was filled comes from the filled amount, whatever the remaining amount says; foreign orders show too."""
    expected = OrderReport(
        market=0,
        client_order_index=0,
        order_index=281_474_977_354_074,
        is_ask=True,
        price_ticks=222_160,
        size_lots=360_386,
        filled_lots=15,
        status="canceled-margin-not-allowed",
        venue_us=1_766_387_932_000_000,
        recv_ns=3,
    )

    assert [expected] == _translator().orders([_order(filled_base_amount="0.0015")], 3)


@pytest.mark.parametrize("is_ask", [True, False])
@pytest.mark.parametrize("is_maker_ask", [True, False])
def test_own_side_role_and_fee_of_a_trade(is_ask, is_maker_ask):
    """We are maker if our side is the maker's, and pay that role's rate."""
    ours = {"ask_account_id" if is_ask else "bid_account_id": 8}
    (fill,) = _translator().fills([_trade(is_maker_ask=is_maker_ask, maker_fee=28, taker_fee=280, **ours)], 1)

    assert (is_ask, is_ask == is_maker_ask) == (fill.is_ask, fill.is_maker)
    assert (28 if fill.is_maker else 280) == fill.fee_ppm
    assert (645_042, 9) == (fill.price_ticks, fill.size_lots)
    assert (240_200_955_866_317 if is_ask else 49_029_667_912) == fill.client_order_index
    assert fill.venue_us == 1_785_027_657_572_944


def test_an_absent_fee_is_zero():
    """The venue omits a rate of zero."""
    row = golden_object("trade") | {"bid_account_id": 8}
    (fill,) = _translator().fills([msgspec.convert(row, objects.TradeFacts)], 1)

    assert (False, 0) == (fill.is_maker, fill.fee_ppm)


def test_trades_come_oldest_first_and_without_strangers():
    """Fills are in the order of their ids; trades between others are not ours."""
    trades = [_trade(trade_id=3, ask_account_id=8), _trade(trade_id=1, bid_account_id=8), _trade(trade_id=2)]

    assert [1, 3] == [fill.trade_id for fill in _translator().fills(trades, 1)]


def test_a_trade_with_ourselves_has_both_sides():
    """Both accounts ours: two fills that cancel out."""
    fills = _translator().fills([_trade(ask_account_id=8, bid_account_id=8)], 1)

    assert [True, False] == [fill.is_ask for fill in fills]


def test_positions_are_signed():
    """The size is absolute on the wire; the sign counts."""
    rows = messages.decode(golden("account_all_positions")).positions.values()
    short = objects.PositionFacts(market_id=1, sign=-1, position="0.00120")

    assert [PositionReport(0, 1, 9), PositionReport(1, -120, 9)] == _translator().positions([*rows, short], 9)


def test_funding_and_collateral_are_exact_to_the_last_unit():
    """Funding is what was added to the collateral, collateral has twelve decimals."""
    translator = _translator()
    funding = messages.decode(golden("account_all_funding"))
    account = messages.decode(golden("account_all_position"))

    assert [FundingReport(0, 1_232_541, -212_000_000, 4)] == translator.fundings(
        by_market(funding.funding_histories), 4
    )
    assert [CollateralReport(99_974_368_778_066_438, 4)] == translator.collateral(account, 4)
    assert [] == translator.collateral(funding, 4)


def test_an_account_of_rest():
    """Only markets with a position, signed, with their cost; every open order."""
    position = objects.PositionFacts(market_id=1, sign=-1, position="0.50767", avg_entry_price="64443.505893")
    flat = objects.PositionFacts(market_id=0, sign=1, position="0.0000")
    facts = objects.AccountFacts(index=8, collateral="99974.368778", positions=[position, flat])
    snapshot = _translator().account(facts, [_order(status="open")], asked_ns=1, recv_ns=2)

    assert [(1, -50_767, 32_716_034_637)] == snapshot.positions
    assert 99_974_368_778 * PICO_PER_MICRO == snapshot.collateral_pico
    assert ["open"] == [order.status for order in snapshot.orders]
    assert (1, 2) == (snapshot.asked_ns, snapshot.recv_ns)


@pytest.mark.parametrize(
    ("sign", "value", "gain", "cost_micro"),
    [
        (1, "0.192175", "-0.000209", 192_384),  # the sample of 3.6
        (-1, "0.192175", "0.000209", 192_384),
        (1, "-0.192175", "-0.000209", 192_384),
        (1, "0.192175", "-0.000210", 192_385),  # the price is told to the tick, the cost is not
        (1, "9.000000", "-0.000209", 192_384),  # that is another position
        (1, "", "", 192_384),
    ],
)
def test_what_a_position_cost_is_exact(sign, value, gain, cost_micro):
    """Value less unrealised PnL, to the micro-USDC, where that agrees with the average price to the tick."""
    position = objects.PositionFacts(
        market_id=0,
        sign=sign,
        position="0.0001",
        avg_entry_price="1923.84",
        position_value=value,
        unrealized_pnl=gain,
    )
    facts = objects.AccountFacts(index=8, collateral="1.000000", positions=[position])

    assert [(0, sign, cost_micro)] == _translator().account(facts, [], asked_ns=1, recv_ns=2).positions


def test_exact_collateral_is_taken_where_it_agrees():
    """Twelve decimals from the asset row if they say the same as the six shown, else the six."""
    asset = objects.AccountAsset(symbol="USDC", asset_id=3, margin_balance="99974.368778066438")

    for shown, expected in (("99974.368778", 99_974_368_778_066_438), ("5.000000", 5_000_000 * PICO_PER_MICRO)):
        assert expected == collateral_pico(objects.AccountFacts(index=8, collateral=shown, assets=[asset]))


def test_a_multiplier_below_one_is_no_market():
    """What would value every order at nothing cannot be read."""
    facts = msgspec.convert(golden_object("order_book_detail"), objects.MarketFacts)
    with pytest.raises(UnitError, match="quote multiplier of 0"):
        market_of(msgspec.structs.replace(facts, quote_multiplier=0))


def test_a_captured_market():
    """The venue's description of ETH, fees and minimums scaled."""
    market = market_of(msgspec.convert(golden_object("order_book_detail"), objects.MarketFacts))

    assert ETH == market


def test_fees_of_a_market_are_ppm():
    """Percent with four decimals on the wire."""
    row = golden_object("order_book_detail") | {"taker_fee": "0.0280", "maker_fee": "0.0040", "status": "inactive"}
    market = market_of(msgspec.convert(row, objects.MarketFacts))

    assert (280, 40, False) == (market.taker_fee_ppm, market.maker_fee_ppm, market.active)


@pytest.mark.parametrize(
    ("status", "event_info", "expected"),
    [
        (1, "", None),
        (2, '{"a":1,"ae":""}', ""),
        (3, "", ""),
        (2, '{"ae":"order not found"}', "order not found"),
        (0, "", "failed"),
    ],
)
def test_what_the_sequencer_says(status, event_info, expected):
    """Pending says nothing; `ae` is the only reason there is; a failure without one is still a failure."""
    assert expected == verdict(objects.TransactionFacts(hash="3a54", status=status, event_info=event_info))


def test_times_are_told_apart_by_magnitude():
    """Seconds, milliseconds, microseconds."""
    assert [1_766_387_932_000_000] * 3 == [
        epoch_us(t) for t in (1_766_387_932, 1_766_387_932_000, 1_766_387_932_000_000)
    ]


def test_older_frames_list_trades_without_markets():
    """A map of markets and a plain list are read alike, null as empty."""
    assert [[1, 2], [1, 2], []] == [by_market(rows) for rows in ({0: [1], 1: [2]}, [1, 2], None)]


@pytest.mark.parametrize(
    ("command", "tx_type"),
    [
        (PlaceOrder(1, 0, 123, True, 405_000, 1000), TxType.CREATE_ORDER),
        (ModifyOrder(2, 0, 123, 410_000, 1100), TxType.MODIFY_ORDER),
        (CancelOrder(3, 0, 123), TxType.CANCEL_ORDER),
        (CancelAll(4), TxType.CANCEL_ALL_ORDERS),
    ],
)
def test_every_command_has_its_transaction(command, tx_type):
    """What we build breaks no field rule and reads back as itself."""
    tx = transaction(command, 7, ENVELOPE)

    assert tx_type == tx.tx_type
    assert transactions.check(tx) is None
    assert tx == transactions.decode(tx_type, transactions.encode(tx))
    assert (8, 5, 7) == (tx.account_index, tx.api_key_index, tx.nonce)


def test_a_create_is_the_reference_s_example():
    """Field for field the post-only limit order of protocol reference 4.2."""
    tx = transaction(PlaceOrder(1, 0, 123, True, 405_000, 1000), 7, ENVELOPE)

    assert msgspec.json.decode(transactions.encode(tx)) == {
        "AccountIndex": 8,
        "ApiKeyIndex": 5,
        "MarketIndex": 0,
        "ClientOrderIndex": 123,
        "BaseAmount": 1000,
        "Price": 405_000,
        "IsAsk": 1,
        "Type": 0,
        "TimeInForce": 2,
        "ReduceOnly": 0,
        "TriggerPrice": 0,
        "OrderExpiry": 1_800_000_000_000,
        "ExpiredAt": 1_795_357_261_946,
        "Nonce": 7,
        "Sig": "",
        "L2TxAttributes": None,
    }
