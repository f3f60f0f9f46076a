"""The venue's JSON objects (protocol reference 2.7 and 3.4-3.6), one struct for both roles.

Law of this file: a client relies on the fields of a `...Facts` struct and on no others, so a
field we never read cannot break us by changing its type or by disappearing. The full struct
extends the facts by what a faithful server sends besides. Integers and texts are those of the
wire: nothing is scaled here (`protocol/translate.py` and the simulator's rendering do that).

Facts without a default must be there; facts with one may be missing. Decoding is lax about
numbers sent as texts (`decode` below), because ids come in both forms.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from lighterman.domain.errors import RemoteProtocolError

T = TypeVar("T")


def decode(data: bytes | str, kind: type[T]) -> T:
    """Return the JSON as `kind`; unknown fields are ignored, texts of numbers taken as numbers.

    Raises RemoteProtocolError when it is not JSON, or a needed field is missing or of a wrong type.
    """
    try:
        return msgspec.json.decode(data, type=kind, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"{kind.__name__}: {error}") from None


class Level(msgspec.Struct, gc=False):
    """One price of an order book; `size` is absolute and zero deletes (3.4)."""

    price: str
    size: str


class Failure(msgspec.Struct, frozen=True, gc=False):
    """What the venue says when it refuses: HTTP bodies and the `error` of stream frames (2.0, 3.2)."""

    code: int
    message: str = ""


class MarketFacts(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a client reads of a perpetual in `orderBookDetails` (2.7.1)."""

    symbol: str
    market_id: int
    market_type: str = "perp"
    status: str
    taker_fee: str
    maker_fee: str
    liquidation_fee: str = "0"
    min_base_amount: str
    min_quote_amount: str
    order_quote_limit: str = "281474976.710655"
    size_decimals: int
    price_decimals: int
    quote_multiplier: int = 1
    default_initial_margin_fraction: int
    min_initial_margin_fraction: int
    maintenance_margin_fraction: int
    closeout_margin_fraction: int


