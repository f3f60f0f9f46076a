"""One test per rule of the matching loop (protocol reference 9.2 to 9.4)."""

import pytest

from helpers.trading_floor import (
    ALPHA,
    BETA,
    CROWD,
    EXPIRY_MS,
    GAMMA,
    START_US,
    AmendOrder,
    DropAll,
    ask,
    bid,
    do,
    fate,
    floor,
    levels,
    maker_bid,
    market_ask,
    market_bid,
    only,
    row_of,
    taker_ask,
    taker_bid,
)
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import OrderChanged, OrderStatus, TradeDone
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
    outputs = do(exchange, taker_bid(ALPHA, 1000, 4, client=2, self_trade=SelfTrade.REDUCE_BOTH))

    assert [output.row.remaining_lots for output in only(outputs, OrderChanged)] == [6, 0]
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
