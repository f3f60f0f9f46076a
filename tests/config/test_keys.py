"""The table of keys: complete, consistent, and the same as the rooms' own defaults."""

import msgspec
import pytest

from helpers.settings_files import SEED, settings
from lighterman.config.declared import DeclaredMarket
from lighterman.config.keys import KEYS, Kind
from lighterman.engine.params import EngineParams
from lighterman.exchange.settings import VenueSettings
from lighterman.journal.settings import JournalSettings
from lighterman.monitoring.settings import LogSettings, MonitoringSettings
from lighterman.risk.limits import AccountLimits, MarketLimits
from lighterman.strategy.params import QuoteParams

ELSEWHERE = {"label", "symbol", "markets", "limits", "account_index"}  # filled in while assembling
MONEY = {"maxTotalPositionUSD": 3, "maxOrderValueUSD": 2, "dailyLossLimitUSD": 1}
ROOMS = [
    ("quote", QuoteParams, True),
    ("limits", MarketLimits, True),
    ("limits", AccountLimits, False),
    ("engine", EngineParams, False),
    ("venue", VenueSettings, False),
    ("journal", JournalSettings, False),
    ("logs", LogSettings, False),
    ("monitoring", MonitoringSettings, False),
    ("declared", DeclaredMarket, True),
]


def _rows(group: str, in_markets: bool) -> dict:
    return {
        key.into.partition(".")[2]: key
        for key in KEYS
        if key.into.startswith(f"{group}.") and key.section.endswith("[]") == in_markets
    }


def test_every_seed_key_is_known():
    """Each key of the seed's file is in the table (seed reference 2.2, defect F1)."""
    paths = {key.path for key in KEYS}
    seed = {f"{section}.{name}" for section, value in SEED.items() if section != "markets" for name in value}
    seed |= {f"markets[].{name}" for name in SEED["markets"][0]}

    assert set() == seed - paths
    assert 27 == len(seed)


def test_names_are_unique():
    """No path and no destination occurs twice."""
    destinations = [(key.section.endswith("[]"), key.into) for key in KEYS]

    assert len(KEYS) == len({key.path for key in KEYS}) == len(set(destinations))


@pytest.mark.parametrize(("group", "room", "in_markets"), ROOMS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_parameter_has_its_key(group, room, in_markets):
    """Each field of each room's parameters is set by exactly one key, and no key sets a field that is not there."""
    fields = {field.name for field in msgspec.structs.fields(room)}

    assert fields - ELSEWHERE == set(_rows(group, in_markets)) - ELSEWHERE


def test_defaults_are_those_of_the_rooms():
    """Where both the table and a room state a default, they state the same."""
    loaded = settings({"markets": [{"symbol": "ETH", "minOrderSize": "1", "maxPosition": "9"}], "risk": MONEY})
    market = loaded.engine.markets[0]
    rooms = (market.quote, loaded.engine.limits, loaded.engine, loaded.venue, loaded.journal, loaded.logs)
    for room in (*rooms, loaded.monitoring, loaded.declared[0]):
        for field in msgspec.structs.fields(room):
            if field.default is not msgspec.NODEFAULT:
                assert field.default == getattr(room, field.name), field.name


def test_money_limits_have_no_default():
    """The four money limits are required: nothing stands in for one that was forgotten."""
    required = {key.path for key in KEYS if key.required}

    assert {
        "markets[].symbol",
        "markets[].minOrderSize",
        "markets[].maxPosition",
        "risk.maxTotalPositionUSD",
        "risk.maxOrderValueUSD",
        "risk.dailyLossLimitUSD",
    } == required


def test_rows_say_what_they_mean():
    """Each row has a sentence, says what happens without the key, and bounds its numbers."""
    for key in KEYS:
        assert key.meaning.endswith("."), key.path
        assert key.required or key.default is not None or key.otherwise, key.path
        assert key.kind is not Kind.CHOICE or len(key.choices) > 1, key.path
        if key.kind in (Kind.WHOLE, Kind.NUMBER, Kind.PERCENT, Kind.MONEY, Kind.DECIMAL):
            assert key.low is not None, key.path
            assert key.high is not None, key.path


def test_allowed_values_are_said_in_words():
    """What a key accepts is told with its bounds and its unit."""
    words = {key.name: key.allowed() for key in KEYS}

    assert "whole number from 1 to 50" == words["orderLevels"]
    assert "number above 0 up to 5000 (bps)" == words["minSpreadBps"]
    assert "one of debug, info, warn, error" == words["level"]
    assert "true or false" == words["enabled"]
    assert "text" == words["symbol"]
