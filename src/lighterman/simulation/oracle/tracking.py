"""I12: every live order of the account is known to the bot, or the bot does not quote.

An order that the present process created is known to it from the moment it left. One of an earlier
process or of somebody else is known once the bot was told and had time to act, or after three
reconciliations. `tracked` names it by client order index, or by order index.

A bot quotes when it says so, or when a create or modify left it in the last seconds.
"""

from lighterman.simulation.oracle import slack
from lighterman.simulation.oracle.delivery import Delivery
from lighterman.simulation.oracle.phases import Phases
from lighterman.simulation.oracle.records import Belief
from lighterman.simulation.oracle.registry import Record
from lighterman.simulation.oracle.venue_model import LiveOrder, VenueModel


class Tracking:
    """Judges each belief."""

    def __init__(self, venue: VenueModel, delivery: Delivery, phases: Phases, record: Record) -> None:
        self._venue = venue
        self._delivery = delivery
        self._phases = phases
        self._record = record
        self._told: set[int] = set()
        self._added_ns = -slack.QUOTES_NS
        self.is_complete = False  # of the last belief

    def started(self) -> None:
        """A new process tracks nothing yet."""
        self._told.clear()
        self._added_ns = -slack.QUOTES_NS
        self.is_complete = False

    def on_added(self, now_ns: int) -> None:
        """A create or modify left the bot."""
        self._added_ns = now_ns

    def on_belief(self, belief: Belief, now_ns: int) -> None:
        """Judge what the bot tracks."""
        self._record.judged["I12"] += 1
        tracked = belief.tracked
        missing = [
            order
            for order in self._venue.live.values()
            if order.client_order_index not in tracked and order.order_index not in tracked
        ]
        self.is_complete = not missing
        if not missing or not (any(belief.is_quoting.values()) or now_ns < self._added_ns + slack.QUOTES_NS):
            return
        for order in missing:
            if order.order_index not in self._told and self._must_know(order, now_ns):
                self._told.add(order.order_index)
                self._record.breach("I12", f"{order!r} is live, not tracked, and the bot quotes", now_ns)

    def _must_know(self, order: LiveOrder, now_ns: int) -> bool:
        if order.life == self._phases.life:
            return True
        since_ns = max(order.since_ns, self._phases.started_ns)
        return self._delivery.is_known(order, now_ns) or now_ns > since_ns + slack.UNTOLD_ORDER_NS
