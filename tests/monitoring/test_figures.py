"""The figures: what is told once is counted once, and nothing else."""

from typing import get_args

from msgspec.structs import replace

from helpers.journals import HandClock
from helpers.observed import ETH, MS, connected, decision, fill, new_figures, place, quoting, running
from lighterman.domain.events import (
    BookDelta,
    BookLost,
    CollateralReport,
    DayStarted,
    Event,
    FundingReport,
    Link,
    LinkReport,
    MarketReport,
    PositionReport,
    QuotaReport,
    StopRequested,
)
from lighterman.domain.market import Market
from lighterman.risk.pnl import LossState


def test_a_fill_told_twice_counts_once():
    """Trades are counted by their id, as in the ledger (defect O13)."""
    figures = running(HandClock())
    for trade_id in (1, 1, 2, 1):
        figures.observe_event(fill(trade_id, place(1), 30))

    assert ([2, 0], [60, 0]) == (figures.markets[0].fills, figures.markets[0].volume_lots)
    assert 60 == figures.ledger.markets[0].position.size_lots


def test_funding_is_in_the_ledger():
    """A funding payment is booked once."""
    figures = running(HandClock())
    for _ in range(2):
        figures.observe_event(FundingReport(1, 7, -5 * 10**12, 5))

    assert -5 * 10**12 == figures.ledger.markets[1].funding_pico


def test_markets_do_not_mix():
    """An event of one market leaves the other as it was (defect O12)."""
    figures = running(HandClock())
    figures.observe_event(fill(1, place(1, market=1)))
    figures.observe_event(BookLost(1, "gap", 5))

    assert ([0, 0], [1, 0]) == (figures.markets[0].fills, figures.markets[1].fills)
    assert figures.markets[0].book_ns == 0 == figures.markets[1].book_ns


def test_unknown_markets_are_left_alone():
    """Events of a market that is not configured change nothing."""
    figures = running(HandClock())
    other = Market(
        index=9,
        symbol="DOGE",
        price_decimals=6,
        size_decimals=0,
        min_base_lots=1,
        min_quote_micro=1,
        order_quote_limit_micro=1,
    )
    events: list[Event] = [
        MarketReport(other, 5),
        BookDelta(9, [], [], 1, 1, 5),
        BookLost(9, "", 5),
        fill(1, place(1, market=9)),
    ]
    for event in events:
        figures.observe_event(event)

    assert {0, 1} == set(figures.markets)


def test_a_market_described_again_keeps_its_counts():
    """A changed description is taken without forgetting what has been counted."""
    figures = running(HandClock())
    figures.observe_event(fill(1, place(1)))
    figures.observe_event(MarketReport(ETH, 9))

    assert [1, 0] == figures.markets[0].fills


def test_reconnects_are_counted():
    """A stream that comes back counts once; its first coming and the way of transactions do not."""
    figures = running(HandClock())
    assert 0 == figures.reconnects
    for link in Link:
        figures.observe_event(LinkReport(link, up=False, reason="1006", recv_ns=5))
        assert "1006" == figures.links[link]
        figures.observe_event(LinkReport(link, up=True, reason="", recv_ns=5))
        figures.observe_event(LinkReport(link, up=True, reason="", recv_ns=5))

    assert 2 == figures.reconnects
    assert not any(figures.links.values())


def test_a_cycle_lasts_from_its_first_event():
    """A cycle begins with the first event of a turn, or with the decision when nothing came."""
    clock = HandClock()
    figures = running(clock)
    before = figures.cycle.sum_s
    events = [BookDelta(0, [], [], 2, 0, clock.now_ns), BookDelta(0, [], [], 3, 0, clock.now_ns + 3 * MS)]
    clock.now_ns += 3 * MS
    made = decision(clock)
    clock.now_ns += 1 * MS
    heard = figures.messages["orderbook"]
    figures.observe_turn(events, made, clock.now_ns)
    assert 0.004 == round(figures.cycle.sum_s - before, 9)
    assert (heard + 2, events[-1].recv_ns) == (figures.messages["orderbook"], figures.markets[0].book_ns)

    made = decision(clock)
    clock.now_ns += 2 * MS
    figures.observe_turn([], made, clock.now_ns)
    assert 0.006 == round(figures.cycle.sum_s - before, 9)
    assert 0.003 == round(figures.decide.sum_s, 9)


def test_refusals_are_counted_by_reason():
    """Each refused command counts for its market and reason, and as a check."""
    clock = HandClock()
    figures = running(clock)
    refused = [(place(1), 0, "position_limit"), (place(2), 0, "position_limit"), (place(3), 1, "price_collar")]
    figures.observe_turn([], decision(clock, place(4), refused=refused), clock.now_ns)

    assert {(0, "position_limit"): 2, (1, "price_collar"): 1} == figures.refusals
    assert 4 == figures.checks
    assert ("ETH-USDC", "all") == (figures.label(0), figures.label(-1))


def test_a_slower_pace_is_counted():
    """Orders that begin not to follow for want of messages count like a refusal, once till they follow; as no check."""
    clock = HandClock()
    figures = running(clock)
    slow, quick = [replace(quoting(0), pace="message_pace"), quoting(1)], [quoting(0), quoting(1)]
    for verdicts, expected in ((slow, 1), (slow, 1), (quick, 1), (slow, 2)):
        figures.observe_turn([], decision(clock, verdicts=verdicts), clock.now_ns)
        assert ({(0, "message_pace"): expected}, 0) == (figures.refusals, figures.checks)


def test_the_rest_is_remembered():
    """Quota, stop and loss are kept as they were last told; the first reason to stop stays."""
    clock = HandClock()
    figures = running(clock)
    for event in (QuotaReport(812, 5), StopRequested("SIGINT", 5), StopRequested("again", 5)):
        figures.observe_event(event)
    figures.observe_turn([], decision(clock, loss=LossState(20_000, -7, "daily_loss")), clock.now_ns)

    assert (812, "SIGINT", -7) == (figures.quota_remaining, figures.stop_reason, figures.loss.carried_pico)


def test_a_tripped_limit_is_known_from_the_start():
    """A limit that tripped in an earlier session is shown before the first decision."""
    assert "daily_loss" == new_figures(HandClock(), LossState(1, -1, "daily_loss")).loss.tripped


def test_every_kind_of_event_is_taken():
    """No event of the union is an error, whether it has a figure or not."""
    clock = HandClock()
    figures = running(clock)
    events = [*connected(clock), PositionReport(0, 1, 5), CollateralReport(1, 5), DayStarted(20_000, 5)]
    for event in events:
        figures.observe_event(event)
    figures.observe_turn([], decision(clock, verdicts=[quoting(0)]), clock.now_ns)

    assert 20 == len(get_args(Event))
    assert 4 == figures.messages["orderbook"]
