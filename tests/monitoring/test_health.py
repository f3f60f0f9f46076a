"""Health is the truth: OK only when both markets are quoted and nothing is in the way (defect M2)."""

import pytest

from helpers.journals import HandClock
from helpers.observed import MS, decision, fill, new_figures, place, quoting, running, silent
from lighterman.domain.events import Link, LinkReport, StopRequested
from lighterman.monitoring.health import DECISION_AGE_NS_MAX, assess, health_fields
from lighterman.monitoring.samples import Outside, Scene
from lighterman.risk.pnl import LossState


@pytest.fixture
def clock():
    """Return a clock at one second."""
    clock = HandClock()
    clock.now_ns = 1000 * MS
    return clock


def test_quoting_everywhere_is_healthy(clock):
    """With everything up and both sides of every market quoted, the body begins with OK."""
    report = assess(running(clock), "", clock.now_ns)

    assert (True, "OK\n") == (report.is_healthy, report.text())


def test_a_side_at_its_limit_is_healthy(clock):
    """A side that the position limit has emptied is the limit at work, not an illness."""
    figures = running(clock)
    figures.observe_turn([], decision(clock, verdicts=[quoting(0, bid_lots=0, bound="position_limit")]), clock.now_ns)

    assert assess(figures, "", clock.now_ns).is_healthy


@pytest.mark.parametrize("link", Link)
def test_a_lost_link_is_told(clock, link):
    """Each of the three ways to the venue counts."""
    figures = running(clock)
    figures.observe_event(LinkReport(link, up=False, reason="closed 1006", recv_ns=5))

    assert [f"link {link.value}: closed 1006"] == assess(figures, "", clock.now_ns).reasons


def test_every_reason_is_told(clock):
    """All that is in the way is listed, one line each."""
    figures = running(clock)
    figures.observe_event(StopRequested("SIGTERM", 5))
    verdicts = [silent(0, "stale_book"), quoting(1, ask_lots=0, bound="venue_minimum")]
    figures.observe_turn([], decision(clock, verdicts=verdicts, loss=LossState(1, -1, "daily_loss")), clock.now_ns)
    report = assess(figures, "full: 65536 bytes are written", clock.now_ns)

    assert [
        "stopping: SIGTERM",
        "loss limit: daily_loss",
        "journal: full: 65536 bytes are written",
        "market ETH-USDC: no bid: stale_book",
        "market ETH-USDC: no ask: stale_book",
        "market BTC-USDC: no ask: venue_minimum",
    ] == report.reasons
    assert "\n".join(report.reasons) + "\n" == report.text()
    assert not report.text().startswith("OK")


def test_a_stuck_loop_is_told(clock):
    """When nothing has been decided for five seconds the loop is stuck, whatever it last said (defect L5)."""
    figures = running(clock)

    assert assess(figures, "", clock.now_ns + DECISION_AGE_NS_MAX).is_healthy
    assert ["loop: no decision for 6 s"] == assess(figures, "", clock.now_ns + 6000 * MS).reasons


def test_the_beginning_is_not_healthy(clock):
    """Before the venue has been heard of nothing is quoted, and that is said."""
    reasons = assess(new_figures(clock), "", clock.now_ns).reasons

    assert "link public: not_connected" in reasons
    assert "markets: 2 of 2 not described by the venue yet" in reasons


def test_the_health_line_has_the_seeds_fields(clock):
    """The line for the log carries the seed's names with real values (defect M5)."""
    figures = running(clock)
    figures.observe_event(fill(1, place(1)))
    made = decision(clock, refused=[(place(2), 0, "x")], loss=LossState(1, -2 * 10**12, "daily_loss"))
    figures.observe_turn([], made, clock.now_ns)
    fields = health_fields(Scene(figures, Outside(), clock.now_ns + 3_600_000 * MS))

    assert {
        "dailyPnL": -2.0,
        "dailyVolume": 19.985,
        "totalNotional": pytest.approx(20.005),
        "positionCount": 1,
        "openOrders": 0,
        "riskChecks": 1,
        "violations": 1,
        "openBreakers": "loss_limit",
        "uptimeHours": 1.0,
    } == fields
