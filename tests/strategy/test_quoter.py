"""The whole ladder: the seed's vectors, then what must hold in any state."""

import math
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.desk import ETH, VALUE_MAX, quote_params
from helpers.views import View, views
from lighterman.strategy.params import bind
from lighterman.strategy.quoter import Quotes, quote

LOTS = ETH.lots_per_unit

# Seed reference 2.14, columns "corrected": book, mid, position, volatility (a fraction), bids, asks.
VECTORS = """
0    1991.00 0    0     1988.32 1986.98 1985.64 1993.68 1995.02 1996.36
1    2010.16 0    0.002 2003.43 2000.07 1996.71 2016.89 2020.25 2023.61
7    2005.06 2.5  0.002 1997.85 1994.24 1990.64 2011.27 2014.37 2017.47
500  2006.22 -2.5 0.002 2000.01 1996.90 1993.80 2013.44 2017.05 2020.65
1023 2001.89 10   0     1998.39 1996.64 1994.89 2003.78 2004.72 2005.66
0    1991.00 10   0.002 1982.34 1978.01 1973.68 1995.67 1998.00 2000.33
1    2010.16 -15  0.6   1996.08 1989.05 1982.01 2036.30 2049.36 2062.43
500  2006.22 2.5  0.6   1984.65 1973.86 1963.08 2024.78 2034.06 2043.34
0    1991.00 0    0.6   1971.09 1961.13 1951.18 2010.91 2020.87 2030.82
"""
ROWS = [line.split() for line in VECTORS.strip().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"book {row[0]} position {row[2]} volatility {row[3]}")
def test_the_seeds_vectors_corrected(row):
    """The ladder is the seed's with the skew's sign and the rounding put right, to the tick (Q1, Q2, Q5)."""
    book, mid, position, volatility = int(row[0]), *map(float, row[1:4])
    middle = 200_100 + book * 7919 % 2001 - 1000
    assert mid * 100 == pytest.approx(middle)
    rules = bind(quote_params(order_size="0.01"), ETH, VALUE_MAX)

    quotes = quote(
        rules,
        (middle - 1, LOTS, sum(LOTS + i * LOTS // 10 for i in range(5))),
        (middle + 1, 3 * LOTS // 2, sum(3 * LOTS // 2 + i * LOTS // 10 for i in range(5))),
        position_lots=int(position * LOTS),
        position_max_lots=10 * LOTS,
        volatility_bps=10_000 * volatility,
    )

    assert row[4:7] == [ETH.price_text(price) for price in quotes.bid_ticks]
    assert row[7:10] == [ETH.price_text(price) for price in quotes.ask_ticks]
    assert quotes.basis.imbalance == pytest.approx(-2.5 / 14.5)


@given(views())
def test_any_state_has_a_ladder(view):
    """Whatever the state, there are finite prices for every level, in order and apart (Q10)."""
    quotes = view.quotes()
    levels = view.rules.params.levels

    assert [levels] * 4 == [len(side) for side in quotes.ladder()]
    assert all(math.isfinite(part) for part in msgspec.to_builtins(quotes.basis) if part is not None)
    assert quotes.bid_ticks == sorted(set(quotes.bid_ticks), reverse=True)
    assert quotes.ask_ticks == sorted(set(quotes.ask_ticks))


@given(views())
def test_no_quote_crosses(view):
    """No bid reaches the best ask of others, no ask the best bid, and no own bid an own ask (Q7, SD6)."""
    quotes = view.quotes()

    assert quotes.bid_ticks[0] < view.asks[0]
    assert quotes.ask_ticks[0] > view.bids[0]
    assert quotes.bid_ticks[0] < quotes.ask_ticks[0]


@given(views(), st.integers(-200, 200))
def test_prices_never_rise_with_the_position(view, percent):
    """As the position rises, no bid and no ask price rises (Q1, SD1)."""
    other = view.position_max_lots * percent // 100
    low, high = sorted((view.position_lots, other))
    before, after = view.quotes(position_lots=low), view.quotes(position_lots=high)

    assert all(a <= b for a, b in zip(after.bid_ticks, before.bid_ticks, strict=True))
    assert all(a <= b for a, b in zip(after.ask_ticks, before.ask_ticks, strict=True))


@given(views())
def test_the_ladder_sits_lower_when_long_and_higher_when_short(view):
    """At maximum long every level is strictly below flat, at maximum short above, unless pinned (Q1, SD1).

    Pinned is a level whose price is not its own distance from fair but the touch, the edge or
    its neighbour, and one that inventory moves by less than a tick.
    """
    long, flat, short = (view.quotes(position_lots=view.position_max_lots * sign) for sign in (1, 0, -1))
    for lower, upper in ((long, flat), (flat, short)):
        for level, factor in enumerate(view.rules.level_factors):
            shift_ticks = (lower.basis.bid_spread_bps - upper.basis.bid_spread_bps) * factor * _bp_ticks(view, lower)
            bids, asks = (
                (lower.bid_ticks[level], upper.bid_ticks[level]),
                (lower.ask_ticks[level], upper.ask_ticks[level]),
            )
            assert bids[0] <= bids[1]
            assert asks[0] <= asks[1]
            if shift_ticks > 1.001:
                assert bids[0] < bids[1] or not _is_free(view, upper, level, is_ask=False)
                assert asks[0] < asks[1] or not _is_free(view, lower, level, is_ask=True)


def _bp_ticks(view: View, quotes: Quotes) -> float:
    return quotes.basis.fair_ticks / 10_000


def _is_free(view: View, quotes: Quotes, level: int, *, is_ask: bool) -> bool:
    """Tell whether a level stands where its own distance puts it."""
    basis = quotes.basis
    distance = (basis.ask_spread_bps if is_ask else basis.bid_spread_bps) * view.rules.level_factors[level]
    if is_ask:
        return quotes.ask_ticks[level] == math.ceil(basis.fair_ticks + distance * _bp_ticks(view, quotes))
    return quotes.bid_ticks[level] == math.floor(basis.fair_ticks - distance * _bp_ticks(view, quotes))


@given(views())
def test_every_quote_keeps_its_distance(view):
    """Rounded outward, no level is nearer to fair than its spread, nor than the edge (Q5, Q6, SD15)."""
    quotes, edge = view.quotes(), view.rules.edge_min_bps
    fair = Fraction(quotes.basis.fair_ticks)
    slack = fair / 10**12  # what a float may lose
    sides = [(quotes.basis.bid_spread_bps, quotes.bid_ticks, 1), (quotes.basis.ask_spread_bps, quotes.ask_ticks, -1)]
    for spread_bps, prices, sign in sides:
        for price, factor in zip(prices, view.rules.level_factors, strict=True):
            distance_bps = max(Fraction(spread_bps) * Fraction(factor), Fraction(edge))
            assert (fair - price) * sign >= distance_bps * fair / 10_000 - slack


@given(views())
def test_sizes_stay_within_every_limit(view):
    """A side never asks for more than its room, nor a level for more than one order may be worth (Q8, Q9)."""
    quotes, facts = view.quotes(), view.rules.market
    room = view.position_max_lots
    sides = [
        (quotes.bid_ticks, quotes.bid_lots, room - view.position_lots, quotes.bid_bound),
        (quotes.ask_ticks, quotes.ask_lots, room + view.position_lots, quotes.ask_bound),
    ]
    for prices, sizes, room_lots, bound in sides:
        assert sum(sizes) <= max(0, room_lots)
        assert (sizes == view.rules.sizes_lots) == (bound == "")
        for price, size, wished in zip(prices, sizes, view.rules.sizes_lots, strict=True):
            assert 0 <= size <= wished
            if size:
                assert facts.min_base_lots <= size
                assert facts.min_quote_micro <= facts.notional_micro(price, size) <= view.rules.order_value_micro_max
                assert price > 0


@given(views())
def test_the_half_spread_lies_between_its_bounds(view):
    """The half-spread is from minimum to maximum, and the maximum while volatility is unknown (Q3, Q13)."""
    params, basis = view.rules.params, view.quotes().basis

    assert params.half_spread_min_bps <= basis.half_spread_bps <= params.half_spread_max_bps
    assert view.quotes(volatility_bps=None).basis.half_spread_bps == params.half_spread_max_bps


@given(views())
def test_a_spent_limit_leaves_only_what_reduces(view):
    """When nothing may grow, one side is empty and says why, and the other is at most the position."""
    quotes = view.quotes(growth_bound="total_position_limit")

    assert sum(quotes.bid_lots) <= max(0, -view.position_lots)
    assert sum(quotes.ask_lots) <= max(0, view.position_lots)
    if view.position_lots >= 0 and quotes.bid_ticks[0] > 0:
        assert "total_position_limit" == quotes.bid_bound


def test_the_seeds_own_case():
    """Long 10 of 10 at mid 2001 and 10 bps, the bid goes to 1998.39 and the ask to 2002.41 (Q1)."""
    rules = bind(quote_params(order_size="0.01", levels=1), ETH, VALUE_MAX)
    sides = (200_000, LOTS, LOTS), (200_200, LOTS, LOTS)
    quotes = quote(rules, *sides, position_lots=10 * LOTS, position_max_lots=10 * LOTS, volatility_bps=0.0)

    assert ([199_839], [200_241]) == (quotes.bid_ticks, quotes.ask_ticks)


def test_micro_price_is_a_choice():
    """The fair price is the mid, or the size-weighted one where the market is told so."""
    sides = (1000, 300, 300), (1010, 100, 100)
    facts = {"position_lots": 0, "position_max_lots": 1, "volatility_bps": None}

    assert 1005 == quote(bind(quote_params(), ETH, VALUE_MAX), *sides, **facts).basis.fair_ticks
    assert 1007.5 == quote(bind(quote_params(fair_price="micro"), ETH, VALUE_MAX), *sides, **facts).basis.fair_ticks
