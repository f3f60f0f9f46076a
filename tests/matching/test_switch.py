"""The dead man's switch: protocol reference 4.10."""

from helpers.trading_floor import (
    ALPHA,
    GAMMA,
    KEY,
    START_US,
    AmendOrder,
    DropAll,
    DropOrder,
    ask,
    bid,
    do,
    fate,
    floor,
    numbered,
    only,
    send,
)
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import OrderStatus, TransactionDropped
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import DropAllMode
from lighterman.matching.rules import MINUTE, MS, SECOND, Rules
from lighterman.matching.views import Admitted, Rejected

LAG = 2 * SECOND
RULES = Rules(dms_lag_us=LAG)
DUE_US = START_US + 5 * MINUTE


def arm(exchange: Exchange, due_us: int = DUE_US) -> None:
    do(exchange, DropAll(account_index=ALPHA, mode=DropAllMode.SCHEDULE, time_ms=due_us // MS))


def armed_ms(exchange: Exchange) -> int:
    account = exchange.account(ALPHA)
    assert account is not None
    return account.cancel_all_ms


def armed_floor() -> Exchange:
    """Return an exchange where ALPHA has two orders and an armed switch."""
    exchange = floor(rules=RULES, tier="premium")
    do(exchange, ask(ALPHA, 1010, 4, client=1), ask(ALPHA, 1010, 4, client=2, market=1), ask(GAMMA, 1010, 4, client=3))
    arm(exchange)
    return exchange


def test_it_fires():
    """4.10: when due, every order of the account in every market is canceled, once; then it is disarmed."""
    exchange = armed_floor()
    exchange.advance(DUE_US + LAG - 1)
    before = len(exchange.open_orders(ALPHA))
    exchange.advance(DUE_US + LAG)
    do(exchange, ask(ALPHA, 1010, 4, client=4))
    exchange.advance(DUE_US + MINUTE)

    assert before == 2
    assert fate(exchange, ALPHA, 1) == fate(exchange, ALPHA, 2) == (OrderStatus.CANCELED, 0)
    assert fate(exchange, ALPHA, 4) == fate(exchange, GAMMA, 3) == (OrderStatus.OPEN, 0)
    assert armed_ms(exchange) == 0


def test_while_due_new_orders_are_refused():
    """4.10: due but not fired, create and modify are refused (21122), cancel and cancel-all pass."""
    exchange = armed_floor()
    exchange.advance(DUE_US)
    amend = AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=1011, size_lots=4)

    assert send(exchange, ask(ALPHA, 1010, 4)) == Rejected(Reject.DEAD_MANS_SWITCH_DUE, 0)
    assert send(exchange, amend) == Rejected(Reject.DEAD_MANS_SWITCH_DUE, 0)
    assert isinstance(send(exchange, DropOrder(account_index=ALPHA, market=0, index=1)), Admitted)
    assert isinstance(send(exchange, DropAll(account_index=ALPHA)), Admitted)


def test_while_due_queued_orders_are_dropped():
    """4.7 row 3: a create that becomes executable while the switch is due is dropped."""
    exchange = floor(rules=RULES)  # 200 ms speed bump
    arm(exchange)
    exchange.admit([numbered(ask(ALPHA, 1010, 4), 0)], DUE_US - 100 * MS)
    exchange.advance(DUE_US + SECOND)

    assert [tx.reason for tx in only(exchange.take_outputs(), TransactionDropped)] == [Reject.DEAD_MANS_SWITCH_DUE]
    assert exchange.next_nonce(ALPHA, KEY) == 0


def test_each_schedule_overwrites():
    """4.10 [A-29]: re-arming moves the moment, later or earlier."""
    for shift in (MINUTE, -MINUTE):
        exchange = armed_floor()
        arm(exchange, DUE_US + shift)
        exchange.advance(DUE_US + shift + LAG - 1)
        assert len(exchange.open_orders(ALPHA)) == 2
        exchange.advance(DUE_US + shift + LAG)
        assert exchange.open_orders(ALPHA) == []


def test_abort_disarms():
    """4.10: after an abort nothing fires."""
    exchange = armed_floor()
    do(exchange, DropAll(account_index=ALPHA, mode=DropAllMode.ABORT))
    exchange.advance(DUE_US + MINUTE)

    assert armed_ms(exchange) == 0
    assert len(exchange.open_orders(ALPHA)) == 2


def test_an_immediate_cancel_all_disarms():
    """4.10: an ordinary immediate cancel-all also clears the switch; the client must re-arm."""
    exchange = armed_floor()
    do(exchange, DropAll(account_index=ALPHA))

    assert armed_ms(exchange) == 0


def test_a_cancel_all_of_one_market_is_a_switch():
    """[A-18]: whether a one-market cancel-all disarms is unknown; by default it does not."""
    for clears in (False, True):
        exchange = floor(rules=Rules(market_cancel_clears_dms=clears))
        arm(exchange)
        do(exchange, DropAll(account_index=ALPHA, market=0))
        assert armed_ms(exchange) == (0 if clears else DUE_US // MS)


def test_orders_after_firing_need_no_rearming():
    """4.10: after it fired new orders are accepted again."""
    exchange = armed_floor()
    exchange.advance(DUE_US + LAG)

    assert isinstance(send(exchange, bid(ALPHA, 990, 4, expiry_ms=DUE_US // MS + 600_000)), Admitted)
