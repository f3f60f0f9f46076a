"""The local exchange without I/O: bytes in, bytes out, time given.

Law of this file: it owns nobody's clock and no socket. Whoever hosts it (a server on sockets, or
a simulation in virtual time) calls `advance` when `next_due_us` has come and before every
message, hands over what arrived, and sends what `take_ready` offers. Hosted by the same calls at
the same times, it says the same again.

The parts: `door` answers HTTP, `stream` holds the connections, `admission` lets transactions
into the exchange's core, `publication` tells what the core did, a driver makes the market.
"""

from collections.abc import Callable

import msgspec

from lighterman.matching.exchange import Exchange
from lighterman.matching.rules import Rules
from lighterman.simulator.admission import Admission
from lighterman.simulator.calls import HttpRequest, Services
from lighterman.simulator.door import Door, HttpResponse
from lighterman.simulator.driver import MarketDriver
from lighterman.simulator.history import History
from lighterman.simulator.limits import LimitRules
from lighterman.simulator.listening import Listener
from lighterman.simulator.publication import Publication
from lighterman.simulator.registry import Registry
from lighterman.simulator.sessions import Session
from lighterman.simulator.signatures import Verification, Verifier
from lighterman.simulator.stream import Stream, StreamRules
from lighterman.simulator.tokens import Gatekeeper

KEEP_ALIVE_GRID_US = 1_000_000
OFFICIAL_CHAIN_ID = 304  # what an unmodified official client signs with for a host it does not know


class AppRules(msgspec.Struct, frozen=True, kw_only=True):
    """Every switch of the exchange, by the part it belongs to."""

    chain_id: int = OFFICIAL_CHAIN_ID
    default_tier: str = "premium"
    verification: Verification = Verification.FULL
    exchange: Rules = Rules()
    limits: LimitRules = LimitRules()
    stream: StreamRules = StreamRules()


class LocalExchange:
    """Lighter's protocol, spoken by the exchange's core and a market around it."""

    def __init__(
        self,
        driver: MarketDriver,
        rules: AppRules,
        entropy: Callable[[int], bytes],
        now_us: int,
        listener: Listener | None = None,
    ) -> None:
        self._driver = driver
        self._exchange = Exchange(driver.markets, rules.exchange, now_us)
        history = History(self._exchange.markets)
        verifier = Verifier(rules.verification)
        admission = Admission(self._exchange, verifier, rules.limits, rules.chain_id, listener)
        gatekeeper = Gatekeeper(self._exchange, verifier, entropy)
        self._publication = Publication(self._exchange, rules.exchange, admission, history, now_us, listener)
        self._stream = Stream(self._exchange, self._publication, admission, gatekeeper, rules.stream, rules.limits)
        self._door = Door(
            Services(
                exchange=self._exchange,
                rules=rules.exchange,
                limits=rules.limits,
                admission=admission,
                gatekeeper=gatekeeper,
                registry=Registry(self._exchange, rules.exchange, rules.default_tier, rules.chain_id),
                history=history,
                opened_us=now_us,
            )
        )
        self._keep_alive_us = now_us + KEEP_ALIVE_GRID_US
        driver.start(self._exchange, now_us)
        self._publication.publish(now_us)

    @property
    def now_us(self) -> int:
        """Return the time up to which everything has been done."""
        return self._exchange.now_us

    @property
    def exchange(self) -> Exchange:
        """Return the core, for tests and oracles: whoever changes it bypasses the protocol."""
        return self._exchange

    def next_due_us(self) -> int:
        """Return when `advance` next has something to do."""
        dues = (self._exchange.next_due_us(), self._publication.next_due_us(), self._keep_alive_us)
        driver_us = self._driver.next_due_us()
        return min(dues) if driver_us is None else min(driver_us, *dues)

    def advance(self, now_us: int) -> None:
        """Do everything due, each thing at its own time, and tell what happened."""
        while (due_us := self._driver.next_due_us()) is not None and due_us <= now_us:
            self._exchange.advance(due_us)
            self._driver.advance(self._exchange, due_us)
            self._publication.publish(self._exchange.now_us)
        self._exchange.advance(now_us)
        self._publication.publish(self._exchange.now_us)
        if self._keep_alive_us <= now_us:
            self._keep_alive_us = now_us + KEEP_ALIVE_GRID_US
            self._stream.keep_alive(now_us)

    def handle(self, request: HttpRequest, now_us: int) -> HttpResponse:
        """Answer an HTTP request."""
        self.advance(now_us)
        response = self._door.handle(request, self.now_us)
        self.advance(now_us)
        return response

    def connect(self, ip: str, now_us: int, *, is_read_only: bool = False) -> Session:
        """Open a connection of the stream; raises VenueError 23003."""
        self.advance(now_us)
        return self._stream.connect(ip, self.now_us, is_read_only=is_read_only)

    def receive(self, session: Session, data: bytes | str, now_us: int) -> None:
        """Answer a message of a connection."""
        self.advance(now_us)
        self._stream.receive(session, data, self.now_us)
        self.advance(now_us)

    def disconnect(self, session: Session) -> None:
        """Forget a connection that has ended."""
        self._stream.disconnect(session)

    def take_ready(self) -> list[Session]:
        """Return the connections that have something to send or are to be closed."""
        return self._stream.take_ready()
