"""Background makers: they show depth around a late view of the efficient price.

What makes them worth trading against is in their faults. They are late, so their quotes are
stale after a move and those who know hit them (toxicity). They lean their size towards where
they think the price goes, so the book's imbalance tells something. They carry inventory and
shade for it, so that whoever trades with them moves the market.
"""

import math

import msgspec

from lighterman.domain.chance import Rng
from lighterman.domain.units import price_ceil, price_floor
from lighterman.matching.flow_desk import BP, Desk
from lighterman.matching.flow_price import EfficientPrice
from lighterman.matching.outputs import OrderRow

TOLERANCE = 0.2  # of a level's distance: how far an order may stand off before it is moved
LEFT_OVER = 0.4  # of a level's usual size: what shows less is drawn anew
OPINION_MEMORY = 0.9  # per waking
LEANING_LEVELS = 2  # the levels that tilt
SIZE_LOG_SIGMA = 1.0
MS = 1_000


class MakerParams(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Background makers, one per entry of `latencies_ms`.

    Level j stands `half_bp * growth**j` from the maker's reference (widened to
    `sigma_share` x the volatility of the last seconds) and shows about `size_usd * (1 + j / 2)`.
    `opinion_bp` is how far a maker's reference strays from the others', `tilt` how strongly
    it leans its size towards where the price is going, `shade_bp` how far an inventory of
    `size_usd` moves its quotes, `pull` the chance that it draws a level anew when it wakes.
    """

    latencies_ms: tuple[int, ...]
    levels: int = 5
    half_bp: float = 0.3
    growth: float = 2.0
    sigma_share: float = 0.4
    size_usd: float = 2_300.0
    opinion_bp: float = 0.1
    tilt: float = 0.6
    tilt_scale_bp: float = 0.3
    shade_bp: float = 0.05
    pull: float = 0.1


class Maker:
    """One background maker; `wake` brings its ladder up to date and says when to wake again."""

    __slots__ = ("_asks", "_bids", "_desk", "_latency_us", "_opinion_bp", "_params", "_price", "_rng")

    def __init__(self, desk: Desk, params: MakerParams, latency_ms: int, price: EfficientPrice, rng: Rng) -> None:
        self._desk = desk
        self._params = params
        self._latency_us = latency_ms * MS
        self._price = price
        self._rng = rng
        self._opinion_bp = rng.gauss(0.0, params.opinion_bp)
        self._bids = [0] * params.levels  # client order index per level, 0 before the first
        self._asks = [0] * params.levels

    def wake(self, now_us: int) -> int:
        """Refresh both sides around the late reference, less the shade for inventory."""
        params, desk = self._params, self._desk
        late = self._price.ticks(now_us, self._latency_us)
        noise = math.sqrt(1.0 - OPINION_MEMORY**2) * params.opinion_bp
        self._opinion_bp = self._opinion_bp * OPINION_MEMORY + self._rng.gauss(0.0, noise)
        shade_bp = params.shade_bp * desk.position_usd(late) / params.size_usd
        reference = late * (1.0 + (self._opinion_bp - shade_bp) * BP)
        half_bp = max(params.half_bp, params.sigma_share * self._price.sigma_bp(now_us))
        lean = self._lean(now_us)
        resting = desk.orders()
        for is_ask, slots in ((False, self._bids), (True, self._asks)):
            self._refresh(slots, resting, is_ask=is_ask, reference=reference, half_bp=half_bp, lean=lean, now_us=now_us)
        return now_us + round(self._latency_us * self._rng.uniform(0.5, 1.5))

    def _lean(self, now_us: int) -> float:
        """Return -1 … 1: where the price goes next, as far as the present book has not followed."""
        mid = self._desk.mid_ticks()
        if mid is None:
            return 0.0
        ahead_bp = (self._price.ticks(now_us) / mid - 1.0) / BP
        return max(-1.0, min(1.0, ahead_bp / self._params.tilt_scale_bp))

    def _refresh(
        self,
        slots: list[int],
        resting: dict[int, OrderRow],
        *,
        is_ask: bool,
        reference: float,
        half_bp: float,
        lean: float,
        now_us: int,
    ) -> None:
        """Bring one side's levels to their distances; leave alone what is near enough."""
        params, desk, rng = self._params, self._desk, self._rng
        for level, client_index in enumerate(slots):
            distance = reference * half_bp * params.growth**level * BP
            row = resting.get(client_index)
            size_usd = params.size_usd
            if row is not None:
                off = (row.price_ticks - reference if is_ask else reference - row.price_ticks) - distance
                left_usd = row.remaining_lots / desk.lots(size_usd, reference) * size_usd
                if abs(off) < TOLERANCE * distance and left_usd > LEFT_OVER * size_usd and rng.random() > params.pull:
                    continue
            if level < LEANING_LEVELS:
                size_usd *= math.exp(params.tilt * (-lean if is_ask else lean))
            size_lots = desk.lots(size_usd * math.exp(rng.gauss(0.0, SIZE_LOG_SIGMA)), reference)
            price_ticks = self._passive(reference, distance, is_ask=is_ask)
            if row is None:
                slots[level] = desk.rest(is_ask=is_ask, price_ticks=price_ticks, size_lots=size_lots, now_us=now_us)
            else:
                desk.move(row, price_ticks=price_ticks, size_lots=size_lots, now_us=now_us)

    def _passive(self, reference: float, distance: float, *, is_ask: bool) -> int:
        """Return the level's price, one tick inside the opposite best at the most."""
        book = self._desk.book()
        if is_ask:
            price, opposite = price_ceil(reference + distance), book.best_bid()
            return price if opposite is None else max(price, opposite[0] + 1)
        price, opposite = price_floor(reference - distance), book.best_ask()
        return max(1, price if opposite is None else min(price, opposite[0] - 1))
