"""The venue's account beside ours: a second look, then a halt."""

from itertools import pairwise

import pytest

from helpers.desk import ETH, engine_params, market_params
from helpers.scripted_venue import CASH_PICO, MS, ScriptedVenue, kinds
from lighterman.domain.commands import QueryAccount, QueryOrders
from lighterman.domain.events import FundingReport, Link, LinkReport
from lighterman.domain.units import PICO_PER_MICRO
from lighterman.engine.order import OrderState
from lighterman.engine.reconcile import SECOND_LOOK_NS
from lighterman.engine.state import QUIET_NS


def _quoting(**lots: int) -> ScriptedVenue:
    venue = ScriptedVenue(engine_params(market_params(), reconcile_interval_ms=10_000))
    venue.open(**lots)
    venue.accept()
    venue.now_ns += 2 * QUIET_NS
    venue.prices()
    return venue


def _rows(venue: ScriptedVenue):
    return [venue.row(order) for order in venue.orders()]


def test_the_account_is_asked_for_at_its_interval():
    """Positions and cash are compared every reconcileIntervalMs, and the engine asks to be woken for it (P4, O14)."""
    venue = _quoting()
    asked = []
    for _ in range(300):
        venue.now_ns += 100 * MS
        venue.prices()
        if QueryAccount() in venue.decide().queries:
            asked.append(venue.now_ns)
            assert venue.engine.next_deadline_ns <= venue.now_ns + 10_000 * MS

    assert 3 == len(asked)
    assert [10_000 * MS] * 2 == [after - before for before, after in pairwise(asked)]


def test_an_account_as_we_know_it_changes_nothing():
    """When venue and ledger agree nothing is sent, asked or halted."""
    venue = _quoting(ETH=500)
    venue.snapshot(*_rows(venue), ETH=500)
    decision = venue.decide(100)

    assert ([], [], "") == (decision.approved, decision.queries, venue.why())


DIFFERENT = {
    "position": ({"ETH": 501}, "position_mismatch"),
    "flat": ({}, "position_mismatch"),
    "cash": ({"ETH": 500, "cash_pico": CASH_PICO - 10**9}, "ledger_mismatch"),
}


