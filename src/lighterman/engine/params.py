"""The engine's own settings: which markets, how often, how long to wait."""

import msgspec

from lighterman.risk.limits import AccountLimits, MarketLimits
from lighterman.strategy.params import QuoteParams


class MarketParams(msgspec.Struct, frozen=True, kw_only=True):
    """One configured market: `label` is the operator's name, `symbol` the venue's."""

    label: str
    symbol: str
    quote: QuoteParams
    limits: MarketLimits


class EngineParams(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the engine is told before the first event."""

    markets: list[MarketParams]
    limits: AccountLimits
    account_index: int
    requote_interval_ms: int = 100  # a market is not quoted anew more often than this
    position_check_interval_ms: int = 100  # PnL and limits are looked at this often without events
    answer_timeout_ms: int = 5000  # an unanswered command becomes unknown and is asked about
    transaction_lifetime_ms: int = 10_000  # how long after signing the venue may still run a transaction
    reconcile_interval_ms: int = 30_000
    orders_tracked_max: int = 1000
