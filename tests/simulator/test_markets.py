import pytest

from lighterman.domain.errors import ConfigError
from lighterman.simulator.markets import DEFAULT_SYMBOLS, all_markets, markets_named


def test_every_listed_market_has_exact_scales():
    """Ticks times lots are whole micro-USDC in every market, and the minimums can be met."""
    for market in all_markets().values():
        assert market.scales_are_exact
        assert market.min_base_lots > 0
        assert market.min_quote_micro == 10_000_000


def test_indices_and_decimals_are_the_venues():
    """Samples of protocol reference 9.6 are as listed there."""
    markets = all_markets()
    facts = {s: (m.index, m.size_decimals, m.price_decimals, m.size_text(m.min_base_lots)) for s, m in markets.items()}

    assert facts["ETH"] == (0, 4, 2, "0.0050")
    assert facts["BTC"] == (1, 5, 1, "0.00020")
    assert facts["SOL"] == (2, 3, 3, "0.050")
    assert facts["PUMP"] == (45, 0, 6, "2000")
    assert len({market.index for market in markets.values()}) == len(markets) == 30


def test_markets_are_named_in_the_order_of_their_index():
    """A choice of symbols comes back by market index; unknown ones are all named."""
    assert [market.symbol for market in markets_named(DEFAULT_SYMBOLS)] == ["ETH", "BTC", "SOL"]
    with pytest.raises(ConfigError) as caught:
        markets_named(("ETH", "NONE", "NADA"))
    assert len(caught.value.problems) == 2
