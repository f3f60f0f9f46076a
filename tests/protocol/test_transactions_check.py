"""The rules of single fields and their combinations; each case names its paragraph of the reference."""

import pytest

from helpers.transactions import ALL_KINDS, CANCEL, CANCEL_ALL, LEVERAGE, MODIFY, ORDER_EXPIRY_MS, POST_ONLY, changed
from lighterman.protocol.codes import Code
from lighterman.protocol.transactions import check

GOOD_TILL_TIME = changed(POST_ONLY, time_in_force=1)
IOC = changed(POST_ONLY, time_in_force=0, order_expiry=0)
MARKET = changed(IOC, order_type=1)
STOP_LOSS = changed(POST_ONLY, order_type=2, time_in_force=0, trigger_price=400_000)
STOP_LOSS_LIMIT = changed(POST_ONLY, order_type=3, trigger_price=400_000)
TAKE_PROFIT = changed(STOP_LOSS, order_type=4)
TAKE_PROFIT_LIMIT = changed(STOP_LOSS_LIMIT, order_type=5)
TWAP = changed(GOOD_TILL_TIME, order_type=6)
SCHEDULED = changed(CANCEL_ALL, time_in_force=1, time=ORDER_EXPIRY_MS)
ABORT = changed(CANCEL_ALL, time_in_force=2)
SPOT = 2048


def code_of(tx):
    fault = check(tx)
    if fault is not None:
        assert fault.message
    return None if fault is None else fault.code


@pytest.mark.parametrize("tx", ALL_KINDS, ids=lambda tx: tx.tx_type.name)
@pytest.mark.parametrize(
    ("field", "code", "good", "bad"),
    [
        ("account_index", Code.INVALID_ACCOUNT_INDEX, [0, 2**48 - 2], [-1, 2**48 - 1]),
        ("api_key_index", Code.INVALID_API_KEY_INDEX, [0, 254], [-1, 255]),
        ("nonce", Code.INVALID_NONCE, [0, 2**48 - 1], [-1, 2**48]),
        ("expired_at", Code.INVALID_TX_INFO, [0, 2**48 - 1], [-1, 2**48]),
    ],
)
def test_4_3_common_ranges(tx, field, code, good, bad):
    """4.3: every transaction has an account, a key other than 255, a nonce and an end within 48 bits."""
    assert [None] * len(good) == [code_of(changed(tx, **{field: value})) for value in good]
    assert [code] * len(bad) == [code_of(changed(tx, **{field: value})) for value in bad]


@pytest.mark.parametrize(
    ("tx", "field", "code", "good", "bad"),
    [
        (POST_ONLY, "client_order_index", Code.INVALID_CLIENT_ORDER_INDEX, [0, 2**48 - 1], [-1, 2**48]),
        (POST_ONLY, "base_amount", Code.INVALID_BASE_AMOUNT, [1, 2**48 - 1], [-1, 0, 2**48]),
        (POST_ONLY, "price", Code.INVALID_PRICE, [1, 2**32 - 1], [-1, 0, 2**32]),
        (POST_ONLY, "is_ask", Code.INVALID_IS_ASK, [0, 1], [-1, 2]),
        (POST_ONLY, "order_type", Code.INVALID_ORDER_TYPE, [0], [-1, 7, 8]),
        (POST_ONLY, "time_in_force", Code.INVALID_TIME_IN_FORCE, [1, 2], [-1, 3]),
        (POST_ONLY, "reduce_only", Code.INVALID_REDUCE_ONLY, [0, 1], [-1, 2]),
        (POST_ONLY, "trigger_price", Code.INVALID_TRIGGER_PRICE, [0], [-1, 2**32]),
        (POST_ONLY, "order_expiry", Code.INVALID_EXPIRY, [1, 2**48 - 1], [-1, 2**48]),
        (STOP_LOSS, "trigger_price", Code.INVALID_TRIGGER_PRICE, [1, 2**32 - 1], [-1, 2**32]),
        (CANCEL, "index", Code.INVALID_ORDER_INDEX, [1, 2**48 - 1, 2**48, 2**56 - 1], [-1, 0, 2**56]),
        (MODIFY, "index", Code.INVALID_ORDER_INDEX, [1, 2**48 - 1, 2**48, 2**56 - 1], [-1, 0, 2**56]),
        (MODIFY, "base_amount", Code.INVALID_BASE_AMOUNT, [0, 1, 2**48 - 1], [-1, 2**48]),
        (MODIFY, "price", Code.INVALID_PRICE, [1, 2**32 - 1], [-1, 0, 2**32]),
        (MODIFY, "trigger_price", Code.INVALID_TRIGGER_PRICE, [0, 2**32 - 1], [-1, 2**32]),
        (LEVERAGE, "initial_margin_fraction", Code.INVALID_MARGIN_FRACTION, [1, 10_000], [-1, 0, 10_001]),
        (LEVERAGE, "margin_mode", Code.ISOLATED_MARGIN_UNSUPPORTED, [0, 1], [-1, 2]),
    ],
)
def test_4_3_field_ranges(tx, field, code, good, bad):
    """4.3: a field outside its range is refused with the code of that field."""
    assert [None] * len(good) == [code_of(changed(tx, **{field: value})) for value in good]
    assert [code] * len(bad) == [code_of(changed(tx, **{field: value})) for value in bad]


