import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighterman.domain.errors import LocalProtocolError
from lighterman.exchange.ratelimit import ASKED_NS, MINUTE_NS, TIERS, Allowance, Bucket, RateLimits


def _most_in_a_minute(times):
    return max(sum(cost for at_ns, cost in times if start <= at_ns < start + MINUTE_NS) for start, _ in times)


@given(st.integers(10, 5000), st.lists(st.tuples(st.integers(0, 10 * 10**9), st.integers(1, 3)), min_size=1))
def test_no_rolling_minute_holds_more_than_the_venue_allows(limit, wishes):
    """Whatever is asked for and when: what a bucket gives in any minute stays below the limit."""
    bucket, now_ns, given_out = Bucket(limit), 0, []
    for pause_ns, cost in wishes * 20:
        now_ns += pause_ns
        if bucket.take(cost, now_ns):
            given_out.append((now_ns, cost))

    assert _most_in_a_minute(given_out) < limit


@given(st.integers(10, 5000), st.lists(st.integers(1, 3), min_size=1, max_size=100))
def test_whoever_books_and_waits_stays_below_the_limit_too(limit, costs):
    """A booked cost may be used after the wait that was told; waits only grow."""
    bucket = Bucket(limit)
    times = [(bucket.book(cost, 0), cost) for cost in costs * 3]

    assert times == sorted(times, key=lambda each: each[0])
    assert _most_in_a_minute(times) < limit


@given(st.integers(10, 5000), st.lists(st.integers(1, 3), max_size=100))
def test_what_is_available_can_be_taken_and_no_more(limit, costs):
    """Booked beyond the burst it is below zero; otherwise so much goes at once, and not one more."""
    bucket = Bucket(limit)
    for cost in costs:
        bucket.book(cost, 0)
    available = bucket.available(0)

    assert available == bucket.burst - sum(costs)
    assert not bucket.take(max(available, 0) + 1, 0)
    assert available < 0 or bucket.take(available, 0)


def test_a_reserve_is_left_over():
    """What is reserved for cancels cannot be taken by others."""
    bucket = Bucket(100)

    assert not bucket.take(1, 0, reserve=bucket.burst)
    assert bucket.take(bucket.burst - 5, 0, reserve=5)
    assert not bucket.take(1, 0, reserve=5)
    assert bucket.take(5, 0)


def test_what_can_never_be_taken_is_a_mistake():
    """A cost above the burst would wait for ever."""
    with pytest.raises(LocalProtocolError):
        Bucket(10).book(100, 0)


@pytest.mark.parametrize("tier", TIERS)
def test_every_tier_can_pay_its_dearest_request_and_a_full_batch(tier):
    """The burst of a tier covers a trades call, and fifteen transactions beside the cancels' reserve."""
    limits = RateLimits(Allowance())
    limits.set_tier(tier)

    assert limits.requests.book(limits.cost("trades"), 0) == 0
    assert limits.transactions.take(15, 0, reserve=limits.cancel_reserve)


def test_an_unknown_tier_gets_the_lowest_limits():
    """What is not known is not assumed to be allowed."""
    limits = RateLimits(Allowance())
    limits.set_tier("platinum")

    assert TIERS["standard"] == limits.tier
    assert limits.cost("trades") == 1


def test_a_known_tier_does_not_refill_what_was_used():
    """Learning the tier that was assumed gives no second burst."""
    limits = RateLimits(Allowance())
    limits.requests.book(limits.requests.burst, 0)
    limits.set_tier("std")

    assert not limits.requests.take(1, 0)


@given(st.lists(st.tuples(st.integers(0, 10 * 10**9), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_what_finds_room_keeps_to_the_operator_s_limits(wishes):
    """Of 20 messages a minute, 16 may ask for orders; cancels that went without asking count as well."""
    allowance, now_ns, left = Allowance(20, 16), 0, []
    for pause_ns, asking, removing in wishes:
        now_ns += pause_ns
        if asking and not allowance.has_room(asking, removing, now_ns):
            continue
        allowance.count(asking, removing, now_ns)
        left.append((now_ns, asking, removing))
        window = [each for each in left if each[0] > now_ns - ASKED_NS]
        assert sum(asking for _, asking, _ in window) <= 16
        assert not asking or sum(asking + removing for _, asking, removing in window) <= 20
