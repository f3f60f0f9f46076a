"""What an account can ask of the exchange: the transactions of protocol reference 4.2, as meant.

The server makes these from verified transactions; market participants make them directly and
leave the fields of a transaction (key, nonce, hash) at their defaults.
"""

import enum

import msgspec

NO_KEY = 255  # protocol reference 1.3: the nil api key index
NO_NONCE = -1
NEVER_MS = 2**48 - 1  # the largest ExpiredAt (protocol reference 4.3)


class OrderKind(enum.IntEnum):
    """Order types of protocol reference 4.4 that this exchange knows; 8 is made by itself only."""

    LIMIT = 0
    MARKET = 1
    LIQUIDATION = 8


class TimeInForce(enum.IntEnum):
    """How long an order lives (protocol reference 4.4)."""

    IOC = 0
    GTT = 1
    POST_ONLY = 2


class SelfTrade(enum.IntEnum):
    """What a taker does on meeting an order of its own (protocol reference 9.4)."""

    EXPIRE_MAKER = 0
    EXPIRE_TAKER = 1
    CANCEL_BOTH = 2
    REDUCE_BOTH = 3


class DropAllMode(enum.IntEnum):
    """The three cancel-alls of protocol reference 4.10."""

    IMMEDIATE = 0
    SCHEDULE = 1
    ABORT = 2


class MarginMode(enum.IntEnum):
    """How a position is margined; this exchange refuses isolated."""

    CROSS = 0
    ISOLATED = 1


class _Request(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Base: who asks, and under which transaction."""

    account_index: int
    api_key_index: int = NO_KEY
    nonce: int = NO_NONCE
    skip_nonce: bool = False
    expired_at_ms: int = NEVER_MS
    tx_hash: str = ""


class NewOrder(_Request, frozen=True, gc=False, kw_only=True):
    """Create an order. `price_ticks` of a market order is its worst average price.

    `client_order_index` 0 is none. `expiry_ms` 0 is never; only IOC orders and the orders of
    market participants may say so.
    """

    market: int
    size_lots: int
    price_ticks: int
    is_ask: bool
    client_order_index: int = 0
    kind: OrderKind = OrderKind.LIMIT
    time_in_force: TimeInForce = TimeInForce.GTT
    reduce_only: bool = False
    expiry_ms: int = 0
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    same_master: bool = False
    tx_type: int = 14


class AmendOrder(_Request, frozen=True, gc=False, kw_only=True):
    """Give an order a new price and a new TOTAL size (protocol reference 4.8).

    `index` is a client order index below 2^48, else an order index. `order_version` None acts
    always, otherwise only while the order is at that version.
    """

    market: int
    index: int
    size_lots: int
    price_ticks: int
    order_version: int | None = None
    tx_type: int = 17


class DropOrder(_Request, frozen=True, gc=False, kw_only=True):
    """Cancel one order, named by client order index (below 2^48) or by order index."""

    market: int
    index: int
    tx_type: int = 15


class DropAll(_Request, frozen=True, gc=False, kw_only=True):
    """Cancel every order at once (of one market if given), at `time_ms`, or abort the latter."""

    mode: DropAllMode = DropAllMode.IMMEDIATE
    time_ms: int = 0
    market: int | None = None
    tx_type: int = 16


class SetLeverage(_Request, frozen=True, gc=False, kw_only=True):
    """Set the initial margin fraction (1e-4) of the account's position in a market."""

    market: int
    initial_margin_fraction: int
    margin_mode: MarginMode = MarginMode.CROSS
    tx_type: int = 20


Request = NewOrder | AmendOrder | DropOrder | DropAll | SetLeverage
