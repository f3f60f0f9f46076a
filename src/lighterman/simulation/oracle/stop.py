"""I3: a stop is at once for what adds risk, soon for what is in the book, and truthful at the end.

A create that left before or at the very instant of the stop may still arrive. That no order stays
is judged after `stop_within_ns`, or at the end if that comes first, and only where no fault was
active since the stop. The claim of no open orders is judged always, also afterwards: an order of
that process that appears behind a claim of none belies it. Foreign orders count against the claim
where they stood before the stop, when there was time to see them, and the bot has said a number.
"""

from lighterman.protocol.transactions import CreateOrderTx, ModifyOrderTx
from lighterman.simulation.oracle.phases import Phases
from lighterman.simulation.oracle.records import Terms
from lighterman.simulation.oracle.registry import Record
from lighterman.simulation.oracle.venue_model import LiveOrder, VenueModel
from lighterman.simulation.oracle.wire_model import Sent

NAME = "I3"


class Stop:
    """The stop of the bot's present process, if it was asked."""

    def __init__(self, terms: Terms, venue: VenueModel, phases: Phases, record: Record) -> None:
        self._within_ns = terms.stop_within_ns
        self._venue = venue
        self._phases = phases
        self._record = record
        self._asked_ns: int | None = None
        self._due_ns: int | None = None
        self._claims_none = False

    def started(self) -> None:
        """A new process is not asked to stop."""
        self._asked_ns = self._due_ns = None
        self._claims_none = False

    def asked(self, now_ns: int) -> None:
        """The bot is to stop; to be asked twice changes nothing."""
        if self._asked_ns is None:
            self._asked_ns = now_ns
            self._due_ns = now_ns + self._within_ns

    def judge_sent(self, sent: Sent, now_ns: int) -> None:
        """Judge what leaves after the stop."""
        if self._asked_ns is None or not isinstance(sent.tx, CreateOrderTx | ModifyOrderTx):
            return
        self._record.judged[NAME] += 1
        if now_ns > self._asked_ns:
            self._record.breach(NAME, f"{sent!r} left {now_ns - self._asked_ns} ns after the stop", now_ns)

    def on_order(self, order: LiveOrder, now_ns: int) -> None:
        """Judge an order that comes into the book."""
        if self._claims_none and order.life == self._phases.life:
            self._record.judged[NAME] += 1
            self._record.breach(NAME, f"the bot ended with no open orders, it said, and then came {order!r}", now_ns)

    def poll(self, now_ns: int) -> None:
        """Judge that no order has stayed, when it is time."""
        if self._due_ns is not None and now_ns >= self._due_ns:
            self._due_ns = None
            self._judge_empty(now_ns)

    def ended(self, exit_code: int, open_orders: int | None, now_ns: int) -> None:
        """Judge the bot's last words."""
        if self._due_ns is not None:
            self._due_ns = None
            self._judge_empty(now_ns)
        claims_none = open_orders == 0 or exit_code == 0
        if not claims_none:
            return
        self._record.judged[NAME] += 1
        self._claims_none = True
        seen_ns = self._asked_ns if self._asked_ns is not None else now_ns
        has_asked = open_orders is not None  # else nothing is said of orders that are not its own
        left = [
            order for order in self._venue.live.values() if order.is_bots or (has_asked and order.since_ns < seen_ns)
        ]
        if left:
            self._record.breach(
                NAME, f"the bot ended saying {open_orders} open orders, exit {exit_code}: {left}", now_ns
            )

    def killed(self) -> None:
        """The process is gone, and with it what it was asked."""
        self._asked_ns = self._due_ns = None

    def _judge_empty(self, now_ns: int) -> None:
        if self._asked_ns is None or not self._phases.is_calm_since(self._asked_ns):
            return
        self._record.judged[NAME] += 1
        left = [order for order in self._venue.live.values() if order.is_bots]
        if left:
            self._record.breach(NAME, f"orders are open {now_ns - self._asked_ns} ns after the stop: {left}", now_ns)
