"""One test per rule of the matching loop (protocol reference 9.2 to 9.4)."""

import pytest

from helpers.trading_floor import (
    ALPHA,
    BETA,
    CROWD,
    EXPIRY_MS,
    GAMMA,
    INDEX,
    START_US,
    AmendOrder,
    DropAll,
    DropOrder,
    ask,
    bid,
    do,
    fate,
    floor,
    levels,
    maker_ask,
    maker_bid,
    market_ask,
    market_bid,
    only,
    row_of,
    taker_ask,
    taker_bid,
)
from lighterman.domain.position import Position
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import LevelChanged, OrderChanged, OrderStatus, TradeDone, TradeType
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import DropAllMode, SelfTrade
from lighterman.matching.rules import MS, SECOND, Rules


def position(exchange: Exchange, account: int) -> int:
    return exchange.position_lots(account, 0)


def test_step_1_reduce_only_taker_of_the_wrong_direction():
    """9.2 step 1: a modified reduce-only order whose position is gone ends canceled-reduce-only."""
    exchange = floor()
    do(exchange, ask(CROWD, 1000, 10), taker_bid(ALPHA, 1000, 10))
    do(exchange, ask(ALPHA, 1010, 10, client=1, reduce_only=True))
    do(exchange, bid(CROWD, 990, 10), taker_ask(ALPHA, 990, 10))
    do(exchange, AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=1005, size_lots=10))

    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_REDUCE_ONLY, 0)


def test_step_2_ioc_without_a_counterparty():
    """9.2 step 2: an IOC that finds nothing (more) ends canceled-not-enough-liquidity, fills kept."""
    exchange = floor()
    do(exchange, ask(CROWD, 1000, 4), ask(CROWD, 1002, 4), taker_bid(ALPHA, 1001, 10, client=1))

    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_NOT_ENOUGH_LIQUIDITY, 4)
    assert row_of(exchange, ALPHA, 1).remaining_lots == 0
    assert levels(exchange) == ({}, {1002: 4})


def test_step_2_rest():
    """9.2 step 2: what a GTT order does not trade rests, and its first report is already `open`."""
    exchange = floor()
    outputs = do(exchange, ask(CROWD, 1000, 4), bid(ALPHA, 1001, 10, client=1))

    assert [output.row.status for output in only(outputs, OrderChanged)] == [OrderStatus.OPEN]
    row = row_of(exchange, ALPHA, 1)
    assert (row.filled_lots, row.remaining_lots, row.filled_quote_micro) == (4, 6, 4_000)
    assert levels(exchange) == ({1001: 6}, {})


def test_price_time_priority():
    """9.2: best price first, at one price the earlier order first, always at the maker's price."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1001, 3, client=1), ask(GAMMA, 1000, 3, client=2), ask(BETA, 1000, 3, client=3))
    trades = only(do(exchange, taker_bid(CROWD, 1005, 7)), TradeDone)

    assert [(t.ask_account_index, t.price_ticks, t.size_lots) for t in trades] == [
        (GAMMA, 1000, 3),
        (BETA, 1000, 3),
        (ALPHA, 1001, 1),
    ]


def test_step_3_post_only_meets_own_order():
    """9.2 step 3 and 4.8: a post-only order that would cross an own order is canceled first."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1000, 4, client=1), maker_bid(ALPHA, 1000, 4, client=2))

    assert fate(exchange, ALPHA, 2) == (OrderStatus.CANCELED_POST_ONLY, 0)
    assert fate(exchange, ALPHA, 1) == (OrderStatus.OPEN, 0)


