"""Those who take: noise that knows nothing, and three kinds of takers who know something.

Noise comes in self-exciting bursts and in large orders sliced over time, which gives prints
their clustering and the memory of their sides. The informed take quotes that the efficient
price has left behind, after the venue's taker delay; follow its drift; or chase a strong
minute. In sum the noise pays the makers and the makers pay the informed.
"""

import math

import msgspec

from lighterman.domain.chance import Rng
from lighterman.domain.units import price_ceil, price_floor
from lighterman.matching.flow_desk import BP, Desk
from lighterman.matching.flow_price import EfficientPrice

SECOND = 1_000_000
NOISE_REACH_BP = 12.0
DRIFT_REACH_BP = 1.0
TREND_REACH_BP = 4.0
TREND_WINDOW_US = 59 * SECOND
SLICE_SHARE = 0.25  # of the smallest sliced order, on average, per slice
GONE_USD = 50.0  # a rest smaller than this is not worth an order


class NoiseParams(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Takers who know nothing: self-exciting single orders, and large orders sliced in time.

    A single order excites `branching` others on average within `memory_s`, which repeat its
    side with probability `herding`. Sizes are log-normal around `size_usd`. Sliced orders
    begin `parents` times a second, are Pareto-tailed from `parent_usd` and trade `slices`
    times a second, a quarter of `parent_usd` each on average.
    """

    base: float = 0.16
    branching: float = 0.8
    memory_s: float = 0.6
    herding: float = 0.9
    size_usd: float = 200.0
    size_log_sigma: float = 2.5
    imbalance_pull: float = 0.6
    parents: float = 0.02
    parent_usd: float = 4_000.0
    parent_tail: float = 1.6
    slices: float = 2.0


class InformedParams(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Takers who know something: arbitrage of stale quotes, the drift, and the trend of a minute.

    Arbitrage looks `looks` times a second, strikes at quotes that the price has left by
    `edge_bp`, and arrives `delay_ms` later. Drift and trend takers act up to `*_trades` times
    a second, the latter when the last minute moved more than `trend_bp`. Sizes are
    exponential with mean `*usd`.
    """

    looks: float = 8.0
    edge_bp: float = 0.15
    delay_ms: int = 250
    size_usd: float = 20_000.0
    drift_trades: float = 0.5
    drift_usd: float = 1_500.0
    trend_bp: float = 25.0
    trend_trades: float = 1.0
    trend_usd: float = 3_000.0


def _wait_us(rate: float, rng: Rng) -> int:
    """Return an exponential waiting time of at least a microsecond."""
    return max(1, round(rng.expovariate(rate) * SECOND))


class NoiseTaker:
    """Single orders whose arrivals excite others (a Hawkes process, drawn by thinning)."""

    __slots__ = ("_bound", "_desk", "_excitation", "_is_ask", "_params", "_rng", "_woken_us")

    def __init__(self, desk: Desk, params: NoiseParams, rng: Rng, now_us: int) -> None:
        self._desk = desk
        self._params = params
        self._rng = rng
        self._excitation = 0.0
        self._bound = params.base
        self._is_ask = False
        self._woken_us = now_us

    def wake(self, now_us: int) -> int:
        """Trade if this candidate arrival is one, and draw the next candidate."""
        params, rng = self._params, self._rng
        self._excitation *= math.exp((self._woken_us - now_us) / SECOND / params.memory_s)
        self._woken_us = now_us
        if rng.random() * self._bound < params.base + self._excitation:
            self._trade(now_us)
            self._excitation += params.branching / params.memory_s
        self._bound = params.base + self._excitation
        return now_us + _wait_us(self._bound, rng)

    def _trade(self, now_us: int) -> None:
        params, rng = self._params, self._rng
        excited = rng.random() * (params.base + self._excitation) < self._excitation
        if not (excited and rng.random() < params.herding):
            self._is_ask = rng.random() > 0.5 + 0.5 * params.imbalance_pull * self._desk.imbalance()
        value_usd = params.size_usd * math.exp(rng.gauss(0.0, params.size_log_sigma))
        self._desk.sweep(is_ask=self._is_ask, value_usd=value_usd, reach_bp=NOISE_REACH_BP, now_us=now_us)


class SlicedTaker:
    """Large orders of no information, one after the other, traded in slices."""

    __slots__ = ("_desk", "_is_ask", "_left_usd", "_params", "_rng")

    def __init__(self, desk: Desk, params: NoiseParams, rng: Rng) -> None:
        self._desk = desk
        self._params = params
        self._rng = rng
        self._is_ask = False
        self._left_usd = 0.0

    def wake(self, now_us: int) -> int:
        """Trade a slice, or begin the next order when the last is done."""
        params, rng = self._params, self._rng
        if self._left_usd < GONE_USD:
            self._left_usd = params.parent_usd * rng.paretovariate(params.parent_tail)
            self._is_ask = rng.random() < 0.5
        else:
            value_usd = min(self._left_usd, rng.expovariate(1.0 / (params.parent_usd * SLICE_SHARE)))
            self._left_usd -= value_usd
            self._desk.sweep(is_ask=self._is_ask, value_usd=value_usd, reach_bp=NOISE_REACH_BP, now_us=now_us)
        return now_us + _wait_us(params.slices if self._left_usd >= GONE_USD else params.parents, rng)


class Arbitrageur:
    """Looks at random moments for quotes left behind by the price; strikes after the taker delay."""

    __slots__ = ("_desk", "_params", "_price", "_rng", "_strike")

    def __init__(self, desk: Desk, params: InformedParams, price: EfficientPrice, rng: Rng) -> None:
        self._desk = desk
        self._params = params
        self._price = price
        self._rng = rng
        self._strike: tuple[bool, int, float] | None = None  # is_ask, limit price, USD

    def wake(self, now_us: int) -> int:
        """Do what was decided a delay ago, or decide."""
        if self._strike is not None:
            is_ask, price_ticks, value_usd = self._strike
            self._strike = None
            size_lots = self._desk.lots(value_usd, price_ticks)
            self._desk.take(is_ask=is_ask, price_ticks=price_ticks, size_lots=size_lots, now_us=now_us)
            return now_us + _wait_us(self._params.looks, self._rng)
        self._strike = self._look(now_us)
        if self._strike is not None:
            return now_us + self._params.delay_ms * 1_000
        return now_us + _wait_us(self._params.looks, self._rng)

    def _look(self, now_us: int) -> tuple[bool, int, float] | None:
        fair = self._price.ticks(now_us)
        edge = fair * self._params.edge_bp * BP
        bid, ask = self._desk.book().best_bid(), self._desk.book().best_ask()
        value_usd = self._rng.expovariate(1.0 / self._params.size_usd)
        if ask is not None and ask[0] < fair - edge:
            return False, price_floor(fair - edge), value_usd
        if bid is not None and bid[0] > fair + edge:
            return True, price_ceil(fair + edge), value_usd
        return None


class DriftTaker:
    """Trades with the drift while it is strong."""

    __slots__ = ("_desk", "_params", "_price", "_rng", "_strong_bp")

    def __init__(self, desk: Desk, params: InformedParams, price: EfficientPrice, strong_bp: float, rng: Rng) -> None:
        self._desk = desk
        self._params = params
        self._price = price
        self._strong_bp = strong_bp
        self._rng = rng

    def wake(self, now_us: int) -> int:
        """Take a little towards the drift, if it is above one standard deviation."""
        drift_bp = self._price.drift_bp(now_us)
        if abs(drift_bp) > self._strong_bp:
            value_usd = self._rng.expovariate(1.0 / self._params.drift_usd)
            self._desk.sweep(is_ask=drift_bp < 0, value_usd=value_usd, reach_bp=DRIFT_REACH_BP, now_us=now_us)
        return now_us + _wait_us(self._params.drift_trades, self._rng)


class TrendTaker:
    """Chases a strong minute: momentum that overshoots."""

    __slots__ = ("_desk", "_params", "_price", "_rng")

    def __init__(self, desk: Desk, params: InformedParams, price: EfficientPrice, rng: Rng) -> None:
        self._desk = desk
        self._params = params
        self._price = price
        self._rng = rng

    def wake(self, now_us: int) -> int:
        """Take in the direction of the last minute, if it moved far enough."""
        params = self._params
        moved_bp = (self._price.ticks(now_us) / self._price.ticks(now_us, TREND_WINDOW_US) - 1.0) / BP
        if abs(moved_bp) > params.trend_bp:
            value_usd = self._rng.expovariate(1.0 / params.trend_usd)
            self._desk.sweep(is_ask=moved_bp < 0, value_usd=value_usd, reach_bp=TREND_REACH_BP, now_us=now_us)
        return now_us + _wait_us(params.trend_trades, self._rng)
