"""Transactions a market maker signs: their fields, wire form, hash, and the rules of each field.

The law of this file: a transaction is integers only; its JSON is the one of protocol reference
4.2, key for key; what is signed is `transaction_message` (5.4, 5.5) and nothing else; `check`
holds every rule that needs neither market nor account nor clock (4.3, 4.4, 4.6, 4.10). Signer
and exchange use the same tables, and types outside `TxType` cannot be expressed at all.
"""

import enum
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter, le
from typing import Annotated, ClassVar, NamedTuple

import msgspec

from lighterman.domain.errors import RemoteProtocolError
from lighterman.protocol.codes import Code
from lighterman.protocol.crypto import fastest
from lighterman.protocol.crypto.goldilocks import to_bytes

MESSAGE_ELEMENTS = 5
ATTRIBUTES_MAX = 4

# Integers reach the venue's own decoder as 64-bit ones, and only then the hash field.
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
AttributeKey = Annotated[str, msgspec.Meta(pattern=r"\A[1-9][0-9]{0,2}\Z")]
Attributes = dict[AttributeKey, Int64]


class TxType(enum.IntEnum):
    """The transaction types this package signs and accepts (4.1)."""

    CREATE_ORDER = 14
    CANCEL_ORDER = 15
    CANCEL_ALL_ORDERS = 16
    MODIFY_ORDER = 17
    UPDATE_LEVERAGE = 20


class OrderType(enum.IntEnum):
    """What users may send as `Type` of an order (4.4)."""

    LIMIT = 0
    MARKET = 1
    STOP_LOSS = 2
    STOP_LOSS_LIMIT = 3
    TAKE_PROFIT = 4
    TAKE_PROFIT_LIMIT = 5
    TWAP = 6


class TimeInForce(enum.IntEnum):
    """How long an order may rest (4.4)."""

    IMMEDIATE_OR_CANCEL = 0
    GOOD_TILL_TIME = 1
    POST_ONLY = 2


class CancelAllMode(enum.IntEnum):
    """What `TimeInForce` of a cancel-all means (4.10)."""

    IMMEDIATE = 0
    SCHEDULED = 1
    ABORT = 2


class Attribute(enum.IntEnum):
    """The keys of `L2TxAttributes` (4.6)."""

    INTEGRATOR_ACCOUNT = 1
    INTEGRATOR_TAKER_FEE = 2
    INTEGRATOR_MAKER_FEE = 3
    SKIP_NONCE = 4
    CANCEL_ALL_MARKET = 5
    SELF_TRADE_BEHAVIOR = 6
    SELF_TRADE_EQUALITY = 7
    ORDER_VERSION = 8


class CreateOrderTx(msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="pascal"):
    """Type 14. `order_expiry` in epoch ms; `is_ask` and `reduce_only` are 0 or 1 on the wire."""

    tx_type: ClassVar[TxType] = TxType.CREATE_ORDER

    account_index: Int64
    api_key_index: Int64
    market_index: Int64
    client_order_index: Int64
    base_amount: Int64
    price: Int64
    is_ask: Int64
    order_type: Int64 = msgspec.field(name="Type")
    time_in_force: Int64
    reduce_only: Int64
    trigger_price: Int64
    order_expiry: Int64
    expired_at: Int64
    nonce: Int64
    sig: str = ""
    l2_tx_attributes: Attributes | None = None


class CancelOrderTx(msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="pascal"):
    """Type 15. `index` is a client order index (< 2^48) or an order index (4.3)."""

    tx_type: ClassVar[TxType] = TxType.CANCEL_ORDER

    account_index: Int64
    api_key_index: Int64
    market_index: Int64
    index: Int64
    expired_at: Int64
    nonce: Int64
    sig: str = ""
    l2_tx_attributes: Attributes | None = None


class CancelAllOrdersTx(msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="pascal"):
    """Type 16. `time_in_force` is a CancelAllMode, `time` the scheduled epoch ms or 0."""

    tx_type: ClassVar[TxType] = TxType.CANCEL_ALL_ORDERS

    account_index: Int64
    api_key_index: Int64
    time_in_force: Int64
    time: Int64
    expired_at: Int64
    nonce: Int64
    sig: str = ""
    l2_tx_attributes: Attributes | None = None


