"""What the API refuses before it queues: protocol reference 9.1, 4.3, 4.10, 4.11, 1.4."""

import pytest

from helpers.trading_floor import (
    ALPHA,
    CROWD,
    EXPIRY_MS,
    GAMMA,
    KEY,
    START_US,
    AmendOrder,
    DropAll,
    DropOrder,
    SetLeverage,
    ask,
    bid,
    do,
    floor,
    maker_ask,
    maker_bid,
    market,
    market_bid,
    numbered,
    send,
    taker_ask,
    taker_bid,
)
from lighterman.matching.exchange import Exchange
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import DropAllMode, MarginMode, OrderKind, Request, TimeInForce
from lighterman.matching.rules import DAY, MINUTE, MS, Rules
from lighterman.matching.views import Admitted, Rejected

NOW_MS = START_US // MS
MINUTE_MS = MINUTE // MS
DAY_MS = DAY // MS


def refusal(exchange: Exchange, request: Request) -> Reject | None:
    """Send and return why it was refused, or None."""
    answer = send(exchange, request)
    return answer.reason if isinstance(answer, Rejected) else None


def test_unknown_account_and_key():
    """9.1: account (21100), then key (21109)."""
    exchange = floor()

    assert exchange.admit([numbered(bid(77, 990, 4), 0)], START_US) == Rejected(Reject.ACCOUNT_NOT_FOUND, 0)
    unknown_key = numbered(bid(ALPHA, 990, 4), 0, api_key_index=9)
    assert exchange.admit([unknown_key], START_US) == Rejected(Reject.API_KEY_NOT_FOUND, 0)


def test_expired_transaction():
    """9.1: ExpiredAt must be ahead."""
    exchange = floor()
    request = numbered(bid(ALPHA, 990, 4), 0, expired_at_ms=NOW_MS)

    assert exchange.admit([request], START_US) == Rejected(Reject.TRANSACTION_EXPIRED, 0)


def test_unknown_and_inactive_market():
    """9.1: 21602 and 21605; cancels pass in an inactive market."""
    exchange = floor()
    do(exchange, bid(ALPHA, 990, 4, client=1))
    exchange.set_market(market(0, active=False))

    assert refusal(exchange, bid(ALPHA, 990, 4, market=7)) is Reject.INVALID_MARKET
    assert refusal(exchange, DropAll(account_index=ALPHA, market=7)) is Reject.INVALID_MARKET
    assert refusal(exchange, bid(ALPHA, 990, 4)) is Reject.MARKET_INACTIVE
    amend = AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=990, size_lots=4)
    assert refusal(exchange, amend) is Reject.MARKET_INACTIVE
    assert refusal(exchange, DropOrder(account_index=ALPHA, market=0, index=1)) is None


def test_no_price():
    """4.7 row 3: without an index price nothing can be created."""
    exchange = floor()
    exchange.set_index(0, 0, START_US)

    assert refusal(exchange, bid(ALPHA, 990, 4)) is Reject.PRICE_UNAVAILABLE


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (bid(ALPHA, 990, 0), Reject.INVALID_BASE_AMOUNT),
        (bid(ALPHA, 990, 0, reduce_only=True), Reject.INVALID_BASE_AMOUNT),  # "whole position" is not simulated
        (bid(ALPHA, 0, 4), Reject.INVALID_PRICE),
        (bid(ALPHA, 990, 1), Reject.BELOW_MINIMUM),
        (bid(ALPHA, 740, 2), Reject.BELOW_MINIMUM),
        (bid(ALPHA, 990, 2**47), Reject.ABOVE_QUOTE_LIMIT),
        (bid(ALPHA, 990, 4, kind=OrderKind.LIQUIDATION), Reject.UNSUPPORTED_ORDER_TYPE),
        (bid(ALPHA, 990, 4, kind=OrderKind.MARKET), Reject.INVALID_TIME_IN_FORCE),
        (bid(ALPHA, 990, 4, client=1), Reject.CLIENT_ORDER_INDEX_EXISTS),
        (bid(ALPHA, 990, 4, reduce_only=True), Reject.REDUCE_ONLY_WRONG_DIRECTION),
        (AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=990, size_lots=1), Reject.BELOW_MINIMUM),
        (AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=2000, size_lots=4), Reject.PRICE_ACCIDENTAL),
    ],
)
def test_field_rules(request_: Request, reason: Reject):
    """9.1: field rules, amounts, unique client ids and reduce-only are refused at once."""
    exchange = floor()
    do(exchange, bid(ALPHA, 980, 4, client=1))

    assert refusal(exchange, request_) is reason


