"""What is counted of a run: reasons without their numbers, changes once, and every name that must be seen."""

from helpers.desk import ETH
from helpers.scripted_venue import ScriptedVenue
from lighterman.domain.commands import CancelAll
from lighterman.domain.events import (
    BookLost,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    Event,
    Link,
    LinkReport,
    OrderReport,
    StopRequested,
)
from lighterman.engine.decision import Decision
from lighterman.journal.writer import JournalState
from lighterman.risk.gate import Refusal
from lighterman.simulation.sightings import NAMES, Sightings


class Seen(ScriptedVenue):
    """A scripted venue, with somebody who counts."""

    def __init__(self) -> None:
        super().__init__()
        self.sightings = Sightings()

    @property
    def counts(self) -> dict[str, int]:
        return self.sightings.counts

    def tell(self, *events: Event) -> None:
        for event in events:
            self.sightings.observe_event(event, self.engine.state)
            super().tell(event)

    def decide(self, after_ms: int = 0) -> Decision:
        decision = super().decide(after_ms)
        self.sightings.observe_decision(decision, self.engine.state, JournalState.RECORDING)
        return decision


def quoting() -> Seen:
    venue = Seen()
    venue.open()
    venue.accept()
    venue.decide()
    return venue


def test_counts_commands_events_and_orders():
    """Every event and command counts under its kind, and an order under each state that it comes to."""
    counts = quoting().counts

    assert {"command PlaceOrder": 6, "order sent": 6, "order open": 6, "event CommandAcked": 6} == {
        name: counts[name] for name in ("command PlaceOrder", "order sent", "order open", "event CommandAcked")
    }
    assert 1 == counts["link private up"] == counts["journal recording"]
    assert 6 == counts["row open"]


def test_orders_end_from_where_they_were():
    """An order that is no more is counted by the state in which it was last seen."""
    venue = quoting()
    gone = venue.order()
    venue.tell(venue.row(gone, "canceled"))
    venue.decide()

    assert 1 == venue.counts["order ended from open"]


def test_reasons_lose_their_numbers():
    """Reasons that differ in numbers are one name; only their first line counts, and not all of a long one."""
    venue = quoting()
    for number in (1, 22):
        venue.tell(BookLost(ETH.index, f"gap: {number} does not follow {number + 1.5}\nmore", 0))
        venue.tell(CommandUnknown(number, f"no answer in {number}.5 s", 0))
        venue.tell(LinkReport(Link.PRIVATE, up=False, reason="x" * 500 + str(number), recv_ns=0))

    assert 2 == venue.counts["book lost: gap: # does not follow #"]
    assert 2 == venue.counts["answer unknown: no answer in # s"]
    assert 2 == venue.counts["link private down: " + "x" * 90]


def test_counts_what_the_venue_answers():
    """Refusals count by the venue's code, the sequencer's by its words; what was executed is no refusal."""
    venue = quoting()
    before = venue.counts["event CommandExecuted"]
    venue.tell(CommandRefused(1, 21_104, "invalid nonce", 0), CommandExecuted(1, "no such order 7", 0))
    venue.tell(CommandExecuted(2, "", 0))

    assert 1 == venue.counts["venue refused with 21104"]
    assert 1 == venue.counts["sequencer rejected: no such order #"]
    assert before + 2 == venue.counts["event CommandExecuted"]


def test_counts_refusals_of_risk():
    """What the gate stopped counts under the gate's reason."""
    sightings, state = Sightings(), Seen().engine.state
    decision = Decision(0, [], [Refusal(CancelAll(1), -1, "message_budget")], [], [], None)
    for _ in range(2):
        sightings.observe_decision(decision, state, JournalState.FAILED)

    assert {"risk refused: message_budget": 2, "journal failed": 1} == sightings.counts


def test_a_standing_reason_counts_once():
    """Why a market is not quoted, or halted, counts when it becomes so, and again only after it was otherwise."""
    venue = quoting()
    for _ in range(3):
        venue.tell(BookLost(ETH.index, "gap", 0))
        venue.decide(after_ms=1)
    venue.cycle()
    venue.tell(BookLost(ETH.index, "gap", 0))
    venue.decide(after_ms=1)
    venue.tell(OrderReport(ETH.index, 3, 4, False, 1, 1, 0, "open", 0, 0))
    venue.decide()
    venue.tell(StopRequested("enough", 0))
    venue.decide()

    assert (2, 1) == (venue.counts["not quoted: gap"], venue.counts["halted: foreign_order"])


def test_fills_are_told_apart():
    """A fill counts as told again by its trade, and as late or unknown by where its order stands."""
    venue = quoting()
    first, second, *_ = venue.orders()
    fill = venue.fill(first, 1)
    venue.tell(fill, fill, venue.row(second, "canceled", filled_lots=5), venue.fill(second, 5), venue.fill(999, 1))

    assert {
        "fill told again": 1,
        "fill of an order that draws to its end": 1,
        "fill of an unknown order": 1,
    } == {name: count for name, count in venue.counts.items() if name.startswith("fill ")}


def test_lives_are_counted():
    """Ends count by exit code and reason; a new process has said nothing and has no orders yet."""
    sightings, venue = Sightings(), quoting()
    for text in ("bot started", "bot killed", "bot started", "bot ended: 75 journal failed: disk 7"):
        sightings.lived(text)
        sightings.observe_decision(venue.decisions[-1], venue.engine.state, JournalState.RECORDING)

    assert {
        "bot started": 2,
        "bot killed": 1,
        "bot ended 75: journal failed: disk #": 1,
        "journal recording": 2,
        "order open": 12,
    } == sightings.counts


def test_names_are_what_is_counted():
    """The names that a campaign must have seen are written as they are counted."""
    venue = quoting()
    counted = {name for name in venue.counts if name.startswith(("event ", "order "))}

    assert len(NAMES) == len(set(NAMES))
    assert counted <= set(NAMES)
