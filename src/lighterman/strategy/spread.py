"""How far from fair we quote before inventory is looked at."""

from lighterman.strategy.params import QuoteParams


def half_spread_bps(params: QuoteParams, volatility_bps: float | None, imbalance: float) -> float:
    """Return the half-spread in bps, between the configured minimum and maximum.

    Grows with volatility and with a one-sided book (seed reference 2.10, row 4). Until the
    volatility is known it is the maximum: not knowing is no reason to quote tightly.
    """
    if volatility_bps is None:
        return params.half_spread_max_bps
    wanted = (
        params.half_spread_min_bps
        + params.volatility_factor * volatility_bps
        + params.imbalance_factor_bps * abs(imbalance)
    )
    return min(params.half_spread_max_bps, wanted)
