"""The waterfall of one quote: from fair price to the price on the wire, in named steps of bps."""

from lighterman.domain.units import BPS
from lighterman.strategy.params import QuoteRules
from lighterman.strategy.quoter import Quotes


def explain(quotes: Quotes, rules: QuoteRules, *, is_ask: bool, level: int) -> list[tuple[str, float]]:
    """Return (component, bps) pairs that sum to the quote's distance from fair.

    Components: the configured minimum, volatility, imbalance, the clamp to the maximum (or
    the wait for enough volatility samples), inventory, the level's factor, and "tick": rounding
    outward plus any clipping at the touch, the edge floor or the neighbouring level.
    """
    params, basis = rules.params, quotes.basis
    if basis.volatility_bps is None:
        parts = [("volatility not yet known: maximum", basis.half_spread_bps)]
    else:
        volatility = params.volatility_factor * basis.volatility_bps
        imbalance = params.imbalance_factor_bps * abs(basis.imbalance)
        clamp = basis.half_spread_bps - params.half_spread_min_bps - volatility - imbalance
        parts = [
            ("minimum", params.half_spread_min_bps),
            ("volatility", volatility),
            ("imbalance", imbalance),
            ("maximum", clamp),
        ]
    side_bps = basis.ask_spread_bps if is_ask else basis.bid_spread_bps
    price_ticks = quotes.ask_ticks[level] if is_ask else quotes.bid_ticks[level]
    parts.append(("inventory", side_bps - basis.half_spread_bps))
    parts.append(("level", side_bps * params.level_step * level))
    away = price_ticks - basis.fair_ticks if is_ask else basis.fair_ticks - price_ticks
    distance_bps = away / basis.fair_ticks * BPS
    parts.append(("tick", distance_bps - sum(bps for _, bps in parts)))
    return parts
