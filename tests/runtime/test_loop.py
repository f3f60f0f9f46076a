"""The loop: everything observed, one decision a turn, nothing after a bug."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.virtual_time import VirtualClock, run
from lighterman.domain.commands import CancelAll, QueryAccount
from lighterman.domain.errors import InvariantBroken
from lighterman.domain.events import QuotaReport
from lighterman.engine.decision import Decision
from lighterman.risk.gate import Approved
from lighterman.runtime.loop import UNTOLD_MAX, TradingLoop

FAR_NS = 10**18
COMMAND = Approved(CancelAll(1))  # house-ok: a test stands in for the gate


class Stage:
    """Engine, observer and venue in one, which write down what is asked of them, in order."""

    def __init__(self):
        self.said = []
        self.approved, self.queries = [], []
        self.deadlines_ns = iter(())
        self.failing = {}
        self.clock = VirtualClock(0)
        self.broken = []
        self.loop = TradingLoop(self, self.clock, [self], lambda error, now_ns: self.broken.append((error, now_ns)))

    def say(self, what, *facts):
        self.said.append((what, *facts))
        if what in self.failing:
            raise self.failing[what]

    @property
    def next_deadline_ns(self):
        return next(self.deadlines_ns, FAR_NS)

    def observe_event(self, event):
        self.say("told", event.remaining)

    def observe_decision(self, decision):
        self.say("told of the decision")

    def observe(self, event):
        self.say("observe", event.remaining)

    def decide(self, now_ns):
        self.say("decide", now_ns)
        return Decision(now_ns, self.approved, [], self.queries, [], None)

    def submit(self, approved):
        self.say("submit", *approved)

    def query(self, queries):
        self.say("query", *queries)

    def receive(self, *numbers):
        for number in numbers:
            self.loop.receive(QuotaReport(number, 0))

    def decided_ns(self):
        return [facts[0] for what, *facts in self.said if what == "decide"]


def staged(test):
    """Run a test with a stage, in virtual time."""

    def wrapped(**given_arguments):
        async def body():
            await test(Stage(), **given_arguments)

        run(body())

    wrapped.__name__, wrapped.__doc__ = test.__name__, test.__doc__
    return wrapped


@staged
async def test_burst_is_one_turn(stage):
    """All events that have come are observed in order, then one decision is made and sent, told before it is."""
    stage.loop.connect(stage.submit, stage.query)
    stage.approved, stage.queries = [COMMAND], [QueryAccount()]

    stage.receive(1, 2)
    assert [] == stage.said  # nothing happens within the caller
    await asyncio.sleep(1)

    assert [
        ("told", 1),
        ("observe", 1),
        ("told", 2),
        ("observe", 2),
        ("decide", 0),
        ("told of the decision",),
        ("submit", COMMAND),
        ("query", QueryAccount()),
    ] == stage.said


@staged
async def test_bystanders_are_told_when_the_orders_are_on_their_way(stage):
    """Each hears of the turn's events and of the decision after everything has been sent."""

    class OfTurns:
        def observe_turn(self, events, decision, done_ns):
            stage.said.append(("saw", [event.remaining for event in events], decision.now_ns, done_ns))

    stage.loop = TradingLoop(stage, stage.clock, [stage], stage.broken.append, bystanders=[OfTurns(), OfTurns()])
    stage.loop.connect(stage.submit, stage.query)
    stage.approved, stage.queries = [COMMAND], [QueryAccount()]
    stage.receive(1, 2)
    await asyncio.sleep(1)

    assert [("submit", COMMAND), ("query", QueryAccount()), *[("saw", [1, 2], 0, 0)] * 2] == stage.said[-4:]


class Bystander:
    """Writes down of which turn it is told."""

    def __init__(self, stage):
        self.stage = stage

    def observe_turn(self, events, _decision, _done_ns):
        self.stage.say("saw", *[event.remaining for event in events])


def watched(stage):
    stage.loop = TradingLoop(
        stage, stage.clock, [stage], lambda *how: stage.broken.append(how), bystanders=[Bystander(stage)]
    )
    stage.loop.connect(stage.submit, stage.query)
    stage.approved = [COMMAND]
    return stage


@staged
async def test_what_is_ready_comes_before_the_bystanders(stage):
    """They are told in a callback of their own, behind what the turn has made ready."""
    watched(stage)
    stage.submit = lambda _: asyncio.get_running_loop().call_soon(stage.said.append, ("ready",))
    stage.loop.connect(stage.submit, stage.query)

    stage.receive(1)
    await asyncio.sleep(1)

    assert [("ready",), ("saw", 1)] == stage.said[-2:]


@staged
async def test_a_turn_that_is_due_comes_before_the_bystanders(stage):
    """They are told of all turns in order, behind one that is due, but never more than some turns late."""
    watched(stage)
    left = iter(range(2, 50))
    stage.loop.connect(lambda _: stage.receive(*[number for number in [next(left, 0)] if number]), stage.query)

    stage.receive(1)
    await asyncio.sleep(1)

    seen = [(what, *facts) for what, *facts in stage.said if what in ("observe", "saw")]
    assert [("observe", 1), ("observe", 2)] == seen[:2]
    assert list(range(1, 50)) == [number for what, number in seen if what == "saw"]
    late = [seen.index(("saw", number)) - seen.index(("observe", number)) for number in range(1, 50)]
    assert max(late) <= 2 * UNTOLD_MAX


