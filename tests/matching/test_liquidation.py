"""Liquidation, insurance fund and deleveraging: protocol reference 8.6."""

from helpers.trading_floor import (
    ALPHA,
    CROWD,
    GAMMA,
    START_US,
    ask,
    bid,
    do,
    fate,
    floor,
    market,
    only,
    order,
    taker_ask,
    taker_bid,
)
from lighterman.domain.units import PICO_PER_MICRO
from lighterman.matching.exchange import Exchange
from lighterman.matching.liquidation import zero_price_ticks
from lighterman.matching.margin import Risk
from lighterman.matching.orderbook import Book
from lighterman.matching.outputs import OrderStatus, TradeDone, TradeType
from lighterman.matching.rules import HOUR, Rules
from lighterman.matching.state import Pit
from lighterman.matching.views import AccountView, Health


def view(exchange: Exchange, account: int = ALPHA) -> AccountView:
    found = exchange.account(account)
    assert found is not None
    return found


def long(size: int = 1_000, collateral_micro: int = 60_000, rules: Rules | None = None) -> Exchange:
    """Return an exchange where ALPHA bought `size` at 1000 and has an order in the other market."""
    exchange = floor(collateral_micro=collateral_micro, rules=rules)
    do(
        exchange,
        ask(CROWD, 1000, size),
        taker_bid(ALPHA, 1000, size),
        bid(ALPHA, 900, 4, client=9, market=1, expiry_ms=0),
    )
    return exchange


def drop_index(exchange: Exchange, ticks: int) -> list[TradeDone]:
    exchange.set_index(0, ticks, exchange.now_us)
    return only(exchange.take_outputs(), TradeDone)


def test_zero_price():
    """8.6: zp = mark x (1 - sign x mmf x AV / MMR), up for longs and down for shorts."""
    pit = Pit(market(0), Book(0, lambda _: None), Rules())
    pit.mark_ticks = 1_000

    assert zero_price_ticks(pit, 10, Risk(50, 500, 120, 80)) == 995  # 1 - 0.012 x 50 / 120
    assert zero_price_ticks(pit, -10, Risk(50, 500, 120, 80)) == 1_005
    assert zero_price_ticks(pit, 10, Risk(49, 500, 120, 80)) == 996
    assert zero_price_ticks(pit, -10, Risk(49, 500, 120, 80)) == 1_004
    assert zero_price_ticks(pit, 10, Risk(-120, 500, 120, 80)) == 1_012
    assert zero_price_ticks(pit, -10, Risk(-(10**9), 500, 1, 80)) == 1


def test_nothing_happens_above_maintenance():
    """8.6: an account at its maintenance margin keeps its orders and positions."""
    exchange = long()
    trades = drop_index(exchange, 952)  # AV 12000 >= MMR 11424

    assert trades == []
    assert fate(exchange, ALPHA, 9) == (OrderStatus.OPEN, 0)
    assert view(exchange).health is Health.PRE_LIQUIDATION


def test_partial_liquidation_stops_when_healthy_enough():
    """8.6: all orders go, then the book takes as much as brings AV back to MMR, at most 1 % fee."""
    exchange = long()
    do(exchange, *(bid(CROWD, 956, 100) for _ in range(10)), bid(CROWD, 949, 10))
    trades = drop_index(exchange, 951)  # AV 11000 < MMR 11412, zero price 940
    account = view(exchange)

    assert fate(exchange, ALPHA, 9) == (OrderStatus.CANCELED_LIQUIDATION, 0)
    assert {(t.trade_type, t.ask_account_index, t.is_maker_ask) for t in trades} == {
        (TradeType.LIQUIDATION, ALPHA, False)
    }
    assert {(t.price_ticks, t.taker_fee_ppm) for t in trades} == {(956, 10_000)}
    assert account.value_pico >= account.maintenance_margin_pico
    assert 0 < account.positions[0].size_lots < 1_000


