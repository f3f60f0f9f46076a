"""The engine's settings."""

import msgspec
import pytest

from helpers.desk import engine_params
from lighterman.engine.params import EngineParams, MarketParams


def test_settings_survive_the_journal():
    """A session's settings come back from their bytes as themselves, so that it can be replayed."""
    params = engine_params()

    assert params == msgspec.msgpack.decode(msgspec.msgpack.encode(params), type=EngineParams)


@pytest.mark.parametrize("room", [EngineParams, MarketParams])
def test_markets_and_limits_must_be_stated(room):
    """Which markets, with which limits, is never assumed."""
    required = {field.name for field in msgspec.structs.fields(room) if field.required}

    assert {"limits"} < required
    with pytest.raises(msgspec.ValidationError, match="missing required field"):
        msgspec.convert({}, room)
