"""What was ever seen happening in a run: the counters that must not stay at zero over a campaign.

Law: it is told what every observer of the bot is told, reads what the bot believes, and changes
nothing. A name says the kind of thing first; reasons lose their numbers, so that few names come of
many runs. `NAMES` lists those that every long campaign must have seen.

Not in it are second lines of defence, which nothing reaches while the first holds, and which have tests
of their own: the gate's look at the value of an order that was sized by the same limit, its refusals for
want of quota where the pace has slowed down already, and of more orders than there are slots, a trade
told twice behind a feed that tells each once, a position that differs while the money does not, an
account not known behind a link that is up, a crossed book behind one whose gaps are noticed.
"""

import re
from typing import get_args

from lighterman.domain.events import (
    BookLost,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    Event,
    FillReport,
    LinkReport,
    OrderReport,
)
from lighterman.engine.decision import Decision
from lighterman.engine.order import OrderState
from lighterman.engine.state import State
from lighterman.journal.writer import JournalState

NAME_CHARACTERS_MAX = 90
NUMBER = re.compile(r"-?\d+(\.\d+)?")
REFUSALS = (  # of the gate and the budget
    "message_budget",
    "position_limit",
    "price_collar",
    "self_cross",
    "total_position_limit",
)
UNQUOTED = (  # for want of something
    "mark_far_from_mid",
    "market_not_active",
    "no_mark_price",
    "nobody_else_in_book",
    "one_sided_book",
    "stale_book",
)
HALTS = (
    "halted: foreign_order",
    "halted: ledger_mismatch",
    "loss: daily_loss",
    "market halted: foreign_fill",
    "market halted: market_minimum_changed",
    "market halted: market_scale_changed",
)
NAMES = (
    *(f"event {event.__name__}" for event in get_args(Event)),
    *(f"order {state.value}" for state in OrderState if state is not OrderState.DONE),
    *(f"order ended from {state.value}" for state in OrderState if state is not OrderState.DONE),
    *(f"risk refused: {reason}" for reason in REFUSALS),
    *(f"not quoted: {reason}" for reason in UNQUOTED),
    *HALTS,
    "fill of an order that draws to its end",
    "fill of an unknown order",
    "journal failed",
    "bot killed",
)


class Sightings:
    """Counts what happens to the bots of one world, one after the other."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._trades: set[int] = set()
        self._states: dict[int, OrderState] = {}  # of the running bot's orders
        self._said: dict[str, str] = {}  # reasons that it gives

    def lived(self, text: str) -> None:
        """Take note of a start, an end or a death, in the world's words."""
        if text == "bot started":
            self._states, self._said = {}, {}
        what, _, how = text.partition(": ")
        code, _, why = how.partition(" ")
        self._count(f"{what} {code}: {_plain(why)}" if code else what)

    def observe_event(self, event: Event, state: State) -> None:
        """Take note of an event, before the engine does."""
        self._count(f"event {type(event).__name__}")
        match event:
            case LinkReport():
                self._count(f"link {event.link.value} {'up' if event.up else 'down: ' + _plain(event.reason)}")
            case BookLost():
                self._count(f"book lost: {_plain(event.reason)}")
            case CommandRefused():
                self._count(f"venue refused with {event.code}")
            case CommandUnknown():
                self._count(f"answer unknown: {_plain(event.reason)}")
            case CommandExecuted() if event.error:
                self._count(f"sequencer rejected: {_plain(event.error)}")
            case OrderReport():
                self._count(f"row {event.status}")
            case FillReport():
                self._fill(event, state)
            case _:
                pass

    def observe_decision(self, decision: Decision, state: State, journal: JournalState) -> None:
        """Take note of a decision and of what is believed after it."""
        for approved in decision.approved:
            self._count(f"command {type(approved.command).__name__}")
        for refusal in decision.refused:
            self._count(f"risk refused: {_plain(refusal.reason)}")
        for query in decision.queries:
            self._count(f"query {type(query).__name__}")
        for verdict in decision.verdicts:
            self._says(f"market {verdict.market}", "not quoted: ", verdict.reason)
        for index, market in state.markets.items():
            self._says(f"halt of {index}", "market halted: ", market.halt_reason)
        self._says("halt", "halted: ", state.halt_reason)
        self._says("loss", "loss: ", state.loss.tripped)
        self._says("journal", "journal ", journal.value)
        self._orders(state)

    def _fill(self, fill: FillReport, state: State) -> None:
        order = state.orders.get(fill.client_order_index)
        if fill.trade_id in self._trades:
            self._count("fill told again")
        elif order is None:
            self._count("fill of an unknown order")
        elif order.state is OrderState.DRAINING:
            self._count("fill of an order that draws to its end")
        self._trades.add(fill.trade_id)

    def _orders(self, state: State) -> None:
        """Count the states that orders have come to since the last decision."""
        before = self._states
        self._states = {order.client_order_index: order.state for order in state.orders}
        if self._states == before:
            return
        for index, found in self._states.items():
            if before.pop(index, None) is not found:
                self._count(f"order {found.value}")
        for gone in before.values():
            self._count(f"order ended from {gone.value}")

    def _says(self, who: str, words: str, reason: str) -> None:
        """Count a reason when it is new."""
        if reason != self._said.get(who, ""):
            self._said[who] = reason
            if reason:
                self._count(words + _plain(reason))

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


def _plain(reason: str) -> str:
    return NUMBER.sub("#", reason.partition("\n")[0])[:NAME_CHARACTERS_MAX]