class MarketConfig(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The switches of a market (2.7.1)."""

    market_margin_mode: int = 0
    insurance_fund_account_index: int = 281474976710655
    liquidation_mode: int = 0
    force_reduce_only: bool = False
    trading_hours: str = ""
    funding_fee_discounts_enabled: bool = False
    hidden: bool = False
    rfq_enabled: bool = False


class MarketListing(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A row of `orderBooks` (2.7.1): fees in percent, creation time in ms as text."""

    symbol: str
    market_id: int
    market_type: str
    base_asset_id: int
    quote_asset_id: int
    status: str
    taker_fee: str
    is_taker_fee_enabled: bool
    maker_fee: str
    is_maker_fee_enabled: bool
    liquidation_fee: str
    min_base_amount: str
    min_quote_amount: str
    order_quote_limit: str
    supported_size_decimals: int
    supported_price_decimals: int
    supported_quote_decimals: int
    created_at: str
    multiplier: str


class MarketDetail(MarketFacts, frozen=True, gc=False, kw_only=True):
    """A row of `orderBookDetails` (2.7.1): the listing, the market's rules and its day in floats."""

    base_asset_id: int = 0
    quote_asset_id: int = 0
    is_taker_fee_enabled: bool = True
    is_maker_fee_enabled: bool = True
    supported_size_decimals: int = 0
    supported_price_decimals: int = 0
    supported_quote_decimals: int = 0
    created_at: str = ""
    multiplier: str = ""
    last_trade_price: float = 0
    daily_trades_count: int = 0
    daily_base_token_volume: float = 0
    daily_quote_token_volume: float = 0
    daily_price_low: float = 0
    daily_price_high: float = 0
    daily_price_change: float = 0
    open_interest: float = 0
    daily_chart: Mapping[str, float] = msgspec.field(default_factory=dict)
    market_config: MarketConfig = MarketConfig()
    strategy_index: int = 0
    funding_clamp_small: str = ""
    funding_clamp_big: str = ""
    base_interest_rate: str = ""
    mark_price: str = ""
    index_price: str = ""


class SimpleOrder(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A resting order as everybody sees it (2.7.2); best first in its list."""

    order_index: int
    order_id: str
    owner_account_index: int
    initial_base_amount: str
    remaining_base_amount: str
    price: str
    order_expiry: int
    transaction_time: int


class TradeFacts(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What a client reads of a trade (2.7.3). Fees are rates in ppm, absent when zero.

    The buyer was the aggressor if `is_maker_ask`. `timestamp` is the block's time in ms and
    precedes `transaction_time` (µs).
    """

    trade_id: int
    market_id: int
    size: str
    price: str
    ask_id: int
    bid_id: int
    ask_account_id: int
    bid_account_id: int
    is_maker_ask: bool
    ask_client_id: int
    bid_client_id: int
    type: str = "trade"
    timestamp: int = 0
    transaction_time: int = 0
    taker_fee: int = 0
    maker_fee: int = 0


class Trade(TradeFacts, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A trade as the venue sends it: every field with a default is omitted when zero or false."""

    trade_id_str: str
    tx_hash: str
    type: str
    usd_amount: str
    ask_id_str: str
    bid_id_str: str
    ask_client_id_str: str
    bid_client_id_str: str
    block_height: int
    timestamp: int
    transaction_time: int
    taker_position_size_before: str = ""
    taker_entry_quote_before: str = ""
    taker_initial_margin_fraction_before: int = 0
    taker_position_sign_changed: bool = False
    maker_position_size_before: str = ""
    maker_entry_quote_before: str = ""
    maker_initial_margin_fraction_before: int = 0
    maker_position_sign_changed: bool = False
    taker_allocated_margin_usdc_before: int = 0
    taker_allocated_margin_usdc_after: int = 0
    maker_allocated_margin_usdc_before: int = 0
    maker_allocated_margin_usdc_after: int = 0
    ask_account_pnl: str = ""
    bid_account_pnl: str = ""


class OrderFacts(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a client reads of its own order (2.7.4). What was filled is `filled_base_amount` only.

    `order_index` is 0 until the sequencer has made the order; `updated_at` and `created_at` are
    seconds here and milliseconds elsewhere, `transaction_time` is µs (A-9).
    """

    order_index: int = 0
    client_order_index: int
    market_index: int
    initial_base_amount: str
    filled_base_amount: str
    filled_quote_amount: str = "0"
    remaining_base_amount: str = "0"
    price: str
    is_ask: bool
    status: str
    type: str = "limit"
    time_in_force: str = ""
    reduce_only: bool = False
    order_expiry: int = 0
    created_at: int = 0
    updated_at: int = 0
    transaction_time: int = 0


class Order(OrderFacts, frozen=True, gc=False, kw_only=True):
    """An order as the venue sends it to its owner; `side` is always empty (2.7.4)."""

    order_id: str
    client_order_id: str
    owner_account_index: int
    nonce: int
    base_size: int
    base_price: int
    side: str = ""
    trigger_price: str
    trigger_status: str = "na"
    trigger_time: int = 0
    parent_order_index: int = 0
    parent_order_id: str = "0"
    to_trigger_order_id_0: str = "0"
    to_trigger_order_id_1: str = "0"
    to_cancel_order_id_0: str = "0"
    block_height: int = 0
    timestamp: int = 0
    order_flags: int = 0
    order_version: int = 0
    integrator_fee_collector_index: str = "0"
    integrator_taker_fee: str = "0"
    integrator_maker_fee: str = "0"


class PositionFacts(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a client reads of a position (2.7.5): the size is absolute, `sign` counts only when it is not zero."""

    market_id: int
    sign: int = 0
    position: str
    avg_entry_price: str = ""
    position_value: str = ""
    unrealized_pnl: str = ""
    open_order_count: int = 0
    realized_pnl: str = ""


class AccountPosition(PositionFacts, frozen=True, gc=False, kw_only=True):
    """A position as the venue sends it; margin fraction in percent."""

    symbol: str
    initial_margin_fraction: str
    pending_order_count: int = 0
    position_tied_order_count: int = 0
    liquidation_price: str = "0"
    margin_mode: int = 0
    margin_set_flag: int = 0
    allocated_margin: str = "0.000000"
    total_funding_paid_out: str | msgspec.UnsetType = msgspec.UNSET


class AccountAsset(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An asset of an account; the perpetuals' collateral is USDC's `margin_balance` (12 decimals, 3.6)."""

    symbol: str
    asset_id: int
    margin_balance: str = ""
    balance: str = ""
    locked_balance: str = "0.000000"
    margin_mode: str = "disabled"
    multiplier: str = "1.000000000000000000"


class AccountFacts(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a client reads of its account in `GET account` (2.7.5)."""

    index: int
    collateral: str
    available_balance: str = ""
    status: int = 1
    cancel_all_time: int = 0
    total_order_count: int = 0
    positions: Sequence[PositionFacts] | None = None
    assets: Sequence[AccountAsset] | None = None


class Metadata(msgspec.Struct, frozen=True, gc=False):
    """The looks of an account (2.7.5)."""

    color: str = ""


class AccountSummary(AccountFacts, frozen=True, gc=False, kw_only=True):
    """An account without its positions, as `accountsByL1Address` lists it; nested `code` is 0 (2.0)."""

    code: int = 0
    account_type: int = 0
    l1_address: str
    total_isolated_order_count: int = 0
    pending_order_count: int = 0
    transaction_time: int = 0
    account_trading_mode: int = 0


class DetailedAccount(AccountSummary, frozen=True, gc=False, kw_only=True):
    """An account as `GET account` sends it (2.7.5)."""

    account_index: int
    name: str = ""
    description: str = ""
    can_invite: bool = False
    referral_points_percentage: str = ""
    can_rfq: bool = False
    can_rfq_market_ids: Sequence[int] | None = None
    created_at: int = 0
    metadata: Metadata = Metadata()
    positions: Sequence[AccountPosition]
    assets: Sequence[AccountAsset]
    total_asset_value: str
    cross_asset_value: str
    cross_initial_margin_requirement: str
    cross_maintenance_margin_requirement: str
    shares: Sequence[str] = ()
    pending_unlocks: Sequence[str] = ()
    approved_integrators: Sequence[str] = ()


class TransactionFacts(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a client reads of a transaction (2.7.7); `event_info` is JSON whose `ae` says why it failed.

    `status`: 0 failed, 1 pending, 2 executed, 3 final.
    """

    hash: str
    status: int
    event_info: str = ""
    account_index: int = 0
    api_key_index: int = 255
    nonce: int = -1


class EnrichedTransaction(TransactionFacts, frozen=True, gc=False, kw_only=True):
    """A transaction as `GET tx` and `account_tx` send it; times in ms, `transaction_time` in µs."""

    type: int
    info: str
    transaction_index: int
    l1_address: str
    expire_at: int
    block_height: int
    queued_at: int
    executed_at: int
    sequence_index: int
    parent_hash: str = ""
    transaction_time: int


class EventInfo(msgspec.Struct, frozen=True, gc=False):
    """The part of `event_info` that says why the sequencer refused: empty when it did not."""

    ae: str = ""


class PositionFunding(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One funding payment (2.2, 3.6): `change` < 0 was paid, `rate` is a fraction per hour, seconds."""

    timestamp: int = 0
    market_id: int
    funding_id: int
    change: str
    rate: str = "0"
    position_size: str = ""
    position_side: str = ""
    discount: str = "0.000000"


class MarketStats(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A market's state (3.5): funding rates in percent per hour, clamps in percent per 8 h."""

    market_id: int
    symbol: str = ""
    index_price: str
    mark_price: str
    current_funding_rate: str = "0"
    funding_rate: str = "0"
    funding_timestamp: int = 0
    last_trade_price: str = ""
    mid_price: str = ""
    best_ask_price: str = ""
    best_bid_price: str = ""
    open_interest: str = "0"
    open_interest_limit: str = "72057594037927936.000000"
    base_interest_rate: str = "0.0100"
    funding_clamp_small: str = "0.0500"
    funding_clamp_big: str = "4.0000"
    daily_base_token_volume: float = 0
    daily_quote_token_volume: float = 0
    daily_price_low: float = 0
    daily_price_high: float = 0
    daily_price_change: float = 0


class MarginStats(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The six figures of `user_stats` (3.6), texts in USDC, ratios in percent or times."""

    collateral: str = ""
    portfolio_value: str = ""
    leverage: str = ""
    available_balance: str = ""
    margin_usage: str = ""
    buying_power: str = ""


class UserStats(MarginStats, frozen=True, gc=False, kw_only=True):
    """The `stats` object of `user_stats`: the six figures, then cross-margin and total ones apart."""

    account_trading_mode: int = 0
    cross_stats: MarginStats
    total_stats: MarginStats


TradesByMarket = Mapping[int, Sequence[TradeFacts]]
OrdersByMarket = Mapping[int, Sequence[OrderFacts]]
