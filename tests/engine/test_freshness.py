"""How old market data is: by the venue's time as well as by ours."""

from hypothesis import given
from hypothesis import strategies as st

from helpers.desk import BTC, ETH, engine_params, market_params
from helpers.scripted_venue import MS, ScriptedVenue, kinds
from lighterman.domain.events import BookDelta, Link, LinkReport, StatsReport

HOUR_MS = 3_600_000
CLOCK_US = 1_766_434_222_633_000  # the venue's time is nothing like ours


def _quoting(*markets) -> ScriptedVenue:
    venue = ScriptedVenue(engine_params(*markets), *((ETH, BTC) if markets else ()))
    venue.open()
    venue.accept()
    return venue


def _delta(venue: ScriptedVenue, lag_ms: int = 0, market: int = 0) -> None:
    """Tell a change of a book that was written `lag_ms` ago."""
    venue.tell(BookDelta(market, [], [], 2, venue.now_ns // 1000 - lag_ms * 1000, venue.now_ns))


def test_a_backlog_is_as_old_as_the_venue_says():
    """After a stall old frames come all at once: the market is not quoted until one of them is new (N5, P3, I6)."""
    venue = _quoting()
    venue.now_ns += 6_000 * MS
    for lag_ms in (6_000, 4_000, 2_100):
        _delta(venue, lag_ms)
    pulled = venue.decide()

    assert "stale_book" == venue.why()
    assert {"CancelOrder": 6} == kinds(pulled)
    _delta(venue, 50)
    venue.tell(StatsReport(0, 200_000, 200_000, 0, venue.now_ns))
    venue.decide(100)
    assert "" == venue.why()


def test_what_is_late_already_grows_old_sooner():
    """A frame that took a second longer than the fastest is too old a second earlier (N8, I6)."""
    venue = _quoting()
    venue.now_ns += 1_000 * MS
    _delta(venue, 1_000)
    venue.decide()

    assert "" == venue.why()
    venue.decide(999)
    assert "" == venue.why()
    venue.decide(3)
    assert "stale_book" == venue.why()


def test_one_markets_speed_is_anothers_measure():
    """All books come over one link: a market first heard of in a stall is measured by the others."""
    venue = _quoting(market_params(), market_params("BTC"))
    venue.now_ns += 5_000 * MS
    _delta(venue, 10)
    _delta(venue, 5_000, market=BTC.index)
    venue.decide()

    assert ("", "stale_book") == (venue.why(), venue.why(BTC))


def test_a_mark_is_as_late_as_the_books_it_comes_with():
    """Statistics carry no time of the venue: those in a backlog are taken to be as old as the book before them."""
    venue = _quoting()
    venue.now_ns += 20_000 * MS
    _delta(venue, 10_100)
    venue.tell(StatsReport(0, 200_000, 200_000, 0, venue.now_ns))
    _delta(venue)
    venue.decide()

    assert "no_mark_price" == venue.why()


@given(st.integers(-CLOCK_US, CLOCK_US), st.integers(-200, 200))
def test_clocks_may_differ_and_drift(offset_us, drift_ppm):
    """Neither a clock that is wrong nor one that drifts makes a frame look late."""
    venue = _quoting()
    venue.tell(LinkReport(Link.PUBLIC, up=False, reason="closed", recv_ns=venue.now_ns))
    venue.connect(Link.PUBLIC)
    began_ns = venue.now_ns
    for _ in range(5):
        venue.now_ns += HOUR_MS * MS
        drifted_us = (venue.now_ns - began_ns) // 1000 * drift_ppm // 1_000_000
        venue.tell(BookDelta(0, [], [], 2, venue.now_ns // 1000 + offset_us + drifted_us, venue.now_ns))
        assert venue.now_ns == venue.engine.state.markets[0].book_ns


def test_another_link_has_another_measure():
    """After a reconnect the clock at the other end may be another: what was measured before is forgotten."""
    venue = _quoting()
    venue.tell(LinkReport(Link.PUBLIC, up=False, reason="closed", recv_ns=venue.now_ns))
    venue.connect(Link.PUBLIC)
    venue.now_ns += 100 * MS
    _delta(venue, HOUR_MS)
    venue.decide()

    assert "" == venue.why()


def test_a_venue_clock_set_back_is_believed_within_the_hour():
    """Nothing has to be restarted when the venue's clock jumps back: its new time becomes the measure."""
    venue = _quoting()
    _delta(venue, 4_000)
    venue.decide(100)
    assert "stale_book" == venue.why()

    for _ in range(3_600):
        venue.now_ns += 1_000 * MS
        _delta(venue, 4_000)
    venue.tell(StatsReport(0, 200_000, 200_000, 0, venue.now_ns))
    venue.decide()
    assert "" == venue.why()
