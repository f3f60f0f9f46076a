"""The log tells changes, in words that the seed's users look for."""

import json

import pytest

from helpers.journals import HandClock
from helpers.observed import PARAMS, acked, cancel, connected, decision, fill, modify, place, quoting, row, silent
from lighterman.domain.events import (
    BookLost,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    Link,
    LinkReport,
    StopRequested,
)
from lighterman.monitoring.logs import Log
from lighterman.monitoring.narrator import REMEMBERED_MAX, Narrator
from lighterman.risk.pnl import LossState


class Bench:
    """A narrator and what it has said."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self._log = Log("debug", self.clock)
        self.narrator = Narrator(PARAMS, self._log)

    def said(self) -> list[tuple[str, str, dict]]:
        """Return and forget (level, message, fields) of what was said."""
        return [(level, message, dict(fields)) for _, level, message, fields in self._log.take(10**6)]


@pytest.fixture
def bench():
    """Return a narrator that knows both markets and links, and has said so."""
    bench = Bench()
    for event in connected(bench.clock):
        bench.narrator.observe_event(event)
    bench.said()
    return bench


def test_links_and_markets_are_told_once():
    """Links and markets are told when they are new, and not again."""
    bench = Bench()
    for _ in range(3):
        bench.narrator.observe_turn(connected(bench.clock), decision(bench.clock), bench.clock.now_ns)

    assert [
        ("info", "websocket connected", {"link": "public"}),
        ("info", "websocket connected", {"link": "private"}),
        ("info", "websocket connected", {"link": "transactions"}),
        ("info", "market described", {"market": "ETH-USDC", "tick": "0.01", "lot": "0.0001"}),
        ("info", "market described", {"market": "BTC-USDC", "tick": "0.1", "lot": "0.00001"}),
    ] == bench.said()


def test_a_lost_link_is_told(bench):
    """A link that goes down is a warning with its reason."""
    for _ in range(2):
        bench.narrator.observe_event(LinkReport(Link.PRIVATE, up=False, reason="1006", recv_ns=5))

    assert [("warn", "websocket disconnected", {"link": "private", "reason": "1006"})] == bench.said()


def test_fills_are_told_once(bench):
    """A trade is told with its facts, once however often it arrives."""
    for _ in range(2):
        bench.narrator.observe_event(fill(1, place(1, is_ask=True)))

    assert [
        (
            "info",
            "fill received",
            {"market": "ETH-USDC", "side": "sell", "price": "2002.50", "size": "0.0100", "orderID": 1001},
        )
    ] == bench.said()


def test_failures_are_told_by_their_command(bench):
    """A failed command is told by what it was, an unknown outcome as such."""
    order = place(1)
    made = decision(bench.clock, order, modify(2, order), cancel(3, order), place(4))
    bench.narrator.observe_turn([], made, bench.clock.now_ns)
    for event in (
        acked(1),
        CommandRefused(1, 21706, "too small", 5),
        CommandExecuted(2, "no such order", 5),
        CommandUnknown(3, "timeout", 5),
        CommandExecuted(4, "", 5),
        CommandRefused(99, 1, "x", 5),
    ):
        bench.narrator.observe_event(event)

    assert [
        ("debug", "commands sent", {"count": 4}),
        ("debug", "command acknowledged", {"command": "place"}),
        ("warn", "failed to place order", {"code": 21706, "reason": "too small"}),
        ("warn", "failed to modify order", {"reason": "no such order"}),
        ("warn", "outcome of a command unknown", {"command": "cancel", "reason": "timeout"}),
        ("warn", "failed to send order", {"code": 1, "reason": "x"}),
    ] == bench.said()


def test_quoting_is_told_when_it_changes(bench):
    """A market's state is told when it changes, not at every decision (defects M6, M7)."""
    for verdict in (
        quoting(0),
        quoting(0),
        silent(0, "stale_book"),
        silent(0, "stale_book"),
        quoting(0, bid_lots=0, bound="position_limit"),
        quoting(0),
    ):
        bench.narrator.observe_turn([], decision(bench.clock, verdicts=[verdict]), bench.clock.now_ns)

    assert [
        ("info", "quoting", {"market": "ETH-USDC"}),
        ("info", "not quoting", {"market": "ETH-USDC", "reason": "stale_book"}),
        ("info", "quoting one side", {"market": "ETH-USDC", "no_bid": "position_limit", "no_ask": ""}),
        ("info", "quoting", {"market": "ETH-USDC"}),
    ] == bench.said()


def test_refusals_and_trips_are_told(bench):
    """A refused command and a tripped limit are told, the trip once."""
    tripped = LossState(1, -1, "daily_loss")
    for made in (
        decision(bench.clock, refused=[(place(1), 0, "price_collar")], loss=tripped),
        decision(bench.clock, loss=tripped),
    ):
        bench.narrator.observe_turn([], made, bench.clock.now_ns)

    assert [
        ("warn", "risk check failed", {"market": "ETH-USDC", "reason": "price_collar"}),
        ("error", "circuit breaker tripped", {"breaker": "loss_limit", "reason": "daily_loss"}),
    ] == bench.said()


def test_the_venues_ends_are_told(bench):
    """An order that the venue ended is a warning, other rows are for debugging (defect O9)."""
    bench.narrator.observe_event(row(place(1)))
    bench.narrator.observe_event(row(place(1), "canceled-post-only"))

    assert [("debug", "order"), ("warn", "order ended by the venue")] == [line[:2] for line in bench.said()]


def test_slowness_books_and_stops_are_told(bench):
    """A slow decision, a lost book and the wish to stop are told."""
    made = decision(bench.clock)
    bench.clock.now_ns += 11_000_000
    bench.narrator.observe_turn([], made, bench.clock.now_ns)
    bench.narrator.observe_event(BookLost(1, "gap", 5))
    bench.narrator.observe_event(StopRequested("SIGINT", 5))

    assert [
        ("warn", "slow decision", {"elapsed": 11.0}),
        ("warn", "book lost", {"market": "BTC-USDC", "reason": "gap"}),
        ("info", "stopping", {"reason": "SIGINT"}),
    ] == bench.said()


def test_memory_is_bounded(bench):
    """Trades told long ago are forgotten."""
    for trade_id in [*range(REMEMBERED_MAX + 1), 0]:
        bench.narrator.observe_event(fill(trade_id, place(1)))
        json.dumps(bench.said())

    bench.narrator.observe_event(fill(REMEMBERED_MAX, place(1)))
    assert [] == bench.said()
