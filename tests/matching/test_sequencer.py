"""Speed bumps, nonces and drops: protocol reference 1.5, 4.7, 9.1 and 9.2."""

import pytest

from helpers.trading_floor import (
    ALPHA,
    CROWD,
    EXPIRY_MS,
    GAMMA,
    KEY,
    START_US,
    AmendOrder,
    DropAll,
    DropOrder,
    SetLeverage,
    ask,
    bid,
    do,
    fate,
    floor,
    maker_bid,
    market,
    market_bid,
    numbered,
    only,
    send,
    taker_bid,
)
from lighterman.matching.outputs import OrderStatus, TransactionDropped, TransactionExecuted
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import Request
from lighterman.matching.rules import MS, Rules
from lighterman.matching.views import Admitted, Rejected, TransactionState

LATE_US = START_US + 10_000 * MS


def delay_ms(answer: Admitted | Rejected) -> int:
    assert isinstance(answer, Admitted)
    return (answer.predicted_us[0] - START_US) // MS


@pytest.mark.parametrize(
    ("tier", "maker", "taker", "cancel"),
    [("standard", 200, 300, 200), ("premium", 0, 200, 0), ("premium-500k", 0, 140, 0), ("plus", 200, 300, 200)],
)
def test_speed_bumps(tier: str, maker: int, taker: int, cancel: int):
    """1.5 and 9.1: the delay is that of the tier, for what the transaction would do on arrival."""

    def delay(request: Request) -> int:
        exchange = floor(tier=tier)
        do(exchange, ask(CROWD, 1001, 10), ask(ALPHA, 1010, 4, client=1))
        return delay_ms(send(exchange, request))

    assert delay(maker_bid(ALPHA, 1001, 4)) == maker
    assert delay(bid(ALPHA, 1000, 4)) == maker
    assert delay(bid(ALPHA, 1001, 4)) == taker  # crosses at arrival
    assert delay(taker_bid(ALPHA, 990, 4)) == taker
    assert delay(market_bid(ALPHA, 990, 4)) == taker
    assert delay(DropOrder(account_index=ALPHA, market=0, index=1)) == cancel
    assert delay(DropAll(account_index=ALPHA)) == cancel
    assert delay(SetLeverage(account_index=ALPHA, market=0, initial_margin_fraction=1_000)) == maker


@pytest.mark.parametrize(("price", "wait"), [(1000, 0), (1001, 200)])
def test_speed_bump_of_modify(price: int, wait: int):
    """[A-19]: a modify waits as a maker, as a taker when it would cross."""
    exchange = floor(tier="premium")
    do(exchange, ask(CROWD, 1001, 10), bid(ALPHA, 990, 4, client=1))
    amend = AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=price, size_lots=4)

    assert delay_ms(send(exchange, amend)) == wait


def test_keys_are_served_in_order():
    """1.5: a taker order delays the cancel sent behind it on its key, and on no other key."""
    exchange = floor(tier="premium")
    exchange.add_key(ALPHA, 6, bytes(40))
    do(exchange, ask(CROWD, 1001, 10), bid(ALPHA, 990, 4, client=1))
    drop = DropOrder(account_index=ALPHA, market=0, index=1)

    assert delay_ms(send(exchange, taker_bid(ALPHA, 1001, 4))) == 200
    assert delay_ms(send(exchange, drop, after_us=50 * MS)) == 200
    assert delay_ms(exchange.admit([numbered(drop, 0, api_key_index=6)], exchange.now_us)) == 50


def test_batches_are_executed_back_to_back():
    """3.7: a batch waits for its slowest member and nothing comes between."""
    exchange = floor(tier="premium")
    do(exchange, ask(CROWD, 1001, 10))
    answer = send(exchange, maker_bid(ALPHA, 990, 4), taker_bid(ALPHA, 1001, 4), maker_bid(ALPHA, 989, 4))
    send(exchange, maker_bid(GAMMA, 985, 4), taker_bid(GAMMA, 1001, 4))
    exchange.advance(LATE_US)
    executed = only(exchange.take_outputs(), TransactionExecuted)

    assert isinstance(answer, Admitted)
    assert answer.predicted_us == [START_US + 200 * MS] * 3
    assert [(tx.account_index, tx.nonce) for tx in executed] == [
        (ALPHA, 0),
        (ALPHA, 1),
        (ALPHA, 2),
        (GAMMA, 0),
        (GAMMA, 1),
    ]
    assert {tx.at_us for tx in executed} == {START_US + 200 * MS}


def test_execution_by_time_then_arrival():
    """9.2: one sequencer, by execution time, then arrival; each at its own time, however late it is run."""
    exchange = floor(tier="premium")
    do(exchange, ask(CROWD, 1001, 10))
    send(exchange, taker_bid(ALPHA, 1001, 4))
    send(exchange, maker_bid(GAMMA, 990, 4))
    exchange.advance(LATE_US)
    executed = only(exchange.take_outputs(), TransactionExecuted)

    assert [(tx.account_index, tx.at_us - START_US) for tx in executed] == [(GAMMA, 0), (ALPHA, 200 * MS)]


