"""The port: all that the rest of the program knows of a venue.

Law: only `Approved` goes in, and only `risk/gate.py` makes it. Nothing is returned for what is
sent: acknowledgements, refusals, executions, fills and the loss of data all come back as events
through the sink that the venue was built with, in the order in which they were learnt.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from lighterman.domain.commands import Query
from lighterman.domain.events import Event
from lighterman.risk.gate import Approved

Sink = Callable[[Event], None]


class Venue(Protocol):
    """A venue to trade on."""

    async def start(self) -> None:
        """Learn markets and account, then open the streams; returns before they are up (LinkReport says when).

        Raises PreflightError when venue, keys or account do not fit the settings, and
        TransportError or VenueError when the venue cannot be asked.
        """
        ...

    def submit(self, approved: Sequence[Approved]) -> None:
        """Send commands; each is answered by CommandAcked, CommandRefused or CommandUnknown."""
        ...

    def query(self, queries: Sequence[Query]) -> None:
        """Ask; repeated until answered."""
        ...

    def stop_creates(self) -> None:
        """From now on nothing that could add an order leaves; there is no way back."""
        ...

    async def open_order_count(self) -> int:
        """Return how many orders of the account the venue holds now; raises TransportError, VenueError."""
        ...

    async def close(self) -> None:
        """End all connections; orders stay as they are."""
        ...
