"""Create, modify, cancel and cancel-all when their turn comes: protocol reference 4.3, 4.8, 9.2."""

import pytest

from helpers.trading_floor import (
    ALPHA,
    CROWD,
    GAMMA,
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
    only,
    row_of,
    taker_bid,
)
from lighterman.matching.outputs import OrderStatus, TradeDone
from lighterman.matching.rejects import Reject
from lighterman.matching.rules import MS


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
        ({"size": 2**48}, Reject.INVALID_BASE_AMOUNT),
        ({"price": 2**32}, Reject.INVALID_PRICE),
        ({"client": 2**48}, Reject.INVALID_CLIENT_ORDER_INDEX),
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