def test_a_post_only_order_can_lose_its_price_while_it_waits():
    """4.8: post-only is judged at execution time, not at arrival."""
    exchange = floor()
    send(exchange, maker_bid(ALPHA, 1000, 4, client=1))
    exchange.act(ask(CROWD, 1000, 4), START_US + 100 * MS)
    exchange.advance(LATE_US)

    assert fate(exchange, ALPHA, 1) == (OrderStatus.CANCELED_POST_ONLY, 0)


# 4.7: what consumes a nonce


def test_a_refusal_consumes_nothing():
    """4.7 row 1: an error reply leaves the nonce as it was."""
    exchange = floor()

    assert send(exchange, bid(ALPHA, 1000, 1)) == Rejected(Reject.BELOW_MINIMUM, 0)
    assert exchange.next_nonce(ALPHA, KEY) == 0


@pytest.mark.parametrize(
    "request_",
    [
        maker_bid(ALPHA, 1001, 4, client=2),  # post-only
        taker_bid(ALPHA, 990, 4, client=2),  # nothing there
        taker_bid(ALPHA, 1001, 10**8, client=2),  # margin
        bid(ALPHA, 990, 4, client=1),  # duplicate at execution
        DropOrder(account_index=ALPHA, market=0, index=77),
        AmendOrder(account_index=ALPHA, market=0, index=77, price_ticks=990, size_lots=4),
    ],
)
def test_an_executed_transaction_consumes_its_nonce(request_: Request):
    """4.7 row 2: executed is executed, even when the order is canceled or there is none."""
    exchange = floor()
    do(exchange, ask(CROWD, 1001, 10**9))
    send(exchange, request_)
    exchange.act(bid(ALPHA, 990, 4, client=1), exchange.now_us)
    exchange.advance(LATE_US)
    executed = only(exchange.take_outputs(), TransactionExecuted)

    assert [tx.nonce for tx in executed] == [0]
    assert exchange.next_nonce(ALPHA, KEY) == 1


def test_soft_failures_are_told():
    """9.2: a soft failure is an executed transaction with an error text and no order row."""
    exchange = floor()
    send(exchange, bid(ALPHA, 990, 4, client=1))
    send(exchange, bid(ALPHA, 991, 4, client=1))
    exchange.advance(LATE_US)
    first, second = only(exchange.take_outputs(), TransactionExecuted)

    assert (first.error, first.row and first.row.price_ticks) == ("", 990)
    assert (second.error, second.row) == (Reject.CLIENT_ORDER_INDEX_EXISTS.value, None)
    record = exchange.transaction(second.tx_hash)
    assert record is not None
    assert (record.state, record.error, record.sequence_index) == (TransactionState.EXECUTED, second.error, 2)