@pytest.mark.parametrize(
    ("ahead_ms", "is_accepted"),
    [
        (5 * MINUTE_MS - 1, False),
        (5 * MINUTE_MS, True),
        (30 * DAY_MS, True),
        (30 * DAY_MS + 1, False),
    ],
)
def test_expiry_window(ahead_ms: int, is_accepted: bool):
    """4.3: a resting order expires 5 minutes to 30 days ahead (21711)."""
    exchange = floor()
    reason = refusal(exchange, bid(ALPHA, 990, 4, expiry_ms=NOW_MS + ahead_ms))

    assert reason is (None if is_accepted else Reject.INVALID_EXPIRY)


def test_order_counts():
    """4.11 [A-23]: so many active orders per account (21717) and per market (21718), batch included."""
    exchange = floor(rules=Rules(orders_per_account_max=3, orders_per_market_max=2), tier="premium")
    do(exchange, bid(ALPHA, 990, 4))
    too_many = send(exchange, bid(ALPHA, 990, 4), bid(ALPHA, 990, 4))
    do(exchange, bid(ALPHA, 990, 4))

    assert too_many == Rejected(Reject.TOO_MANY_ORDERS_MARKET, 1)
    spread = send(exchange, bid(ALPHA, 990, 4, market=1), bid(ALPHA, 990, 4, market=1))
    assert spread == Rejected(Reject.TOO_MANY_ORDERS_ACCOUNT, 1)
    assert refusal(exchange, bid(ALPHA, 990, 4)) is Reject.TOO_MANY_ORDERS_MARKET
    do(exchange, bid(ALPHA, 990, 4, market=1))
    assert refusal(exchange, bid(ALPHA, 990, 4, market=1)) is Reject.TOO_MANY_ORDERS_ACCOUNT
    do(exchange, DropAll(account_index=ALPHA))
    assert refusal(exchange, bid(ALPHA, 990, 4)) is None


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (maker_bid(ALPHA, 1101, 4), Reject.PRICE_ACCIDENTAL),
        (maker_ask(ALPHA, 899, 4), Reject.PRICE_ACCIDENTAL),
        (maker_bid(ALPHA, 499, 4), Reject.PRICE_TOO_FAR),
        (maker_ask(ALPHA, 1501, 4), Reject.PRICE_TOO_FAR),
        (maker_bid(ALPHA, 1100, 4), None),
        (maker_ask(ALPHA, 1500, 4), None),
        (market_bid(ALPHA, 5000, 4), None),  # the worst average price is the sender's own business
    ],
)
def test_price_sanity(request_: Request, reason: Reject | None):
    """9.1: limit prices far through the mark (21733) or far from it (21734)."""
    assert refusal(floor(), request_) is reason


def test_price_sanity_is_a_switch():
    """9.1: both bands can be turned off."""
    exchange = floor(rules=Rules(accidental_band_ppm=None, far_band_ppm=None))

    assert refusal(exchange, maker_bid(ALPHA, 2000, 4)) is None
    assert refusal(exchange, maker_ask(ALPHA, 9000, 4)) is None


def test_poor_makers():
    """7.2 and 8.5: makers may be refused at once for margin (21739), takers are accepted and fail later."""
    exchange = floor(collateral_micro=1_000)

    assert refusal(exchange, maker_bid(ALPHA, 1000, 21)) is Reject.NOT_ENOUGH_MARGIN
    assert refusal(exchange, maker_bid(ALPHA, 1000, 20)) is None
    assert refusal(exchange, taker_bid(ALPHA, 1000, 21)) is None
    assert refusal(floor(collateral_micro=1_000, rules=Rules(refuse_poor_maker=False)), bid(ALPHA, 1000, 99)) is None


def test_poor_makers_may_reduce():
    """8.5: an order that makes the position smaller needs no margin of its own."""
    exchange = floor(collateral_micro=1_000)
    do(exchange, ask(CROWD, 1000, 20), taker_bid(ALPHA, 1000, 20))

    assert refusal(exchange, maker_bid(ALPHA, 999, 4)) is Reject.NOT_ENOUGH_MARGIN
    assert refusal(exchange, maker_ask(ALPHA, 1001, 20)) is None


