"""The door of the exchange: accounts, tiers, markets, histories, time."""

import pytest

from helpers.trading_floor import (
    ALPHA,
    BETA,
    CROWD,
    EXPIRY_MS,
    GAMMA,
    KEY,
    START_US,
    DropAll,
    DropOrder,
    ask,
    bid,
    do,
    floor,
    market,
    only,
    send,
    taker_ask,
    taker_bid,
)
from lighterman.domain.errors import LocalProtocolError
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import (
    CollateralChanged,
    LevelChanged,
    OrderChanged,
    PositionChanged,
    TradeDone,
)
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import DropAllMode
from lighterman.matching.rules import DAY, HOUR, MS, SECOND, TIERS, Rules


def test_accounts_of_an_owner():
    """1.3: accounts of one L1 address belong together; the market's own are not listed."""
    exchange = floor()

    assert exchange.account_indexes() == [ALPHA, BETA, GAMMA]
    assert exchange.account_indexes("0xowner") == [ALPHA, BETA]
    assert exchange.account(77) is None
    assert exchange.key(77, KEY) is exchange.key(ALPHA, 77) is None
    assert exchange.next_nonce(ALPHA, 77) is None


def test_accounts_open_once():
    """An account index is taken once, and only with a tier that exists."""
    exchange = floor()
    for index, tier in ((ALPHA, "standard"), (50, "gold")):
        with pytest.raises(LocalProtocolError):
            exchange.open_account(index, collateral_micro=1, tier=tier, l1_address="")


def test_keys():
    """1.4: each key has its own nonce; a new public key keeps it."""
    exchange = floor(tier="premium")
    send(exchange, bid(ALPHA, 990, 4))
    exchange.add_key(ALPHA, KEY, b"n" * 40)
    exchange.add_key(ALPHA, 4, b"o" * 40)
    second, first = exchange.keys(ALPHA)[1], exchange.keys(ALPHA)[0]

    assert (first.api_key_index, first.next_nonce, first.public_key) == (4, 0, b"o" * 40)
    assert (second.api_key_index, second.next_nonce, second.public_key) == (KEY, 1, b"n" * 40)


def test_tier_changes():
    """1.5: only without positions (62004) and orders (62005), to another tier that exists."""
    exchange = floor()
    assert exchange.set_tier(ALPHA, "gold") is Reject.INVALID_TIER
    assert exchange.set_tier(ALPHA, "standard") is Reject.SAME_TIER
    do(exchange, bid(ALPHA, 990, 4))
    assert exchange.set_tier(ALPHA, "premium") is Reject.TIER_OPEN_ORDERS
    do(exchange, DropAll(account_index=ALPHA), ask(CROWD, 1000, 4), taker_bid(ALPHA, 1000, 4))
    assert exchange.set_tier(ALPHA, "premium") is Reject.TIER_OPEN_POSITIONS
    do(exchange, bid(CROWD, 1000, 4), taker_ask(ALPHA, 1000, 4))
    assert exchange.set_tier(ALPHA, "premium") is None
    assert exchange.tier(ALPHA) is TIERS["premium"]


def test_markets_may_change_but_not_their_scales():
    """9.7: status, minimums and margins can change under way; decimals cannot."""
    exchange = floor()
    exchange.set_market(market(0, min_base_lots=50))

    assert exchange.markets[0].min_base_lots == 50
    assert exchange.act(bid(ALPHA, 990, 4), START_US) is Reject.BELOW_MINIMUM
    with pytest.raises(LocalProtocolError):
        exchange.set_market(market(0, price_decimals=3))


def test_participants_are_not_reported():
    """An account without limits shows in trades and in the book, nowhere else."""
    exchange = floor()
    outputs = do(exchange, ask(CROWD, 1000, 4), taker_bid(ALPHA, 1000, 4))

    assert len(only(outputs, TradeDone)) == 1
    assert len(only(outputs, LevelChanged)) == 2
    assert {output.row.account_index for output in only(outputs, OrderChanged)} == {ALPHA}
    assert {output.account_index for output in only(outputs, PositionChanged)} == {ALPHA}
    assert {output.account_index for output in only(outputs, CollateralChanged)} == {ALPHA}
    assert exchange.position_lots(CROWD, 0) == -4


def test_histories_are_newest_first_and_bounded():
    """2.2: trades and ended orders, of markets and accounts, newest first, so many and no more."""
    exchange = floor(rules=Rules(trades_kept=2, ended_orders_kept=2))
    do(exchange, ask(CROWD, 1000, 40), *(taker_bid(ALPHA, 1000, 2 + n, client=n) for n in (1, 2, 3)))

    assert [trade.size_lots for trade in exchange.recent_trades(0)] == [5, 4]
    assert exchange.trades_of(ALPHA) == exchange.recent_trades(0)
    assert [row.client_order_index for row in exchange.ended_orders(ALPHA)] == [3, 2]
    assert exchange.traded_micro(ALPHA) == (3 + 4 + 5) * 1000


