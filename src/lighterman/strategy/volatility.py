"""How much the fair price moves, in basis points over the quoting horizon.

The unit is said once and everywhere: the standard deviation of log returns over
`volatility_horizon_s`, in bps. (The seed took an annualised figure for a spread in bps, which
pins the spread at its maximum in any real market: seed reference Q2.)
"""

import math
from collections import deque

from lighterman.domain.units import BPS
from lighterman.strategy.params import QuoteParams

NS_PER_S = 1_000_000_000
GAP_SAMPLES = 5  # a silence longer than this many samples, and than this many seconds, ends the
GAP_NS = 5 * NS_PER_S  # series: how the price moved in it is unknown


class Volatility:
    """Samples the fair price about every `volatility_sample_s` and keeps the last returns.

    Samples come when the market is looked at, not on a grid, so each return is weighed by the
    time it took. For returns r over times t of a price that diffuses with a drift,
    drift = sum(r) / sum(t) and variance per second = mean((r - drift t)^2 / t): with equal
    times this is the population variance (seed reference 2.10, row 3).

    `bps` is the volatility over the horizon, None while there are too few samples.
    """

    __slots__ = ("_gap_ns", "_horizon_s", "_last_log", "_last_ns", "_returns", "_samples_min", "_spacing_ns", "bps")

    def __init__(self, params: QuoteParams) -> None:
        self._spacing_ns = int(params.volatility_sample_s * NS_PER_S)
        self._gap_ns = max(GAP_SAMPLES * self._spacing_ns, GAP_NS)
        self._samples_min = params.volatility_samples_min
        self._horizon_s = params.volatility_horizon_s
        self._returns: deque[tuple[float, float]] = deque(maxlen=params.volatility_window)  # (log return, seconds)
        self._last_log = 0.0
        self._last_ns: int | None = None
        self.bps: float | None = None

    def observe(self, fair_ticks: float, now_ns: int) -> None:
        """Take a sample when one is due; called with fresh prices only."""
        last_ns = self._last_ns
        if last_ns is not None and now_ns < last_ns + self._spacing_ns:
            return
        log = math.log(fair_ticks)
        if last_ns is not None:
            if now_ns - last_ns > self._gap_ns:
                self._returns.clear()
            else:
                self._returns.append((log - self._last_log, (now_ns - last_ns) / NS_PER_S))
            self.bps = self._measure()
        self._last_log, self._last_ns = log, now_ns

    def _measure(self) -> float | None:
        returns = self._returns
        if len(returns) < self._samples_min:
            return None
        drift = sum([value for value, _ in returns], 0.0) / sum([seconds for _, seconds in returns], 0.0)
        variance = sum([(value - drift * seconds) ** 2 / seconds for value, seconds in returns], 0.0) / len(returns)
        return math.sqrt(variance * self._horizon_s) * BPS