@pytest.mark.parametrize(
    ("mode", "maker", "taker", "bids"),
    [
        (SelfTrade.EXPIRE_MAKER, OrderStatus.CANCELED_SELF_TRADE, OrderStatus.OPEN, {1000: 10}),
        (SelfTrade.EXPIRE_TAKER, OrderStatus.OPEN, OrderStatus.CANCELED_SELF_TRADE, {}),
        (SelfTrade.CANCEL_BOTH, OrderStatus.CANCELED_SELF_TRADE, OrderStatus.CANCELED_SELF_TRADE, {}),
        (SelfTrade.REDUCE_BOTH, OrderStatus.CANCELED_SELF_TRADE, OrderStatus.OPEN, {1000: 6}),
    ],
)
def test_self_trade_modes(mode: SelfTrade, maker: OrderStatus, taker: OrderStatus, bids: dict[int, int]):
    """9.4: the taker's mode decides; nothing is ever traded with oneself."""
    exchange = floor()
    outputs = do(exchange, ask(ALPHA, 1000, 4, client=1), bid(ALPHA, 1000, 10, client=2, self_trade=mode))

    assert not only(outputs, TradeDone)
    assert fate(exchange, ALPHA, 1)[0] is maker
    assert fate(exchange, ALPHA, 2)[0] is taker
    assert levels(exchange)[0] == bids


def test_self_trade_reduces_the_larger_maker():
    """9.4 mode 3: a maker larger than the taker keeps its place with what remains."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1000, 10, client=1))
    do(exchange, taker_bid(ALPHA, 1000, 4, client=2, self_trade=SelfTrade.REDUCE_BOTH))

    assert row_of(exchange, ALPHA, 1).remaining_lots == 6
    assert fate(exchange, ALPHA, 1) == (OrderStatus.OPEN, 0)
    assert fate(exchange, ALPHA, 2) == (OrderStatus.CANCELED_SELF_TRADE, 0)


def test_self_trade_equality():
    """4.6 attribute 7: accounts of one master trade with each other unless the taker says otherwise."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1000, 4, client=1), ask(ALPHA, 1000, 4, client=2))
    trades = only(do(exchange, taker_bid(BETA, 1000, 4)), TradeDone)
    outputs = do(exchange, taker_bid(BETA, 1000, 4, same_master=True))

    assert len(trades) == 1
    assert not only(outputs, TradeDone)
    assert fate(exchange, ALPHA, 2) == (OrderStatus.CANCELED_SELF_TRADE, 0)


def test_step_4_makers_dead_mans_switch_is_due():
    """9.2 step 4: a maker whose owner's switch is due is canceled when touched, before it fires."""
    exchange = floor(rules=Rules(dms_lag_us=10 * SECOND))
    due_ms = START_US // MS + 1_000
    do(exchange, ask(ALPHA, 1000, 4, client=1))
    do(exchange, DropAll(account_index=ALPHA, mode=DropAllMode.SCHEDULE, time_ms=due_ms))
    exchange.advance(due_ms * MS)
    trades = only(do(exchange, taker_bid(CROWD, 1000, 4)), TradeDone)

    assert not trades
    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED, 0)


