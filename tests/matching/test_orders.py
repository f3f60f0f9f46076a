"""An order and its row: protocol reference 2.7.4."""

import pytest

from helpers.trading_floor import ALPHA, EXPIRY_MS, START_US, ask, bid
from lighterman.matching.orders import Order
from lighterman.matching.outputs import OrderStatus
from lighterman.matching.requests import OrderKind, TimeInForce
from lighterman.matching.rules import SECOND


def test_row():
    """2.7.4: a row carries the order's facts, times and the block of its last change."""
    row = Order(bid(ALPHA, 990, 4, client=7), 2**49 - 1, 2**48 - 1, START_US).row(2 * SECOND)

    assert (row.account_index, row.market, row.client_order_index, row.order_index) == (ALPHA, 0, 7, 2**49 - 1)
    assert (row.is_ask, row.price_ticks, row.size_lots, row.remaining_lots) == (False, 990, 4, 4)
    assert (row.kind, row.time_in_force, row.reduce_only) == (OrderKind.LIMIT, TimeInForce.GTT, False)
    assert (row.expiry_ms, row.created_us, row.updated_us) == (EXPIRY_MS, START_US, START_US)
    assert (row.block_height, row.status) == (START_US // (2 * SECOND), OrderStatus.IN_PROGRESS)


@pytest.mark.parametrize("status", [status for status in OrderStatus if status.value.startswith("canceled")])
def test_remaining_is_zeroed_at_the_end(status: OrderStatus):
    """2.7.4: remaining is zero once an order has ended, whatever was left; filled keeps its value."""
    order = Order(bid(ALPHA, 990, 4), 1, 1, START_US)
    order.filled_lots, order.remaining_lots, order.status = 1, 3, status

    assert order.has_ended()
    assert (order.row(SECOND).remaining_lots, order.row(SECOND).filled_lots) == (0, 1)


def test_crossing():
    """9.2 step 2: a bid trades at its price or below, an ask at its price or above."""
    buyer, seller = (Order(order(ALPHA, 990, 4), 1, 1, START_US) for order in (bid, ask))

    assert [buyer.crosses(price) for price in (989, 990, 991)] == [True, True, False]
    assert [seller.crosses(price) for price in (989, 990, 991)] == [False, True, True]
    assert repr(seller) == "<Order 1 ask 4@990 in-progress>"