class ModifyOrderTx(msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="pascal"):
    """Type 17. `base_amount` is the new TOTAL size, filled part included (4.8)."""

    tx_type: ClassVar[TxType] = TxType.MODIFY_ORDER

    account_index: Int64
    api_key_index: Int64
    market_index: Int64
    index: Int64
    base_amount: Int64
    price: Int64
    trigger_price: Int64
    expired_at: Int64
    nonce: Int64
    sig: str = ""
    l2_tx_attributes: Attributes | None = None


class UpdateLeverageTx(msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="pascal"):
    """Type 20. `initial_margin_fraction` is 10000 / leverage; `margin_mode` 0 cross, 1 isolated."""

    tx_type: ClassVar[TxType] = TxType.UPDATE_LEVERAGE

    account_index: Int64
    api_key_index: Int64
    market_index: Int64
    initial_margin_fraction: Int64
    margin_mode: Int64
    expired_at: Int64
    nonce: Int64
    sig: str = ""
    l2_tx_attributes: Attributes | None = None


# Between `ApiKeyIndex` and `ExpiredAt` stand exactly the fields that are hashed, in hash order (5.4).
Transaction = CreateOrderTx | CancelOrderTx | CancelAllOrdersTx | ModifyOrderTx | UpdateLeverageTx
_CLASSES = (CreateOrderTx, CancelOrderTx, CancelAllOrdersTx, ModifyOrderTx, UpdateLeverageTx)
_DECODERS: dict[int, msgspec.json.Decoder[Transaction]] = {cls.tx_type: msgspec.json.Decoder(cls) for cls in _CLASSES}
_HASHED_FIELDS = {
    cls: attrgetter("tx_type", "nonce", "expired_at", "account_index", "api_key_index", *cls.__struct_fields__[2:-4])
    for cls in _CLASSES
}


def encode(tx: Transaction) -> bytes:
    """Return the `tx_info` JSON of a transaction (4.2)."""
    return msgspec.json.encode(tx)


def decode(tx_type: int, data: bytes | str) -> Transaction:
    """Read a `tx_info`; raise RemoteProtocolError for an unknown type, bad JSON, or a field that is not an integer."""
    decoder = _DECODERS.get(tx_type)
    if decoder is None:
        raise RemoteProtocolError(f"unsupported transaction type {tx_type}")
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RemoteProtocolError(f"invalid tx_info: {error}") from error


def attributes(tx: Transaction) -> dict[int, int]:
    """Return the attributes that say something, by number: nil values are as good as absent (5.5)."""
    if not tx.l2_tx_attributes:
        return {}
    given = {int(key): value for key, value in tx.l2_tx_attributes.items()}
    return {key: given[key] for key in sorted(given) if given[key] != _nil(key)}


def attribute(tx: Transaction, key: Attribute) -> int:
    """Return the value of one attribute, its nil value when it is absent."""
    return (tx.l2_tx_attributes or {}).get(str(key.value), _nil(key))


def _nil(key: int) -> int:
    return 255 if key == Attribute.CANCEL_ALL_MARKET else 0


def hashed_integers(tx: Transaction, chain_id: int) -> tuple[int, ...]:
    """Return what is hashed for a transaction, attributes aside, before it is reduced (5.4)."""
    return (chain_id, *_HASHED_FIELDS[type(tx)](tx))


def transaction_message(
    tx: Transaction, chain_id: int, hash_integers: Callable[[Sequence[int], int], list[int]] = fastest.hash_integers
) -> list[int]:
    """Return the five elements that are signed (5.4, 5.5)."""
    message = hash_integers(hashed_integers(tx, chain_id), MESSAGE_ELEMENTS)
    pairs = [value for pair in attributes(tx).items() for value in pair] if tx.l2_tx_attributes else ()
    if pairs:
        padded = [*pairs, *[0] * (2 * ATTRIBUTES_MAX - len(pairs))]
        message = hash_integers(message + hash_integers(padded, MESSAGE_ELEMENTS), MESSAGE_ELEMENTS)
    return message