def test_step_4_expired_maker():
    """9.2 step 4: an order is dead from the microsecond of its expiry (`canceled-expired`)."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1000, 4, client=1), ask(ALPHA, 1000, 4, client=2, expiry_ms=EXPIRY_MS + 1))
    exchange.advance(EXPIRY_MS * MS - 1)
    before = fate(exchange, ALPHA, 1)
    exchange.act(taker_bid(CROWD, 1000, 3), EXPIRY_MS * MS)

    assert before == (OrderStatus.OPEN, 0)
    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_EXPIRED, 0)
    assert fate(exchange, ALPHA, 2) == (OrderStatus.OPEN, 3)


def test_step_5_post_only():
    """9.2 step 5: a post-only order that would take is canceled: no fill, no sliding."""
    exchange = floor()
    outputs = do(exchange, ask(CROWD, 1000, 4), maker_bid(ALPHA, 1000, 4, client=1))

    assert not only(outputs, TradeDone)
    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_POST_ONLY, 0)
    do(exchange, maker_bid(ALPHA, 999, 4, client=2))
    assert fate(exchange, ALPHA, 2) == (OrderStatus.OPEN, 0)


def test_step_6_reduce_only_maker_of_the_wrong_direction():
    """9.2 step 6: a resting reduce-only order whose position is gone is canceled when touched."""
    exchange = floor()
    do(exchange, ask(CROWD, 1000, 4), taker_bid(ALPHA, 1000, 4))
    do(exchange, ask(ALPHA, 1010, 4, client=1, reduce_only=True), ask(GAMMA, 1010, 4, client=2))
    do(exchange, bid(CROWD, 999, 4), taker_ask(ALPHA, 999, 4), taker_bid(CROWD, 1010, 4))

    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_REDUCE_ONLY, 0)
    assert fate(exchange, GAMMA, 2) == (OrderStatus.FILLED, 4)


def test_step_7_reduce_only_taker_is_clipped():
    """9.2 step 7 and 10: a reduce-only taker trades its position at most and then ends."""
    exchange = floor()
    do(exchange, ask(CROWD, 1000, 4), taker_bid(ALPHA, 1000, 4), bid(CROWD, 999, 50))
    do(exchange, ask(ALPHA, 999, 10, client=1, reduce_only=True))

    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_REDUCE_ONLY, 4)
    assert position(exchange, ALPHA) == 0


def test_step_7_reduce_only_maker_is_clipped():
    """9.2 step 7 and 10: a reduce-only maker gives its position at most; the taker goes on."""
    exchange = floor()
    do(exchange, ask(CROWD, 1000, 4), taker_bid(ALPHA, 1000, 4))
    do(exchange, ask(ALPHA, 1005, 10, client=1, reduce_only=True), ask(GAMMA, 1006, 10, client=2))
    do(exchange, taker_bid(CROWD, 1006, 9))

    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_REDUCE_ONLY, 4)
    assert fate(exchange, GAMMA, 2) == (OrderStatus.OPEN, 5)


def test_step_8_market_order_within_its_average():
    """9.3: what a market order saved at good levels may be spent at levels beyond its price."""
    exchange = floor()
    do(exchange, ask(CROWD, 990, 4), ask(CROWD, 1010, 4), market_bid(ALPHA, 1000, 8, client=1))

    row = row_of(exchange, ALPHA, 1)
    assert (row.status, row.filled_lots, row.filled_quote_micro) == (OrderStatus.FILLED, 8, 8_000)


def test_step_8_market_order_is_clipped():
    """9.3: the order ends canceled-too-much-slippage after the fill that used up its credit."""
    exchange = floor()
    do(exchange, bid(CROWD, 1010, 4), bid(CROWD, 980, 9), market_ask(ALPHA, 1000, 10, client=1))

    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_TOO_MUCH_SLIPPAGE, 6)


def test_step_8_market_order_without_credit():
    """9.2 step 8: a market order that may take nothing ends canceled-too-much-slippage, unfilled."""
    exchange = floor()
    outputs = do(exchange, ask(CROWD, 1001, 4), market_bid(ALPHA, 1000, 4, client=1))

    assert not only(outputs, TradeDone)
    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_TOO_MUCH_SLIPPAGE, 0)


def test_step_8_does_not_bind_limit_orders():
    """9.3: an IOC limit order has a plain hard limit, whatever it saved before."""
    exchange = floor()
    do(exchange, ask(CROWD, 990, 4), ask(CROWD, 1001, 4), taker_bid(ALPHA, 1000, 8, client=1))

    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_NOT_ENOUGH_LIQUIDITY, 4)


def test_step_9_taker_without_margin():
    """9.2 step 9: a taker whose margin does not allow the trade is canceled, the maker stays."""
    exchange = floor(collateral_micro=1_000)  # at 5 %: a notional of 20 000
    do(exchange, ask(CROWD, 1000, 100), taker_bid(ALPHA, 1000, 21, client=1), taker_bid(ALPHA, 1000, 20, client=2))

    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_MARGIN_NOT_ALLOWED, 0)
    assert fate(exchange, ALPHA, 2) == (OrderStatus.FILLED, 20)
    assert levels(exchange)[1] == {1000: 80}


def test_step_9_maker_without_margin():
    """9.2 step 9 and 8.5: open orders reserve no margin; the maker that cannot bear its fill is canceled."""
    exchange = floor(collateral_micro=1_000)
    do(exchange, ask(ALPHA, 1000, 30, client=1), ask(GAMMA, 1001, 10, client=2), taker_bid(CROWD, 1001, 30))

    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_MARGIN_NOT_ALLOWED, 0)
    assert fate(exchange, GAMMA, 2) == (OrderStatus.FILLED, 10)


def test_step_9_both_sides_fail():
    """9.2 step 9: both sides may fail at once, and there is no trade."""
    exchange = floor(collateral_micro=100)
    outputs = do(exchange, ask(ALPHA, 1000, 30, client=1), taker_bid(GAMMA, 1000, 30, client=2))

    assert not only(outputs, TradeDone)
    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_MARGIN_NOT_ALLOWED, 0)
    assert fate(exchange, GAMMA, 2) == (OrderStatus.CANCELED_MARGIN_NOT_ALLOWED, 0)


def test_step_9_open_interest_cap():
    """9.2 step 9 and 8.5: a trade that would carry open interest over its limit cancels the taker."""
    exchange = floor(rules=Rules(open_interest_limit_micro=20_000))  # both sides counted: 10 lots at 1000
    do(exchange, ask(GAMMA, 1000, 30, client=1), taker_bid(ALPHA, 1000, 10, client=2))
    do(
        exchange,
        taker_bid(ALPHA, 1000, 1, client=3),
        bid(GAMMA, 1000, 20, client=4),
        taker_ask(ALPHA, 1000, 4, client=5),
    )

    assert fate(exchange, ALPHA, 2) == (OrderStatus.FILLED, 10)
    assert fate(exchange, ALPHA, 3) == (OrderStatus.CANCELED_POSITION_NOT_ALLOWED, 0)
    assert fate(exchange, ALPHA, 5) == (OrderStatus.FILLED, 4)
    assert exchange.stats(0).open_interest_lots == 12


def test_step_9_position_bounds():
    """8.4: positions and their cost stay below 2^56; an order that would pass it is canceled."""
    exchange = floor(order_quote_limit_micro=2**60)
    size = 2**46  # at 1000 ticks just below 2^56
    do(exchange, ask(CROWD, 1000, size), taker_bid(1, 1000, size))  # account 1 has no margin limits
    do(exchange, ask(CROWD, 1000, size), taker_bid(1, 1000, size))

    assert exchange.position_lots(1, 0) == size
    assert position(exchange, CROWD) == -size
    assert levels(exchange) == ({}, {})


def test_step_10_trade_facts():
    """2.7.3: a trade carries ids, positions before, margin fractions, fees, flips and realised PnL."""
    exchange = floor(tier="premium")
    do(exchange, ask(GAMMA, 1000, 4), taker_bid(ALPHA, 1000, 4))
    do(exchange, maker_ask(ALPHA, 1010, 10, client=7))
    trade = only(do(exchange, taker_bid(GAMMA, 1010, 10, client=8, tx_hash="ab")), TradeDone)[0]

    assert (trade.trade_id, trade.trade_type, trade.tx_hash) == (2, TradeType.TRADE, "ab")
    assert (trade.ask_account_index, trade.bid_account_index, trade.is_maker_ask) == (ALPHA, GAMMA, True)
    assert (trade.ask_client_order_index, trade.bid_client_order_index) == (7, 8)
    assert (trade.price_ticks, trade.size_lots, trade.quote_micro) == (1010, 10, 10_100)
    assert (trade.taker_size_before_lots, trade.taker_entry_quote_before_micro) == (-4, 4_000)
    assert (trade.maker_size_before_lots, trade.maker_entry_quote_before_micro) == (4, 4_000)
    assert (trade.taker_margin_fraction_before, trade.maker_margin_fraction_before) == (500, 500)
    assert (trade.taker_fee_ppm, trade.maker_fee_ppm) == (280, 40)
    assert trade.taker_sign_changed
    assert trade.maker_sign_changed
    assert (trade.ask_realised_micro, trade.bid_realised_micro) == (40, -40)
    assert trade.at_us == START_US


def test_block_time():
    """9.5: a trade's `timestamp` is its block's time in ms, at most one block before the trade."""
    exchange = floor()
    exchange.act(ask(ALPHA, 1000, 4), START_US + 3_500 * MS)
    exchange.act(taker_bid(CROWD, 1000, 4), START_US + 3_700 * MS)
    trade = exchange.recent_trades(0)[0]

    assert trade.block_ms == START_US // MS + 2_000
    assert trade.at_us == START_US + 3_700 * MS
    assert trade.block_height == exchange.block_height(trade.at_us) == START_US // (2 * SECOND) + 1


def test_order_index():
    """4.3: ((market + 1) << 48) + nonce; ask nonces count up from 1, bid nonces down from 2^48 - 1."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1001, 4, client=1), ask(ALPHA, 1002, 4, client=2))
    do(exchange, bid(ALPHA, 999, 4, client=3, market=1), bid(ALPHA, 998, 4, client=4, market=1))

    assert row_of(exchange, ALPHA, 1).order_index == 2**48 + 1
    assert row_of(exchange, ALPHA, 2).order_index == 2**48 + 2
    assert row_of(exchange, ALPHA, 3).order_index == 2 * 2**48 + 2**48 - 1
    assert row_of(exchange, ALPHA, 4).order_index == 2 * 2**48 + 2**48 - 2


