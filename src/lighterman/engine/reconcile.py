"""The venue's account beside our own: small corrections, or a halt.

Law: the venue is never simply believed over our ledger, nor our ledger over the venue. A
difference is given a second look (something may have been on the wire); what differs twice
in a row without any event in between stops trading until a person has looked.
"""

from lighterman.domain.events import AccountSnapshot, Link
from lighterman.domain.units import PICO_PER_MICRO
from lighterman.engine.intake import order_told
from lighterman.engine.orders import OrderState
from lighterman.engine.state import NS_PER_MS, State

MISMATCHES_MAX = 2
QUIET_NS = 1000 * NS_PER_MS  # nothing of ours may have happened for this long before the question


def account_told(state: State, event: AccountSnapshot) -> None:
    """Open the ledger with the first snapshot; compare with each later one."""
    if not state.ledger.is_open:
        state.ledger.open(event)
        for report in event.orders:
            order_told(state, report)
        return
    _compare_orders(state, event)
    if state.private_ns + QUIET_NS < event.asked_ns and not _anything_in_flight(state):
        _compare_positions(state, event)
        _compare_cash(state, event)


def _compare_orders(state: State, event: AccountSnapshot) -> None:
    """Adopt or report what we do not track; doubt what the venue no longer shows."""
    shown = {report.client_order_index for report in event.orders}
    for report in event.orders:
        order = state.orders.get(report.client_order_index)
        if order is None and not state.orders.has_ended(report.client_order_index):
            order_told(state, report)
    for order in state.orders:
        if order.client_order_index not in shown and order.since_ns + QUIET_NS < event.asked_ns:
            state.orders.doubt(order, event.recv_ns)


def _compare_positions(state: State, event: AccountSnapshot) -> None:
    held = {market: size_lots for market, size_lots, _ in event.positions}
    for index, market in state.markets.items():
        if held.get(index, 0) == state.ledger.markets[index].position.size_lots:
            market.mismatches = 0
            continue
        market.mismatches += 1
        if market.mismatches >= MISMATCHES_MAX:
            market.halt_reason = market.halt_reason or "position_mismatch"
            market.urgent = True


def _compare_cash(state: State, event: AccountSnapshot) -> None:
    """The venue shows six decimals of twelve; a funding row may have lost a rounding each."""
    fundings = sum(1 for market in state.ledger.markets.values() if market.funding_pico)
    tolerance_pico = PICO_PER_MICRO * (1 + fundings)
    if abs(event.collateral_pico - state.ledger.cash_pico) <= tolerance_pico:
        state.cash_mismatches = 0
        return
    state.cash_mismatches += 1
    if state.cash_mismatches >= MISMATCHES_MAX:
        state.halt_reason = state.halt_reason or "ledger_mismatch"
        for market in state.markets.values():
            market.urgent = True


def _anything_in_flight(state: State) -> bool:
    return any(order.state is not OrderState.OPEN for order in state.orders)


def account_question_due(state: State, now_ns: int) -> bool:
    """Tell whether it is time to ask the venue for the account again."""
    if Link.PRIVATE in state.links_down or not state.ledger.is_open:
        return False
    return now_ns >= state.account_asked_ns + state.params.reconcile_interval_ms * NS_PER_MS
