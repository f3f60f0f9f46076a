"""The synthetic driver: any listed market, scaled as the market is."""

import pytest

from helpers.market_lab import BTC, ETH, SOL, START_US, begin
from lighterman.domain.errors import ConfigError
from lighterman.simulator.driver import synthetic_driver
from lighterman.simulator.markets import all_markets
from lighterman.simulator.scenarios import SCALES, SCENARIOS
from lighterman.simulator.synthetic import scaled


def test_every_listed_market_opens():
    """Each market of the exchange's list opens two-sided, whatever its decimals."""
    driver = synthetic_driver("normal", list(all_markets().values()), seed=1)
    exchange = begin(driver)

    for market in driver.markets:
        assert exchange.book(market.index).is_two_sided()
        assert not exchange.book(market.index).is_crossed()


def test_majors_open_at_their_scale():
    """BTC, ETH and SOL begin near 100,000, 3,000 and 150 USD."""
    driver = synthetic_driver("normal", [ETH, BTC, SOL], seed=1)
    exchange = begin(driver)

    for market, price_usd in ((ETH, 3_000), (BTC, 100_000), (SOL, 150)):
        assert exchange.stats(market.index).index_ticks == price_usd * market.ticks_per_unit


def test_scaling_leaves_the_rest():
    """A market's scale changes moves, spreads and sizes, and neither rates nor latencies."""
    flow = SCENARIOS["crash"].flow
    sol = scaled(flow, SCALES["SOL"])

    assert sol.price.sigma_bp == tuple(sigma * 2 for sigma in flow.price.sigma_bp)
    assert [slide.move_bp for slide in sol.price.slides] == [slide.move_bp * 2 for slide in flow.price.slides]
    assert sol.makers.half_bp == flow.makers.half_bp * 2
    assert sol.noise.base == flow.noise.base
    assert sol.makers.latencies_ms == flow.makers.latencies_ms


def test_the_note_says_simulated():
    """People are told that the market is made up, by which scenario and from which seed."""
    driver = synthetic_driver("toxic", [BTC], seed=7)

    assert driver.note.startswith("SIMULATED: scenario toxic")
    assert driver.note.endswith("seed 7")


def test_nothing_is_due_before_the_start():
    """A driver that was not started has nothing to do."""
    driver = synthetic_driver("normal", [BTC], seed=1)
    assert driver.next_due_us() is None
    begin(driver)
    due_us = driver.next_due_us()
    assert due_us is not None
    assert due_us >= START_US


def test_unknown_scenario():
    """A wrong name is refused with the right ones."""
    with pytest.raises(ConfigError, match="'norml' is none of calm, normal, volatile, toxic, crash"):
        synthetic_driver("norml", [BTC], seed=1)