@pytest.mark.parametrize("cause", ["expired", "inactive", "no price"])
def test_what_cannot_be_included_is_dropped(cause: str):
    """4.7 row 3: the nonce goes back, and everything behind it on the key fails 21104, each at its time."""
    exchange = floor()
    facts = {"expired_at_ms": START_US // MS + 150} if cause == "expired" else {}
    first = numbered(bid(ALPHA, 990, 4), 0, **facts)
    assert isinstance(exchange.admit([first], START_US), Admitted)
    send(exchange, DropAll(account_index=ALPHA))
    send(exchange, DropAll(account_index=ALPHA), after_us=150 * MS)
    if cause == "inactive":
        exchange.set_market(market(0, active=False))
    elif cause == "no price":
        exchange.set_index(0, 0, exchange.now_us)
    before = exchange.next_nonce(ALPHA, KEY)
    exchange.advance(LATE_US)
    dropped = only(exchange.take_outputs(), TransactionDropped)
    reasons = {
        "expired": Reject.TRANSACTION_EXPIRED,
        "inactive": Reject.MARKET_INACTIVE,
        "no price": Reject.PRICE_UNAVAILABLE,
    }

    assert before == 3
    assert [tx.reason for tx in dropped] == [reasons[cause], Reject.INVALID_NONCE, Reject.INVALID_NONCE]
    assert [(tx.at_us - START_US) // MS for tx in dropped] == [200, 200, 350]
    assert exchange.next_nonce(ALPHA, KEY) == 0
    record = exchange.transaction(dropped[0].tx_hash)
    assert record is not None
    assert (record.state, record.error) == (TransactionState.FAILED, reasons[cause].value)


def test_the_nonce_steps_back_at_once():
    """[A-42]: after a drop its nonce can be used again while later ones are still queued to fail."""
    exchange = floor(tier="premium")
    first = numbered(taker_bid(ALPHA, 990, 4), 0, expired_at_ms=START_US // MS + 100)
    exchange.admit([first], START_US)
    send(exchange, taker_bid(ALPHA, 990, 4), after_us=50 * MS)  # nonce 1, due after the drop
    exchange.advance(START_US + 200 * MS)
    retry = send(exchange, maker_bid(ALPHA, 990, 4, client=1))
    exchange.advance(LATE_US)
    outputs = exchange.take_outputs()

    assert isinstance(retry, Admitted)
    assert [tx.nonce for tx in only(outputs, TransactionDropped)] == [0, 1]
    assert [tx.nonce for tx in only(outputs, TransactionExecuted)] == [0]
    assert exchange.next_nonce(ALPHA, KEY) == 1


@pytest.mark.parametrize("nonce", [-1, 1, 16])
def test_nonces_are_exact(nonce: int):
    """4.7 [A-15]: a reused or skipped nonce is refused, without any look-ahead."""
    exchange = floor()

    assert exchange.admit([numbered(bid(ALPHA, 990, 4), nonce)], START_US) == Rejected(Reject.INVALID_NONCE, 0)


def test_skip_nonce():
    """4.7 and 4.6 attribute 4: any later nonce below 2^47 - 1, never an earlier one."""
    exchange = floor()

    def try_nonce(nonce: int) -> bool:
        request = numbered(bid(ALPHA, 990, 4), nonce, skip_nonce=True)
        return isinstance(exchange.admit([request], exchange.now_us), Admitted)

    assert [try_nonce(nonce) for nonce in (1_000, 999, 1_000, 2**47 - 1, 2**47 - 2)] == [
        True,
        False,
        False,
        False,
        True,
    ]
    exchange.advance(LATE_US)
    assert [tx.nonce for tx in only(exchange.take_outputs(), TransactionExecuted)] == [1_000, 2**47 - 2]
    assert exchange.next_nonce(ALPHA, KEY) == 2**47 - 1


def test_batches_are_admitted_wholly_or_not():
    """[A-21]: the first fault of a batch refuses all of it and names its place."""
    exchange = floor()
    answer = send(exchange, bid(ALPHA, 990, 4), bid(ALPHA, 990, 1), bid(ALPHA, 990, 4))

    assert answer == Rejected(Reject.BELOW_MINIMUM, 1)
    assert exchange.next_nonce(ALPHA, KEY) == 0


def test_batches_are_of_one_key():
    """3.7: one account and api key (21121), nonces increasing (21105)."""
    exchange = floor()
    first, same, other = (numbered(bid(a, 990, 4), n) for a, n in ((ALPHA, 0), (ALPHA, 0), (GAMMA, 1)))

    assert exchange.admit([first, same], START_US) == Rejected(Reject.NONCE_NOT_INCREASING, 1)
    assert exchange.admit([first, other], START_US) == Rejected(Reject.BATCH_MIXED_KEYS, 1)


def test_a_key_may_not_flood_the_queue():
    """21506: more pending transactions than allowed are refused."""
    exchange = floor(rules=Rules(queued_per_key_max=2))
    answers = [send(exchange, bid(ALPHA, 990, 4)) for _ in range(3)]

    assert answers[2] == Rejected(Reject.TOO_MANY_PENDING, 0)
    exchange.advance(LATE_US)
    assert isinstance(send(exchange, bid(ALPHA, 990, 4, expiry_ms=EXPIRY_MS)), Admitted)


def test_forgotten_transactions_are_executed_all_the_same():
    """2.7.7: what is no longer remembered can no longer be asked for; that is all."""
    exchange = floor(rules=Rules(transactions_kept=2))
    send(exchange, *(bid(ALPHA, 990, 4) for _ in range(3)))
    exchange.advance(LATE_US)

    assert [tx.nonce for tx in only(exchange.take_outputs(), TransactionExecuted)] == [0, 1, 2]
    assert exchange.transaction(f"{ALPHA}-0") is None
    assert [record.sequence_index for record in exchange.transactions_of(ALPHA)] == [2, 3]


def test_transactions_are_remembered_for_a_while():
    """2.7.7: a transaction is pending, then executed; the oldest are forgotten."""
    exchange = floor(rules=Rules(transactions_kept=2))
    send(exchange, bid(ALPHA, 990, 4))
    pending = exchange.transaction(f"{ALPHA}-0")
    exchange.advance(LATE_US)
    executed = exchange.transaction(f"{ALPHA}-0")
    send(exchange, bid(ALPHA, 990, 4), bid(ALPHA, 990, 4))

    assert pending is not None
    assert executed is not None
    assert (pending.state, pending.executed_us) == (TransactionState.PENDING, 0)
    assert (executed.state, executed.executed_us) == (TransactionState.EXECUTED, START_US + 200 * MS)
    assert exchange.transaction(f"{ALPHA}-0") is None
    assert [record.request.nonce for record in exchange.transactions_of(ALPHA)] == [1, 2]
