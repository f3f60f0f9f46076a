"""The driver that lets synthetic actors make the markets: one Flow per market, all from one seed."""

from collections.abc import Sequence

from msgspec.structs import replace

from lighterman.chance import seeded
from lighterman.domain.market import Market
from lighterman.matching.exchange import Exchange
from lighterman.matching.flow import Flow, FlowParams
from lighterman.simulator.scenarios import SCALES, SMALL_MARKET, Scale, Scenario

SMALL_MARKET_TICKS = 100_000  # where a market without a known price begins: a tick is 0.1 bp


class SyntheticMarkets:
    """A MarketDriver of synthetic actors; `flows` are the markets' actors."""

    def __init__(self, scenario: Scenario, markets: Sequence[Market], seed: int) -> None:
        self._scenario = scenario
        self._seed = seed
        self.markets = tuple(markets)
        self.flows = tuple(self._flow(market) for market in markets)

    @property
    def note(self) -> str:
        """Return which scenario runs from which seed."""
        return f"SIMULATED: scenario {self._scenario.name} ({self._scenario.story}), seed {self._seed}"

    def start(self, exchange: Exchange, now_us: int) -> None:
        """Start every market's actors."""
        for flow in self.flows:
            flow.start(exchange, now_us)

    def next_due_us(self) -> int | None:
        """Return when the next actor of any market wakes."""
        return min((due for flow in self.flows if (due := flow.next_due_us()) is not None), default=None)

    def advance(self, exchange: Exchange, now_us: int) -> None:  # noqa: ARG002  (the actors hold it since the start)
        """Wake every actor who is due."""
        for flow in self.flows:
            flow.advance(now_us)

    def _flow(self, market: Market) -> Flow:
        scale = SCALES.get(market.symbol, SMALL_MARKET)
        start_ticks = round(scale.price_usd * market.ticks_per_unit) or SMALL_MARKET_TICKS
        params = scaled(self._scenario.flow, scale)
        return Flow(market, params, start_ticks, lambda stream: seeded(self._seed, stream))


def scaled(flow: FlowParams, scale: Scale) -> FlowParams:
    """Return the actors of a market that moves, spreads and trades by other amounts."""
    price, makers, patient, noise, informed = flow.price, flow.makers, flow.patient, flow.noise, flow.informed
    moves, spread, size = scale.volatility, scale.spread, scale.size
    return FlowParams(
        price=replace(
            price,
            sigma_bp=(price.sigma_bp[0] * moves, price.sigma_bp[1] * moves),
            jump_bp=price.jump_bp * moves,
            drift_bp=price.drift_bp * moves,
            slides=tuple(replace(slide, move_bp=slide.move_bp * moves) for slide in price.slides),
        ),
        makers=replace(makers, half_bp=makers.half_bp * spread, size_usd=makers.size_usd * size),
        patient=replace(patient, half_bp=patient.half_bp * spread, size_usd=patient.size_usd * size),
        noise=replace(noise, size_usd=noise.size_usd * size, parent_usd=noise.parent_usd * size),
        informed=replace(
            informed,
            size_usd=informed.size_usd * size,
            drift_usd=informed.drift_usd * size,
            trend_usd=informed.trend_usd * size,
            trend_bp=informed.trend_bp * moves,
        ),
    )
