"""The two drivers behind one interface."""

import pytest

from helpers.market_lab import BTC, SECOND, START_US, begin, steps
from helpers.tape_lab import levels, recording, sold
from lighterman.simulator.driver import MarketDriver, synthetic_driver, tape_driver
from lighterman.simulator.tapes.format import write_tape


@pytest.fixture(params=["synthetic", "tape"])
def driver(request, tmp_path) -> MarketDriver:
    if request.param == "synthetic":
        return synthetic_driver("normal", [BTC], seed=1)
    records = [levels(0, [(-1, 50)], [(1, 50)]), *(sold(second, -1, 1) for second in range(1, 30))]
    list(write_tape(tmp_path / "BTC.tape", recording(records)))
    return tape_driver(tmp_path, 1.0)


def test_a_host_needs_only_the_interface(driver):
    """Whatever makes the market: it starts two-sided, is paced by its dues, and trades."""
    assert driver.next_due_us() is None
    exchange = begin(driver)
    assert exchange.book(BTC.index).is_two_sided()
    exchange.take_outputs()
    dues = list(steps(driver, exchange, START_US + 10 * SECOND))

    assert dues == sorted(dues)
    assert exchange.recent_trades(BTC.index)
    assert driver.note.startswith("SIMULATED: ")


def test_participants_are_not_listed(driver):
    """The market's own accounts are none of those that the exchange shows as its users'."""
    exchange = begin(driver)

    assert exchange.account_indexes() == []
