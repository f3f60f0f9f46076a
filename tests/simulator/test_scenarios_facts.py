"""How real the scenarios look: the twelve stylised facts of market-making reference 8.4."""

import sys

import pytest

from helpers.facts import BANDS, in_band, measure, report
from helpers.market_lab import BTC, begin, record
from lighterman.simulator.driver import synthetic_driver
from lighterman.simulator.scenarios import SCENARIOS

MINUTES = 20
FACTS_MIN = 10


@pytest.mark.parametrize("preset", SCENARIOS)
def test_stylised_facts(preset, capsys):
    """At least ten of the twelve facts lie in the preset's bands."""
    driver = synthetic_driver(preset, [BTC], seed=11)
    figures = measure(record(driver, begin(driver), [BTC], MINUTES * 60)[BTC.index])
    found = in_band(figures, preset)

    with capsys.disabled():
        sys.stdout.write(report(figures, preset))
    assert sum(found.values()) >= FACTS_MIN


def test_every_preset_has_bands():
    """No scenario escapes the comparison."""
    assert set(SCENARIOS) == set(BANDS)
