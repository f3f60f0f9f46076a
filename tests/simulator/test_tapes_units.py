"""Recorded numbers become ticks and lots exactly, or are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.market_lab import BTC
from lighterman.domain.errors import ConfigError
from lighterman.simulator.markets import all_markets
from lighterman.simulator.tapes.units import UNLISTED, Units, market_of

UNITS = Units(BTC, "somewhere")


@given(ticks=st.integers(1, 2**32 - 1), lots=st.integers(0, 10**9))
def test_every_tick_and_lot_survives(ticks, lots):
    """Texts and floats on the market's grid give back the integers they were made of."""
    assert UNITS.price(f"{ticks / 10:.1f}") == UNITS.price(ticks / 10) == ticks
    assert UNITS.size(f"{lots // 10**5}.{lots % 10**5:05d}") == UNITS.size(lots / 1e5) == lots


@pytest.mark.parametrize(("text", "lots"), [("1e-05", 1), ("3.24457", 324_457), ("0.20000000", 20_000)])
def test_texts_of_other_programs(text, lots):
    """Exponents and trailing zeros are read as what they mean."""
    assert UNITS.size(text) == lots


def test_a_price_between_ticks_is_refused():
    """Nothing is rounded: the error names recording, number and unit."""
    with pytest.raises(ConfigError, match=r"somewhere: price 61837\.63 is no whole number of 1e-1, the unit of BTC"):
        UNITS.price("61837.63")
    with pytest.raises(ConfigError, match="size 1e-06"):
        UNITS.size("1e-06")


def test_unlisted_markets_stand_apart():
    """A recorded market that Lighter's list lacks has an index and scales that fit nobody else."""
    listed = {market.index for market in all_markets().values()}

    for symbol in UNLISTED:
        market = market_of(symbol, "somewhere")
        assert market.index not in listed
        assert market.scales_are_exact
    assert market_of("BTC", "somewhere") == BTC
    with pytest.raises(ConfigError, match="somewhere: 'PEAR' is no known market"):
        market_of("PEAR", "somewhere")