def test_modify_is_of_the_total_size():
    """4.8 [A-32]: the new size is the total, remaining = new - filled, index and client id stay."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1000, 10, client=1), taker_bid(CROWD, 1000, 4))
    before = row_of(exchange, ALPHA, 1)
    do(exchange, AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=1005, size_lots=12))
    after = row_of(exchange, ALPHA, 1)

    assert (after.size_lots, after.filled_lots, after.remaining_lots, after.price_ticks) == (12, 4, 8, 1005)
    assert (after.order_index, after.order_version) == (before.order_index, before.order_version + 1)
    assert levels(exchange)[1] == {1005: 8}


def test_modify_down_to_what_is_filled():
    """4.8: a new size of no more than what is filled ends the order `filled`."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1000, 10, client=1), taker_bid(CROWD, 1000, 4))
    do(exchange, AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=1000, size_lots=4))

    assert fate(exchange, ALPHA, 1) == (OrderStatus.FILLED, 4)
    assert levels(exchange) == ({}, {})


def test_modify_loses_priority():
    """4.8 [A-32]: even a pure size reduction gets a new queue nonce and the last place."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1000, 10, client=1), ask(GAMMA, 1000, 10, client=2))
    nonce = row_of(exchange, ALPHA, 1).queue_nonce
    do(exchange, AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=1000, size_lots=5))
    trade = only(do(exchange, taker_bid(CROWD, 1000, 3)), TradeDone)[0]

    assert row_of(exchange, ALPHA, 1).queue_nonce > nonce
    assert trade.ask_account_index == GAMMA


def test_modify_may_trade():
    """4.8: a modified order re-enters matching as a taker."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1010, 10, client=1), bid(CROWD, 1000, 4))
    trade = only(
        do(exchange, AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=1000, size_lots=10)), TradeDone
    )[0]

    assert not trade.is_maker_ask
    assert fate(exchange, ALPHA, 1) == (OrderStatus.OPEN, 4)