def transaction_hash(tx: Transaction, chain_id: int) -> bytes:
    """Return the 40 bytes whose `.hex()` is the venue's `tx_hash` (5.4)."""
    return to_bytes(transaction_message(tx, chain_id))


class FieldFault(msgspec.Struct, frozen=True, gc=False):
    """Why a transaction can never be accepted: a venue error code (2.8) and words."""

    code: Code
    message: str


class _Range(msgspec.Struct, frozen=True, gc=False):
    """The values a field may take (4.3) and the code that refuses the others (2.8)."""

    low: int
    high: int
    code: Code


_UINT32_MAX = 2**32 - 1
_UINT48_MAX = 2**48 - 1
_RANGES = {
    "account_index": _Range(0, 2**48 - 2, Code.INVALID_ACCOUNT_INDEX),
    "api_key_index": _Range(0, 254, Code.INVALID_API_KEY_INDEX),
    "client_order_index": _Range(0, _UINT48_MAX, Code.INVALID_CLIENT_ORDER_INDEX),
    "index": _Range(1, 2**56 - 1, Code.INVALID_ORDER_INDEX),
    "base_amount": _Range(0, _UINT48_MAX, Code.INVALID_BASE_AMOUNT),
    "price": _Range(1, _UINT32_MAX, Code.INVALID_PRICE),
    "is_ask": _Range(0, 1, Code.INVALID_IS_ASK),
    "order_type": _Range(min(OrderType), max(OrderType), Code.INVALID_ORDER_TYPE),
    "time_in_force": _Range(min(TimeInForce), max(TimeInForce), Code.INVALID_TIME_IN_FORCE),
    "reduce_only": _Range(0, 1, Code.INVALID_REDUCE_ONLY),
    "trigger_price": _Range(0, _UINT32_MAX, Code.INVALID_TRIGGER_PRICE),
    "order_expiry": _Range(0, _UINT48_MAX, Code.INVALID_EXPIRY),
    "time": _Range(0, _UINT48_MAX, Code.INVALID_CANCEL_ALL_TIME),
    "initial_margin_fraction": _Range(1, 10_000, Code.INVALID_MARGIN_FRACTION),
    "margin_mode": _Range(0, 1, Code.ISOLATED_MARGIN_UNSUPPORTED),
    "expired_at": _Range(0, _UINT48_MAX, Code.INVALID_TX_INFO),
    "nonce": _Range(0, _UINT48_MAX, Code.INVALID_NONCE),
}
_CANCEL_ALL_RANGES = _RANGES | {
    "time_in_force": _Range(min(CancelAllMode), max(CancelAllMode), Code.INVALID_CANCEL_ALL_TIME_IN_FORCE)
}
_PERPETUAL_MARKETS = range(255)
_SPOT_MARKETS = range(2048, 4095)


def _bounds(kind: type, name: str) -> tuple[int, int]:
    """Return between what a field nearly always lies: a spot market does not."""
    if name == "market_index":
        return _PERPETUAL_MARKETS.start, _PERPETUAL_MARKETS.stop - 1
    ranges = _CANCEL_ALL_RANGES if kind is CancelAllOrdersTx else _RANGES
    return ranges[name].low, ranges[name].high


class _Fields(NamedTuple):
    """The fields of a kind that have a range, what reads their values, and between what these nearly always lie."""

    names: tuple[str, ...]
    values_of: Callable[[Transaction], tuple[int, ...]]
    lows: list[int]
    highs: list[int]


def _fields(kind: type[Transaction]) -> _Fields:
    names = kind.__struct_fields__[:-2]
    bounds = [_bounds(kind, name) for name in names]
    return _Fields(names, attrgetter(*names), [low for low, _ in bounds], [high for _, high in bounds])


_FIELDS = {kind: _fields(kind) for kind in _CLASSES}
_WITHOUT_MORE_RULES = (ModifyOrderTx, CancelOrderTx, UpdateLeverageTx)  # than the range of each field

