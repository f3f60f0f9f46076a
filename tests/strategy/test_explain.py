"""The waterfall of a quote."""

import pytest
from hypothesis import given

from helpers.desk import ETH, VALUE_MAX, quote_params
from helpers.views import views
from lighterman.strategy.explain import explain
from lighterman.strategy.params import bind
from lighterman.strategy.quoter import quote


@given(views())
def test_the_waterfall_sums_to_the_distance(view):
    """The named parts of every quote add up to its distance from fair, in bps."""
    quotes = view.quotes()
    fair = quotes.basis.fair_ticks
    for is_ask, prices in ((False, quotes.bid_ticks), (True, quotes.ask_ticks)):
        for level, price in enumerate(prices):
            parts = explain(quotes, view.rules, is_ask=is_ask, level=level)
            assert sum(bps for _, bps in parts) == pytest.approx(abs(price - fair) / fair * 10_000, abs=1e-6)
            assert len({name for name, _ in parts}) == len(parts)


def _parts(position_lots=0, volatility_bps: float | None = 8.0, level=1, **quoting):
    rules = bind(quote_params(**quoting), ETH, VALUE_MAX)
    sides = (199_990, 300, 300), (200_010, 100, 100)
    quotes = quote(
        rules, *sides, position_lots=position_lots, position_max_lots=1000, volatility_bps=volatility_bps
    )  # fmt: skip
    return dict(explain(quotes, rules, is_ask=False, level=level))


def test_each_part_is_what_its_name_says():
    """Minimum, volatility, imbalance, inventory and level are told apart, the rest is the tick (HB13)."""
    parts = _parts(position_lots=500)

    assert {"minimum": 10.0, "volatility": 8.0, "imbalance": 10.0, "maximum": 0.0} == {
        name: pytest.approx(parts.pop(name)) for name in ("minimum", "volatility", "imbalance", "maximum")
    }
    assert {"inventory", "level", "tick"} == set(parts)
    assert parts["inventory"] == pytest.approx(28 * 0.15)
    assert parts["level"] == pytest.approx(28 * 1.15 * 0.5)
    assert abs(parts["tick"]) < 0.05 + 1e-9  # one tick at 2000


def test_what_bound_a_quote_is_named():
    """A spread at its maximum says by how much it was cut; one without volatility says that (Q13)."""
    assert _parts(volatility_bps=500.0)["maximum"] == pytest.approx(-(10 + 500 + 10 - 100))
    assert {"volatility not yet known: maximum", "inventory", "level", "tick"} == set(_parts(volatility_bps=None))
