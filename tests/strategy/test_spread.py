"""The half-spread, in the unit that was meant."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.desk import quote_params
from lighterman.strategy.spread import half_spread_bps


@given(st.floats(0, 1000), st.floats(-1, 1))
def test_the_half_spread_grows_with_volatility_and_imbalance(volatility_bps, imbalance):
    """More volatility or a more one-sided book, either way round, never narrows the quote."""
    params = quote_params()
    spread = half_spread_bps(params, volatility_bps, imbalance)

    assert params.half_spread_min_bps <= spread <= params.half_spread_max_bps
    assert spread == half_spread_bps(params, volatility_bps, -imbalance)
    assert spread <= half_spread_bps(params, volatility_bps + 1, imbalance)
    assert spread >= half_spread_bps(params, volatility_bps, imbalance / 2)


@pytest.mark.parametrize(
    ("fraction", "imbalance", "low", "high"), [(0.001, 0, 10, 20), (0.01, 0, 100, 120), (0.001, 0.5, 20, 40)]
)
def test_what_the_seeds_own_tests_meant(fraction, imbalance, low, high):
    """A volatility per horizon of 0.001 adds 10 bps and of 0.01 a hundred (seed reference 2.10)."""
    assert low <= half_spread_bps(quote_params(), 10_000 * fraction, imbalance) <= min(high, 100)


@pytest.mark.parametrize("per_year", [0.2, 0.4, 0.6, 0.8, 1.2])
def test_real_volatility_does_not_pin_the_spread(per_year):
    """At the volatility of real markets the spread lies strictly between its bounds (Q2, Q3, SD12)."""
    per_horizon_bps = 10_000 * per_year * math.sqrt(10 / 31_536_000)

    assert 10 < half_spread_bps(quote_params(), per_horizon_bps, 0.2) < 100


def test_what_is_not_known_is_quoted_widest():
    """Without enough volatility samples the half-spread is the maximum, not the minimum (Q13)."""
    assert quote_params().half_spread_max_bps == half_spread_bps(quote_params(), None, 0.0)
