"""What a well-formed transaction asks of the exchange: wire fields become meanings (protocol reference 4.2-4.6)."""

from typing import TypedDict

from lighterman.matching.requests import (
    AmendOrder,
    DropAll,
    DropAllMode,
    DropOrder,
    MarginMode,
    NewOrder,
    OrderKind,
    Request,
    SelfTrade,
    SetLeverage,
    TimeInForce,
)
from lighterman.protocol import transactions
from lighterman.protocol.codes import Code
from lighterman.protocol.transactions import Attribute, FieldFault, Transaction

ALL_MARKETS = 255  # the nil value of attribute 5

_KINDS = frozenset({OrderKind.LIMIT, OrderKind.MARKET})


class _Head(TypedDict):
    """Who asks, and under which transaction."""

    account_index: int
    api_key_index: int
    nonce: int
    skip_nonce: bool
    expired_at_ms: int
    tx_hash: str


def skips_nonce(tx: Transaction) -> bool:
    """Tell whether a transaction may leave a gap before its nonce (attribute 4)."""
    return bool(transactions.attribute(tx, Attribute.SKIP_NONCE))


def unoffered(tx: Transaction) -> FieldFault | None:
    """Return what a well-formed transaction asks for that this exchange does not offer, if anything."""
    if transactions.attribute(tx, Attribute.INTEGRATOR_ACCOUNT):
        return _fault(Code.INTEGRATOR_NOT_APPROVED)
    if isinstance(tx, transactions.CreateOrderTx) and tx.order_type not in _KINDS:
        return _fault(Code.UNSUPPORTED_ORDER_TYPE)
    if isinstance(tx, transactions.ModifyOrderTx) and tx.trigger_price:  # no order here has one to keep (4.8)
        return _fault(Code.INVALID_TRIGGER_PRICE)
    return None


def request_of(tx: Transaction, tx_hash: str) -> Request:
    """Return what a transaction asks for that is well-formed and offered."""
    head = _Head(
        account_index=tx.account_index,
        api_key_index=tx.api_key_index,
        nonce=tx.nonce,
        skip_nonce=skips_nonce(tx),
        expired_at_ms=tx.expired_at,
        tx_hash=tx_hash,
    )
    match tx:
        case transactions.CreateOrderTx():
            return _new_order(tx, head)
        case transactions.ModifyOrderTx():
            return _amend_order(tx, head)
        case transactions.CancelOrderTx():
            return DropOrder(**head, market=tx.market_index, index=tx.index)
        case transactions.CancelAllOrdersTx():
            market = transactions.attribute(tx, Attribute.CANCEL_ALL_MARKET)
            scope = None if market == ALL_MARKETS else market
            return DropAll(**head, mode=DropAllMode(tx.time_in_force), time_ms=tx.time, market=scope)
        case transactions.UpdateLeverageTx():
            fraction, mode = tx.initial_margin_fraction, MarginMode(tx.margin_mode)
            return SetLeverage(**head, market=tx.market_index, initial_margin_fraction=fraction, margin_mode=mode)


def _new_order(tx: transactions.CreateOrderTx, head: _Head) -> NewOrder:
    return NewOrder(
        **head,
        market=tx.market_index,
        size_lots=tx.base_amount,
        price_ticks=tx.price,
        is_ask=bool(tx.is_ask),
        client_order_index=tx.client_order_index,
        kind=OrderKind(tx.order_type),
        time_in_force=TimeInForce(tx.time_in_force),
        reduce_only=bool(tx.reduce_only),
        expiry_ms=tx.order_expiry,
        self_trade=SelfTrade(transactions.attribute(tx, Attribute.SELF_TRADE_BEHAVIOR)),
        same_master=bool(transactions.attribute(tx, Attribute.SELF_TRADE_EQUALITY)),
    )


def _amend_order(tx: transactions.ModifyOrderTx, head: _Head) -> AmendOrder:
    return AmendOrder(
        **head,
        market=tx.market_index,
        index=tx.index,
        size_lots=tx.base_amount,
        price_ticks=tx.price,
        order_version=transactions.attribute(tx, Attribute.ORDER_VERSION) or None,
    )


def _fault(code: Code) -> FieldFault:
    return FieldFault(code, code.text)
