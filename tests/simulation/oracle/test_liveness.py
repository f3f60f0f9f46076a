"""L1, L2: broken on purpose, and not broken by what is right."""

import msgspec
import pytest

from simulation.oracle.court import MARKETS, TERMS, Court, S

BOTH = msgspec.structs.replace(TERMS, markets=MARKETS)


def healed(terms=TERMS):
    court = Court(terms)
    court.oracle.fault_began("partition", 0)
    court.skip(5 * S).hear()
    court.oracle.healed(court.now_ns)
    return court


def quote(court, market=0):
    court.place(10 * market + 1, market=market)
    court.place(10 * market + 2, market=market, is_ask=True)


def test_quotes_in_time_are_clean():
    """Both sides of every market and a true belief at some moment within the time satisfy L1."""
    court = healed(BOTH)
    court.skip(10 * S).hear()
    quote(court, 0)
    quote(court, 1)
    court.believe()
    for name in (1, 2, 11, 12):
        court.cancel(name)
    court.skip(30 * S).hear()

    assert court.texts == []
    assert court.oracle.counters["L1"] == 1


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"positions": {0: 5}}, "positions and cash"),
        ({"cash_pico": 5}, "positions and cash"),
        ({"tracked": frozenset({1})}, "orders"),
        ({"unknown_orders": 1}, "fates: 1 orders unknown"),
    ],
)
def test_a_belief_that_stays_wrong_is_a_breach(changes, part):
    """Each part of the belief must be right once."""
    court = healed()
    quote(court)
    for _ in range(30):
        court.skip(S).believe(**changes)

    assert "L1" in court.verdict
    assert part in court.texts[-1]


@pytest.mark.parametrize("missing", ["bids", "asks", "bids and no asks"])
def test_a_market_without_quotes_is_a_breach(missing):
    """A missing side is named, with the bot's own reasons."""
    court = healed()
    if missing == "asks":
        court.place(1)
    if missing == "bids":
        court.place(2, is_ask=True)
    court.foreign(900)
    for _ in range(30):
        court.skip(S).believe(reasons={0: "stale data"})

    assert [text[:36] for text in court.texts] == [f"L1 quotes in market 0: no {missing}; it says"[:36]]
    assert "stale data" in court.texts[0]


def test_a_bot_that_is_gone_is_a_breach():
    """A bot that ended by itself and did not come back has no quotes, and says nothing."""
    court = healed()
    court.oracle.bot_ended(70, None, court.now_ns)
    court.skip(30 * S).hear()

    assert len(court.texts) == 4
    assert "it is not running" in court.texts[0]


def test_a_side_without_room_is_not_demanded():
    """At the position limit the side that would add to it need not be quoted."""
    court = Court()
    court.place(1, lots=600)
    court.place(2, lots=350)
    court.fill(1, 600)
    court.fill(2, 350)
    court.oracle.healed(court.now_ns)
    court.place(3, is_ask=True)
    court.wait(31 * S)

    assert court.texts == []


def test_a_market_may_be_excused_and_called_back():
    """An excused market is not demanded; with the excuse taken back it is."""
    court = healed(BOTH)
    quote(court, 0)
    court.oracle.excused(1, "daily loss", court.now_ns)
    court.wait(31 * S)
    assert court.texts == []

    court.oracle.healed(court.now_ns)
    court.oracle.excused(1, "", court.now_ns)
    court.wait(31 * S)

    assert court.verdict == ["L1"]


def test_a_new_fault_calls_it_off():
    """With a fault at work nothing is demanded until the next healing."""
    court = healed()
    court.oracle.fault_began("stall", court.now_ns)
    court.skip(60 * S).hear()

    assert court.texts == []
    assert court.oracle.counters["L1"] == 0


@pytest.mark.parametrize(("gap_s", "verdict"), [(4, []), (6, ["L2"])])
def test_uptime_is_the_share_of_quoted_time(gap_s, verdict):
    """L2 holds the share of time with both sides live, from the first such moment to the stop, against a figure."""
    court = Court(msgspec.structs.replace(TERMS, quoted_ppm_min=950_000))
    court.wait(50 * S)
    quote(court)
    court.wait(60 * S)
    court.cancel(1)
    court.wait(gap_s * S)
    court.place(3)
    court.wait((40 - gap_s) * S)
    court.oracle.bot_stop_asked(court.now_ns)
    court.cancel(2)
    court.cancel(3)
    court.skip(100 * S)
    court.oracle.finished(court.now_ns)

    assert court.verdict == verdict
    assert court.oracle.quoted_ppm(court.now_ns) == {0: 1_000_000 - gap_s * 10_000}
    assert court.oracle.counters["L2"] == 1
