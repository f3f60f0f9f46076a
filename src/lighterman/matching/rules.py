"""Every number and switch of the exchange in one record: what a test or an operator may turn.

Defaults are those of protocol reference 1.5, 4.10, 4.11, 8.2, 9 and 14 (ambiguity in brackets).
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

MS = 1_000  # microseconds
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

PPM = 1_000_000
FRACTION_ONE = 10_000  # margin fractions are in 1e-4


class Tier(msgspec.Struct, frozen=True, gc=False):
    """Fees and speed bumps of an account type (protocol reference 1.5)."""

    name: str
    maker_fee_ppm: int
    taker_fee_ppm: int
    maker_delay_us: int
    taker_delay_us: int
    cancel_delay_us: int


def _staked(name: str, maker_fee_ppm: int, taker_fee_ppm: int, taker_delay_ms: int) -> Tier:
    """Return a premium row: makers and cancels are not delayed."""
    return Tier(name, maker_fee_ppm, taker_fee_ppm, 0, taker_delay_ms * MS, 0)


TIERS: Mapping[str, Tier] = MappingProxyType(
    {
        tier.name: tier
        for tier in (
            Tier("standard", 0, 0, 200 * MS, 300 * MS, 200 * MS),  # cancels
            _staked("premium", 40, 280, 200),
            _staked("premium-1k", 39, 273, 195),
            _staked("premium-3k", 38, 266, 190),
            _staked("premium-10k", 36, 252, 180),
            _staked("premium-30k", 34, 238, 170),
            _staked("premium-100k", 32, 224, 160),
            _staked("premium-300k", 30, 210, 150),
            _staked("premium-500k", 28, 196, 140),
            Tier("plus", 50, 50, 200 * MS, 300 * MS, 200 * MS),
        )
    },
)


class Rules(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The exchange's switches. Times in microseconds, fractions in ppm unless named otherwise."""

    tiers: Mapping[str, Tier] = TIERS

    # Transactions
    queued_per_key_max: int = 1_000  # more are refused TOO_MANY_PENDING
    refuse_dead_cancel: bool = False  # cancel or modify of an unknown order: refuse, or executed no-op
    refuse_poor_maker: bool = True  # pre-check the margin of resting orders (21739)
    accidental_band_ppm: int | None = 100_000  # aggressive side of a limit price against mark (21733)
    far_band_ppm: int | None = 500_000  # passive side (21734)

    # Orders
    orders_per_account_max: int = 1_500
    orders_per_market_max: int = 1_000
    expiry_min_us: int = 5 * MINUTE
    expiry_max_us: int = 30 * DAY
    open_interest_limit_micro: int = 2**56 * 1_000_000  # at mark, both sides counted: none

    # Dead man's switch: when due, new orders are refused; `dms_lag_us` later it cancels everything
    dms_min_us: int = 5 * MINUTE
    dms_max_us: int = 15 * DAY
    dms_lag_us: int = 500 * MS  # [G]
    market_cancel_clears_dms: bool = False

    # Prices and funding (ppm per 8 hours)
    mark_premium_tau_us: int = 60 * SECOND
    mark_premium_cap_ppm: int = 5_000
    funding_interest_ppm: int = 100
    funding_clamp_small_ppm: int = 500
    funding_clamp_big_ppm: int = 40_000
    impact_margin_micro: int = 500_000_000  # impact notional is this / the market's minimum IMF

    # Accounts of the exchange itself, and time on its chain
    treasury_account: int = 0
    insurance_account: int = 1
    insurance_collateral_micro: int = 1_000_000_000_000
    block_us: int = 2 * SECOND

    # How much history is kept (per market or per account)
    trades_kept: int = 1_000
    ended_orders_kept: int = 1_000
    fundings_kept: int = 24 * 30
    transactions_kept: int = 10_000
