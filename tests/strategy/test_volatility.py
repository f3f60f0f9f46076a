"""Volatility: one unit, no NaN, no memory of what it did not see."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.desk import quote_params
from lighterman.chance import seeded
from lighterman.strategy.volatility import Volatility

S = 1_000_000_000
PARAMS = quote_params(volatility_samples_min=5, volatility_window=20)


def _fed(prices, spacing_ns=S, params=PARAMS):
    estimator = Volatility(params)
    for number, price in enumerate(prices):
        estimator.observe(price, 10 * S + number * spacing_ns)
    return estimator


def _walk(returns):
    logs = [0.0]
    for value in returns:
        logs.append(logs[-1] + value)
    return [2000 * math.exp(log) for log in logs]


@given(st.lists(st.floats(-0.05, 0.05), min_size=5, max_size=20))
def test_volatility_is_the_population_deviation_over_the_horizon(returns):
    """On evenly spaced samples it is the two-pass deviation of log returns times the root of the horizon (2.10)."""
    mean = math.fsum(returns) / len(returns)
    expected = math.sqrt(math.fsum((value - mean) ** 2 for value in returns) / len(returns)) * math.sqrt(10) * 10_000

    assert _fed(_walk(returns)).bps == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("spacing_s", [1.0, 2.5, 4.9])
def test_late_samples_do_not_make_a_market_wilder(spacing_s):
    """A return that took longer weighs less: the unit holds at any pace of looking (Q2)."""
    rng = seeded(7, "prices")
    per_second = 0.0002
    params = quote_params(volatility_window=3000)
    prices = _walk(rng.gauss(0, per_second * math.sqrt(spacing_s)) for _ in range(3000))

    assert _fed(prices, int(spacing_s * S), params).bps == pytest.approx(10_000 * per_second * math.sqrt(10), rel=0.05)


@given(st.floats(-0.01, 0.01), st.floats(1, 1e9))
def test_a_steady_trend_has_no_volatility_and_no_nan(growth, start):
    """Constant growth gives a deviation of nought, finite and never negative (Q12)."""
    bps = _fed([start * math.exp(growth * number) for number in range(20)]).bps

    assert bps is not None
    assert 0 <= bps < 1e-3


@given(st.lists(st.floats(1, 1e9), min_size=1, max_size=40))
def test_volatility_is_unknown_until_there_are_enough_samples(prices):
    """With fewer returns than the minimum there is no figure, from then on a finite one (Q13)."""
    bps = _fed(prices).bps

    assert (bps is None) == (len(prices) - 1 < PARAMS.volatility_samples_min)
    assert bps is None or math.isfinite(bps)


def test_a_gap_ends_the_series():
    """After a silence the estimator starts anew: a frozen feed is not calm (Q15)."""
    estimator = _fed([2000.0] * 10)
    assert 0.0 == estimator.bps

    estimator.observe(2100.0, 10 * S + 9 * S + 6 * S)

    assert estimator.bps is None


def test_samples_come_at_their_spacing_whatever_the_pace():
    """Looking more often than the spacing changes nothing."""
    prices = _walk([0.001, -0.002, 0.0005, 0.001, -0.001, 0.002])
    often = Volatility(PARAMS)
    for number, price in enumerate(prices):
        for part in range(10):
            often.observe(price * (1 + part), 10 * S + number * S + part * S // 10)

    assert _fed(prices).bps == often.bps


def test_the_window_forgets():
    """Only the newest returns count."""
    wild = _walk([0.05, -0.05] * 10)

    assert _fed(wild + [wild[-1]] * 21).bps == pytest.approx(0.0, abs=1e-9)
