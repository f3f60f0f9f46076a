"""What the operator probably meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighterman.config.keys import KEYS
from lighterman.config.suggest import suggest_key, suggest_section


@pytest.mark.parametrize(
    ("section", "name", "sentence"),
    [
        ("markets[]", "minspreadbps", "did you mean minSpreadBps"),
        ("markets[]", "min_spread_bps", "did you mean minSpreadBps"),
        ("risk", "max_total_position_usd", "did you mean maxTotalPositionUSD"),
        ("risk", "skewFactor", "did you mean markets[].skewFactor"),
        ("markets[]", "maxOrderValueUSD", "did you mean risk.maxOrderValueUSD"),
        ("markets[]", "minSpread", "did you mean minSpreadBps (in bps)"),
        ("markets[]", "minSpreadPct", "did you mean minSpreadBps (in bps)"),
        ("risk", "dailyLossLimit", "did you mean dailyLossLimitUSD (in USD)"),
        ("risk", "positionCheckInterval", "did you mean positionCheckIntervalMs (in ms)"),
        ("performance", "updateIntervalSeconds", "did you mean updateIntervalMs (in ms)"),
        ("markets[]", "maxOrderAgeMs", "did you mean maxOrderAgeSeconds (in s)"),
        ("performance", "dailyLossLimit", "did you mean risk.dailyLossLimitUSD (in USD)"),
        ("markets[]", "orderLevel", "did you mean orderLevels"),
        ("logging", "lvl", "did you mean level"),
        ("logging", "outputpaht", "did you mean outputPath"),
        ("markets[]", "leverage", ""),
    ],
)
def test_wrong_key_leads_to_the_right_one(section, name, sentence):
    """A name in another case, section or unit, or misspelt, leads to the key that was meant."""
    assert sentence == suggest_key(section, name, KEYS)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Risk", "did you mean risk"),
        ("market", "did you mean markets"),
        ("metricsPort", "did you mean performance.metricsPort"),
        ("log", ""),
        ("performances", "did you mean performance"),
    ],
)
def test_wrong_section_leads_to_the_right_one(name, sentence):
    """The same holds at the top of the file."""
    assert sentence == suggest_section(name, KEYS)


@given(st.sampled_from(KEYS), st.data())
def test_one_slip_of_a_long_name_is_understood(key, data):
    """Any known name with one character left out leads back to a known key."""
    if len(key.name) < 6:
        return
    at = data.draw(st.integers(0, len(key.name) - 1))

    assert "did you mean" in suggest_key(key.section, key.name[:at] + key.name[at + 1 :], KEYS)
