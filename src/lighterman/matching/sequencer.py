"""The speed bump and the single sequencer: from a queued transaction to an executed or dropped one.

A key is served in order: a transaction is executed at max(now + delay, the last one's time of that
key), so that a taker order delays the cancels sent behind it (protocol reference 1.5). A batch is
executed back to back at the time of its slowest member (3.7).

A transaction that cannot be included is dropped and its nonce not used: everything queued behind
it on that key then has the wrong nonce and is dropped too, each at its own time (4.7).
"""

from collections.abc import Sequence

import msgspec

from lighterman.matching.accounts import Account, Key, nonce_fits
from lighterman.matching.admission import inclusion_fault
from lighterman.matching.agenda import Duty, Queued
from lighterman.matching.execution import execute
from lighterman.matching.orders import Order
from lighterman.matching.outputs import OrderRow, TransactionDropped, TransactionExecuted
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import AmendOrder, DropAll, DropOrder, NewOrder, OrderKind, Request, TimeInForce
from lighterman.matching.state import State
from lighterman.matching.views import TransactionRecord, TransactionState


def enqueue(state: State, requests: Sequence[Request], now_us: int) -> list[int]:
    """Queue admitted transactions of one key and return when each will be executed."""
    account = state.accounts[requests[0].account_index]
    key = account.keys[requests[0].api_key_index]
    due_us = max(key.predicted_us, *(now_us + _delay_us(state, account, key, request) for request in requests))
    key.predicted_us = due_us
    for request in requests:
        key.next_nonce = request.nonce + 1
        key.queued.append(request)
        state.agenda.add(due_us, Duty.TRANSACTION, Queued(request, account, key))
        _record(
            state,
            TransactionRecord(
                request=request,
                state=TransactionState.PENDING,
                error="",
                row=None,
                queued_us=now_us,
                predicted_us=due_us,
                executed_us=0,
                sequence_index=0,
                block_height=0,
            ),
        )
    key.updated_us = now_us
    return [due_us] * len(requests)


def run(state: State, queued: Queued, now_us: int) -> None:
    """Execute the transaction whose turn it is, or drop it."""
    request, account, key = queued.request, queued.account, queued.key
    key.queued.popleft()
    if not nonce_fits(request, key.executed_nonce):
        _drop(state, request, key, Reject.INVALID_NONCE, now_us)
        return
    fault = inclusion_fault(state, account, request, now_us)
    if fault is not None:
        _drop(state, request, key, fault, now_us)
        return
    key.executed_nonce = request.nonce + 1
    result = execute(state, request, now_us)
    error = result.value if isinstance(result, Reject) else ""
    row = result.row(state.rules.block_us) if isinstance(result, Order) else None
    account.updated_us = now_us
    state.emit(
        TransactionExecuted(
            account_index=request.account_index,
            api_key_index=request.api_key_index,
            nonce=request.nonce,
            tx_hash=request.tx_hash,
            tx_type=request.tx_type,
            error=error,
            row=row,
            at_us=now_us,
        ),
    )
    _conclude(state, request, TransactionState.EXECUTED, error, row, now_us)


def _drop(state: State, request: Request, key: Key, reason: Reject, now_us: int) -> None:
    key.recount()
    state.emit(
        TransactionDropped(
            account_index=request.account_index,
            api_key_index=request.api_key_index,
            nonce=request.nonce,
            tx_hash=request.tx_hash,
            tx_type=request.tx_type,
            reason=reason,
            at_us=now_us,
        ),
    )
    _conclude(state, request, TransactionState.FAILED, reason.value, None, now_us)


def _record(state: State, record: TransactionRecord) -> None:
    """Remember a transaction by hash; the oldest is forgotten when there are too many."""
    tx_hash = record.request.tx_hash
    state.transactions.pop(tx_hash, None)
    state.transactions[tx_hash] = record
    if len(state.transactions) > state.rules.transactions_kept:
        del state.transactions[next(iter(state.transactions))]


def _conclude(
    state: State, request: Request, result: TransactionState, error: str, row: OrderRow | None, now_us: int
) -> None:
    """Write down what became of a transaction, if it is still remembered."""
    state.transaction_count += 1
    record = state.transactions.get(request.tx_hash)
    if record is None:
        return
    state.transactions[request.tx_hash] = msgspec.structs.replace(
        record,
        state=result,
        error=error,
        row=row,
        executed_us=now_us,
        sequence_index=state.transaction_count,
        block_height=now_us // state.rules.block_us,
    )


def _delay_us(state: State, account: Account, key: Key, request: Request) -> int:
    """Return the speed bump of a transaction by what it would do on arrival (protocol reference 9.1)."""
    tier = account.tier
    if key.maker_only:
        return 0
    if isinstance(request, DropOrder | DropAll):
        return tier.cancel_delay_us
    if isinstance(request, NewOrder):
        is_taker = request.kind is OrderKind.MARKET or request.time_in_force is TimeInForce.IOC
        is_post_only = request.time_in_force is TimeInForce.POST_ONLY
        crosses = not is_post_only and _crosses(state, request.market, request.price_ticks, is_ask=request.is_ask)
        return tier.taker_delay_us if is_taker or crosses else tier.maker_delay_us
    if isinstance(request, AmendOrder):
        order = account.find_order(request.market, request.index)
        may_take = order is not None and order.time_in_force is not TimeInForce.POST_ONLY
        if may_take and order is not None and _crosses(state, request.market, request.price_ticks, is_ask=order.is_ask):
            return tier.taker_delay_us
    return tier.maker_delay_us


def _crosses(state: State, market: int, price_ticks: int, *, is_ask: bool) -> bool:
    best = state.pits[market].book.best(is_ask=not is_ask)
    return best is not None and (best.price_ticks >= price_ticks if is_ask else best.price_ticks <= price_ticks)
