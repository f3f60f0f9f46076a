"""Valid transactions of every kind, as a base to change one field of and as a strategy."""

import msgspec
from hypothesis import strategies as st

from lighterman.protocol.transactions import (
    CancelAllOrdersTx,
    CancelOrderTx,
    CreateOrderTx,
    ModifyOrderTx,
    Transaction,
    UpdateLeverageTx,
)

ACCOUNT_INDEX = 12345
API_KEY_INDEX = 5
ORDER_EXPIRY_MS = 1_800_000_000_000
HEAD = {"account_index": ACCOUNT_INDEX, "api_key_index": API_KEY_INDEX, "expired_at": 1_795_357_261_946, "nonce": 7}

POST_ONLY = CreateOrderTx(
    **HEAD,
    market_index=0,
    client_order_index=123,
    base_amount=1000,
    price=405_000,
    is_ask=1,
    order_type=0,
    time_in_force=2,
    reduce_only=0,
    trigger_price=0,
    order_expiry=ORDER_EXPIRY_MS,
)
CANCEL = CancelOrderTx(**HEAD, market_index=0, index=123)
CANCEL_ALL = CancelAllOrdersTx(**HEAD, time_in_force=0, time=0)
MODIFY = ModifyOrderTx(**HEAD, market_index=0, index=123, base_amount=1100, price=410_000, trigger_price=0)
LEVERAGE = UpdateLeverageTx(**HEAD, market_index=1, initial_margin_fraction=500, margin_mode=0)
ALL_KINDS: list[Transaction] = [POST_ONLY, CANCEL, CANCEL_ALL, MODIFY, LEVERAGE]


def changed(tx, **fields):
    return msgspec.structs.replace(tx, **fields)


@st.composite
def valid_transactions(draw):
    """Draw a transaction of any kind that breaks no rule of its own."""
    tx = draw(st.sampled_from([_order, _cancel, _cancel_all, _modify, _leverage]))(draw)
    attributes = dict(tx.l2_tx_attributes or {}) | draw(st.sampled_from([{}, {"4": 1}, {"4": 0}]))
    nonce, expired_at = draw(st.integers(0, 2**47 - 1)), draw(st.integers(0, 2**48 - 1))
    return changed(tx, nonce=nonce, expired_at=expired_at, l2_tx_attributes=attributes or None)


MARKETS = st.one_of(st.integers(0, 254), st.integers(2048, 4094))
SELF_TRADE = st.sampled_from([{}, {"6": 1}, {"6": 2, "7": 1}, {"7": 1}, {"6": 3}, {"1": 9, "2": 10, "3": 11}])
INDEXES = st.one_of(st.integers(1, 2**48 - 1), st.integers(2**48, 2**56 - 1))
EXPIRIES = st.integers(1, 2**48 - 1)


def _order(draw):
    order_type = draw(st.integers(0, 6))
    allowed = {0: [0, 1, 2], 1: [0], 2: [0], 3: [0, 1, 2], 4: [0], 5: [0, 1, 2], 6: [1]}[order_type]
    tif = draw(st.sampled_from(allowed))
    is_conditional = 2 <= order_type <= 5
    market = draw(st.integers(0, 254) if is_conditional else MARKETS)
    reduce_only = draw(st.integers(0, 1)) if market < 255 else 0
    return changed(
        POST_ONLY,
        market_index=market,
        client_order_index=draw(st.integers(0, 2**48 - 1)),
        base_amount=draw(st.integers(0 if reduce_only else 1, 2**48 - 1)),
        price=draw(st.integers(1, 2**32 - 1)),
        is_ask=draw(st.integers(0, 1)),
        order_type=order_type,
        time_in_force=tif,
        reduce_only=reduce_only,
        trigger_price=draw(st.integers(1, 2**32 - 1)) if is_conditional else 0,
        order_expiry=draw(EXPIRIES) if is_conditional or tif else 0,
        l2_tx_attributes=draw(SELF_TRADE),
    )


def _cancel(draw):
    return changed(CANCEL, market_index=draw(MARKETS), index=draw(INDEXES))


def _cancel_all(draw):
    mode = draw(st.integers(0, 2))
    one_market = {"5": draw(st.integers(0, 255))} if mode == 0 else {}
    return changed(CANCEL_ALL, time_in_force=mode, time=draw(EXPIRIES) if mode == 1 else 0, l2_tx_attributes=one_market)


def _modify(draw):
    return changed(
        MODIFY,
        market_index=draw(MARKETS),
        index=draw(INDEXES),
        base_amount=draw(st.integers(0, 2**48 - 1)),
        price=draw(st.integers(1, 2**32 - 1)),
        trigger_price=draw(st.integers(0, 2**32 - 1)),
        l2_tx_attributes=draw(st.sampled_from([{}, {"8": 3}, {"6": 1, "8": 2**48 - 1}])),
    )


def _leverage(draw):
    return changed(
        LEVERAGE,
        market_index=draw(st.integers(0, 254)),
        initial_margin_fraction=draw(st.integers(1, 10_000)),
        margin_mode=draw(st.integers(0, 1)),
    )
