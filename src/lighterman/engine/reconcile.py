"""The venue's account beside our own: small corrections, or a halt.

Law: the venue is never simply believed over our ledger, nor our ledger over the venue. A
difference is given a second look (something may have been on the wire); what differs twice
in a row, each time with no trade or funding of ours told shortly before the question or after
the answer, stops trading until a person has looked. A second look that fell beside a trade is
given again soon. While trades may be missed (the private link is down) nothing is compared.
"""

from lighterman.domain.events import AccountSnapshot
from lighterman.engine.intake import is_ours, order_told
from lighterman.engine.state import NS_PER_MS, QUIET_NS, State

MISMATCHES_MAX = 2
SECOND_LOOK_NS = 2000 * NS_PER_MS


def account_told(state: State, event: AccountSnapshot) -> None:
    """Open the ledger with the first snapshot; compare with each later one."""
    if event.asked_ns >= state.private_down_ns and not state.account_is_current:
        state.account_is_current = True
        state.hurry_all()
    if not state.ledger.is_open:
        state.ledger.open(event)
        state.worth_changed()
        for report in event.orders:
            if is_ours(state, report.client_order_index):
                state.orders.count(report.client_order_index, report.filled_lots)  # the positions have them
            order_told(state, report)
        return
    _compare_orders(state, event)
    if state.private_up_ns <= event.asked_ns and state.traded_ns + QUIET_NS < event.asked_ns:
        _compare_positions(state, event)
        _compare_cash(state, event)
    elif state.cash_mismatches or any(market.mismatches for market in state.markets.values()):
        state.account_due_ns = min(state.account_due_ns, event.recv_ns + SECOND_LOOK_NS)  # still owed


def _compare_orders(state: State, event: AccountSnapshot) -> None:
    """Adopt or report what we do not track; doubt what the venue no longer shows."""
    shown = {report.client_order_index for report in event.orders}
    for report in event.orders:
        if state.orders.get(report.client_order_index) is None:
            order_told(state, report)
    for order in state.orders:
        is_settled = order.level < 0 or order.since_ns + QUIET_NS < event.asked_ns  # an adopted one had been shown
        if order.client_order_index not in shown and is_settled:
            state.orders.doubt(order, event.recv_ns)


def _compare_positions(state: State, event: AccountSnapshot) -> None:
    held = {market: size_lots for market, size_lots, _ in event.positions}
    for index, market in state.markets.items():
        if held.get(index, 0) == state.ledger.markets[index].position.size_lots:
            market.mismatches = 0
            state.orders.drained(index, event.asked_ns - QUIET_NS)
            continue
        market.mismatches += 1
        _look_again_soon(state, event)
        if market.mismatches >= MISMATCHES_MAX:
            market.halt_reason = market.halt_reason or "position_mismatch"
            market.urgent = True


def _compare_cash(state: State, event: AccountSnapshot) -> None:
    if abs(event.collateral_pico - state.ledger.cash_pico) <= state.ledger.slack_pico:
        state.cash_mismatches = 0
        return
    state.cash_mismatches += 1
    _look_again_soon(state, event)
    if state.cash_mismatches >= MISMATCHES_MAX:
        state.halt_reason = state.halt_reason or "ledger_mismatch"
        state.hurry_all()


def _look_again_soon(state: State, event: AccountSnapshot) -> None:
    state.mismatch_ns = event.recv_ns
    state.account_due_ns = min(state.account_due_ns, event.recv_ns + SECOND_LOOK_NS)


def asked(state: State, now_ns: int) -> None:
    """The question leaves us. It is repeated sooner while quoting waits for the answer."""
    params = state.params
    wait_ms = params.reconcile_interval_ms if state.account_is_current else params.answer_timeout_ms
    state.account_due_ns = now_ns + wait_ms * NS_PER_MS
