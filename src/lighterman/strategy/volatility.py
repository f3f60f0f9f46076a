"""How much the fair price moves, in basis points over the quoting horizon.

The unit is said once and everywhere: the standard deviation of log returns over
`volatility_horizon_s`, in bps. (The seed took an annualised figure for a spread in bps, which
pins the spread at its maximum in any real market: seed reference Q2.)
"""

import math
from collections import deque

from lighterman.strategy.params import QuoteParams

NS_PER_S = 1_000_000_000
GAP_SAMPLES = 5  # a silence this many samples long ends the series: what moved in it is unknown


class Volatility:
    """Samples the fair price at a fixed spacing and keeps the last `volatility_window` of them."""

    __slots__ = ("_bps", "_horizon_samples", "_logs", "_next_ns", "_samples_min", "_spacing_ns")

    def __init__(self, params: QuoteParams) -> None:
        self._spacing_ns = int(params.volatility_sample_s * NS_PER_S)
        self._samples_min = params.volatility_samples_min
        self._horizon_samples = params.volatility_horizon_s / params.volatility_sample_s
        self._logs: deque[float] = deque(maxlen=params.volatility_window + 1)
        self._next_ns = 0
        self._bps: float | None = None

    def observe(self, fair_ticks: float, now_ns: int) -> None:
        """Take a sample when one is due; called with fresh prices only."""
        if now_ns < self._next_ns:
            return
        if now_ns - self._next_ns > GAP_SAMPLES * self._spacing_ns:
            self._logs.clear()
        self._logs.append(math.log(fair_ticks))
        self._next_ns = now_ns + self._spacing_ns
        self._bps = self._measure()

    def bps(self) -> float | None:
        """Return the volatility over the horizon, or None while there are too few samples."""
        return self._bps

    def _measure(self) -> float | None:
        logs = list(self._logs)
        returns = [b - a for a, b in zip(logs, logs[1:], strict=False)]
        if len(returns) < self._samples_min:
            return None
        mean = sum(returns) / len(returns)
        variance = sum((value - mean) ** 2 for value in returns) / len(returns)
        return math.sqrt(variance * self._horizon_samples) * 10_000