def test_modify_of_a_post_only_order_that_crosses():
    """4.8: a post-only order modified through the other side is canceled."""
    exchange = floor()
    do(exchange, maker_ask(ALPHA, 1010, 10, client=1), bid(CROWD, 1000, 4))
    do(exchange, AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=1000, size_lots=10))

    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_POST_ONLY, 0)
    assert exchange.open_orders(ALPHA) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"index": 9}, Reject.ORDER_NOT_ACTIVE),
        ({"market": 1}, Reject.ORDER_NOT_ACTIVE),
        ({"order_version": 1}, Reject.ORDER_VERSION_MISMATCH),
        ({"size_lots": 0}, Reject.INVALID_BASE_AMOUNT),
        ({"price_ticks": 0}, Reject.INVALID_PRICE),
        ({"size_lots": 1}, Reject.BELOW_MINIMUM),
        ({"size_lots": 10**13}, Reject.ABOVE_QUOTE_LIMIT),
    ],
)
def test_modify_fails_softly(changes: dict[str, int], reason: Reject):
    """4.8: a modify of a gone or foreign order, at a stale version or out of range changes nothing."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1010, 10, client=1))
    before = row_of(exchange, ALPHA, 1)
    facts = {"market": 0, "index": 1, "price_ticks": 1005, "size_lots": 10} | changes

    assert exchange.act(AmendOrder(account_index=ALPHA, **facts), START_US) is reason
    assert exchange.take_outputs() == []
    assert row_of(exchange, ALPHA, 1) == before


def test_modify_at_the_right_version():
    """4.6 attribute 8 [A-20]: a modify acts while the order is at the version it names."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1010, 10, client=1))
    for version in (0, 1):
        amend = AmendOrder(
            account_index=ALPHA, market=0, index=1, price_ticks=1005 + version, size_lots=10, order_version=version
        )
        assert exchange.act(amend, START_US) is None
    assert row_of(exchange, ALPHA, 1).price_ticks == 1006


