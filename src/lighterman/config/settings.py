"""One file becomes one frozen `Settings`, or a ConfigError that names everything wrong with it.

Law: the parameters belong to the rooms; this file only groups what was read by the table's
`into` and hands each room its own. No global holds a configuration, and none is half read.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from lighterman.config.accounts import venue_values
from lighterman.config.crosscheck import MESSAGES_PER_MINUTE, crosscheck, notices, pace_notices, venue_symbol
from lighterman.config.declared import DeclaredMarket
from lighterman.config.keys import KEYS, Value
from lighterman.config.networks import Mode
from lighterman.config.read import Reading, read
from lighterman.config.secrets import is_private_file
from lighterman.config.strict import BYTES_MAX
from lighterman.domain.errors import ConfigError
from lighterman.engine.params import EngineParams, MarketParams
from lighterman.exchange.settings import VenueSettings
from lighterman.journal.settings import JournalSettings
from lighterman.monitoring.settings import LogSettings, MonitoringSettings
from lighterman.risk.limits import AccountLimits, MarketLimits
from lighterman.strategy.params import QuoteParams

T = TypeVar("T")


class LoopSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the event loop waits."""

    busy_poll_ms: int


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run is told. `document` is the file as it was understood, without secrets."""

    mode: Mode
    engine: EngineParams
    venue: VenueSettings
    monitoring: MonitoringSettings
    logs: LogSettings
    journal: JournalSettings
    declared: list[DeclaredMarket]
    loop: LoopSettings
    notices: list[str]
    document: bytes
    config_hash: str


def load(path: Path, mode: Mode, environ: Mapping[str, str]) -> Settings:
    """Read a settings file; raises ConfigError with every problem, one line each."""
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
            is_private = is_private_file(os.fstat(file.fileno()))
    except (OSError, ValueError) as error:
        raise ConfigError([f"file: cannot be read: {getattr(error, 'strerror', None) or 'not a path'}"]) from None
    return assemble(data, mode, environ=environ, folder=path.parent, is_private=is_private)


def assemble(data: bytes, mode: Mode, *, environ: Mapping[str, str], folder: Path, is_private: bool) -> Settings:
    """Return the settings in `data`; raises ConfigError.

    `folder` is where a relative key file begins, `is_private` whether only we can read the
    file the data came from.
    """
    reading = read(data, KEYS)
    said: list[str] = []
    venue = venue_values(reading, mode, said, environ=environ, folder=folder, is_private=is_private)
    crosscheck(reading)
    if reading.problems:
        raise ConfigError([str(problem) for problem in reading.problems])
    document = msgspec.json.format(msgspec.json.encode(reading.document), indent=2)
    enabled = [row for row in range(reading.rows["markets[]"]) if reading.values[f"markets[{row}].enabled"]]
    markets = [_market(reading, row) for row in enabled]
    limits = reading.fields("limits", KEYS)
    limits["messages_per_minute"] = limits["messages_per_minute"] or MESSAGES_PER_MINUTE[str(venue["tier"])]
    engine = reading.fields("engine", KEYS) | {"account_index": venue["account_index"]}
    engine_params = msgspec.convert(
        engine | {"limits": _into(AccountLimits, limits), "markets": [params for params, _ in markets]}, EngineParams
    )
    return Settings(
        mode=mode,
        engine=engine_params,
        venue=_into(VenueSettings, venue),
        monitoring=_into(MonitoringSettings, reading.fields("monitoring", KEYS)),
        logs=_into(LogSettings, reading.fields("logs", KEYS)),
        journal=_into(JournalSettings, reading.fields("journal", KEYS)),
        declared=[declared for _, declared in markets],
        loop=_into(LoopSettings, reading.fields("loop", KEYS)),
        notices=said + notices(reading) + pace_notices(engine_params),
        document=document,
        config_hash=hashlib.sha256(document).hexdigest(),
    )


def _market(reading: Reading, row: int) -> tuple[MarketParams, DeclaredMarket]:
    """Return one market's parameters, and what the file says of it that only the venue can know."""
    label = str(reading.values[f"markets[{row}].symbol"])
    names = {"label": label, "symbol": venue_symbol(label)}
    params = MarketParams(
        **names,
        quote=_into(QuoteParams, reading.fields("quote", KEYS, row)),
        limits=_into(MarketLimits, reading.fields("limits", KEYS, row)),
    )
    return params, _into(DeclaredMarket, reading.fields("declared", KEYS, row) | names)


def _into(room: type[T], values: Mapping[str, Value]) -> T:
    """Return a room's own parameters; the conversion is strict, so a wrong row of the table shows."""
    return msgspec.convert(values, room, strict=True)
