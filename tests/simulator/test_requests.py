import pytest

from lighterman.matching.requests import (
    AmendOrder,
    DropAll,
    DropAllMode,
    DropOrder,
    NewOrder,
    OrderKind,
    SelfTrade,
    SetLeverage,
    TimeInForce,
)
from lighterman.protocol.codes import Code
from lighterman.protocol.transactions import (
    CancelAllOrdersTx,
    CancelOrderTx,
    CreateOrderTx,
    ModifyOrderTx,
    UpdateLeverageTx,
)
from lighterman.simulator.requests import request_of, unoffered

HEAD = {"account_index": 7, "api_key_index": 5, "expired_at": 99, "nonce": 3}
ASKED = {"account_index": 7, "api_key_index": 5, "expired_at_ms": 99, "nonce": 3, "tx_hash": "ab"}
CREATE = HEAD | {
    "market_index": 1,
    "client_order_index": 42,
    "base_amount": 10,
    "price": 20,
    "is_ask": 1,
    "order_type": 1,
    "time_in_force": 0,
    "reduce_only": 1,
    "trigger_price": 0,
    "order_expiry": 0,
}


def test_every_type_keeps_its_meaning():
    """Each field of each transaction arrives in the request (protocol reference 4.2-4.6)."""
    create = CreateOrderTx(**CREATE, l2_tx_attributes={"4": 1, "6": 2, "7": 1})
    modify = ModifyOrderTx(
        **HEAD, market_index=1, index=9, base_amount=10, price=20, trigger_price=0, l2_tx_attributes={"8": 3}
    )
    leverage = UpdateLeverageTx(**HEAD, market_index=1, initial_margin_fraction=500, margin_mode=0)

    assert request_of(create, "ab") == NewOrder(
        **ASKED,
        skip_nonce=True,
        market=1,
        size_lots=10,
        price_ticks=20,
        is_ask=True,
        client_order_index=42,
        kind=OrderKind.MARKET,
        time_in_force=TimeInForce.IOC,
        reduce_only=True,
        self_trade=SelfTrade.CANCEL_BOTH,
        same_master=True,
    )
    assert request_of(modify, "ab") == AmendOrder(
        **ASKED, market=1, index=9, size_lots=10, price_ticks=20, order_version=3
    )
    assert request_of(CancelOrderTx(**HEAD, market_index=1, index=9), "ab") == DropOrder(**ASKED, market=1, index=9)
    assert request_of(leverage, "ab") == SetLeverage(**ASKED, market=1, initial_margin_fraction=500)


@pytest.mark.parametrize(
    ("mode", "attributes", "expected"),
    [
        (0, None, {"mode": DropAllMode.IMMEDIATE}),
        (0, {"5": 1}, {"mode": DropAllMode.IMMEDIATE, "market": 1}),
        (0, {"5": 255}, {"mode": DropAllMode.IMMEDIATE}),
        (1, None, {"mode": DropAllMode.SCHEDULE}),
        (2, None, {"mode": DropAllMode.ABORT}),
    ],
)
def test_cancel_all_has_a_mode_and_perhaps_a_market(mode, attributes, expected):
    """Attribute 5 names one market, its nil value 255 means all (protocol reference 4.6, 4.10)."""
    tx = CancelAllOrdersTx(**HEAD, time_in_force=mode, time=0, l2_tx_attributes=attributes)

    assert request_of(tx, "ab") == DropAll(**ASKED, **expected)


def test_what_is_not_offered_is_named():
    """Integrators, conditional orders and trigger prices are well-formed and not to be had here."""
    plain = CreateOrderTx(**CREATE)
    stop = CreateOrderTx(**(CREATE | {"order_type": 2}))
    integrator = CreateOrderTx(**CREATE, l2_tx_attributes={"1": 9})
    trigger = ModifyOrderTx(**HEAD, market_index=1, index=9, base_amount=10, price=20, trigger_price=1)
    faults = [unoffered(tx) for tx in (plain, stop, integrator, trigger)]

    assert [fault and fault.code for fault in faults] == [
        None,
        Code.UNSUPPORTED_ORDER_TYPE,
        Code.INTEGRATOR_NOT_APPROVED,
        Code.INVALID_TRIGGER_PRICE,
    ]
