"""What an operator may choose about quoting, and its binding to a market's integers.

`QuoteParams` is what the configuration says, in the operator's units; `QuoteRules` is the same
bound to one market: lots instead of decimal texts. Basis points are always of the fair price,
and every spread here is a half-spread: the distance of one side from the fair price.
"""

from fractions import Fraction

import msgspec

from lighterman.domain.errors import UnitError
from lighterman.domain.market import Market
from lighterman.domain.units import divide_ceil, divide_floor, parse_fixed, size_floor


class QuoteParams(msgspec.Struct, frozen=True, kw_only=True):
    """How one market is quoted; the names of the seed's keys stand in docs/configuration.md."""

    order_size: str  # base units of level 0, a decimal text
    half_spread_min_bps: float
    half_spread_max_bps: float
    levels: int
    size_multiplier: float
    skew_factor: float
    fair_price: str = "mid"  # "mid" or "micro"
    volatility_factor: float = 1.0
    volatility_horizon_s: float = 10.0
    volatility_sample_s: float = 1.0
    volatility_window: int = 60
    volatility_samples_min: int = 20
    imbalance_factor_bps: float = 20.0
    imbalance_levels: int = 5
    level_step: float = 0.5
    edge_min_bps: float = 0.0
    reprice_threshold_bps: float = 1.0
    resize_threshold_fraction: float = 0.25
    order_age_max_s: float = 0.0  # 0: no limit


class QuoteRules(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of one market in its own integers, with what need not be computed twice."""

    params: QuoteParams
    market: Market
    order_value_micro_max: int  # of one order: ours or the venue's, whichever is less
    sizes_lots: list[int]  # wished size of each level, before any cap
    total_lots: int  # their sum
    uncut_ticks_min: int  # from this price on every level is worth the venue's minimum
    uncut_ticks_max: int  # and up to this one no level is worth more than one order may be
    level_factors: list[float]  # how much further than level 0 each level stands
    edge_min_bps: float  # the nearest a quote may stand to fair: the maker fee, or more


def bind(params: QuoteParams, market: Market, order_value_micro_max: int) -> QuoteRules:
    """Return the parameters in the market's lots.

    Sizes are worked out exactly and rounded down to a lot: 100 x 1.15 is 115, which floats
    make 114. Raises UnitError where the configured size is not a whole number of lots, or a
    level is below the venue's minimum size.
    """
    base_lots = parse_fixed(params.order_size, market.size_decimals)
    multiplier = Fraction(repr(params.size_multiplier))
    sizes = [size_floor(base_lots * multiplier**level) for level in range(params.levels)]
    least = max(1, market.min_base_lots)
    if min(sizes) < least:
        raise UnitError(
            f"minOrderSize {params.order_size}: the smallest level, {market.size_text(min(sizes))}, "
            f"is below the venue's minimum {market.size_text(least)} of {market.symbol}"
        )
    return QuoteRules(
        params=params,
        market=market,
        order_value_micro_max=order_value_micro_max,
        sizes_lots=sizes,
        total_lots=sum(sizes),
        uncut_ticks_min=max(1, divide_ceil(market.min_quote_micro, market.notional_micro(1, min(sizes)))),
        uncut_ticks_max=divide_floor(order_value_micro_max, market.notional_micro(1, max(sizes))),
        level_factors=[1 + params.level_step * level for level in range(params.levels)],
        edge_min_bps=max(params.edge_min_bps, market.maker_fee_ppm / 100),
    )