def test_open_orders():
    """2.3: active orders newest first, of all markets or one; level 3 in the order of priority."""
    exchange = floor()
    do(exchange, bid(ALPHA, 990, 4, client=1), bid(ALPHA, 991, 4, client=2, market=1), bid(ALPHA, 992, 4, client=3))
    do(exchange, bid(GAMMA, 992, 4, client=4))

    assert [row.client_order_index for row in exchange.open_orders(ALPHA)] == [3, 2, 1]
    assert [row.client_order_index for row in exchange.open_orders(ALPHA, 0)] == [3, 1]
    best = exchange.resting_orders(0, is_ask=False, limit=2)
    assert [row.client_order_index for row in best] == [3, 4]


def test_day_statistics():
    """2.7.1: volume, count, low, high and open of the last 24 hours, forgotten hour by hour."""
    exchange = floor()
    for hours, price in ((0, 1_000), (0, 980), (5, 1_020), (5, 1_010)):
        exchange.act(ask(CROWD, price, 4, expiry_ms=0), START_US + hours * HOUR)
        exchange.act(taker_bid(ALPHA, price, 4), START_US + hours * HOUR)

    day = exchange.stats(0)
    assert (day.day_trades, day.day_base_lots, day.day_quote_micro) == (4, 16, 4 * 4_010)
    assert (day.day_low_ticks, day.day_high_ticks, day.day_open_ticks) == (980, 1_020, 1_000)
    exchange.advance(START_US + DAY)
    day = exchange.stats(0)
    assert (day.day_trades, day.day_low_ticks, day.day_high_ticks, day.day_open_ticks) == (2, 1_010, 1_020, 1_020)
    exchange.advance(START_US + DAY + 5 * HOUR)
    assert exchange.stats(0).day_trades == 0


def test_time_never_goes_back():
    """A clock that steps back is read as standing still."""
    exchange = floor()
    exchange.act(bid(ALPHA, 990, 4, client=1), START_US + SECOND)
    exchange.act(bid(ALPHA, 990, 4, client=2), START_US)
    exchange.set_index(0, 1_000, START_US)

    assert exchange.now_us == START_US + SECOND
    assert {row.created_us for row in exchange.open_orders(ALPHA)} == {START_US + SECOND}


def test_next_due():
    """The exchange says when it next has something to do: here a queued transaction."""
    exchange = floor()
    exchange.advance(START_US + 70 * SECOND)
    send(exchange, bid(ALPHA, 990, 4))

    assert exchange.next_due_us() <= START_US + 70 * SECOND + 200 * MS
    exchange.advance(exchange.next_due_us())
    assert exchange.next_due_us() > exchange.now_us


def _story(exchange: Exchange, step_us: int) -> list[object]:
    """Run the same hour, advancing the clock in steps of any size in between."""
    told: list[object] = []
    script = [
        (0, bid(ALPHA, 990, 4, client=1)),
        (1, ask(CROWD, 1_003, 40)),
        (2, taker_bid(ALPHA, 1_003, 10, client=2)),
        (3, DropAll(account_index=ALPHA, mode=DropAllMode.SCHEDULE, time_ms=START_US // MS + 400_000)),
        (300, bid(GAMMA, 985, 4, client=3, expiry_ms=EXPIRY_MS + 3_600_000)),
        (1_200, bid(ALPHA, 990, 4, client=4)),
        (1_300, DropOrder(account_index=ALPHA, market=0, index=4)),
    ]
    for seconds, request in script:
        due = START_US + seconds * SECOND
        while exchange.now_us + step_us < due:
            exchange.advance(exchange.now_us + step_us)
        if request.account_index == CROWD:
            exchange.act(request, due)
        else:
            exchange.advance(due)
            send(exchange, request)
        told += exchange.take_outputs()
    exchange.advance(START_US + 2 * HOUR)
    return told + exchange.take_outputs()


@pytest.mark.parametrize("step_us", [100 * MS, 7 * SECOND])
def test_steps_of_the_clock_do_not_matter(step_us: int):
    """The same requests at the same times give the same outputs, however often time is advanced."""
    assert _story(floor(), step_us) == _story(floor(), HOUR)


def test_expiries_of_ended_orders_are_swept():
    """Memory stays flat when orders with a distant expiry come and go."""
    exchange = floor()
    for n in range(1, 5_000):
        do(exchange, bid(ALPHA, 990, 4, client=n), DropOrder(account_index=ALPHA, market=0, index=n))

    assert len(exchange._state.agenda) < 3_000  # noqa: SLF001  (there is no other way to see it)
