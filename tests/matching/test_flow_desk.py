"""A desk: what an actor may do, in the units it thinks in."""

from helpers.market_lab import BTC, START_US
from lighterman.matching.exchange import Exchange
from lighterman.matching.flow_desk import Desk
from lighterman.matching.rules import Rules

PRICE = 1_000_000  # 100,000 USD in ticks of 0.1
MAKER, TAKER = 7, 8


def desks() -> tuple[Exchange, Desk, Desk]:
    """Return a priced, empty market and two seats at it."""
    exchange = Exchange([BTC], Rules(), START_US)
    for account in (MAKER, TAKER):
        exchange.open_account(account, collateral_micro=10**12, tier="standard", l1_address="", free_of_limits=True)
    exchange.set_index(BTC.index, PRICE, START_US)
    return exchange, Desk(exchange, BTC, MAKER), Desk(exchange, BTC, TAKER)


def test_sizes_are_values():
    """A size is asked for in USD; too small a one becomes the smallest that the market accepts."""
    _, desk, _ = desks()

    assert desk.lots(5_000.0, PRICE) == 5_000
    assert desk.lots(0.01, PRICE) == BTC.min_base_lots


def test_an_empty_book_has_no_mid():
    """Without two sides there is neither a mid nor an imbalance."""
    _, maker, _ = desks()
    maker.rest(is_ask=False, price_ticks=PRICE - 10, size_lots=100, now_us=START_US)

    assert maker.mid_ticks() is None
    assert maker.imbalance() == 0.0


def test_resting_moving_taking():
    """An order rests, is moved to a remaining size, and is taken; the position has its value."""
    exchange, maker, taker = desks()
    index = maker.rest(is_ask=True, price_ticks=PRICE + 10, size_lots=100, now_us=START_US)
    taker.sweep(is_ask=False, value_usd=40.0, reach_bp=1.0, now_us=START_US)
    maker.move(maker.orders()[index], price_ticks=PRICE + 20, size_lots=80, now_us=START_US)

    assert exchange.book(BTC.index).best_ask() == (PRICE + 20, 80)
    assert maker.orders()[index].filled_lots == 40
    assert maker.position_usd(PRICE) == -40.0
    assert taker.position_usd(PRICE) == 40.0


def test_a_sweep_has_a_reach():
    """A sweep stops where its reach ends, and what is left of it is cancelled."""
    exchange, maker, taker = desks()
    for price in (PRICE, PRICE + 99, PRICE + 101):  # 0, 0.99 and 1.01 bp
        maker.rest(is_ask=True, price_ticks=price, size_lots=50, now_us=START_US)
    taker.sweep(is_ask=False, value_usd=1_000.0, reach_bp=1.0, now_us=START_US)

    assert exchange.book(BTC.index).asks == {PRICE + 101: 50}
    assert not taker.orders()
