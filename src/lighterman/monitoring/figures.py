"""The figures behind metrics and health, kept up from events and decisions alone.

Law: this room never reaches into the engine; it is told what the engine is told and what it
answered, and counts facts: what the venue confirmed, not what was meant. Figures are plain
attributes written by the trading thread alone; whoever renders them reads from another.
"""

from collections.abc import Callable, Sequence
from typing import Any

from lighterman.domain.clock import Clock
from lighterman.domain.events import (
    AccountSnapshot,
    BookDelta,
    BookLost,
    BookSnapshot,
    CommandAcked,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    Event,
    FillReport,
    FundingReport,
    Link,
    LinkReport,
    MarketReport,
    OrderReport,
    OrdersAbsent,
    QuotaReport,
    StatsReport,
    StopRequested,
)
from lighterman.engine.decision import Decision
from lighterman.engine.ledger import Ledger
from lighterman.engine.params import EngineParams
from lighterman.monitoring.histogram import Histogram
from lighterman.monitoring.market import MarketFigures
from lighterman.monitoring.orders import OrderWatch
from lighterman.risk.pnl import LossState

CYCLE_BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5)  # seed reference 2.4
DECIDE_BOUNDS_S = (5e-06, 1e-05, 2e-05, 5e-05, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01)
MESSAGE_TYPES = ("orderbook", "order", "fill", "stats", "account", "answer")
ALL_MARKETS = -1  # the market of a refused cancel-all


class Figures:
    """All figures of a run. Feed it every turn."""

    def __init__(self, params: EngineParams, loss: LossState, clock: Clock) -> None:
        self._params = {market.symbol: market for market in params.markets}
        self._was_up: set[Link] = set()
        self.started_ns = clock.mono_ns()
        self.decided_ns = 0
        self.markets_configured = len(self._params)
        self.markets: dict[int, MarketFigures] = {}
        self.orders = OrderWatch(self.markets)
        self.ledger = Ledger()
        self.loss = loss
        self.links: dict[Link, str] = dict.fromkeys(Link, "not_connected")  # why it is down; "" where it is up
        self.reconnects = 0
        self.messages: dict[str, int] = dict.fromkeys(MESSAGE_TYPES, 0)
        self.checks = 0
        self.refusals: dict[tuple[int, str], int] = {}  # by market and reason
        self.quota_remaining: int | None = None
        self.stop_reason = ""
        self.cycle = Histogram(CYCLE_BOUNDS_S)
        self.decide = Histogram(DECIDE_BOUNDS_S)
        self._handlers: dict[type, tuple[str, Callable[[Any], None]]] = {
            BookSnapshot: ("orderbook", self._book),
            BookLost: ("", self._book_lost),
            StatsReport: ("stats", self._stats),
            OrderReport: ("order", self.orders.reported),
            FillReport: ("fill", self._fill),
            CommandAcked: ("answer", self.orders.acked),
            CommandRefused: ("answer", self.orders.refused),
            CommandUnknown: ("", self.orders.unknown),
            CommandExecuted: ("answer", self.orders.executed),
            OrdersAbsent: ("account", self._absent),
            MarketReport: ("", self._market),
            AccountSnapshot: ("account", self._account),
            FundingReport: ("account", self._funding),
            QuotaReport: ("", self._quota),
            LinkReport: ("", self._link),
            StopRequested: ("", self._stop),
        }

    def observe_event(self, event: Event) -> None:
        """Take note of an event; of changes of a book only `observe_turn` does, without this detour."""
        known = self._handlers.get(type(event))
        if known is None:
            return  # the venue's positions and collateral are the engine's to compare; days are its own
        message, handle = known
        if message:
            self.messages[message] += 1
        handle(event)

    def observe_turn(self, events: Sequence[Event], decision: Decision, done_ns: int) -> None:
        """Take note of events and of the decision on them, whose orders were on their way at `done_ns`."""
        markets = self.markets
        for event in events:
            if isinstance(event, BookDelta):  # most of what comes, so without a detour
                self.messages["orderbook"] += 1
                if event.market in markets:
                    markets[event.market].book_ns = event.recv_ns
            else:
                self.observe_event(event)
        self.decided_ns = decided_ns = decision.now_ns
        self.decide.observe(done_ns - decided_ns)
        self.cycle.observe(done_ns - (events[0].recv_ns if events else decided_ns))
        for verdict in decision.verdicts:
            market = markets[verdict.market]
            if verdict.pace and not market.verdict.pace:
                self._refuse(verdict.market, verdict.pace)
            quotes = verdict.quotes
            if quotes is not None and market.quoting_since_ns and quotes.bid_lots[0] and quotes.ask_lots[0]:
                market.verdict = verdict  # both sides are quoted, as before: nearly always
            else:
                market.take_verdict(verdict, decided_ns)
        if decision.approved or decision.refused:
            self._judged(decision)
        if decision.loss is not None:
            self.loss = decision.loss

    def _judged(self, decision: Decision) -> None:
        self.checks += len(decision.approved) + len(decision.refused)
        for approved in decision.approved:
            self.orders.sent(approved.command, decision.now_ns)
        for refusal in decision.refused:
            self._refuse(refusal.market, refusal.reason)

    def _refuse(self, market: int, reason: str) -> None:
        name = (market, reason)
        self.refusals[name] = self.refusals.get(name, 0) + 1

    def label(self, market: int) -> str:
        """Return the configured name of a market, or "all"."""
        return self.markets[market].label if market in self.markets else "all"

    # -- one a kind of event -----------------------------------------------------------------

    def _book(self, event: BookSnapshot) -> None:
        figures = self.markets.get(event.market)
        if figures is not None:
            figures.book_ns = event.recv_ns

    def _book_lost(self, event: BookLost) -> None:
        figures = self.markets.get(event.market)
        if figures is not None:
            figures.book_ns = 0

    def _stats(self, event: StatsReport) -> None:
        figures = self.markets.get(event.market)
        if figures is not None:
            figures.mark_ticks = event.mark_ticks

    def _fill(self, event: FillReport) -> None:
        figures = self.markets.get(event.market)
        if figures is None or not self.ledger.is_open or not self.ledger.fill(event):
            return
        figures.fills[event.is_ask] += 1
        figures.volume_lots[event.is_ask] += event.size_lots

    def _absent(self, event: OrdersAbsent) -> None:
        for client_order_index in event.client_order_indexes:
            self.orders.forget(client_order_index)

    def _market(self, event: MarketReport) -> None:
        market = event.market
        params = self._params.get(market.symbol)
        if params is None:
            return
        if market.index in self.markets:
            self.markets[market.index].market = market
        else:
            self.markets[market.index] = MarketFigures(params, market)
        self.ledger.define(market)

    def _account(self, event: AccountSnapshot) -> None:
        if not self.ledger.is_open:
            self.ledger.open(event)

    def _funding(self, event: FundingReport) -> None:
        if self.ledger.is_open and event.market in self.markets:
            self.ledger.fund(event)

    def _quota(self, event: QuotaReport) -> None:
        self.quota_remaining = event.remaining

    def _link(self, event: LinkReport) -> None:
        link = event.link
        if event.up and self.links[link] and link in self._was_up and link is not Link.TRANSACTIONS:
            self.reconnects += 1
        if event.up:
            self._was_up.add(link)
        self.links[link] = "" if event.up else event.reason or "down"

    def _stop(self, event: StopRequested) -> None:
        self.stop_reason = self.stop_reason or event.reason