_TIMES_IN_FORCE: dict[int, tuple[TimeInForce, ...]] = {  # any, where not named
    OrderType.MARKET: (TimeInForce.IMMEDIATE_OR_CANCEL,),
    OrderType.STOP_LOSS: (TimeInForce.IMMEDIATE_OR_CANCEL,),
    OrderType.TAKE_PROFIT: (TimeInForce.IMMEDIATE_OR_CANCEL,),
    OrderType.TWAP: (TimeInForce.GOOD_TILL_TIME,),
}

_ATTRIBUTE_RANGES: dict[int, range] = {
    Attribute.INTEGRATOR_ACCOUNT: range(2**48 - 1),
    Attribute.INTEGRATOR_TAKER_FEE: range(10**6 + 1),
    Attribute.INTEGRATOR_MAKER_FEE: range(10**6 + 1),
    Attribute.SKIP_NONCE: range(2),
    Attribute.CANCEL_ALL_MARKET: range(256),
    Attribute.SELF_TRADE_BEHAVIOR: range(4),
    Attribute.SELF_TRADE_EQUALITY: range(2),
    Attribute.ORDER_VERSION: range(2**48),  # the official library refuses more (measured)
}
_INTEGRATOR_FEES = {Attribute.INTEGRATOR_TAKER_FEE, Attribute.INTEGRATOR_MAKER_FEE}
_INTEGRATOR = {Attribute.INTEGRATOR_ACCOUNT} | _INTEGRATOR_FEES
_SELF_TRADE = {Attribute.SELF_TRADE_BEHAVIOR, Attribute.SELF_TRADE_EQUALITY}
_ATTRIBUTES_OF = {
    TxType.CREATE_ORDER: {Attribute.SKIP_NONCE} | _INTEGRATOR | _SELF_TRADE,
    TxType.CANCEL_ORDER: {Attribute.SKIP_NONCE},
    TxType.CANCEL_ALL_ORDERS: {Attribute.SKIP_NONCE, Attribute.CANCEL_ALL_MARKET},
    TxType.MODIFY_ORDER: {Attribute.SKIP_NONCE, Attribute.ORDER_VERSION} | _INTEGRATOR | _SELF_TRADE,
    TxType.UPDATE_LEVERAGE: {Attribute.SKIP_NONCE},
}
_REDUCE_BOTH = 3


def check(tx: Transaction) -> FieldFault | None:
    """Return the first rule a transaction breaks by itself, or None (4.3, 4.4, 4.6, 4.10).

    Order types 2-6 pass when they are well-formed: whether a venue supports them is its matter.
    Windows measured from now (order expiry, cancel-all time) and market limits are checked where
    clock and market are known. INVALID_TX_INFO where the reference names no code [guess].
    """
    fields = _FIELDS[type(tx)]
    values = fields.values_of(tx)
    is_in_range = all(map(le, fields.lows, values)) and all(map(le, values, fields.highs))
    if is_in_range and isinstance(tx, _WITHOUT_MORE_RULES) and not tx.l2_tx_attributes:
        return None  # as nearly always, and found out first
    return next(_faults(tx), None)


def _faults(tx: Transaction) -> Iterator[FieldFault]:
    yield from _range_faults(tx)
    if isinstance(tx, CreateOrderTx):
        yield from _create_faults(tx)
    if isinstance(tx, CancelAllOrdersTx) and bool(tx.time) != (tx.time_in_force == CancelAllMode.SCHEDULED):
        yield FieldFault(
            Code.INVALID_CANCEL_ALL_TIME,
            f"cancel-all time {tx.time} is not allowed for time in force {tx.time_in_force}",
        )
    if tx.l2_tx_attributes:
        yield from _attribute_faults(tx)


