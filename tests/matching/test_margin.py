"""Account value, requirements, health and leverage: protocol reference 8.5."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.trading_floor import (
    ALPHA,
    CROWD,
    GAMMA,
    START_US,
    AmendOrder,
    DropOrder,
    SetLeverage,
    ask,
    bid,
    do,
    fate,
    floor,
    only,
    send,
    taker_ask,
    taker_bid,
)
from lighterman.domain.units import PICO_PER_MICRO
from lighterman.matching.exchange import Exchange
from lighterman.matching.margin import Risk, available_pico, is_valid_change
from lighterman.matching.outputs import OrderStatus, PositionChanged
from lighterman.matching.rejects import Reject
from lighterman.matching.views import AccountView, Health, PositionView, Rejected


def view(exchange: Exchange, account: int = ALPHA) -> AccountView:
    found = exchange.account(account)
    assert found is not None
    return found


def long(size: int, collateral_micro: int) -> Exchange:
    """Return an exchange where ALPHA bought `size` at 1000."""
    exchange = floor(collateral_micro=collateral_micro)
    do(exchange, ask(CROWD, 1000, size), taker_bid(ALPHA, 1000, size))
    return exchange


def test_requirements():
    """8.5: AV = collateral + PnL at mark; IMR, MMR, CMR are shares of the notional at mark."""
    exchange = long(100, collateral_micro=6_000)
    exchange.set_index(0, 990, START_US)
    account = view(exchange)

    assert account.value_pico == 5_000 * PICO_PER_MICRO
    assert account.initial_margin_pico == 99_000 * PICO_PER_MICRO * 500 // 10_000
    assert account.maintenance_margin_pico == 99_000 * PICO_PER_MICRO * 120 // 10_000
    assert account.closeout_margin_pico == 99_000 * PICO_PER_MICRO * 80 // 10_000
    assert account.available_pico == account.value_pico - account.initial_margin_pico
    assert account.positions[0].unrealised_micro == -1_000


@pytest.mark.parametrize(
    ("value", "health"),
    [(500, 0), (499, 1), (120, 1), (119, 2), (80, 2), (79, 3), (0, 3), (-1, 4)],
)
def test_health(value: int, health: int):
    """8.5: healthy, pre-liquidation, partial, full, bankrupt, each from its own bound on."""
    assert Risk(value, 500, 120, 80).health() is Health(health)


def test_valid_risk_change():
    """8.5: the healthy must stay healthy; the others must not lower AV / MMR."""
    healthy, sick = Risk(500, 500, 120, 80), Risk(200, 500, 120, 80)

    assert is_valid_change(healthy, Risk(600, 600, 144, 96))
    assert not is_valid_change(healthy, Risk(599, 600, 144, 96))
    assert is_valid_change(sick, Risk(100, 250, 60, 40))
    assert is_valid_change(sick, Risk(199, 400, 100, 70))
    assert not is_valid_change(sick, Risk(99, 250, 60, 40))


def test_available_collateral():
    """8.5: what is above IMR, never more than the collateral, nothing when not healthy."""
    assert available_pico(Risk(900, 500, 120, 80), 1_000) == 400
    assert available_pico(Risk(900, 500, 120, 80), 300) == 300
    assert available_pico(Risk(400, 500, 120, 80), 300) == 0
    assert available_pico(Risk(900, 500, 120, 80), -5) == 0


def test_profit_is_margin():
    """8.5: unrealised profit carries new positions, and open orders reserve nothing [A-24]."""
    exchange = long(100, collateral_micro=5_000)
    do(exchange, bid(ALPHA, 999, 2), bid(ALPHA, 998, 2))
    available = view(exchange).available_pico
    do(exchange, ask(CROWD, 1001, 100), taker_bid(ALPHA, 1001, 10, client=1))
    exchange.set_index(0, 1_050, START_US)
    do(exchange, taker_bid(ALPHA, 1001, 10, client=2))

    assert available == 0
    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_MARGIN_NOT_ALLOWED, 0)
    assert fate(exchange, ALPHA, 2) == (OrderStatus.FILLED, 10)


def test_in_pre_liquidation_only_reducing_is_allowed():
    """8.5: below IMR an account may make its position smaller, not larger."""
    exchange = long(100, collateral_micro=5_000)
    exchange.set_index(0, 980, START_US)
    do(exchange, ask(CROWD, 980, 100), taker_bid(ALPHA, 980, 2, client=1), bid(CROWD, 979, 2))
    do(exchange, taker_ask(ALPHA, 979, 2, client=2))

    assert view(exchange).health is Health.PRE_LIQUIDATION
    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_MARGIN_NOT_ALLOWED, 0)
    assert fate(exchange, ALPHA, 2) == (OrderStatus.FILLED, 2)


def test_leverage_takes_effect():
    """4.8: the initial margin fraction of a position is the account's own; it may move when affordable."""
    exchange = long(100, collateral_micro=6_000)

    def leverage(fraction: int) -> Reject | None:
        return exchange.act(
            SetLeverage(account_index=ALPHA, market=0, initial_margin_fraction=fraction), exchange.now_us
        )

    assert leverage(601) is Reject.INVALID_RISK_CHANGE
    assert view(exchange).positions[0].initial_margin_fraction == 500
    exchange.take_outputs()
    assert leverage(200) is None
    assert only(exchange.take_outputs(), PositionChanged) == [PositionChanged(account_index=ALPHA, market=0)]
    assert view(exchange).positions[0].initial_margin_fraction == 200
    assert leverage(601) is Reject.INVALID_RISK_CHANGE
    assert view(exchange).initial_margin_pico == 100_000 * PICO_PER_MICRO * 200 // 10_000
    assert leverage(600) is None


