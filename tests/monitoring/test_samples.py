"""Values derived from figures stay within their meaning."""

from hypothesis import given
from hypothesis import strategies as st

from helpers.journals import HandClock
from helpers.observed import decision, fill, place, running
from lighterman.domain.events import FillReport
from lighterman.monitoring.samples import Outside, Scene, book_age_s, fill_rate, refusals, skew, unrealized_usd


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 10**9)), max_size=20))
def test_skew_stays_within_one(trades):
    """However large the position becomes, the skew is between -1 and 1 and has its sign."""
    figures = running(HandClock())
    for trade_id, (is_ask, size_lots) in enumerate(trades):
        figures.observe_event(FillReport(0, trade_id, 1, 1, is_ask, 200_000, size_lots, True, 0, 0, 5))
    scene = Scene(figures, Outside(), 5)
    position = figures.ledger.markets[0].position.size_lots

    found = skew(scene, scene.markets[0])

    assert -1 <= found <= 1
    assert (found > 0) == (position > 0)
    assert (found < 0) == (position < 0)


def test_values_without_a_basis_are_harmless():
    """Without a mark there is no PnL, without orders no rate, and an unknown book is infinitely old."""
    figures = running(HandClock())
    figures.observe_event(fill(1, place(1)))
    market = figures.markets[0]
    market.mark_ticks = market.book_ns = 0
    scene = Scene(figures, Outside(), 5)

    assert (0.0, 0.0, float("inf")) == (unrealized_usd(scene, market), fill_rate(market), book_age_s(scene, market))


def test_details_of_a_reason_are_no_label():
    """What follows a colon varies without bound, so refusals are added up without it."""
    clock = HandClock()
    figures = running(clock)
    refused = [(place(number), 0, f"link_down: {number}") for number in range(5)]
    figures.observe_turn([], decision(clock, refused=refused), clock.now_ns)

    assert [(("ETH-USDC", "link_down"), 5)] == list(refusals(Scene(figures, Outside(), 5)))