def _range_faults(tx: Transaction) -> Iterator[FieldFault]:
    """Check each field by itself (4.3)."""
    fields = _FIELDS[type(tx)]
    ranges = _CANCEL_ALL_RANGES if isinstance(tx, CancelAllOrdersTx) else _RANGES
    for name, value in zip(fields.names, fields.values_of(tx), strict=True):
        if name == "market_index":
            if value not in _PERPETUAL_MARKETS and value not in _SPOT_MARKETS:
                yield FieldFault(Code.INVALID_MARKET, f"invalid market index: {value}")
        elif not ranges[name].low <= value <= ranges[name].high:
            yield FieldFault(ranges[name].code, f"invalid {name.replace('_', ' ')}: {value}")


def _create_faults(tx: CreateOrderTx) -> Iterator[FieldFault]:
    """Check what the fields of an order allow each other (4.3, 4.4)."""
    kind, tif = tx.order_type, tx.time_in_force
    is_spot = tx.market_index in _SPOT_MARKETS
    is_conditional = OrderType.STOP_LOSS <= kind <= OrderType.TAKE_PROFIT_LIMIT
    must_expire = is_conditional or tif != TimeInForce.IMMEDIATE_OR_CANCEL
    if tx.base_amount == 0 and not tx.reduce_only:
        yield FieldFault(Code.INVALID_BASE_AMOUNT, "base amount 0 is allowed for reduce-only orders alone")
    if tx.reduce_only and is_spot:
        yield FieldFault(Code.INVALID_REDUCE_ONLY, "reduce-only is not allowed on a spot market")
    if is_conditional and is_spot:
        yield FieldFault(Code.UNSUPPORTED_ORDER_TYPE, "conditional orders are not supported on a spot market")
    if tif not in _TIMES_IN_FORCE.get(kind, tuple(TimeInForce)):
        yield FieldFault(Code.INVALID_TIME_IN_FORCE, f"time in force {tif} is not allowed for order type {kind}")
    if bool(tx.trigger_price) != is_conditional:
        yield FieldFault(
            Code.INVALID_TRIGGER_PRICE, f"trigger price {tx.trigger_price} is not allowed for order type {kind}"
        )
    if bool(tx.order_expiry) != must_expire:
        yield FieldFault(
            Code.INVALID_EXPIRY, f"order expiry {tx.order_expiry} is not allowed for this type and time in force"
        )


def _attribute_faults(tx: Transaction) -> Iterator[FieldFault]:
    """Check the attributes that are not nil (4.6)."""
    given = attributes(tx)
    if len(given) > ATTRIBUTES_MAX:
        yield FieldFault(Code.INVALID_TX_INFO, f"at most {ATTRIBUTES_MAX} attributes are allowed")
    for key, value in given.items():
        if key not in _ATTRIBUTES_OF[tx.tx_type]:
            yield FieldFault(Code.INVALID_TX_INFO, f"attribute {key} is not allowed for transaction type {tx.tx_type}")
        elif key == Attribute.CANCEL_ALL_MARKET and value in _SPOT_MARKETS:
            yield FieldFault(Code.INVALID_MARKET_TYPE, f"a one-market cancel-all is for perpetuals: {value}")
        elif value not in _ATTRIBUTE_RANGES[key]:
            yield FieldFault(Code.INVALID_TX_INFO, f"invalid value of attribute {key}: {value}")
    has_fees = not _INTEGRATOR_FEES.isdisjoint(given)
    if has_fees and Attribute.INTEGRATOR_ACCOUNT not in given:
        yield FieldFault(Code.INVALID_TX_INFO, "integrator fees need an integrator account")
    if has_fees and not _SELF_TRADE.isdisjoint(given):
        yield FieldFault(Code.INVALID_TX_INFO, "self-trade settings are not allowed together with integrator fees")
    if given.get(Attribute.SELF_TRADE_BEHAVIOR) == _REDUCE_BOTH and Attribute.SELF_TRADE_EQUALITY in given:
        yield FieldFault(Code.INVALID_TX_INFO, "reduce self-trade behavior is not allowed with master account equality")
    is_immediate = isinstance(tx, CancelAllOrdersTx) and tx.time_in_force == CancelAllMode.IMMEDIATE
    if Attribute.CANCEL_ALL_MARKET in given and not is_immediate:
        yield FieldFault(Code.INVALID_TX_INFO, "only an immediate cancel-all can be limited to one market")