def test_cancel_by_either_index():
    """4.3: below 2^48 an index is a client order index, above an order index."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1010, 10, client=1), ask(ALPHA, 1011, 10, client=2))
    index = row_of(exchange, ALPHA, 2).order_index
    do(
        exchange,
        DropOrder(account_index=ALPHA, market=0, index=1),
        DropOrder(account_index=ALPHA, market=0, index=index),
    )

    assert exchange.open_orders(ALPHA) == []
    assert fate(exchange, ALPHA, 1) == fate(exchange, ALPHA, 2) == (OrderStatus.CANCELED, 0)


@pytest.mark.parametrize("facts", [{"account_index": GAMMA, "market": 0}, {"account_index": ALPHA, "market": 1}])
def test_cancel_finds_only_own_orders_of_the_market(facts: dict[str, int]):
    """9.2: a cancel looks among the owner's orders and the given market."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1010, 10, client=1))
    index = row_of(exchange, ALPHA, 1).order_index

    assert exchange.act(DropOrder(index=index, **facts), START_US) is Reject.ORDER_NOT_ACTIVE
    assert levels(exchange)[1] == {1010: 10}


def test_cancel_all_of_one_market():
    """4.10: attribute 5 limits an immediate cancel-all to one market."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1010, 4, client=1), ask(ALPHA, 1010, 4, client=2, market=1), ask(GAMMA, 1010, 4, client=3))
    do(exchange, DropAll(account_index=ALPHA, market=0))

    assert [row.client_order_index for row in exchange.open_orders(ALPHA)] == [2]
    do(exchange, DropAll(account_index=ALPHA))
    assert exchange.open_orders(ALPHA) == []
    assert len(exchange.open_orders(GAMMA)) == 1


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"size": 1}, Reject.BELOW_MINIMUM),  # base
        ({"price": 700, "size": 2}, Reject.BELOW_MINIMUM),  # quote
        ({"price": 1000, "size": 10**12 + 1}, Reject.ABOVE_QUOTE_LIMIT),
        ({"size": 0}, Reject.INVALID_BASE_AMOUNT),
        ({"price": 2**32}, Reject.INVALID_PRICE),
        ({"client": 2**48}, Reject.CLIENT_ORDER_INDEX_EXISTS),
        ({"client": 1}, Reject.CLIENT_ORDER_INDEX_EXISTS),
        ({"client": 1, "market": 1}, Reject.CLIENT_ORDER_INDEX_EXISTS),
        ({"reduce_only": True}, Reject.REDUCE_ONLY_WRONG_DIRECTION),
        ({"expiry_ms": START_US // MS}, Reject.INVALID_EXPIRY),
        ({"market": 7}, Reject.INVALID_MARKET),
    ],
)
def test_create_fails_softly(facts: dict[str, int], reason: Reject):
    """9.2: amounts, duplicate client id, reduce-only direction, expiry: no order, nonces untouched."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1010, 4, client=1))
    request = bid(ALPHA, **({"price": 990, "size": 4, "client": 2} | facts))

    assert exchange.act(request, START_US) is reason
    assert exchange.take_outputs() == []
    do(exchange, bid(ALPHA, 990, 4, client=5))
    assert row_of(exchange, ALPHA, 5).queue_nonce == 2**48 - 1