@pytest.mark.parametrize(("told", "reason"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_differs_twice_halts(told, reason):
    """One difference may have been on the wire and is looked at again soon; two in a row stop trading (P4, E11)."""
    venue = _quoting(ETH=500)
    venue.snapshot(*_rows(venue), **told)
    venue.decide(100)
    assert "" == venue.why()
    assert venue.engine.state.account_due_ns <= venue.now_ns + SECOND_LOOK_NS

    venue.snapshot(*_rows(venue), **told)
    decision = venue.decide()
    assert reason == venue.why()
    assert {"CancelOrder": 6} == kinds(decision)


def test_a_difference_that_goes_away_is_forgotten():
    """Between two differences one agreement starts the count anew."""
    venue = _quoting(ETH=500)
    for lots in (501, 500, 501):
        venue.snapshot(*_rows(venue), ETH=lots)
    venue.decide(100)

    assert "" == venue.why()


@pytest.mark.parametrize("happening", ["fill", "funding"])
def test_near_a_trade_nothing_is_compared(happening):
    """An account asked for within a second of a fill or funding proves nothing."""
    venue = _quoting()
    order = venue.order()
    venue.tell(venue.fill(order, 5) if happening == "fill" else FundingReport(0, 1, 10**12, venue.now_ns))
    for wait_ns in (0, QUIET_NS, 0):
        venue.now_ns += wait_ns
        venue.snapshot(*_rows(venue), ETH=77)
    venue.decide(100)

    assert "" == venue.why()


def test_a_second_look_beside_a_trade_is_given_again():
    """A difference that cannot be looked at twice because of a trade is looked at soon, not at the next turn."""
    venue = _quoting()
    venue.snapshot(*_rows(venue), ETH=77)
    venue.decide(100)
    venue.now_ns += 2 * SECOND_LOOK_NS
    venue.tell(venue.fill(venue.order(), 5))
    venue.decide()
    venue.snapshot(*_rows(venue), ETH=77, asked_ms_ago=1)

    assert "position_mismatch" != venue.why()
    assert venue.engine.state.account_due_ns <= venue.now_ns + SECOND_LOOK_NS


def test_a_trade_told_just_after_the_answer_explains_the_difference():
    """The account may know of a fill before we do: told within a second, it was that; later, it was not (E9)."""
    for wait_ns, reason in ((QUIET_NS - 1, ""), (QUIET_NS, "position_mismatch")):
        venue = _quoting()
        for number in (1, 2):
            venue.now_ns += 3 * QUIET_NS
            venue.snapshot(*_rows(venue), ETH=5 * number)
            venue.now_ns += wait_ns
            venue.tell(venue.fill(venue.order(), 5))
        venue.prices()
        venue.decide(100)
        assert reason == venue.why()


def test_while_trades_may_be_missed_nothing_is_compared():
    """With the private link down, and of what was asked for then, positions and cash prove nothing (N10, N12)."""
    venue = _quoting()
    venue.tell(LinkReport(Link.PRIVATE, up=False, reason="closed", recv_ns=venue.now_ns))
    for _ in range(3):
        venue.now_ns += 2 * QUIET_NS
        venue.snapshot(*_rows(venue), ETH=77)
    venue.connect(Link.PRIVATE)
    for _ in range(3):
        venue.snapshot(*_rows(venue), ETH=77, asked_ms_ago=1)
    venue.prices()
    venue.decide(100)
    assert "" == venue.why()

    for _ in range(2):
        venue.snapshot(*_rows(venue), ETH=77)
    venue.decide(100)
    assert "position_mismatch" == venue.why()


def test_small_change_is_no_difference():
    """What the venue rounds may differ: one micro, one a funding, a tick for what was held at the start."""
    venue = _quoting(ETH=500)
    slack_pico = 501 * PICO_PER_MICRO
    for cash_pico in (CASH_PICO + slack_pico, CASH_PICO - slack_pico) * 2:
        venue.snapshot(*_rows(venue), ETH=500, cash_pico=cash_pico)
    venue.decide(100)
    assert "" == venue.why()

    for _ in range(2):
        venue.snapshot(*_rows(venue), ETH=500, cash_pico=CASH_PICO + slack_pico + 1)
    venue.decide(100)
    assert "ledger_mismatch" == venue.why()


def test_an_order_the_venue_does_not_show_is_asked_about():
    """An order of ours missing in the account becomes unknown, counts on, and is asked about (KR3, HB1)."""
    venue = _quoting()
    missing, *others = venue.orders()
    venue.snapshot(*(venue.row(order) for order in others))

    assert OrderState.UNKNOWN is missing.state
    assert [QueryOrders([missing.client_order_index])] == venue.decide().queries
    assert 6 == len(venue.orders())


@pytest.mark.parametrize("status", ["filled", "open"])
def test_missing_fills_are_asked_of_the_account(status):
    """No row brings the fills that an order had: the account is read until they come, not the order (E8, I10)."""
    venue = _quoting()
    order, *_ = venue.orders()
    filled_lots = order.size_lots // (1 if status == "filled" else 2)
    venue.tell(venue.row(order, status, filled_lots=filled_lots))
    for _ in range(2):
        assert [] == venue.decide().queries
        venue.now_ns += 5000 * MS
        venue.prices()
        assert [QueryAccount()] == venue.decide().queries

    venue.tell(venue.fill(order, filled_lots))
    venue.now_ns += 5000 * MS
    venue.prices()
    assert [] == venue.decide().queries


def test_an_order_younger_than_the_question_is_not_doubted():
    """What was placed after the account was asked for cannot be in it."""
    venue = ScriptedVenue()
    venue.open()
    venue.accept()
    venue.snapshot()

    assert {OrderState.OPEN} == {order.state for order in venue.orders()}


def test_an_order_the_venue_shows_and_we_do_not_know_is_adopted_or_an_alarm():
    """The account's orders are all accounted for: ours are cancelled, others' stop trading (O14, I12)."""
    venue = _quoting()
    ours = venue.row((1 << 32) + 4000)
    venue.snapshot(*_rows(venue), ours)
    assert {"CancelOrder": 1} == kinds(venue.decide(100))

    venue.snapshot(*_rows(venue), venue.row(44))
    venue.decide()
    assert "foreign_order" == venue.why()


def test_an_adopted_order_that_is_shown_no_more_is_asked_about_at_once():
    """The cancel of an order taken over may run before its rows are heard: its absence is doubt enough (O14)."""
    venue = _quoting()
    ours = venue.row((1 << 32) + 4000)
    venue.snapshot(*_rows(venue), ours)
    assert {"CancelOrder": 1} == kinds(venue.decide(100))

    venue.snapshot(*(venue.row(order) for order in venue.orders() if order.level >= 0))

    assert [QueryOrders([ours.client_order_index])] == venue.decide().queries


def test_an_order_that_ended_since_the_question_is_not_brought_back():
    """The account may show an order whose end we have been told of meanwhile."""
    venue = _quoting()
    rows = _rows(venue)
    venue.now_ns += MS
    venue.tell(venue.row(venue.order(), "canceled"))
    venue.snapshot(*rows)

    assert 5 == len(venue.orders())


def test_a_fill_that_never_comes_is_given_up_when_the_positions_agree():
    """An order that ended with fills we do not count is let go once the account proves that none is missing."""
    venue = _quoting()
    order = venue.order()
    venue.tell(venue.row(order, "filled", filled_lots=1000))
    assert OrderState.DRAINING is order.state

    venue.now_ns += 2 * QUIET_NS
    venue.snapshot(*(venue.row(each) for each in venue.orders()), ETH=1000)
    assert 6 == len(venue.orders())
    venue.snapshot(*(venue.row(each) for each in venue.orders()))
    assert 5 == len(venue.orders())


def test_the_first_account_opens_the_books():
    """The first snapshot is taken over: cash, positions, orders (O14)."""
    venue = ScriptedVenue()
    venue.describe()
    venue.snapshot(venue.row((1 << 32) + 5), cash_pico=5, ETH=7)
    state = venue.engine.state

    assert (5, 7, 1) == (state.ledger.cash_pico, state.ledger.markets[ETH.index].position.size_lots, len(state.orders))


def test_an_unanswered_question_is_asked_again_soon():
    """While quoting waits for the account it is asked for at every answer timeout."""
    venue = ScriptedVenue(engine_params(market_params(), answer_timeout_ms=1000))
    venue.describe()
    venue.connect()
    asked = 0
    for _ in range(50):
        asked += QueryAccount() in venue.decide(100).queries

    assert 5 == asked
