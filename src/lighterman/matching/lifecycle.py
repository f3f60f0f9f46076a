"""An order becomes active, changes and ends: the account's lists, and who is told."""

from lighterman.matching.orders import Order
from lighterman.matching.outputs import OrderChanged, OrderStatus
from lighterman.matching.state import Pit, State


def rest(state: State, pit: Pit, order: Order, now_us: int) -> None:
    """Put an order into the book and among its owner's active ones."""
    order.status = OrderStatus.OPEN
    pit.book.add(order, now_us)
    owner = state.accounts[order.account_index]
    owner.orders[order.order_index] = order
    if order.client_order_index:
        owner.clients[order.client_order_index] = order
    report(state, order, now_us)


def report(state: State, order: Order, now_us: int) -> None:
    """Tell the owner how an active order stands now."""
    order.updated_us = now_us
    if not state.accounts[order.account_index].free_of_limits:
        state.emit(OrderChanged(row=order.row(state.rules.block_us)))


def end(state: State, order: Order, status: OrderStatus, now_us: int) -> None:
    """End an order that is not in the book (any more)."""
    order.status = status
    order.updated_us = now_us
    owner = state.accounts[order.account_index]
    if owner.orders.pop(order.order_index, None) is not None and order.client_order_index:
        del owner.clients[order.client_order_index]
    if order.expiry_ms and status is not OrderStatus.CANCELED_EXPIRED:
        state.agenda.forget_expiry()
    if not owner.free_of_limits:
        row = order.row(state.rules.block_us)
        owner.ended.append(row)
        state.emit(OrderChanged(row=row))


def pull(state: State, pit: Pit, order: Order, status: OrderStatus, now_us: int) -> None:
    """Take a resting order out of the book and end it."""
    pit.book.remove(order, now_us)
    end(state, order, status, now_us)
