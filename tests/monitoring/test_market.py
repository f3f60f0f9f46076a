"""One market's verdicts over time."""

from helpers.observed import ETH, MS, PARAMS, quoting, silent
from lighterman.monitoring.market import MarketFigures


def test_quoting_time_adds_up():
    """Time counts while both sides are quoted, also the stretch that is not over yet."""
    figures = MarketFigures(PARAMS.markets[0], ETH)
    figures.take_verdict(quoting(0), 10 * MS)
    figures.take_verdict(quoting(0), 20 * MS)
    assert 20 * MS == figures.quoting_total_ns(30 * MS)
    figures.take_verdict(silent(0, "stale_book"), 40 * MS)
    assert 30 * MS == figures.quoting_total_ns(90 * MS)
    figures.take_verdict(quoting(0, bid_lots=0), 100 * MS)
    assert 30 * MS == figures.quoting_total_ns(110 * MS)
    figures.take_verdict(quoting(0), 110 * MS)
    assert 35 * MS == figures.quoting_total_ns(115 * MS)


def test_each_side_has_its_reason():
    """A side that is missing says why: the whole market's reason, or the limit that emptied it."""
    figures = MarketFigures(PARAMS.markets[0], ETH)
    assert ("not_looked_at_yet",) * 2 == (figures.why_no_bid(), figures.why_no_ask())
    figures.take_verdict(silent(0, "stale_book"), 1)
    assert ("stale_book", "stale_book") == (figures.why_no_bid(), figures.why_no_ask())
    figures.take_verdict(quoting(0, bid_lots=0, bound="position_limit"), 1)
    assert ("position_limit", "") == (figures.why_no_bid(), figures.why_no_ask())
    figures.take_verdict(quoting(0, ask_lots=0), 1)
    assert ("", "no_size") == (figures.why_no_bid(), figures.why_no_ask())
