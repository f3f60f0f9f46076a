"""What can be asked of the exchange: frozen records, true at the moment of asking."""

import enum

import msgspec

from lighterman.matching.outputs import OrderRow
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import Request


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """All transactions are queued; `predicted_us[i]` is when the i-th will be executed."""

    predicted_us: list[int]


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """None is queued: the one at position `at` has this fault."""

    reason: Reject
    at: int


class Health(enum.IntEnum):
    """Protocol reference 8.5, worst last."""

    HEALTHY = 0
    PRE_LIQUIDATION = 1
    PARTIAL_LIQUIDATION = 2
    FULL_LIQUIDATION = 3
    BANKRUPT = 4


class PositionView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A position row; flat rows stay once a market was traded. Liquidation price 0 is none."""

    market: int
    size_lots: int
    entry_quote_micro: int
    initial_margin_fraction: int
    open_order_count: int
    value_micro: int
    unrealised_micro: int
    realised_micro: int
    funding_pico: int
    liquidation_price_ticks: int


class AccountView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An account; margins and values in pico-USDC, funding received is positive."""

    index: int
    l1_address: str
    tier: str
    collateral_pico: int
    value_pico: int
    initial_margin_pico: int
    maintenance_margin_pico: int
    closeout_margin_pico: int
    available_pico: int
    health: Health
    cancel_all_ms: int
    open_order_count: int
    positions: list[PositionView]
    fees_pico: int
    funding_pico: int
    realised_micro: int
    traded_micro: int
    trade_count: int
    created_us: int
    updated_us: int


class KeyView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An api key; `next_nonce` counts what is queued."""

    account_index: int
    api_key_index: int
    public_key: bytes
    next_nonce: int
    maker_only: bool
    updated_us: int


class MarketStats(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Prices, funding and the last 24 hours of a market; a price of 0 is unknown.

    `current_funding_rate_ppm` estimates the coming payment, `funding_rate_ppm` was the last
    (both per hour). `open_interest_lots` counts both sides. `day_*` cover whole hours.
    """

    market: int
    index_ticks: int
    mark_ticks: int
    last_trade_ticks: int
    open_interest_lots: int
    current_funding_rate_ppm: int
    funding_rate_ppm: int
    funding_at_us: int
    premium_ppm: int
    day_trades: int
    day_base_lots: int
    day_quote_micro: int
    day_low_ticks: int
    day_high_ticks: int
    day_open_ticks: int


class FundingRound(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One hourly funding of a market: `rate_ppm` of `index_ticks` per lot, longs pay when positive."""

    market: int
    funding_id: int
    rate_ppm: int
    index_ticks: int
    at_us: int


class TransactionState(enum.IntEnum):
    """`status` of protocol reference 2.7.7 (3, final, is not simulated)."""

    FAILED = 0
    PENDING = 1
    EXECUTED = 2


class TransactionRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A transaction that was queued, and what became of it; `sequence_index` orders them."""

    request: Request
    state: TransactionState
    error: str
    row: OrderRow | None
    queued_us: int
    predicted_us: int
    executed_us: int
    sequence_index: int
    block_height: int
