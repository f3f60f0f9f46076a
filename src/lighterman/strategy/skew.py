"""What inventory does to the quotes: long moves both down, short moves both up."""

import math


def skew(position_lots: int, position_max_lots: int) -> float:
    """Return inventory as a fraction of its limit, clamped to [-1, 1]; positive is long."""
    share = position_lots / position_max_lots
    return share if -1.0 <= share <= 1.0 else math.copysign(1.0, share)


def side_spreads_bps(half_spread_bps: float, inventory_skew: float, skew_factor: float) -> tuple[float, float]:
    """Return the bid's and the ask's distance from fair.

    Long: the bid stands further away and the ask nearer, by equal bps, so that the full
    spread stays and its centre moves down. (The seed had the sign inverted: Q1.)
    """
    shift_bps = half_spread_bps * inventory_skew * skew_factor
    return half_spread_bps + shift_bps, half_spread_bps - shift_bps
