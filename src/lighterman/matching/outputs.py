"""What the exchange says happened, in the order in which it happened.

Sizes in lots, prices in ticks, money in micro- or pico-USDC, times in epoch microseconds unless
named otherwise. Records that name only an account or a market mean "read it again": the views
of `exchange.py` are current when `take_outputs` returns.

The orders, positions and transactions of market participants (accounts opened
`free_of_limits`) are not reported, only their trades and what they do to the book.
"""

import enum

import msgspec

from lighterman.matching.rejects import Reject
from lighterman.matching.requests import OrderKind, TimeInForce


class OrderStatus(enum.StrEnum):
    """The venue's words for where an order stands (protocol reference 7.1)."""

    IN_PROGRESS = "in-progress"
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    CANCELED_POST_ONLY = "canceled-post-only"
    CANCELED_REDUCE_ONLY = "canceled-reduce-only"
    CANCELED_POSITION_NOT_ALLOWED = "canceled-position-not-allowed"
    CANCELED_MARGIN_NOT_ALLOWED = "canceled-margin-not-allowed"
    CANCELED_TOO_MUCH_SLIPPAGE = "canceled-too-much-slippage"
    CANCELED_NOT_ENOUGH_LIQUIDITY = "canceled-not-enough-liquidity"
    CANCELED_SELF_TRADE = "canceled-self-trade"
    CANCELED_EXPIRED = "canceled-expired"
    CANCELED_LIQUIDATION = "canceled-liquidation"


class TradeType(enum.StrEnum):
    """Why two accounts traded (protocol reference 2.7.3)."""

    TRADE = "trade"
    LIQUIDATION = "liquidation"
    DELEVERAGE = "deleverage"


class _Output(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Base of all outputs."""


class OrderRow(_Output, frozen=True, gc=False, kw_only=True):
    """An order as it stood at `updated_us` (protocol reference 2.7.4).

    `remaining_lots` is zero once the order has ended, whatever was filled. `queue_nonce` is its
    place in the queue of its price (lower is earlier for asks, higher is earlier for bids).
    """

    order_index: int
    client_order_index: int
    market: int
    account_index: int
    is_ask: bool
    price_ticks: int
    size_lots: int
    remaining_lots: int
    filled_lots: int
    filled_quote_micro: int
    kind: OrderKind
    time_in_force: TimeInForce
    reduce_only: bool
    expiry_ms: int
    status: OrderStatus
    queue_nonce: int
    order_version: int
    created_us: int
    updated_us: int
    block_height: int


class LevelChanged(_Output, frozen=True, gc=False, kw_only=True):
    """A level of the public book has a new absolute size (zero: gone); `nonce` counts these by one."""

    market: int
    is_ask: bool
    price_ticks: int
    size_lots: int
    nonce: int
    at_us: int


class TradeDone(_Output, frozen=True, gc=False, kw_only=True):
    """A trade with all facts of protocol reference 2.7.3; `block_ms` is its `timestamp`.

    `*_size_before_lots` is signed. `*_realised_micro` excludes fees. Order indexes are zero for
    a side without an order (the insurance fund, a deleveraged account).
    """

    trade_id: int
    trade_type: TradeType
    market: int
    price_ticks: int
    size_lots: int
    quote_micro: int
    is_maker_ask: bool
    ask_account_index: int
    bid_account_index: int
    ask_order_index: int
    bid_order_index: int
    ask_client_order_index: int
    bid_client_order_index: int
    ask_order_version: int
    bid_order_version: int
    ask_realised_micro: int
    bid_realised_micro: int
    taker_fee_ppm: int
    maker_fee_ppm: int
    taker_size_before_lots: int
    maker_size_before_lots: int
    taker_entry_quote_before_micro: int
    maker_entry_quote_before_micro: int
    taker_margin_fraction_before: int
    maker_margin_fraction_before: int
    taker_sign_changed: bool
    maker_sign_changed: bool
    tx_hash: str
    block_height: int
    block_ms: int
    at_us: int


class OrderChanged(_Output, frozen=True, gc=False, kw_only=True):
    """An order was created, changed or ended."""

    row: OrderRow


class PositionChanged(_Output, frozen=True, gc=False, kw_only=True):
    """The position row of an account in a market changed (size or leverage)."""

    account_index: int
    market: int


class CollateralChanged(_Output, frozen=True, gc=False, kw_only=True):
    """An account's collateral changed."""

    account_index: int


class TransactionExecuted(_Output, frozen=True, gc=False, kw_only=True):
    """A queued transaction was executed and its nonce used; `error` is empty when it took effect.

    `row` is the order it created, changed or ended, if any.
    """

    account_index: int
    api_key_index: int
    nonce: int
    tx_hash: str
    tx_type: int
    error: str
    row: OrderRow | None
    at_us: int


class TransactionDropped(_Output, frozen=True, gc=False, kw_only=True):
    """A queued transaction could not be executed; its nonce was not used (protocol reference 4.7)."""

    account_index: int
    api_key_index: int
    nonce: int
    tx_hash: str
    tx_type: int
    reason: Reject
    at_us: int


class FundingPaid(_Output, frozen=True, gc=False, kw_only=True):
    """An account received (+) or paid (-) funding on a position of `size_lots`."""

    account_index: int
    market: int
    funding_id: int
    amount_pico: int
    rate_ppm: int
    size_lots: int
    at_us: int


class StatsChanged(_Output, frozen=True, gc=False, kw_only=True):
    """Index, mark or funding of a market changed."""

    market: int


Output = (
    LevelChanged
    | TradeDone
    | OrderChanged
    | PositionChanged
    | CollateralChanged
    | TransactionExecuted
    | TransactionDropped
    | FundingPaid
    | StatsChanged
)
