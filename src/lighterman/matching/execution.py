"""What a request does when its turn comes: protocol reference 9.2 outside the loop.

A soft failure returns a Reject: the transaction is executed, its nonce used, and nothing else
happens, not even an order. Everything else returns the order concerned, or None.
"""

from lighterman.domain.market import Market
from lighterman.matching.accounts import Account
from lighterman.matching.agenda import Duty
from lighterman.matching.lifecycle import end, pull
from lighterman.matching.margin import is_valid_change, risk_of
from lighterman.matching.matcher import match
from lighterman.matching.orders import CLIENT_INDEX_END, Order
from lighterman.matching.outputs import OrderStatus, PositionChanged
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import (
    AmendOrder,
    DropAll,
    DropAllMode,
    DropOrder,
    MarginMode,
    NewOrder,
    OrderKind,
    Request,
    SetLeverage,
    TimeInForce,
)
from lighterman.matching.rules import FRACTION_ONE, MS
from lighterman.matching.state import Pit, State
from lighterman.matching.views import Health

SIZE_END = 1 << 48  # protocol reference 4.3
PRICE_END = 1 << 32


def execute(state: State, request: Request, now_us: int) -> Order | Reject | None:
    """Execute one request of an account that exists."""
    owner = state.accounts[request.account_index]
    if isinstance(request, DropAll):
        cancel_all(state, owner, request, now_us)
        return None
    pit = state.pits.get(request.market)
    if pit is None:
        return Reject.INVALID_MARKET
    if isinstance(request, NewOrder):
        return create(state, pit, owner, request, now_us)
    if isinstance(request, DropOrder):
        return cancel(state, pit, owner, request, now_us)
    if isinstance(request, AmendOrder):
        return modify(state, pit, owner, request, now_us)
    return set_leverage(state, pit, owner, request)


def amounts_fault(
    market: Market, owner: Account, wish: NewOrder | AmendOrder, time_in_force: TimeInForce
) -> Reject | None:
    """Check size and price against the wire's ranges and the market's limits (protocol reference 4.3).

    IOC orders may be smaller than the minimums, and so may those of market participants: a
    recorded book has whatever sizes it had. The quote is meant without quote_multiplier (A-28).
    """
    if not 0 < wish.size_lots < SIZE_END:
        return Reject.INVALID_BASE_AMOUNT
    if not 0 < wish.price_ticks < PRICE_END:
        return Reject.INVALID_PRICE
    quote_micro = wish.size_lots * wish.price_ticks
    if quote_micro > market.order_quote_limit_micro:
        return Reject.ABOVE_QUOTE_LIMIT
    if time_in_force is TimeInForce.IOC or owner.free_of_limits:
        return None
    is_small = wish.size_lots < market.min_base_lots or quote_micro < market.min_quote_micro
    return Reject.BELOW_MINIMUM if is_small else None


def order_fault(pit: Pit, owner: Account, request: NewOrder) -> Reject | None:
    """Return why this order cannot exist, whoever asks: what admission and execution both check."""
    if request.kind is OrderKind.LIQUIDATION:
        return Reject.UNSUPPORTED_ORDER_TYPE
    if request.kind is OrderKind.MARKET and request.time_in_force is not TimeInForce.IOC:
        return Reject.INVALID_TIME_IN_FORCE
    fault = amounts_fault(pit.market, owner, request, request.time_in_force)
    if fault is not None:
        return fault
    if not 0 <= request.client_order_index < CLIENT_INDEX_END:
        return Reject.INVALID_CLIENT_ORDER_INDEX
    if request.client_order_index in owner.clients:
        return Reject.CLIENT_ORDER_INDEX_EXISTS
    if request.reduce_only and not owner.can_reduce(request.market, is_ask=request.is_ask):
        is_flat = not owner.position(request.market).size_lots
        return Reject.REDUCE_ONLY_WRONG_DIRECTION if is_flat else Reject.REDUCE_ONLY_INCREASES
    return None


def create(state: State, pit: Pit, owner: Account, request: NewOrder, now_us: int) -> Order | Reject:
    """Make an order and let it trade; a soft failure leaves the order nonces untouched."""
    fault = order_fault(pit, owner, request)
    if fault is not None:
        return fault
    if 0 < request.expiry_ms * MS <= now_us:
        return Reject.INVALID_EXPIRY
    if pit.book.is_full():
        return Reject.BOOK_FULL
    nonce = pit.book.take_nonce(is_ask=request.is_ask)
    order = Order(request, pit.book.order_index(nonce), nonce, now_us)
    if order.expiry_ms:
        state.agenda.add(order.expiry_ms * MS, Duty.EXPIRY, order)
    match(state, pit, order, now_us)
    return order


