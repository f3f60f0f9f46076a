"""What the file says of a market, against what the venue says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighterman.config.declared import Comparison, DeclaredMarket, compare
from lighterman.domain.market import Market

ETH = Market(
    index=0,
    symbol="ETH",
    price_decimals=2,
    size_decimals=4,
    min_base_lots=50,
    min_quote_micro=10_000_000,
    order_quote_limit_micro=10**15,
)


def declared(**stated: object) -> DeclaredMarket:
    """Return what a file says of the market above."""
    return DeclaredMarket(label="ETH-USDC", symbol="ETH", **stated)  # type: ignore[arg-type]


def test_agreement_is_silent():
    """A file that says what the venue says, or nothing, needs no word."""
    assert Comparison([], []) == compare(declared(), ETH)
    assert Comparison([], []) == compare(declared(base_decimals=4, quote_decimals=6, tick_size="0.010"), ETH)


def test_ethereums_decimals_are_reported():
    """The seed's 18 decimals are Ethereum's, not the venue's: said, and not used (defect Q16)."""
    found = compare(declared(base_decimals=18, quote_decimals=8), ETH)

    assert [
        "markets[ETH-USDC].baseDecimals: 18 in the file, 4 at the venue, which counts",
        "markets[ETH-USDC].quoteDecimals: 8 in the file, 6 at the venue, which counts",
    ] == found.notices
    assert [] == found.problems


@pytest.mark.parametrize("tick", ["0.001", "0.015", "0.0199"])
def test_an_impossible_tick_stops_the_start(tick):
    """A tick size that is no whole multiple of the venue's is an error."""
    found = compare(declared(tick_size=tick), ETH)

    assert [f"markets[ETH-USDC].tickSize: is no whole multiple of the venue's tick, was {tick}; 0.01"] == found.problems


@given(st.integers(2, 10**9))
def test_a_coarser_tick_is_reported(ticks):
    """Any other whole multiple of the venue's tick is a warning."""
    found = compare(declared(tick_size=ETH.price_text(ticks)), ETH)

    assert [] == found.problems
    assert 1 == len(found.notices)