@pytest.mark.parametrize("tx", [POST_ONLY, CANCEL, MODIFY, LEVERAGE], ids=lambda tx: tx.tx_type.name)
def test_1_3_market_index(tx):
    """1.3: a market is a perpetual (0 to 254) or a spot market (2048 to 4094)."""
    assert [None] * 4 == [code_of(changed(tx, market_index=index)) for index in (0, 254, 2048, 4094)]
    for index in (-1, 255, 2047, 4095):
        assert code_of(changed(tx, market_index=index)) == Code.INVALID_MARKET


def test_4_3_size_zero_needs_reduce_only():
    """4.3: base amount 0 means the whole position, and only a reduce-only order may say it."""
    assert code_of(changed(POST_ONLY, base_amount=0)) == Code.INVALID_BASE_AMOUNT
    assert code_of(changed(POST_ONLY, base_amount=0, reduce_only=1)) is None


def test_4_3_reduce_only_is_for_perpetuals():
    """4.3: reduce-only must be 0 on spot."""
    assert code_of(changed(POST_ONLY, market_index=SPOT, reduce_only=1)) == Code.INVALID_REDUCE_ONLY
    assert code_of(changed(POST_ONLY, market_index=SPOT)) is None


TYPES = [IOC, MARKET, STOP_LOSS, STOP_LOSS_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT, TWAP]


@pytest.mark.parametrize(
    ("tx", "allowed"),
    list(zip(TYPES, [{0, 1, 2}, {0}, {0}, {0, 1, 2}, {0}, {0, 1, 2}, {1}], strict=True)),
    ids=[str(number) for number in range(7)],
)
def test_4_4_times_in_force(tx, allowed):
    """4.4: each order type has its times in force."""
    expiry = tx.order_expiry
    for tif in range(3):
        wanted = ORDER_EXPIRY_MS if tif or tx.order_type in (2, 3, 4, 5, 6) else 0
        code = code_of(changed(tx, time_in_force=tif, order_expiry=wanted if tif in allowed else expiry))

        assert code == (None if tif in allowed else Code.INVALID_TIME_IN_FORCE)


@pytest.mark.parametrize("tx", TYPES, ids=lambda tx: f"type {tx.order_type}")
def test_4_4_trigger_price(tx):
    """4.4: conditional orders need a trigger price, the others may have none."""
    is_conditional = tx.order_type in (2, 3, 4, 5)

    assert code_of(tx) is None
    assert code_of(changed(tx, trigger_price=0 if is_conditional else 1)) == Code.INVALID_TRIGGER_PRICE


@pytest.mark.parametrize(
    "tx", [*TYPES, POST_ONLY, GOOD_TILL_TIME], ids=lambda tx: f"{tx.order_type}-{tx.time_in_force}"
)
def test_4_4_expiry(tx):
    """4.4: an order that can rest or wait needs an expiry, an immediate one may have none."""
    assert code_of(tx) is None
    assert code_of(changed(tx, order_expiry=0 if tx.order_expiry else ORDER_EXPIRY_MS)) == Code.INVALID_EXPIRY


@pytest.mark.parametrize("tx", [STOP_LOSS, STOP_LOSS_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT])
def test_4_4_conditional_orders_are_for_perpetuals(tx):
    """4.4: conditional orders do not exist on spot markets."""
    assert code_of(changed(tx, market_index=SPOT)) == Code.UNSUPPORTED_ORDER_TYPE


@pytest.mark.parametrize(
    ("tx", "attributes"),
    [
        (POST_ONLY, {"1": 2**48 - 2, "2": 10**6, "3": 10**6}),
        (POST_ONLY, {"4": 1, "6": 3}),
        (POST_ONLY, {"1": 9, "4": 1, "6": 1, "7": 1}),
        (POST_ONLY, {"1": 0, "2": 0, "3": 0, "4": 1, "6": 2, "7": 1}),
        (CANCEL, {"4": 1}),
        (CANCEL_ALL, {"4": 1, "5": 254}),
        (SCHEDULED, {"5": 255}),
        (MODIFY, {"4": 1, "8": 2**48 - 1}),
        (MODIFY, {"6": 2, "7": 1}),
        (LEVERAGE, {"4": 1}),
    ],
)
def test_4_6_allowed_attributes(tx, attributes):
    """4.6: attributes within their ranges pass where they belong; nil ones count for nothing."""
    assert code_of(changed(tx, l2_tx_attributes=attributes)) is None


