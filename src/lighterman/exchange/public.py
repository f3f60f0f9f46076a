"""Public data: books and market statistics become events.

Law: a book is announced as lost before anything else is said of it, whatever lost it: a gap, a
malformed frame, the connection.
"""

from collections.abc import Sequence

from lighterman.domain.clock import Clock
from lighterman.domain.events import BookLost, Link, LinkReport
from lighterman.exchange.link import Heard
from lighterman.exchange.port import Sink
from lighterman.protocol.messages import BookFrame, MarketStatsFrame
from lighterman.protocol.stream import BookGap
from lighterman.protocol.translate import Translator


def channels(markets: Sequence[int]) -> list[str]:
    """Return the channels that these markets need."""
    return [f"{family}/{market}" for market in markets for family in ("order_book", "market_stats")]


def book_channel(market: int) -> str:
    """Return a book's channel as the venue names it in its frames."""
    return f"order_book:{market}"


class PublicFeed:
    """The owner of the public link."""

    def __init__(self, markets: Sequence[int], translator: Translator, clock: Clock, emit: Sink) -> None:
        self._markets = {book_channel(market): market for market in markets}
        self._translator = translator
        self._clock = clock
        self._emit = emit
        self._is_up = False

    def heard(self, frame: Heard, recv_ns: int) -> None:
        """Take a frame; raises RemoteProtocolError or UnitError."""
        if isinstance(frame, BookFrame):
            self._emit(self._translator.book(frame, recv_ns))
        elif isinstance(frame, MarketStatsFrame):
            for report in self._translator.stats(frame.rows(), recv_ns):
                self._emit(report)

    def lost(self, gap: BookGap, recv_ns: int) -> None:
        """A book is no longer known."""
        self._emit(BookLost(self._markets[gap.channel], gap.reason, recv_ns))

    async def become_ready(self) -> None:
        """Nothing to catch up with: snapshots say it all."""
        if not self._is_up:
            self._is_up = True
            self._emit(LinkReport(Link.PUBLIC, up=True, reason="", recv_ns=self._clock.mono_ns()))

    def went_down(self, reason: str) -> None:
        """Every book is lost with the connection."""
        self._is_up = False
        now_ns = self._clock.mono_ns()
        for market in self._markets.values():
            self._emit(BookLost(market, reason, now_ns))
        self._emit(LinkReport(Link.PUBLIC, up=False, reason=reason, recv_ns=now_ns))
