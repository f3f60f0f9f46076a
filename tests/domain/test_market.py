"""A market's scales and its money."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lighterman.domain.market import Market


def _market(price_decimals: int, size_decimals: int) -> Market:
    return Market(
        index=1, symbol="BTC", price_decimals=price_decimals, size_decimals=size_decimals, min_base_lots=1,
        min_quote_micro=1, order_quote_limit_micro=10**14,
    )  # fmt: skip


@given(st.integers(0, 6), st.integers(1, 10**9), st.integers(1, 10**9))
def test_notional_is_exact(price_decimals, price_ticks, size_lots):
    """Where the scales multiply to a micro-USDC, ticks times lots is the value, to the unit."""
    market = _market(price_decimals, 6 - price_decimals)
    price, size = Decimal(market.price_text(price_ticks)), Decimal(market.size_text(size_lots))

    assert market.scales_are_exact
    assert price * size == Decimal(market.notional_micro(price_ticks, size_lots)).scaleb(-6)
    assert (price_ticks, size_lots) == (price * market.ticks_per_unit, size * market.lots_per_unit)


@given(st.integers(0, 6), st.integers(0, 6))
def test_other_scales_are_told_apart(price_decimals, size_decimals):
    """A market whose scales do not multiply to a micro-USDC says so."""
    assert (price_decimals + size_decimals == 6) == _market(price_decimals, size_decimals).scales_are_exact
