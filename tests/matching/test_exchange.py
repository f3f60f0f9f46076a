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
    send,
    taker_ask,
    taker_bid,
)
from lighterman.domain.errors import LocalProtocolError
from lighterman.matching.exchange import Exchange
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import DropAllMode
from lighterman.matching.rules import HOUR, MS, SECOND, TIERS


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