def test_below_maintenance_cancels_are_not_executable():
    """4.7 row 3: with health below pre-liquidation, cancel and modify cannot be included (21112)."""
    exchange = long(100, collateral_micro=5_000)
    do(exchange, ask(ALPHA, 1010, 4, client=1))
    exchange.deposit(ALPHA, -4_500)
    drop = DropOrder(account_index=ALPHA, market=0, index=1)
    amend = AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=1011, size_lots=4)

    assert view(exchange).health is Health.FULL_LIQUIDATION
    assert send(exchange, drop) == Rejected(Reject.IN_LIQUIDATION, 0)
    assert send(exchange, amend) == Rejected(Reject.IN_LIQUIDATION, 0)


def test_no_leverage_in_liquidation():
    """4.8: from partial liquidation on an account cannot set leverage (21112)."""
    exchange = long(100, collateral_micro=5_000)
    exchange.deposit(ALPHA, -3_900)
    leverage = SetLeverage(account_index=ALPHA, market=0, initial_margin_fraction=200)

    assert view(exchange).health is Health.PARTIAL_LIQUIDATION
    assert exchange.act(leverage, START_US) is Reject.IN_LIQUIDATION


@given(
    st.integers(2, 5_000),
    st.booleans(),
    st.integers(60_000, 400_000),
    st.integers(900, 1_100),
    st.sampled_from([1, 10]),
)
def test_liquidation_price_is_where_liquidation_begins(
    size: int, is_short: bool, collateral: int, mark: int, multiplier: int
):
    """8.5 and 2.7.5: at the shown price AV < MMR is a tick away, whatever mark is now."""
    exchange = floor(collateral_micro=collateral * multiplier, quote_multiplier=multiplier)
    order, taker = (bid, taker_ask) if is_short else (ask, taker_bid)
    do(exchange, order(CROWD, 1000, size), taker(ALPHA, 1000, size))
    exchange.set_index(0, mark, START_US)
    account = view(exchange)
    position = account.positions[0] if account.positions else None
    if position is None or not position.size_lots or not position.liquidation_price_ticks:
        return
    price = position.liquidation_price_ticks

    def is_safe(at: int) -> bool:
        profit = position.size_lots * at * multiplier - _signed_entry(position)
        value = account.collateral_pico + profit * PICO_PER_MICRO
        return value >= size * at * multiplier * 120 * PICO_PER_MICRO // 10_000

    assert is_safe(price)
    assert not is_safe(price + 1 if is_short else price - 1)


def _signed_entry(position: PositionView) -> int:
    size, entry = position.size_lots, position.entry_quote_micro
    return entry if size > 0 else -entry


def test_no_position_has_no_liquidation_price():
    """2.7.5: flat or unthreatened positions show 0."""
    exchange = long(100, collateral_micro=10**9)
    do(exchange, bid(CROWD, 999, 100), taker_ask(ALPHA, 999, 100))

    assert view(exchange).positions[0].liquidation_price_ticks == 0
    assert view(exchange, GAMMA).positions == []
