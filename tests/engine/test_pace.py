"""Few messages: who is moved when, and what never waits."""

import itertools

import pytest

from helpers.desk import BTC, ETH, engine_params, limits, market_params
from helpers.scripted_venue import MS, ScriptedVenue, commands, kinds, modifies, places
from lighterman.domain.commands import CancelOrder
from lighterman.domain.events import QuotaReport, StopRequested
from lighterman.engine.pace import MESSAGE_PACE, UNHURRIED, pace_of, rests_ns
from lighterman.risk.budget import MessageBudget

S = 1000 * MS
STANDARD = 60


def _venue(messages: int = STANDARD, levels: int = 1, **changes: float) -> ScriptedVenue:
    """Return two markets on a tier of so few messages, quoted."""
    markets = [market_params(symbol, levels=levels, **changes) for symbol in ("ETH", "BTC")]
    venue = ScriptedVenue(engine_params(*markets, account=limits(messages_per_minute=messages)), ETH, BTC)
    venue.open()
    venue.accept()
    return venue


def _drift(venue: ScriptedVenue, cycles: int, step: int = 60) -> list[int]:
    """Move all prices up and down, two seconds each way, and return how many messages each cycle took."""
    sent = []
    for _ in range(cycles):
        sign = 1 if venue.now_ns // (2 * S) % 2 else -1
        for index in (ETH.index, BTC.index):
            venue.mids[index] += sign * step
        sent.append(sum(kinds(venue.cycle(100)).values()))
    return sent


def _stands(venue: ScriptedVenue, facts) -> bool:
    return {False, True} == {order.is_ask for order in venue.orders(facts)}


def test_ample_messages_make_no_pace():
    """On a large tier every order follows every move (performance of premium)."""
    venue = _venue(4000, levels=3)
    for number in range(20):
        venue.mids[0] += 100 if number % 2 else -100
        assert {"ModifyOrder": 6} == kinds(venue.cycle(100))
        assert "" == venue.verdict().pace


@pytest.mark.parametrize("levels", [1, 3])
@pytest.mark.parametrize("step", [5, 60, 400])
def test_a_small_tier_keeps_every_side_of_every_market(levels, step):
    """However fast prices move, within the budget no market is without both sides for half a minute (L1, O10)."""
    venue = _venue(levels=levels)
    sent, stood_ns = [], dict.fromkeys((ETH, BTC), venue.now_ns)
    for _ in range(1200):
        sent += _drift(venue, 1, step)
        for facts, since_ns in stood_ns.items():
            assert venue.now_ns < since_ns + 30 * S
            stood_ns[facts] = venue.now_ns if _stands(venue, facts) else since_ns

    assert ("", MESSAGE_PACE) == (venue.why(), venue.verdict().pace)
    assert all(sum(sent[at : at + 600]) <= STANDARD for at in range(len(sent) - 600 + 1))
    assert sum(sent) > STANDARD * 0.5, "what there is, is used"


def test_nobody_takes_anothers_turn():
    """Orders of all markets are moved about equally often."""
    venue = _venue()
    began = len(venue.decisions)
    _drift(venue, 1200)

    moved = [command.market for decision in venue.decisions[began:] for command in modifies(decision)]
    counts = [moved.count(facts.index) for facts in (ETH, BTC)]
    assert min(counts) > 0.6 * max(counts)


def test_an_order_that_stands_wrong_does_not_wait():
    """A bid above the fair price is cancelled at once, in its turn or not."""
    venue = _venue()
    _drift(venue, 60)
    assert ("", MESSAGE_PACE) == (venue.why(), venue.verdict().pace)
    venue.mids[0] -= 2_000
    decision = venue.cycle()

    gone = [command for command in commands(decision) if isinstance(command, CancelOrder)]
    assert all(order.price_ticks < venue.mids[0] for order in venue.orders() if not order.is_ask)
    assert gone or modifies(decision)


def test_a_filled_side_comes_back_in_its_turn():
    """What was filled is placed again when its level's turn comes, with both sides; before that nothing is sent."""
    venue = _venue()
    _drift(venue, 100)
    order = venue.order()
    venue.tell(venue.fill(order, order.remaining_lots()), venue.row(order, "filled", filled_lots=1000))
    waited = itertools.takewhile(lambda decision: not places(decision), (venue.cycle() for _ in range(600)))

    assert 5 < len(list(waited)) < 300
    assert _stands(venue, ETH)


def test_a_spent_quota_slows_all_and_cancels_nothing_that_stands_well():
    """With one free message in fifteen seconds orders stay where they are, unless they stand wrong (E3)."""
    venue = _venue(4000)
    venue.tell(QuotaReport(0, venue.now_ns))
    _drift(venue, 20, step=10)

    assert ("", MESSAGE_PACE) == (venue.why(), venue.verdict().pace)
    assert not any(isinstance(command, CancelOrder) for each in venue.decisions for command in commands(each))


def test_nothing_that_reduces_risk_waits():
    """A stop cancels everything however few messages are left."""
    venue = _venue()
    _drift(venue, 100)
    venue.tell(StopRequested("enough", venue.now_ns))

    assert {"CancelAll": 1} == kinds(venue.decide())


@pytest.mark.parametrize(("sides", "slots"), [(2, 2), (4, 4), (4, 12), (6, 24)])
def test_the_rests_use_what_comes_in(sides, slots):
    """If every order is moved once a rest, the messages are just those that come in."""
    best_ns, other_ns = rests_ns(S, sides, slots)

    assert 1 == pytest.approx(sides * S / best_ns + ((slots - sides) * S / other_ns if other_ns else 0))


def test_the_pace_slows_as_messages_go():
    """Each message taken lengthens the rests, up to twice, and leaves less room for other than best levels."""
    budget, rests = MessageBudget(STANDARD, 0.2), []
    while not budget.take_for_risk(S):
        rests.append(pace_of(budget, 4, 8))

    assert UNHURRIED == rests[0]
    assert [pace.best_rest_ns for pace in rests] == sorted(pace.best_rest_ns for pace in rests)
    assert [pace.room for pace in rests] == sorted((pace.room for pace in rests), reverse=True)
    assert (0, 0) == (rests[-1].room, rests[-1].less(2).room)
    assert UNHURRIED is UNHURRIED.less(2)
    assert rests[-1].best_rest_ns <= 2 * rests_ns(budget.message_ns, 4, 8)[0]
