"""What can be asked of the exchange, newest first and bounded."""

from helpers.trading_floor import (
    ALPHA,
    CROWD,
    EXPIRY_MS,
    GAMMA,
    KEY,
    START_US,
    DropAll,
    ask,
    bid,
    do,
    floor,
    numbered,
    taker_bid,
)
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import DropAllMode
from lighterman.matching.rules import Rules
from lighterman.matching.views import Rejected


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


def test_account_rows():
    """2.7.5: a row per market that was traded, levered or has orders; flat rows stay."""
    exchange = floor()
    do(exchange, ask(CROWD, 1000, 8), taker_bid(ALPHA, 1000, 4), bid(ALPHA, 990, 4, market=1))
    do(exchange, DropAll(account_index=ALPHA, mode=DropAllMode.SCHEDULE, time_ms=EXPIRY_MS))
    account = exchange.account(ALPHA)

    assert account is not None
    assert (account.index, account.l1_address, account.tier) == (ALPHA, "0xowner", "standard")
    assert [(row.market, row.size_lots, row.open_order_count) for row in account.positions] == [(0, 4, 0), (1, 0, 1)]
    assert (account.positions[0].entry_quote_micro, account.positions[0].value_micro) == (4_000, 4_000)
    assert (account.open_order_count, account.trade_count, account.traded_micro) == (1, 1, 4_000)
    assert (account.cancel_all_ms, account.created_us, account.updated_us) == (EXPIRY_MS, START_US, START_US)


def test_market_stats():
    """3.5: index, mark, last trade, open interest of both sides and the coming rate."""
    exchange = floor()
    do(exchange, ask(CROWD, 1003, 8), taker_bid(ALPHA, 1003, 4))
    stats = exchange.stats(0)

    assert (stats.market, stats.index_ticks, stats.mark_ticks, stats.last_trade_ticks) == (0, 1000, 1000, 1003)
    assert (stats.open_interest_lots, stats.current_funding_rate_ppm, stats.funding_at_us) == (8, 12, 0)


def test_refusal_asks_without_consequence():
    """9.1: what `admit` would say can be asked before, and nothing is queued by asking."""
    exchange = floor()
    requests = [numbered(bid(ALPHA, 990, size), nonce) for nonce, size in enumerate((4, 1))]

    assert exchange.refusal(requests, START_US) == Rejected(Reject.BELOW_MINIMUM, 1)
    assert exchange.refusal(requests[:1], START_US) is None
    assert exchange.next_nonce(ALPHA, KEY) == 0
