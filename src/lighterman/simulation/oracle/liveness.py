"""L1, L2: once healed the bot comes back, and all in all it quotes.

L1 begins anew with each `healed` and is called off by a new fault alone: a bot that ends by itself
must be back in time, and a world that wants it gone waits until L1 is judged. Each of its parts
must have been so at some moment within the time: quotes of the bot live on both sides of every
enabled market (a side without room below the cap is not demanded, nor a market that is excused),
positions and cash as in truth, every live order tracked, no order whose fate the bot does not know.

L2 is the share of time in which both sides were quoted, from the first moment at which they were to
the stop; what a run without faults reaches is the harness's to find out.
"""

from collections.abc import Mapping

from lighterman.simulation.oracle.ledger import Ledger
from lighterman.simulation.oracle.phases import Phases
from lighterman.simulation.oracle.records import Belief, MarketTerms, Terms
from lighterman.simulation.oracle.registry import Record
from lighterman.simulation.oracle.tracking import Tracking
from lighterman.simulation.oracle.venue_model import VenueModel

PPM = 1_000_000


class _Uptime:
    """How long a market was quoted on both sides."""

    __slots__ = ("first_ns", "quoted_ns", "since_ns")

    def __init__(self) -> None:
        self.first_ns: int | None = None
        self.since_ns: int | None = None
        self.quoted_ns = 0

    def tell(self, is_quoted: bool, now_ns: int) -> None:
        """Quoted or not from here."""
        if is_quoted and self.since_ns is None:
            self.since_ns = now_ns
            self.first_ns = now_ns if self.first_ns is None else self.first_ns
        elif not is_quoted and self.since_ns is not None:
            self.quoted_ns += now_ns - self.since_ns
            self.since_ns = None


class Liveness:
    """Watches quotes and beliefs from the healing on."""

    def __init__(self, terms: Terms, venue: VenueModel, phases: Phases, record: Record) -> None:
        self._terms = terms
        self._markets: dict[int, MarketTerms] = {each.market.index: each for each in terms.markets}
        self._venue = venue
        self._phases = phases
        self._record = record
        self._due_ns: int | None = None
        self._wanting: dict[str, str] = {}  # what has not been so since the healing, with the last reason
        self._reasons: Mapping[int, str] = {}  # of the last belief
        self._uptimes = {index: _Uptime() for index in self._markets}
        self._until_ns: int | None = None  # when the bot was asked to go

    def healed(self, now_ns: int) -> None:
        """From here the time runs."""
        self._due_ns = now_ns + self._terms.quotes_within_ns
        self._wanting = {_quotes(market): "not known" for market in self._markets}
        self._wanting |= dict.fromkeys(("positions and cash", "orders", "fates"), "nothing was heard of the bot")
        for market in self._markets:
            self.on_orders(market, now_ns)

    def called_off(self) -> None:
        """There is a fault again."""
        self._due_ns = None

    def started(self) -> None:
        """A process begins."""
        self._until_ns = None

    def stopped(self, now_ns: int) -> None:
        """The bot is to go: the time that counts for L2 ends."""
        self._until_ns = now_ns
        for uptime in self._uptimes.values():
            uptime.tell(is_quoted=False, now_ns=now_ns)

    def on_orders(self, market: int, now_ns: int) -> None:
        """The live orders or the position of a market have changed."""
        terms = self._markets.get(market)
        if terms is None:
            return
        lacking = [name for is_ask, name in ((False, "bids"), (True, "asks")) if self._is_lacking(terms, is_ask)]
        self._uptimes[market].tell(not lacking and self._until_ns is None, now_ns)
        if self._due_ns is not None:
            self._want(_quotes(market), f"no {' and no '.join(lacking)}" if lacking else "")

    def _is_lacking(self, terms: MarketTerms, is_ask: bool) -> bool:
        market = terms.market.index
        if self._venue.bots_lots[market, is_ask]:
            return False
        position = self._venue.position(market)
        return (-position if is_ask else position) + terms.quote_lots <= terms.position_max_lots

    def on_belief(self, belief: Belief, ledger: Ledger, tracking: Tracking) -> None:
        """Take note of what the bot believes."""
        if self._due_ns is None:
            return
        is_equal = ledger.is_equal and belief.cash_pico in (None, self._venue.cash_pico)
        reason = f"the bot has {dict(belief.positions)} and {belief.cash_pico} pico, {self._venue.cash_pico} is true"
        self._want("positions and cash", "" if is_equal else reason)
        self._want("orders", "" if tracking.is_complete else "a live order is not tracked")
        self._want("fates", f"{belief.unknown_orders} orders unknown" if belief.unknown_orders else "")
        self._reasons = belief.reasons

    def poll(self, now_ns: int) -> None:
        """Judge L1 when it is time."""
        if self._due_ns is None or now_ns < self._due_ns:
            return
        self._due_ns = None
        self._record.judged["L1"] += 1
        excused = [_quotes(market) for market in self._phases.excuses]
        for name, reason in self._wanting.items():
            if reason and name not in excused:
                state = f"it says {dict(self._reasons)}" if self._phases.is_alive else "it is not running"
                self._record.breach("L1", f"{name}: {reason}; {state}", now_ns)

    def finished(self, now_ns: int) -> None:
        """Judge L2."""
        if not self._terms.quoted_ppm_min:
            return
        for market in self._markets:
            if market not in self._phases.excuses:
                self._record.judged["L2"] += 1
                share_ppm = self.quoted_ppm(market, now_ns)
                if share_ppm < self._terms.quoted_ppm_min:
                    text = f"market {market} was quoted {share_ppm} ppm of the time < {self._terms.quoted_ppm_min}"
                    self._record.breach("L2", text, now_ns)

    def quoted_ppm(self, market: int, now_ns: int) -> int:
        """Return the share of time in which a market was quoted on both sides since it first was."""
        uptime = self._uptimes[market]
        now_ns = now_ns if self._until_ns is None else self._until_ns
        if uptime.first_ns is None or now_ns <= uptime.first_ns:
            return 0
        quoted_ns = uptime.quoted_ns + (now_ns - uptime.since_ns if uptime.since_ns is not None else 0)
        return quoted_ns * PPM // (now_ns - uptime.first_ns)

    def _want(self, name: str, reason: str) -> None:
        """Note that something is so (no reason) or why it is not; once so, it counts as reached."""
        if self._wanting.get(name):
            self._wanting[name] = reason


def _quotes(market: int) -> str:
    return f"quotes in market {market}"
