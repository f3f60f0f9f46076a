"""Random markets, settings and states, within what the configuration allows."""

from typing import NamedTuple

from hypothesis import strategies as st

from helpers.desk import market, quote_params
from lighterman.domain.book import Front
from lighterman.domain.errors import UnitError
from lighterman.strategy.params import QuoteRules, bind
from lighterman.strategy.quoter import Quotes, quote


class View(NamedTuple):
    """One call of `quote`."""

    rules: QuoteRules
    bids: Front
    asks: Front
    position_lots: int
    position_max_lots: int
    volatility_bps: float | None
    growth_bound: str = ""

    def quotes(self, **changes: object) -> Quotes:
        facts = (self._asdict() | changes).copy()
        rules, bids, asks = facts.pop("rules"), facts.pop("bids"), facts.pop("asks")
        return quote(rules, bids, asks, **facts)


def _front(price_ticks: int) -> st.SearchStrategy[Front]:
    """Return the front of one to five levels that begin at a price."""
    sizes = st.lists(st.integers(1, 10**9), min_size=1, max_size=5)
    return sizes.map(lambda found: (price_ticks, found[0], sum(found)))


@st.composite
def settings(draw: st.DrawFn) -> QuoteRules:
    """Return bound parameters; those whose smallest level the venue would refuse are not drawn."""
    scale = draw(st.integers(0, 6))
    facts = market(1, "ANY", scale, draw(st.integers(1, 100)), maker_fee_ppm=draw(st.sampled_from([0, 40, 300])))
    low = draw(st.floats(0.01, 200))
    params = quote_params(
        order_size=facts.size_text(draw(st.integers(100, 10**7))),
        half_spread_min_bps=low,
        half_spread_max_bps=low + draw(st.floats(0.01, 500)),
        levels=draw(st.integers(1, 8)),
        size_multiplier=draw(st.sampled_from([0.5, 0.9, 1.0, 1.15, 1.5, 3.0])),
        skew_factor=draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])),
        fair_price=draw(st.sampled_from(["mid", "micro"])),
        volatility_factor=draw(st.floats(0, 3)),
        imbalance_factor_bps=draw(st.floats(0, 50)),
        level_step=draw(st.sampled_from([0.0, 0.25, 0.5, 2.0])),
        edge_min_bps=draw(st.sampled_from([0.0, 1.0, 15.0])),
    )
    value_micro_max = draw(st.integers(1, 10**14))
    try:
        return bind(params, facts, value_micro_max)
    except UnitError:
        return bind(quote_params(order_size=facts.size_text(10**5), size_multiplier=1.0), facts, value_micro_max)


@st.composite
def views(draw: st.DrawFn) -> View:
    """Return everything a quote is made from."""
    rules = draw(settings())
    best_bid = draw(st.integers(1, 2 * 10**6) | st.integers(1, 2**31))
    best_ask = best_bid + draw(st.integers(1, 100))
    position_max_lots = draw(st.integers(1, 10**9))
    return View(
        rules,
        draw(_front(best_bid)),
        draw(_front(best_ask)),
        draw(st.integers(-2 * position_max_lots, 2 * position_max_lots)),
        position_max_lots,
        draw(st.none() | st.floats(0, 1000)),
    )