def test_reduce_only_that_would_increase():
    """4.8: reduce-only on the position's own side makes no order."""
    exchange = floor()
    do(exchange, ask(CROWD, 1000, 4), taker_bid(ALPHA, 1000, 4))

    assert exchange.act(bid(ALPHA, 990, 4, reduce_only=True), START_US) is Reject.REDUCE_ONLY_INCREASES


def test_ioc_may_be_small():
    """4.3: the minimums bind resting orders only."""
    exchange = floor()
    do(exchange, ask(CROWD, 1000, 10), taker_bid(ALPHA, 1000, 1, client=1))

    assert fate(exchange, ALPHA, 1) == (OrderStatus.FILLED, 1)


def test_client_index_is_free_again():
    """4.3: client order indexes are unique among ACTIVE orders only."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1010, 4, client=1), DropOrder(account_index=ALPHA, market=0, index=1))

    assert exchange.act(ask(ALPHA, 1011, 4, client=1), START_US) is None


def test_level_changes_are_absolute_and_counted():
    """3.4: every change of a level is told with its new size and the next nonce."""
    exchange = floor()
    outputs = do(
        exchange, ask(CROWD, 1000, 10), ask(CROWD, 1000, 5), taker_bid(ALPHA, 1000, 12), DropAll(account_index=CROWD)
    )
    changes = [(c.nonce, c.price_ticks, c.size_lots) for c in only(outputs, LevelChanged)]

    assert changes == [(1, 1000, 10), (2, 1000, 15), (3, 1000, 5), (4, 1000, 3), (5, 1000, 0)]
    assert exchange.book(0).nonce == 5


def test_captured_position_example():
    """8.4: short 0.0001 ETH entered at 1921.25 (entry 0.192125), closed at 1924.74, realises -0.000349."""
    exchange = floor(min_base_lots=1, min_quote_micro=0)
    do(exchange, bid(CROWD, 192_125, 1), taker_ask(ALPHA, 192_125, 1))
    opened = exchange.account(ALPHA)
    do(exchange, ask(CROWD, 192_474, 1), taker_bid(ALPHA, 192_474, 1))
    closed = exchange.account(ALPHA)

    assert opened is not None
    assert closed is not None
    assert (opened.positions[0].size_lots, opened.positions[0].entry_quote_micro) == (-1, 192_125)
    assert (closed.positions[0].size_lots, closed.positions[0].entry_quote_micro) == (0, 0)
    assert closed.realised_micro == closed.positions[0].realised_micro == -349


def test_fees_are_exact():
    """8.3: fee = quote x ppm in 1e-12 USDC, nothing rounded, taken from collateral."""
    exchange = floor(tier="premium", collateral_micro=10**6)
    do(exchange, maker_ask(GAMMA, 1001, 7), taker_bid(ALPHA, 1001, 7))
    taker, maker = exchange.account(ALPHA), exchange.account(GAMMA)

    assert taker is not None
    assert maker is not None
    assert taker.fees_pico == 1001 * 7 * 280
    assert maker.fees_pico == 1001 * 7 * 40
    assert taker.collateral_pico == 10**12 - taker.fees_pico
    treasury = exchange.account(0)
    assert treasury is not None
    assert treasury.collateral_pico == taker.fees_pico + maker.fees_pico


def test_positions_of_both_sides():
    """8.4: what one side buys the other sells, at the same cost."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1000, 4), taker_bid(GAMMA, 1000, 4))
    buyer, seller = exchange.account(GAMMA), exchange.account(ALPHA)

    assert buyer is not None
    assert seller is not None
    assert Position(4, 4_000) == Position(buyer.positions[0].size_lots, buyer.positions[0].entry_quote_micro)
    assert Position(-4, 4_000) == Position(seller.positions[0].size_lots, seller.positions[0].entry_quote_micro)
    assert INDEX == exchange.stats(0).last_trade_ticks
