"""The efficient price: a path of the seed alone, late to whoever is late."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.market_lab import SECOND, START_US
from lighterman.chance import seeded
from lighterman.matching.flow_price import STEP_US, EfficientPrice, PriceParams, Slide


@given(seed=st.integers(0, 2**32), asked_us=st.lists(st.integers(0, 5 * SECOND), max_size=30))
@settings(max_examples=50)
def test_nobody_moves_the_price_by_asking(seed, asked_us):
    """The efficient price's path is the same whoever asks for it, and when."""
    params = PriceParams(sigma_bp=(0.5, 1.0))
    asked = EfficientPrice(params, 1e6, seeded(seed, "price"), START_US)
    unasked = EfficientPrice(params, 1e6, seeded(seed, "price"), START_US)
    for at_us in sorted(asked_us):
        asked.ticks(START_US + at_us)

    assert asked.ticks(START_US + 5 * SECOND) == unasked.ticks(START_US + 5 * SECOND)


@given(seed=st.integers(0, 2**32), lag_us=st.integers(0, 2 * SECOND))
@settings(max_examples=50)
def test_a_lagged_price_is_a_past_price(seed, lag_us):
    """Asking with a lag gives what was said at or before that moment, never anything newer."""
    price = EfficientPrice(PriceParams(sigma_bp=(0.5, 1.0)), 1e6, seeded(seed, "price"), START_US)
    said = [price.ticks(START_US + step * STEP_US) for step in range(60)]
    now_us = START_US + 59 * STEP_US

    lagged = price.ticks(now_us, lag_us)
    assert lagged in said[: max(1, 60 - lag_us // STEP_US)]


def test_a_scripted_slide_happens():
    """A slide moves the price by what is written, at the time that is written, in every cycle."""
    still = PriceParams(
        sigma_bp=(0.0, 0.0),
        jumps_per_hour=0.0,
        drift_bp=0.0,
        slides=(Slide(at_s=10.0, length_s=5.0, move_bp=-100.0),),
        cycle_s=20.0,
    )
    price = EfficientPrice(still, 1e6, seeded(1, "price"), START_US)
    ticks = [price.ticks(START_US + second * SECOND) for second in (9, 16, 29, 36)]

    assert [round(after / before, 4) for before, after in itertools.pairwise(ticks)] == [0.9900, 1.0, 0.9900]
