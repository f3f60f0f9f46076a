"""The efficient price: what the market would be worth if everybody knew everything.

It is private to the actors (market-making reference 8.2, row 1); the public sees it late and
noisily as the index. It advances on a fixed grid from its own stream of chance, so that its
path depends on the seed alone and never on who asks, how often, or what is traded.
"""

import math
from collections import deque

import msgspec

from lighterman.domain.chance import Rng

STEP_US = 50_000
STEP_S = STEP_US / 1e6
HISTORY_US = 60_000_000
SIGMA_MEMORY_S = 5.0
BP = 1e-4
SECONDS_PER_HOUR = 3600.0


class Slide(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A scripted move of `move_bp` that begins `at_s` into the cycle and takes `length_s`."""

    at_s: float
    length_s: float
    move_bp: float


class PriceParams(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How the efficient price moves: two regimes, jumps, a slow drift and, if any, a script.

    `sigma_bp` and `dwell_s` are (quiet, busy). Jumps are Laplace with scale `jump_bp` and come
    `busy_jumps` times as often in the busy regime. The script `slides` repeats each `cycle_s`.
    """

    sigma_bp: tuple[float, float]
    dwell_s: tuple[float, float] = (900.0, 300.0)
    jumps_per_hour: float = 150.0
    jump_bp: float = 1.6
    busy_jumps: float = 3.0
    drift_bp: float = 0.08
    drift_half_life_s: float = 40.0
    slides: tuple[Slide, ...] = ()
    cycle_s: float = 0.0


class EfficientPrice:
    """The path of one market, in ticks, with the last minute of its history."""

    __slots__ = (
        "_busy",
        "_decay",
        "_drift_bp",
        "_history",
        "_kick_bp",
        "_params",
        "_rng",
        "_started_us",
        "_step",
        "_variance_bp",
    )

    def __init__(self, params: PriceParams, start_ticks: float, rng: Rng, now_us: int) -> None:
        self._params = params
        self._rng = rng
        self._started_us = now_us
        self._step = 0
        self._busy = False
        self._drift_bp = 0.0
        self._variance_bp = params.sigma_bp[0] ** 2
        self._decay = math.exp(-math.log(2.0) * STEP_S / params.drift_half_life_s)
        self._kick_bp = params.drift_bp * math.sqrt(1.0 - self._decay**2)
        self._history = deque([start_ticks], maxlen=HISTORY_US // STEP_US + 1)

    def ticks(self, now_us: int, lag_us: int = 0) -> float:
        """Return the price as it was `lag_us` before now (at most a minute)."""
        self._advance(now_us)
        steps_back = min(-(-lag_us // STEP_US), len(self._history) - 1)
        return self._history[-1 - steps_back]

    def drift_bp(self, now_us: int) -> float:
        """Return the present drift in bp per second."""
        self._advance(now_us)
        return self._drift_bp

    def sigma_bp(self, now_us: int) -> float:
        """Return the volatility of the last seconds in bp per square root of a second."""
        self._advance(now_us)
        return math.sqrt(self._variance_bp)

    def _advance(self, now_us: int) -> None:
        """Bring the path up to the last grid point before now."""
        while self._started_us + (self._step + 1) * STEP_US <= now_us:
            self._step += 1
            move_bp = self._draw_move_bp()
            self._variance_bp += (move_bp * move_bp / STEP_S - self._variance_bp) * STEP_S / SIGMA_MEMORY_S
            self._history.append(self._history[-1] * math.exp(move_bp * BP))

    def _draw_move_bp(self) -> float:
        """Return the move of one step: diffusion, drift, perhaps a jump, and the script."""
        params, rng = self._params, self._rng
        if rng.random() < STEP_S / params.dwell_s[self._busy]:
            self._busy = not self._busy
        self._drift_bp = self._drift_bp * self._decay + rng.gauss(0.0, self._kick_bp)
        move_bp = self._drift_bp * STEP_S + rng.gauss(0.0, params.sigma_bp[self._busy] * math.sqrt(STEP_S))
        jump_rate = params.jumps_per_hour / SECONDS_PER_HOUR * (params.busy_jumps if self._busy else 1.0)
        if rng.random() < jump_rate * STEP_S:
            size_bp = rng.expovariate(1.0 / params.jump_bp)
            move_bp += size_bp if rng.random() < 0.5 else -size_bp
        return move_bp + self._scripted_bp()

    def _scripted_bp(self) -> float:
        """Return what the script moves in this step."""
        if not self._params.slides:
            return 0.0
        at_s = (self._step - 1) * STEP_S % self._params.cycle_s
        return sum(
            slide.move_bp * STEP_S / slide.length_s
            for slide in self._params.slides
            if slide.at_s <= at_s < slide.at_s + slide.length_s
        )
