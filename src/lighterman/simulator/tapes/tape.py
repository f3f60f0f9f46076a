"""Recorded markets as the exchange's markets: several tapes on one clock.

Tape time runs `speed` times as fast as the exchange's. The first book of every market stands
at the start; what follows comes at its recorded distance from the earliest of them, and gaps
of the recording are gaps here: the book stands still and nothing trades. When a recording
ends, its market keeps its last book, without trades; `note` says so.
How an order of ours is filled is the law of `market.py`.
"""

from collections.abc import Sequence
from pathlib import Path

from lighterman.domain.errors import ConfigError
from lighterman.domain.market import Market
from lighterman.matching.exchange import Exchange
from lighterman.simulator.tapes.format import Recording
from lighterman.simulator.tapes.market import TapeMarket
from lighterman.simulator.tapes.sources import open_recordings

SPEED_MAX = 10_000.0


class TapeMarkets:
    """A MarketDriver that replays recordings."""

    def __init__(self, recordings: Sequence[Recording], speed: float) -> None:
        if not 0 < speed <= SPEED_MAX:
            raise ConfigError([f"speed: {speed} is not between 0 and {SPEED_MAX:g}"])
        self._speed = speed
        self._playing = [TapeMarket(recording) for recording in recordings]
        firsts = [market.next_at_us for market in self._playing]
        empty = [f"tape: {market.market.symbol}: {market.end}" for market in self._playing if market.end]
        if empty or not firsts:
            raise ConfigError(empty or ["tape: there is no recorded market"])
        self._first_at_us = min(first for first in firsts if first is not None)
        self._started_us: int | None = None

    @property
    def markets(self) -> tuple[Market, ...]:
        """Return the recorded markets."""
        return tuple(market.market for market in self._playing)

    @property
    def note(self) -> str:
        """Return what is replayed, how fast, and which recordings have ended."""
        parts = [
            f"{market.market.symbol} from {market.header.source} (reading: {market.header.reading})"
            + (f", {market.end}" if market.end else "")
            for market in self._playing
        ]
        return f"SIMULATED: a recording, {self._speed:g} times as fast as it happened: {'; '.join(parts)}"

    def start(self, exchange: Exchange, now_us: int) -> None:
        """Stand the first book of every market."""
        self._started_us = now_us
        for market in self._playing:
            market.start(exchange, now_us)

    def next_due_us(self) -> int | None:
        """Return when the next record of any market happens."""
        return min((due for market in self._playing if (due := self._due_us(market)) is not None), default=None)

    def advance(self, exchange: Exchange, now_us: int) -> None:
        """Let everything happen that is due, market by market in the order of time."""
        while True:
            due = [(due_us, order) for order, market in enumerate(self._playing) if (due_us := self._due_us(market))]
            if not due or min(due)[0] > now_us:
                return
            self._playing[min(due)[1]].play(exchange, now_us)

    def _due_us(self, market: TapeMarket) -> int | None:
        """Return when a market's next record happens, None before the start and after the end."""
        if self._started_us is None or market.next_at_us is None:
            return None
        return self._started_us + round((market.next_at_us - self._first_at_us) / self._speed)


def open_tapes(source: Path, speed: float) -> TapeMarkets:
    """Return the driver of a recorded session: tapes of our format, or any kind of recording we read."""
    return TapeMarkets(open_recordings(source), speed)