def test_liquidation_fee_never_passes_the_zero_price():
    """8.6: the fee is what the fill was better than the zero price, when that is less than 1 %."""
    exchange = long()
    do(exchange, bid(CROWD, 949, 100))
    trades = drop_index(exchange, 951)

    assert [(t.price_ticks, t.taker_fee_ppm) for t in trades] == [(949, 9 * 10**6 // 949)]


def test_liquidation_fees_go_to_the_insurance_fund():
    """8.3 and 8.6: what a liquidation pays feeds the fund, not the treasury."""
    exchange = long()
    do(exchange, bid(CROWD, 951, 10_000))
    before = view(exchange, 1).collateral_pico
    trade = drop_index(exchange, 951)[0]

    assert view(exchange, 1).collateral_pico - before == trade.quote_micro * trade.taker_fee_ppm > 0
    assert view(exchange, 0).collateral_pico == 0


def test_without_a_counterparty_a_partial_liquidation_waits():
    """8.6: between closeout and maintenance nobody but the book takes the position."""
    exchange = long()

    assert drop_index(exchange, 951) == []
    assert view(exchange).positions[0].size_lots == 1_000
    assert view(exchange).health is Health.PARTIAL_LIQUIDATION


def test_the_insurance_fund_takes_over():
    """8.6: below closeout the fund takes what the book did not, at the zero price, and AV becomes nothing."""
    exchange = long()
    do(exchange, bid(CROWD, 945, 10))
    trades = drop_index(exchange, 945)  # AV 5000 < CMR 7560
    account = view(exchange)

    assert [(t.trade_type, t.bid_account_index, t.size_lots) for t in trades] == [
        (TradeType.LIQUIDATION, CROWD, 10),
        (TradeType.LIQUIDATION, 1, 990),
    ]
    taken = trades[1]
    assert (taken.ask_order_index, taken.bid_order_index, taken.bid_client_order_index) == (0, 0, 0)
    assert (taken.taker_fee_ppm, taken.is_maker_ask) == (0, False)
    assert exchange.position_lots(1, 0) == 990
    assert account.positions[0].size_lots == 0
    assert 0 <= account.value_pico < 1_000 * PICO_PER_MICRO  # a tick of rounding per lot at most


def test_the_fund_pays_for_the_bankrupt():
    """8.6: beyond bankruptcy the fund takes over above the mark, so that the account owes nothing."""
    exchange = long()
    before = view(exchange, 1).value_pico
    drop_index(exchange, 930)  # AV -10000
    account = view(exchange)

    assert account.positions[0].size_lots == 0
    assert account.collateral_pico >= 0
    assert view(exchange, 1).value_pico < before


def test_a_short_is_taken_over_too():
    """8.6: the same for shorts, rounded the other way."""
    exchange = floor(collateral_micro=60_000)
    do(exchange, bid(CROWD, 1000, 1_000), taker_ask(ALPHA, 1000, 1_000))
    drop_index(exchange, 1_070)

    assert exchange.position_lots(1, 0) == -1_000
    assert 0 <= view(exchange).value_pico < 1_000 * PICO_PER_MICRO


def test_deleveraging_is_the_last_resort():
    """8.6: when the fund cannot pay, the most profitable holders of the other side are closed (`deleverage`)."""
    exchange = floor(collateral_micro=100_000, rules=Rules(insurance_collateral_micro=1_000))
    do(exchange, order(GAMMA, 1000, 400, is_ask=True), taker_bid(ALPHA, 1000, 400))
    do(exchange, ask(CROWD, 1010, 1_000), taker_bid(ALPHA, 1010, 1_000))
    exchange.set_index(0, 930, exchange.now_us)
    trades = [trade for trade in exchange.recent_trades(0) if trade.trade_type is TradeType.DELEVERAGE]

    assert [(t.bid_account_index, t.size_lots) for t in reversed(trades)] == [(CROWD, 1_000), (GAMMA, 400)]
    assert exchange.position_lots(ALPHA, 0) == exchange.position_lots(1, 0) == 0
    assert view(exchange).collateral_pico >= 0


def test_several_positions():
    """8.6: positions are offered one market after the other until the account is above maintenance."""
    exchange = floor(collateral_micro=60_000)
    for index in (0, 1):
        do(
            exchange,
            order(CROWD, 1000, 500, is_ask=True, market=index),
            order(ALPHA, 1000, 500, is_ask=False, market=index),
            order(CROWD, 951, 5_000, is_ask=False, market=index),
        )
    exchange.set_index(1, 951, START_US)
    exchange.set_index(0, 951, START_US)
    account = view(exchange)

    assert account.health < Health.PARTIAL_LIQUIDATION
    assert account.positions[0].size_lots < 500
    assert account.positions[1].size_lots == 500


def test_funding_can_liquidate():
    """8.6: an account is looked at after every funding round too."""
    exchange = long(collateral_micro=50_000)
    exchange.deposit(ALPHA, -38_000 + 5)  # AV 12005 against MMR 12000; the hour costs 12
    exchange.advance(START_US + HOUR)

    assert view(exchange).health is Health.PARTIAL_LIQUIDATION
    assert fate(exchange, ALPHA, 9) == (OrderStatus.CANCELED_LIQUIDATION, 0)
