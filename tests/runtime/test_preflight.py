"""The settings held against the venue's markets before anything is quoted."""

import pytest
from msgspec.structs import replace

from helpers.observed import BTC, ETH, PARAMS
from lighterman.config.declared import DeclaredMarket
from lighterman.domain.errors import PreflightError
from lighterman.domain.events import DayStarted, MarketReport
from lighterman.risk.limits import MarketLimits
from lighterman.runtime.preflight import MarketPreflight, misfits


class Watched:
    """A preflight between nobody and two lists."""

    def __init__(self, *declared, params=PARAMS):
        self.passed, self.notes = [], []
        self.preflight = MarketPreflight(params, list(declared), self.passed.append, self.notes.append)


def declared(**facts):
    nothing = {"base_decimals": None, "quote_decimals": None, "tick_size": None}
    return DeclaredMarket(**(nothing | {"label": "ETH-USDC", "symbol": "ETH"} | facts))


def test_everything_passes_that_fits():
    """Events pass in order and unchanged where the settings fit the venue."""
    watched = Watched(declared())
    events = [MarketReport(ETH, 1), MarketReport(BTC, 1), DayStarted(1, 1)]
    for event in events:
        watched.preflight(event)

    assert events == watched.passed
    assert [] == watched.notes


def test_size_that_is_no_lot_is_refused():
    """A market whose lots are coarser than the configured sizes is refused, with every problem at once."""
    coarse = replace(ETH, price_decimals=5, size_decimals=1, min_base_lots=1)
    rough = replace(PARAMS.markets[0], limits=MarketLimits(position_max="10.05"))
    watched = Watched(params=replace(PARAMS, markets=[rough]))

    with pytest.raises(PreflightError) as refused:
        watched.preflight(MarketReport(coarse, 1))

    assert str(refused.value).count("ETH-USDC: ") == 2
    assert [] == watched.passed


def test_level_below_the_minimum_is_refused():
    """A level smaller than the venue's smallest order is refused with both sizes."""
    (problem,) = misfits(PARAMS.markets[0], replace(ETH, min_base_lots=101))

    assert "0.0100" in problem
    assert "0.0101" in problem


def test_market_that_is_not_exact_is_refused():
    """A market in which a tick times a lot is no micro-USDC cannot be accounted for."""
    assert "no whole micro-USDC" in misfits(PARAMS.markets[0], replace(ETH, size_decimals=6))[0]


def test_declared_tick_size_is_compared():
    """A tick size that contradicts the venue's is refused; decimals that differ are told."""
    with pytest.raises(PreflightError, match="tickSize"):
        Watched(declared(tick_size="0.003")).preflight(MarketReport(ETH, 1))

    watched = Watched(declared(base_decimals=18))
    watched.preflight(MarketReport(ETH, 1))

    assert "baseDecimals" in watched.notes[0]


def test_later_description_passes():
    """A market described again is the engine's to judge, whatever it says."""
    watched = Watched()
    watched.preflight(MarketReport(ETH, 1))
    watched.preflight(MarketReport(replace(ETH, min_base_lots=10**9), 2))

    assert len(watched.passed) == 2