@pytest.mark.parametrize(
    ("tx", "attributes"),
    [
        (POST_ONLY, {"9": 1}),
        (POST_ONLY, {"5": 1}),
        (POST_ONLY, {"8": 1}),
        (CANCEL, {"6": 1}),
        (CANCEL, {"1": 9}),
        (CANCEL_ALL, {"6": 1}),
        (LEVERAGE, {"7": 1}),
    ],
)
def test_4_6_foreign_attributes(tx, attributes):
    """4.6: an attribute that does not belong to the transaction's type is refused."""
    assert code_of(changed(tx, l2_tx_attributes=attributes)) == Code.INVALID_TX_INFO


@pytest.mark.parametrize(
    ("tx", "attributes"),
    [
        (POST_ONLY, {"1": -1}),
        (POST_ONLY, {"1": 2**48 - 1}),
        (POST_ONLY, {"1": 9, "2": 10**6 + 1}),
        (POST_ONLY, {"1": 9, "3": -1}),
        (POST_ONLY, {"4": 2}),
        (POST_ONLY, {"6": 4}),
        (POST_ONLY, {"6": -1}),
        (POST_ONLY, {"7": 2}),
        (CANCEL_ALL, {"5": 256}),
        (CANCEL_ALL, {"5": -1}),
        (MODIFY, {"8": -1}),
        (MODIFY, {"8": 2**48}),
    ],
)
def test_4_6_attribute_ranges(tx, attributes):
    """4.6: an attribute outside its range is refused."""
    assert code_of(changed(tx, l2_tx_attributes=attributes)) == Code.INVALID_TX_INFO


def test_4_6_at_most_four_attributes():
    """4.6: a transaction carries at most four attributes."""
    five = {"1": 9, "4": 1, "6": 1, "7": 1, "8": 2}

    assert code_of(changed(MODIFY, l2_tx_attributes=five)) == Code.INVALID_TX_INFO
    del five["8"]
    assert code_of(changed(MODIFY, l2_tx_attributes=five)) is None


def test_4_6_fees_need_an_integrator():
    """4.6: integrator fees without an integrator account are refused."""
    assert code_of(changed(POST_ONLY, l2_tx_attributes={"2": 10})) == Code.INVALID_TX_INFO
    assert code_of(changed(POST_ONLY, l2_tx_attributes={"1": 9, "2": 10})) is None


def test_4_6_fees_exclude_self_trade_settings():
    """4.6: self-trade settings are not allowed together with integrator fees."""
    assert code_of(changed(POST_ONLY, l2_tx_attributes={"1": 9, "3": 10, "6": 1})) == Code.INVALID_TX_INFO


def test_4_6_reduce_both_excludes_master_equality():
    """4.6: self-trade behaviour 3 with equality 1 is refused."""
    assert code_of(changed(POST_ONLY, l2_tx_attributes={"6": 3, "7": 1})) == Code.INVALID_TX_INFO
    assert code_of(changed(POST_ONLY, l2_tx_attributes={"6": 2, "7": 1})) is None


@pytest.mark.parametrize("tx", [SCHEDULED, ABORT])
def test_4_6_one_market_is_for_immediate_cancel_all(tx):
    """4.6: a scheduled or aborted cancel-all cannot be limited to one market."""
    assert code_of(tx) is None
    assert code_of(changed(tx, l2_tx_attributes={"5": 1})) == Code.INVALID_TX_INFO


def test_4_6_one_market_is_a_perpetual():
    """4.6: a cancel-all of one spot market is refused with 21619."""
    assert code_of(changed(CANCEL_ALL, l2_tx_attributes={"5": SPOT})) == 21619


@pytest.mark.parametrize(
    ("tx", "time", "code"),
    [
        (CANCEL_ALL, 1, Code.INVALID_CANCEL_ALL_TIME),
        (ABORT, 1, Code.INVALID_CANCEL_ALL_TIME),
        (SCHEDULED, 0, Code.INVALID_CANCEL_ALL_TIME),
        (SCHEDULED, -1, Code.INVALID_CANCEL_ALL_TIME),
        (SCHEDULED, 2**48, Code.INVALID_CANCEL_ALL_TIME),
        (SCHEDULED, 2**48 - 1, None),
    ],
)
def test_4_10_cancel_all_time(tx, time, code):
    """4.10: a time is given exactly when the cancel-all is scheduled."""
    assert code_of(changed(tx, time=time)) == code


@pytest.mark.parametrize("mode", [-1, 3])
def test_4_10_cancel_all_mode(mode):
    """4.10: a cancel-all is immediate, scheduled or an abort."""
    assert code_of(changed(CANCEL_ALL, time_in_force=mode)) == Code.INVALID_CANCEL_ALL_TIME_IN_FORCE
