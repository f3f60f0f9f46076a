from hypothesis import given
from hypothesis import strategies as st

from lighterman.matching.rules import TIERS
from lighterman.simulator.limits import MINUTE_US, TIER_LIMITS, LimitRules, Quota, Window, Windows

RULES = LimitRules()


def test_every_tier_has_its_limits():
    """What the exchange core knows as a tier, the limits know too."""
    assert set(TIERS) == set(TIER_LIMITS)


@given(st.lists(st.tuples(st.integers(0, 20_000_000), st.integers(1, 50)), max_size=60))
def test_no_minute_holds_more_than_the_limit(steps):
    """In every window of 60 seconds what was let through stays within the limit."""
    window, now_us, taken = Window(), 0, []
    for step_us, amount in steps:
        now_us += step_us
        if window.take(amount, 100, now_us):
            taken.append((now_us, amount))

    for end_us, _ in taken:
        assert sum(amount for at_us, amount in taken if end_us - MINUTE_US < at_us <= end_us) <= 100


def test_callers_are_counted_apart_and_forgotten_in_the_end():
    """One caller's requests are not another's, and the number of remembered callers is bounded."""
    windows = Windows()
    windows["a"].spend(60, 0)

    assert not windows["a"].has_room(1, 60, 1)
    assert windows["b"].has_room(1, 60, 1)
    for number in range(Windows.CALLERS_MAX):
        windows[str(number)].spend(1, 2)
    assert windows["a"].has_room(60, 60, 3)


def test_quota_grows_with_volume_and_shrinks_with_sends():
    """The quota starts at 1000, gains one per 5 USDC traded (A-2) and loses what is sent."""
    quota = Quota()

    assert quota.use(10, RULES, 0)
    assert quota.remaining(RULES, traded_micro=0) == 990
    assert quota.remaining(RULES, traded_micro=49_999_999) == 999
    assert quota.remaining(RULES, traded_micro=10**30) == 5_000_000 - 10


def test_one_send_in_fifteen_seconds_is_free():
    """A single send uses no quota once every 15 seconds; cancels never do (protocol reference 6.3)."""
    quota = Quota()

    assert not quota.use(1, RULES, 0)
    assert not quota.use(0, RULES, 0)
    assert quota.use(1, RULES, 14_999_999)
    assert not quota.use(1, RULES, 15_000_000)
    assert not quota.is_free(2, 99_000_000)
