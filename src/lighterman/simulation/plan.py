"""What a seed means: the circumstances of one run and the list of what goes wrong in it, as plain data.

Law: a plan holds everything that was drawn before the world began, so that it can be written down,
read back, and made smaller. `draw.py` draws it.
"""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from lighterman.domain.chance import Rng

Value = str | int | float | bool | list[str]


class Fault(msgspec.Struct, frozen=True):
    """Something that goes wrong at a moment of the run."""

    at_ms: int
    kind: str
    args: dict[str, Value] = {}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The circumstances: market, settings, and how long each phase lasts."""

    symbols: list[str]
    levels: int
    tempo_ms: list[int]  # of each market: how long between two changes of its book
    tier: str
    start_us: int
    position_share: float = 1.0  # of the largest positions in `bot.py`
    total_usd: int = 20_000  # the limits of the account
    loss_usd: int = 200
    collar_bps: int = 200
    warm_up_ms: int = 8_000
    faults_ms: int = 100_000
    quotes_within_s: int = 30  # of the end of the faults, on both sides everywhere (L1)
    wire: bool = False  # bytes through the real client and server, instead of messages


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run, whole."""

    seed: int
    options: Options
    faults: list[Fault]

    def without(self, *indexes: int) -> "Plan":
        """Return the plan without some of its faults."""
        return replace(self, faults=[fault for number, fault in enumerate(self.faults) if number not in indexes])


class Chances(msgspec.Struct, frozen=True):
    """How a kind of fault is drawn: how often a minute where it is on, and its arguments."""

    per_minute: float
    draw: Callable[[Rng], dict[str, Value]]