def modify(state: State, pit: Pit, owner: Account, request: AmendOrder, now_us: int) -> Order | Reject:
    """Change price and TOTAL size of a resting order; it loses its place and may trade (4.8)."""
    order = owner.find_order(request.market, request.index)
    if order is None:
        return Reject.ORDER_NOT_ACTIVE
    if request.order_version is not None and request.order_version != order.version:
        return Reject.ORDER_VERSION_MISMATCH
    fault = amounts_fault(pit.market, owner, request, order.time_in_force)
    if fault is not None:
        return fault
    if pit.book.is_full():
        return Reject.BOOK_FULL
    pit.book.remove(order, now_us)
    order.version += 1
    order.price_ticks = request.price_ticks
    order.size_lots = request.size_lots
    order.remaining_lots = max(0, request.size_lots - order.filled_lots)
    order.tx_hash = request.tx_hash
    if not order.remaining_lots:
        end(state, order, OrderStatus.FILLED, now_us)
        return order
    order.queue_nonce = pit.book.take_nonce(is_ask=order.is_ask)
    order.status = OrderStatus.IN_PROGRESS
    match(state, pit, order, now_us)
    return order


def cancel(state: State, pit: Pit, owner: Account, request: DropOrder, now_us: int) -> Order | Reject:
    """Cancel an active order of this account and market; anything else is a no-op with a reason."""
    order = owner.find_order(request.market, request.index)
    if order is None:
        return Reject.ORDER_NOT_ACTIVE
    pull(state, pit, order, OrderStatus.CANCELED, now_us)
    return order


def shrink(state: State, pit: Pit, order: Order, lots: int, now_us: int) -> None:
    """Take size off a resting order, which keeps its place; it is canceled when nothing remains."""
    if lots >= order.remaining_lots:
        pull(state, pit, order, OrderStatus.CANCELED, now_us)
    else:
        pit.book.shrink(order, lots, now_us)
        order.size_lots -= lots


def cancel_all(state: State, owner: Account, request: DropAll, now_us: int) -> None:
    """Cancel everything now, or arm or disarm the dead man's switch (protocol reference 4.10)."""
    if request.mode is DropAllMode.SCHEDULE:
        owner.cancel_all_us = request.time_ms * MS
        state.agenda.add(owner.cancel_all_us + state.rules.dms_lag_us, Duty.DEAD_MANS_SWITCH, owner)
    elif request.mode is DropAllMode.ABORT:
        owner.cancel_all_us = 0
    else:
        pull_all(state, owner, request.market, OrderStatus.CANCELED, now_us)
        if request.market is None or state.rules.market_cancel_clears_dms:
            owner.cancel_all_us = 0


def pull_all(state: State, owner: Account, market: int | None, status: OrderStatus, now_us: int) -> None:
    """End every resting order of an account, oldest first, in one market or in all."""
    for order in list(owner.orders.values()):
        if market is None or order.market == market:
            pull(state, state.pits[order.market], order, status, now_us)


def trigger_switch(state: State, owner: Account, now_us: int) -> None:
    """Fire a dead man's switch if it is still armed for this moment, and disarm it."""
    if 0 < owner.cancel_all_us <= now_us - state.rules.dms_lag_us:
        owner.cancel_all_us = 0
        pull_all(state, owner, None, OrderStatus.CANCELED, now_us)


def leverage_fault(pit: Pit, request: SetLeverage) -> Reject | None:
    """Return why this margin cannot be set: isolated margin is not simulated."""
    if request.margin_mode is not MarginMode.CROSS:
        return Reject.ISOLATED_MARGIN_UNSUPPORTED
    if not pit.market.min_initial_margin_fraction <= request.initial_margin_fraction <= FRACTION_ONE:
        return Reject.INVALID_MARGIN_FRACTION
    return None


def set_leverage(state: State, pit: Pit, owner: Account, request: SetLeverage) -> Reject | None:
    """Set the account's initial margin fraction in a market, if the account can bear it."""
    fault = leverage_fault(pit, request)
    if fault is not None:
        return fault
    before = risk_of(state, owner)
    if before.health() >= Health.PARTIAL_LIQUIDATION:
        return Reject.IN_LIQUIDATION
    previous = owner.fractions.get(request.market)
    owner.fractions[request.market] = request.initial_margin_fraction
    if not is_valid_change(before, risk_of(state, owner)):
        if previous is None:
            del owner.fractions[request.market]
        else:
            owner.fractions[request.market] = previous
        return Reject.INVALID_RISK_CHANGE
    if not owner.free_of_limits:
        state.emit(PositionChanged(account_index=owner.index, market=request.market))
    return None
