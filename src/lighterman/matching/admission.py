"""What the venue's API checks before it queues a transaction: protocol reference 9.1 after the signature.

Checks run in the order of the reference; the first fault is the answer, and nothing is consumed.
Rules that need no market and no clock were checked by the server already.
"""

from collections.abc import Sequence

from lighterman.matching.accounts import Account, Key, nonce_fits
from lighterman.matching.execution import amounts_fault, leverage_fault, order_fault
from lighterman.matching.ledger import Leg
from lighterman.matching.margin import is_valid_change, risk_after, risk_of
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import (
    AmendOrder,
    DropAll,
    DropAllMode,
    DropOrder,
    NewOrder,
    OrderKind,
    Request,
    SetLeverage,
    TimeInForce,
)
from lighterman.matching.rules import MS, PPM
from lighterman.matching.state import Pit, State
from lighterman.matching.views import Health, Rejected


def find_fault(state: State, requests: Sequence[Request], now_us: int) -> Rejected | None:
    """Return the first fault of a batch (of one or more), or None when all can be queued."""
    first = requests[0]
    account = state.accounts.get(first.account_index)
    if account is None:
        return Rejected(Reject.ACCOUNT_NOT_FOUND, 0)
    key = account.keys.get(first.api_key_index)
    if key is None:
        return Rejected(Reject.API_KEY_NOT_FOUND, 0)
    expected = key.next_nonce
    creates = 0
    for at, request in enumerate(requests):
        if (request.account_index, request.api_key_index) != (first.account_index, first.api_key_index):
            return Rejected(Reject.BATCH_MIXED_KEYS, at)
        if at and request.nonce <= requests[at - 1].nonce:
            return Rejected(Reject.NONCE_NOT_INCREASING, at)
        if not nonce_fits(request, expected):
            return Rejected(Reject.INVALID_NONCE, at)
        fault = _fault(state, account, key, request, creates, now_us)
        if fault is not None:
            return Rejected(fault, at)
        expected = request.nonce + 1
        creates += isinstance(request, NewOrder)
    is_flooded = len(key.queued) + len(requests) > state.rules.queued_per_key_max
    return Rejected(Reject.TOO_MANY_PENDING, 0) if is_flooded else None


def inclusion_fault(state: State, account: Account, request: Request, now_us: int) -> Reject | None:
    """Return why a transaction cannot be included in a block at all (protocol reference 4.7, third row).

    Checked at admission, where it is a refusal, and again by the sequencer, where it is a drop.
    """
    if request.expired_at_ms * MS <= now_us:
        return Reject.TRANSACTION_EXPIRED
    if isinstance(request, DropAll):
        return None
    pit = state.pits.get(request.market)
    if pit is None:
        return Reject.INVALID_MARKET
    if isinstance(request, AmendOrder | DropOrder) and risk_of(state, account).health() >= Health.PARTIAL_LIQUIDATION:
        return Reject.IN_LIQUIDATION
    if isinstance(request, DropOrder):
        return None
    if not pit.market.active:
        return Reject.MARKET_INACTIVE
    if isinstance(request, SetLeverage):
        return None
    if pit.index_ticks <= 0 or pit.mark_ticks <= 0:
        return Reject.PRICE_UNAVAILABLE
    if pit.book.is_full():
        return Reject.BOOK_FULL
    return Reject.DEAD_MANS_SWITCH_DUE if account.is_switch_due(now_us) else None


def _fault(state: State, account: Account, key: Key, request: Request, creates: int, now_us: int) -> Reject | None:
    fault = inclusion_fault(state, account, request, now_us)
    if fault is not None:
        return fault
    if isinstance(request, DropAll):
        fault = _cancel_all_fault(state, request, now_us)
    elif isinstance(request, NewOrder):
        fault = _create_fault(state, state.pits[request.market], account, request, creates, now_us)
    elif isinstance(request, SetLeverage):
        fault = leverage_fault(state.pits[request.market], request)
    else:
        fault = _change_fault(state, account, request)
    if fault is not None:
        return fault
    is_barred = key.maker_only and not _may_maker_only(account, request)
    return Reject.MAKER_ONLY_KEY if is_barred else None


