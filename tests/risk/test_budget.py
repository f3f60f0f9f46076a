"""The message budget: exact, in any minute, with a reserve that only cancels may touch."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighterman.risk.budget import BURST_PERCENT, NS_PER_MINUTE, QUOTA_FREE_SLOT_NS, MessageBudget

S = 1_000_000_000
PACES = st.sampled_from([0, 1, 7_000_000, S, 20 * S, 61 * S])
ASKS = st.lists(st.tuples(PACES, st.booleans()), max_size=200)


def _ask(budget: MessageBudget, now_ns: int, *, is_cancel: bool) -> str:
    budget.refill(now_ns)
    return budget.take_for_cancel() if is_cancel else budget.take_for_risk(now_ns)


@given(st.integers(5, 60), st.floats(0.05, 0.9), ASKS)
def test_no_minute_ever_sees_more_than_its_messages(per_minute, reserve, asks):
    """However they come, no 60 seconds hold more messages than allowed (I13, O10, SD9)."""
    budget, now_ns, sent = MessageBudget(per_minute, reserve), 10 * S, []
    for pause_ns, is_cancel in asks:
        now_ns += pause_ns
        if not _ask(budget, now_ns, is_cancel=is_cancel):
            sent.append(now_ns)

    for first in sent:
        assert sum(first <= moment < first + NS_PER_MINUTE for moment in sent) <= per_minute


@given(st.integers(5, 40_000), st.floats(0.05, 0.9), ASKS)
def test_the_reserve_is_for_cancels_alone(per_minute, reserve, asks):
    """A create or modify never leaves less than the reserve, which is at least one message (I13)."""
    budget, now_ns = MessageBudget(per_minute, reserve), 10 * S
    kept = max(1, math.ceil(max(2, per_minute * BURST_PERCENT // 100) * reserve))
    for pause_ns, is_cancel in asks:
        now_ns += pause_ns
        budget.refill(now_ns)
        before = budget.remaining()
        reason = _ask(budget, now_ns, is_cancel=is_cancel)
        assert budget.remaining() == before - (not reason)
        if is_cancel:
            assert (before < 1) == (reason == "message_budget")
        elif not reason:
            assert budget.remaining() >= kept


@given(st.integers(5, 100), st.lists(st.integers(0, S), max_size=50))
def test_nothing_is_lost_to_rounding(per_minute, pauses):
    """Credit that comes in small parts adds up to what one long wait brings."""
    in_parts, at_once, now_ns = MessageBudget(per_minute, 0.2), MessageBudget(per_minute, 0.2), 10 * S
    while not _ask(in_parts, now_ns, is_cancel=True):
        _ask(at_once, now_ns, is_cancel=True)
    for pause_ns in pauses:
        now_ns += pause_ns
        in_parts.refill(now_ns)
    at_once.refill(now_ns)

    assert at_once.remaining() == in_parts.remaining()
    assert at_once.remaining() <= sum(pauses) * per_minute // NS_PER_MINUTE + 1


def _drained(per_minute: int) -> tuple[MessageBudget, int]:
    budget, sent = MessageBudget(per_minute, 0.2), 0
    while not _ask(budget, S, is_cancel=False):
        sent += 1
    return budget, sent


@pytest.mark.parametrize(("per_minute", "at_once", "kept"), [(4000, 960, 240), (60, 14, 4), (5, 1, 1)])
def test_a_part_of_a_minutes_messages_may_go_at_once(per_minute, at_once, kept):
    """Three tenths may burst, less the reserve; with the reserve spent even cancels wait."""
    budget, sent = _drained(per_minute)

    assert (at_once, kept) == (sent, budget.remaining())
    assert [""] * kept + ["message_budget"] == [budget.take_for_cancel() for _ in range(kept + 1)]


def test_creates_wait_until_the_reserve_is_full_again():
    """What trickles in goes to the reserve first: after a storm of cancels creates come last."""
    budget, _ = _drained(60)
    for _ in range(4):
        budget.take_for_cancel()

    assert "message_budget" == _ask(budget, S + 9 * S, is_cancel=False)
    assert "" == _ask(budget, S + 10 * S, is_cancel=False)


@given(st.integers(5, 4000), st.floats(0.05, 0.9), ASKS)
def test_no_minute_sees_the_reserve_go_to_creates(per_minute, reserve, asks):
    """However they come, creates and modifies leave a minute's reserve to cancels (I13, E3)."""
    budget, now_ns, sent = MessageBudget(per_minute, reserve), 10 * S, []
    for pause_ns, _ in asks:
        now_ns += pause_ns
        if not _ask(budget, now_ns, is_cancel=False):
            sent.append(now_ns)

    most = max(3, per_minute * (1 - reserve))  # one at once and two a minute there must be
    for first in sent:
        assert sum(first <= moment < first + NS_PER_MINUTE for moment in sent) <= most


def test_scarcity_grows_as_messages_go():
    """Ample at first, then ever scarcer, and none beyond half when that is gone or the quota spent."""
    budget, seen = MessageBudget(60, 0.2), []
    while not budget.take_for_risk(S):
        seen.append((budget.is_ample, budget.beyond_half(), budget.scarcity_percent()))

    assert (True, 8, 100) == seen[0]
    assert (False, 0, 950) == seen[-1]
    assert seen == sorted(seen, key=lambda each: each[2])
    wealthy = MessageBudget(4000, 0.2)
    assert (True, 600) == (wealthy.is_ample, wealthy.beyond_half())
    assert not MessageBudget(60, 0.2, orders=10).is_ample
    wealthy.set_quota(0)
    assert (False, 0, QUOTA_FREE_SLOT_NS) == (wealthy.is_ample, wealthy.beyond_half(), wealthy.message_ns)


def test_quota_is_spent_by_creates_and_not_by_cancels():
    """A create or modify costs one of the venue's volume quota, a cancel none (protocol reference 6.3)."""
    budget = MessageBudget(1000, 0.2)
    budget.set_quota(2)

    assert ["", "", ""] == [budget.take_for_cancel() for _ in range(3)]
    assert ["", ""] == [budget.take_for_risk(S) for _ in range(2)]
    assert ["", "volume_quota"] == [budget.take_for_risk(S) for _ in range(2)]  # the first is the free slot
    assert "" == budget.take_for_cancel()


def test_without_quota_one_message_in_fifteen_seconds_is_free():
    """A spent quota slows creates to the venue's free slot until there is quota again."""
    budget = MessageBudget(1000, 0.2)
    budget.set_quota(0)

    assert "" == budget.take_for_risk(S)
    assert "volume_quota" == budget.take_for_risk(S + QUOTA_FREE_SLOT_NS - 1)
    assert "" == budget.take_for_risk(S + QUOTA_FREE_SLOT_NS)
    budget.set_quota(1)
    assert "" == budget.take_for_risk(S + QUOTA_FREE_SLOT_NS)
