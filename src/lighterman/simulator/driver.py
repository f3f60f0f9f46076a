"""What makes the market around the exchange's users: synthetic actors or a recorded tape.

Rule 1: a driver acts only through `Exchange.act`, `set_index` and `open_account`, so that its
orders meet everybody else's in the same matching. Rule 2: it never takes the exchange's
outputs; those belong to the server. Rule 3: it holds no clock: whoever hosts it calls
`advance` when `next_due_us` has come, and what it does then depends on nothing else. Hosted
by the same calls in the same order, a driver of the same seed or tape does the same again.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from lighterman.domain.market import Market
from lighterman.matching.exchange import Exchange
from lighterman.simulator.scenarios import scenario_named
from lighterman.simulator.synthetic import SyntheticMarkets
from lighterman.simulator.tapes.tape import open_tapes


class MarketDriver(Protocol):
    """A market's own participants, paced by the host of the exchange."""

    @property
    def markets(self) -> tuple[Market, ...]:
        """Return the markets that the exchange must list for this driver."""
        ...

    @property
    def note(self) -> str:
        """Return where the market comes from and how far it is, in one line for people."""
        ...

    def start(self, exchange: Exchange, now_us: int) -> None:
        """Open the participants' accounts and stand a two-sided book in every market."""
        ...

    def next_due_us(self) -> int | None:
        """Return when `advance` has something to do, or None when it never has again."""
        ...

    def advance(self, exchange: Exchange, now_us: int) -> None:
        """Do everything that is due at `now_us`."""
        ...


def synthetic_driver(scenario: str, markets: Sequence[Market], seed: int) -> MarketDriver:
    """Return seeded actors in the named scenario; raises ConfigError for an unknown name."""
    return SyntheticMarkets(scenario_named(scenario), tuple(markets), seed)


def tape_driver(directory: Path, speed: float) -> MarketDriver:
    """Return the recorded session in `directory`, run `speed` times as fast as it happened.

    Takes tapes of our own format and every kind of recording in `tapes/sources.py`. Raises
    ConfigError when there is nothing to replay or `speed` is not a positive number.
    """
    return open_tapes(directory, speed)