def _create_fault(
    state: State, pit: Pit, account: Account, request: NewOrder, creates: int, now_us: int
) -> Reject | None:
    rules = state.rules
    if request.time_in_force is not TimeInForce.IOC:
        ahead_us = request.expiry_ms * MS - now_us
        if not rules.expiry_min_us <= ahead_us <= rules.expiry_max_us:
            return Reject.INVALID_EXPIRY
    fault = order_fault(pit, account, request)
    if fault is not None:
        return fault
    if len(account.orders) + creates >= rules.orders_per_account_max:
        return Reject.TOO_MANY_ORDERS_ACCOUNT
    if account.open_order_count(request.market) + creates >= rules.orders_per_market_max:
        return Reject.TOO_MANY_ORDERS_MARKET
    if request.kind is OrderKind.LIMIT:
        fault = _price_fault(state, pit, request.price_ticks, is_ask=request.is_ask)
        if fault is not None:
            return fault
    is_maker = request.time_in_force is not TimeInForce.IOC and not request.reduce_only
    if rules.refuse_poor_maker and is_maker and not _can_bear(state, pit, account, request):
        return Reject.NOT_ENOUGH_MARGIN
    return None


def _price_fault(state: State, pit: Pit, price_ticks: int, *, is_ask: bool) -> Reject | None:
    """Refuse limit prices far through the mark (fat finger) or far away from it."""
    past_ppm = (pit.mark_ticks - price_ticks if is_ask else price_ticks - pit.mark_ticks) * PPM // pit.mark_ticks
    accidental, far = state.rules.accidental_band_ppm, state.rules.far_band_ppm
    if accidental is not None and past_ppm > accidental:
        return Reject.PRICE_ACCIDENTAL
    if far is not None and -past_ppm > far:
        return Reject.PRICE_TOO_FAR
    return None


def _can_bear(state: State, pit: Pit, account: Account, request: NewOrder) -> bool:
    """Tell whether the account's margin would allow the whole order to be filled now at its price."""
    delta_lots = -request.size_lots if request.is_ask else request.size_lots
    fee_ppm = account.tier.maker_fee_ppm
    leg = Leg(account, None, pit.market, delta_lots=delta_lots, price_ticks=request.price_ticks, fee_ppm=fee_ppm)
    return is_valid_change(risk_of(state, account), risk_after(state, leg, request.market))


def _change_fault(state: State, account: Account, request: AmendOrder | DropOrder) -> Reject | None:
    order = account.find_order(request.market, request.index)
    if order is None:
        is_refused = state.rules.refuse_dead_cancel
        return Reject.ORDER_NOT_ACTIVE if is_refused else None
    if isinstance(request, DropOrder):
        return None
    pit = state.pits[request.market]
    fault = amounts_fault(pit.market, account, request, order.time_in_force)
    return fault or _price_fault(state, pit, request.price_ticks, is_ask=order.is_ask)


def _cancel_all_fault(state: State, request: DropAll, now_us: int) -> Reject | None:
    rules = state.rules
    if request.market is not None and request.market not in state.pits:
        return Reject.INVALID_MARKET
    if request.mode is DropAllMode.SCHEDULE:
        ahead_us = request.time_ms * MS - now_us
        is_allowed = request.market is None and rules.dms_min_us <= ahead_us <= rules.dms_max_us
    else:
        is_one_market_abort = request.mode is DropAllMode.ABORT and request.market is not None
        is_allowed = not request.time_ms and not is_one_market_abort
    return None if is_allowed else Reject.INVALID_CANCEL_ALL_TIME


def _may_maker_only(account: Account, request: Request) -> bool:
    """Tell whether a maker-only key may send this (protocol reference 1.4)."""
    if isinstance(request, NewOrder):
        return request.time_in_force is TimeInForce.POST_ONLY
    if isinstance(request, AmendOrder):
        order = account.find_order(request.market, request.index)
        return order is None or order.time_in_force is TimeInForce.POST_ONLY
    return not isinstance(request, SetLeverage)