@pytest.mark.parametrize("kind", [DropOrder, AmendOrder])
def test_dead_orders_are_a_switch(kind: type[DropOrder | AmendOrder]):
    """4.8: for a dead order the API answers 200 (a no-op later), or 21600."""
    facts = {"account_index": ALPHA, "market": 0, "index": 77}
    if kind is AmendOrder:
        facts |= {"price_ticks": 990, "size_lots": 4}
    request = kind(**facts)

    assert refusal(floor(), request) is None
    assert refusal(floor(rules=Rules(refuse_dead_cancel=True)), request) is Reject.ORDER_NOT_ACTIVE


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"mode": DropAllMode.SCHEDULE, "time_ms": NOW_MS + 5 * MINUTE_MS}, None),
        ({"mode": DropAllMode.SCHEDULE, "time_ms": NOW_MS + 15 * DAY_MS}, None),
        ({"mode": DropAllMode.SCHEDULE, "time_ms": NOW_MS + 5 * MINUTE_MS - 1}, Reject.INVALID_CANCEL_ALL_TIME),
        ({"mode": DropAllMode.SCHEDULE, "time_ms": NOW_MS + 15 * DAY_MS + 1}, Reject.INVALID_CANCEL_ALL_TIME),
        ({"mode": DropAllMode.SCHEDULE, "time_ms": NOW_MS + DAY_MS, "market": 0}, Reject.INVALID_CANCEL_ALL_TIME),
        ({"mode": DropAllMode.ABORT, "time_ms": 1}, Reject.INVALID_CANCEL_ALL_TIME),
        ({"mode": DropAllMode.ABORT, "market": 0}, Reject.INVALID_CANCEL_ALL_TIME),
        ({"mode": DropAllMode.IMMEDIATE, "time_ms": 1}, Reject.INVALID_CANCEL_ALL_TIME),
        ({"mode": DropAllMode.IMMEDIATE, "market": 0}, None),
        ({"mode": DropAllMode.ABORT}, None),
    ],
)
def test_cancel_all_times(facts: dict[str, int], reason: Reject | None):
    """4.10 [A-17]: a schedule lies 5 minutes to 15 days ahead (21714), the others have no time."""
    assert refusal(floor(), DropAll(account_index=ALPHA, **facts)) is reason


@pytest.mark.parametrize(
    ("fraction", "mode", "reason"),
    [
        (200, MarginMode.CROSS, None),
        (10_000, MarginMode.CROSS, None),
        (199, MarginMode.CROSS, Reject.INVALID_MARGIN_FRACTION),
        (10_001, MarginMode.CROSS, Reject.INVALID_MARGIN_FRACTION),
        (500, MarginMode.ISOLATED, Reject.ISOLATED_MARGIN_UNSUPPORTED),
    ],
)
def test_leverage(fraction: int, mode: MarginMode, reason: Reject | None):
    """4.8: between the market's minimum and 10000 (21113); isolated margin is not simulated."""
    request = SetLeverage(account_index=ALPHA, market=0, initial_margin_fraction=fraction, margin_mode=mode)

    assert refusal(floor(), request) is reason


def test_maker_only_keys():
    """1.4: only post-only creates, modifies of post-only orders and cancels (62007), in the 0 ms lane."""
    exchange = floor()
    exchange.set_maker_only(ALPHA, [KEY])
    do(exchange, maker_bid(ALPHA, 990, 4, client=1), bid(ALPHA, 989, 4, client=2))
    amend = AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=991, size_lots=4)
    amend_gtt = AmendOrder(account_index=ALPHA, market=0, index=2, price_ticks=991, size_lots=4)
    leverage = SetLeverage(account_index=ALPHA, market=0, initial_margin_fraction=500)

    for barred in (bid(ALPHA, 990, 4), taker_ask(ALPHA, 990, 4), amend_gtt, leverage):
        assert refusal(exchange, barred) is Reject.MAKER_ONLY_KEY
    for allowed in (maker_bid(ALPHA, 990, 4), amend, DropOrder(account_index=ALPHA, market=0, index=1)):
        assert send(exchange, allowed) == Admitted([START_US])
    exchange.set_maker_only(ALPHA, [])
    assert refusal(exchange, bid(ALPHA, 990, 4)) is None


def test_free_accounts_share_the_field_rules():
    """A market participant is free of margin, counts and minimums, not of the wire's ranges."""
    exchange = floor()

    assert exchange.act(bid(CROWD, 990, 0), START_US) is Reject.INVALID_BASE_AMOUNT
    assert exchange.act(bid(CROWD, 0, 1), START_US) is Reject.INVALID_PRICE
    assert exchange.act(bid(CROWD, 990, 1), START_US) is None
    assert exchange.act(bid(CROWD, 990, 10**9), START_US) is None
    assert exchange.act(taker_bid(GAMMA, 990, 4, time_in_force=TimeInForce.IOC), START_US) is None
    assert EXPIRY_MS > NOW_MS
