"""The money limits an operator sets. None has a default: an unset limit is a refusal to start."""

import msgspec

from lighterman.domain.market import Market
from lighterman.domain.units import parse_fixed


class MarketLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one market."""

    position_max: str  # base units, a decimal text: worst case, resting and in flight included

    def position_max_lots(self, market: Market) -> int:
        """Return the cap in lots; raises UnitError where it is not a whole number of lots."""
        return parse_fixed(self.position_max, market.size_decimals)


class AccountLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits over all markets. Money in micro-USDC."""

    total_position_micro_max: int
    order_value_micro_max: int
    daily_loss_micro_max: int
    price_collar_bps: float = 200.0  # farthest an order may stand from mark and from mid
    data_age_ms_max: int = 2000  # older market data is no data
    messages_per_minute: int = 4000  # transactions, all kinds; the venue's tier caps it
    cancel_reserve_fraction: float = 0.2  # of that budget, kept for cancels alone

    @property
    def messages_kept_for_cancels(self) -> int:
        """Return how many transactions a minute creates and modifies leave alone."""
        return int(self.messages_per_minute * self.cancel_reserve_fraction)