@staged
async def test_who_reads_the_bystanders_misses_no_turn(stage):
    """The rest is told at once when asked for, and then not again."""
    watched(stage)
    stage.loop.connect(lambda _: asyncio.get_running_loop().call_soon(stage.loop.tell_rest), stage.query)

    stage.receive(1)
    await asyncio.sleep(1)

    assert 1 == stage.said.count(("saw", 1))


@staged
async def test_who_takes_note_of_one_thing_is_told_of_it_alone(stage):
    """An observer of events, or of decisions, needs nothing for the other."""

    class OfEvents:
        def observe_event(self, event):
            stage.said.append(("heard", event.remaining))

    class OfDecisions:
        def observe_decision(self, decision):
            stage.said.append(("saw", decision.now_ns))

    stage.loop = TradingLoop(stage, stage.clock, [OfEvents(), OfDecisions()], stage.broken.append)
    stage.receive(1)
    await asyncio.sleep(1)

    assert [("heard", 1), ("observe", 1), ("decide", 0), ("saw", 0)] == stage.said


@staged
async def test_what_nobody_waits_for_is_done_after_the_turn(stage):
    """It hears the time of the decision; a turn that broke has no afterwards."""
    done = []
    stage.loop = TradingLoop(stage, stage.clock, [stage], lambda *how: stage.broken.append(how), done.append)
    stage.receive(1)
    await asyncio.sleep(1)
    assert [0] == done
    stage.failing["decide"] = ValueError("bug")
    stage.receive(2)
    await asyncio.sleep(1)

    assert ([0], 1) == (done, len(stage.broken))


@staged
async def test_empty_decision_sends_nothing(stage):
    """A decision without commands and questions goes to nobody."""
    stage.loop.connect(stage.submit, stage.query)

    stage.receive(1)
    await asyncio.sleep(1)

    assert {"told", "observe", "decide", "told of the decision"} == {what for what, *_ in stage.said}


@staged
async def test_unconnected_loop_drops_decisions(stage):
    """Before it is connected the loop observes and decides, and sends nothing."""
    stage.approved, stage.queries = [COMMAND], [QueryAccount()]

    stage.receive(1)
    await asyncio.sleep(1)

    assert stage.said[-1] == ("told of the decision",)
    assert [] == stage.broken


def test_every_event_is_observed_once_in_order():
    """Whatever the pauses between events, each is observed once, in order, and no turn is without its decision."""

    @given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.0, 0.0, 0.1, 2.0])), max_size=30))
    def holds(schedule):
        async def body():
            stage, sent, turns = Stage(), list[int](), 0
            for count, pause_s in schedule:
                numbers = range(len(sent), len(sent) + count)
                stage.receive(*numbers)
                sent += numbers
                turns += bool(count)
                await asyncio.sleep(pause_s)
            await asyncio.sleep(1)

            assert sent == [facts[0] for what, *facts in stage.said if what == "observe"]
            assert bool(sent) <= len(stage.decided_ns()) <= turns

        run(body())

    holds()


@staged
async def test_engine_is_woken_at_its_deadline(stage):
    """Without events the engine decides when it asked to, as often as it asks."""
    stage.deadlines_ns = iter([2_000_000_000, 5_000_000_000])

    stage.receive(1)
    await asyncio.sleep(60)

    assert [0, 2_000_000_000, 5_000_000_000] == stage.decided_ns()


@staged
async def test_deadline_in_the_past_is_now(stage):
    """A deadline that has passed already is met at once, not waited for."""
    stage.deadlines_ns = iter([-5])

    stage.receive(1)
    await asyncio.sleep(1)

    assert [0, 0] == stage.decided_ns()


@staged
async def test_event_replaces_the_timer(stage):
    """After a turn only its own deadline counts; the one before it is forgotten."""
    stage.deadlines_ns = iter([2_000_000_000, 9_000_000_000])

    stage.receive(1)
    await asyncio.sleep(1)
    stage.receive(2)
    await asyncio.sleep(60)

    assert [0, 1_000_000_000, 9_000_000_000] == stage.decided_ns()


@pytest.mark.parametrize("place", ["told", "observe", "decide", "told of the decision", "submit", "query", "saw"])
@pytest.mark.parametrize("error", [InvariantBroken("two and two"), KeyError(7)], ids=["invariant", "bug"])
def test_any_exception_ends_trading(place, error):
    """An exception anywhere in a turn ends the loop: it is told once, and nothing is decided or sent after it."""

    async def body():
        stage = watched(Stage())
        stage.queries = [QueryAccount()]
        stage.deadlines_ns = iter([7_000_000_000])
        await asyncio.sleep(3)
        stage.failing = {place: error}
        stage.receive(1, 2)
        await asyncio.sleep(1)
        said = list(stage.said)
        stage.receive(3)
        await asyncio.sleep(60)

        assert stage.loop.is_over
        assert place == said[-1][0]
        assert said == stage.said
        assert [(error, 0 if place in ("told", "observe") else 3_000_000_000)] == stage.broken

    run(body())


@staged
async def test_closed_loop_does_nothing(stage):
    """After `close` neither events nor deadlines lead to a decision."""
    stage.deadlines_ns = iter([2_000_000_000])
    stage.receive(1)
    await asyncio.sleep(1)

    stage.loop.close()
    stage.receive(2)
    await asyncio.sleep(60)

    assert [0] == stage.decided_ns()
