"""Tells the log what happens: changes of state, never the same state again (defects M5, M7).

The messages that the seed's users look for keep their words (seed reference 2.6): "websocket
connected", "failed to place order", "circuit breaker tripped", "risk check failed".
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lighterman.domain.commands import Command
from lighterman.domain.events import (
    BookDelta,
    BookLost,
    CommandAcked,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    Event,
    FillReport,
    Link,
    LinkReport,
    MarketReport,
    OrderReport,
    StopRequested,
)
from lighterman.domain.market import Market
from lighterman.engine.decision import Decision, MarketVerdict
from lighterman.engine.params import EngineParams
from lighterman.monitoring.logs import Log, Value
from lighterman.monitoring.orders import NAMES, REJECTED_PREFIX

SLOW_NS = 10_000_000  # a decision slower than this is worth a warning (seed reference 2.6)
MS_PER_NS = 1e-6
REMEMBERED_MAX = 10_000
SIDES = ("buy", "sell")

T = TypeVar("T")


class Narrator:
    """Observes like everybody else, and writes what a person may want to read."""

    def __init__(self, params: EngineParams, log: Log) -> None:
        self._labels = {market.symbol: market.label for market in params.markets}
        self._log = log
        self._markets: dict[int, Market] = {}
        self._links: dict[Link, bool] = {}
        self._tells_details = log.tells("debug")
        self._why: dict[int, tuple[str, str, str]] = {}  # by market: the whole, no bid, no ask
        self._quoted: set[int] = set()  # markets of which it has been said that both sides are quoted
        self._commands: dict[int, Command] = {}  # unanswered
        self._trades: dict[int, None] = {}
        self._tripped = ""
        self._handlers: dict[type, Callable[[Any], None]] = {
            MarketReport: self._market,
            LinkReport: self._link,
            BookLost: self._book_lost,
            OrderReport: self._order,
            FillReport: self._fill,
            CommandAcked: self._acked,
            CommandRefused: self._refused,
            CommandUnknown: self._unknown,
            CommandExecuted: self._executed,
            StopRequested: self._stop,
        }

    def observe_event(self, event: Event) -> None:
        """Tell of an event, if it is worth it."""
        handle = self._handlers.get(type(event))
        if handle is not None:
            handle(event)

    def observe_turn(self, events: Sequence[Event], decision: Decision, done_ns: int) -> None:
        """Tell of the events, and of what the decision changes whose orders were on their way at `done_ns`."""
        for event in events:
            if not isinstance(event, BookDelta):  # most of what comes, and never worth it
                self.observe_event(event)
        elapsed_ns = done_ns - decision.now_ns
        if elapsed_ns > SLOW_NS:
            self._log.warning("slow decision", elapsed=elapsed_ns * MS_PER_NS)
        if decision.approved or decision.refused:
            self._judged(decision)
        for verdict in decision.verdicts:
            quotes = verdict.quotes  # as before nearly always: then this one look at the innermost levels is all
            if quotes is None or not (quotes.bid_lots[0] and quotes.ask_lots[0] and verdict.market in self._quoted):
                self._verdict(verdict)
        if decision.loss is not None and decision.loss.tripped != self._tripped:
            self._tripped = decision.loss.tripped
            self._log.error("circuit breaker tripped", breaker="loss_limit", reason=self._tripped)

    def _judged(self, decision: Decision) -> None:
        for approved in decision.approved:
            _remember(self._commands, approved.command.command_id, approved.command)
        if decision.approved and self._tells_details:
            self._log.debug("commands sent", count=len(decision.approved))
        for refusal in decision.refused:
            self._log.warning("risk check failed", market=self._label(refusal.market), reason=refusal.reason)

    def _verdict(self, verdict: MarketVerdict) -> None:
        quotes = verdict.quotes
        why = (
            verdict.reason,
            quotes.bid_bound if quotes is not None and not any(quotes.bid_lots) else "",
            quotes.ask_bound if quotes is not None and not any(quotes.ask_lots) else "",
        )
        if why == self._why.get(verdict.market):
            return
        self._why[verdict.market] = why
        market = self._label(verdict.market)
        whole, no_bid, no_ask = why
        self._quoted.discard(verdict.market)
        if whole:
            self._log.info("not quoting", market=market, reason=whole)
        elif no_bid or no_ask:
            self._log.info("quoting one side", market=market, no_bid=no_bid, no_ask=no_ask)
        else:
            self._quoted.add(verdict.market)
            self._log.info("quoting", market=market)

    def _label(self, index: int) -> str:
        market = self._markets.get(index)
        return self._labels.get(market.symbol, market.symbol) if market is not None else "all"

    def _market(self, event: MarketReport) -> None:
        if self._markets.get(event.market.index) != event.market:
            self._markets[event.market.index] = event.market
            tick, lot = event.market.price_text(1), event.market.size_text(1)
            self._log.info("market described", market=self._label(event.market.index), tick=tick, lot=lot)

    def _link(self, event: LinkReport) -> None:
        if self._links.get(event.link) == event.up:
            return
        self._links[event.link] = event.up
        if event.up:
            self._log.info("websocket connected", link=event.link.value)
        else:
            self._log.warning("websocket disconnected", link=event.link.value, reason=event.reason)

    def _book_lost(self, event: BookLost) -> None:
        self._log.warning("book lost", market=self._label(event.market), reason=event.reason)

    def _order(self, event: OrderReport) -> None:
        is_rejected = event.status.startswith(REJECTED_PREFIX)
        if not is_rejected and not self._tells_details:
            return
        fields: dict[str, Value] = {
            "market": self._label(event.market),
            "orderID": event.client_order_index,
            "status": event.status,
        }
        if is_rejected:
            self._log.warning("order ended by the venue", **fields)
        else:
            self._log.debug("order", **fields)

    def _fill(self, event: FillReport) -> None:
        market = self._markets.get(event.market)
        if market is None or event.trade_id in self._trades:
            return
        _remember(self._trades, event.trade_id, None)
        self._log.info(
            "fill received",
            market=self._label(event.market),
            side=SIDES[event.is_ask],
            price=market.price_text(event.price_ticks),
            size=market.size_text(event.size_lots),
            orderID=event.client_order_index,
        )

    def _acked(self, event: CommandAcked) -> None:
        if self._tells_details:
            name = NAMES.get(type(self._commands.get(event.command_id)), "unknown")
            self._log.debug("command acknowledged", command=name)

    def _refused(self, event: CommandRefused) -> None:
        name = NAMES.get(type(self._commands.pop(event.command_id, None)), "send")
        self._log.warning(f"failed to {name} order", code=event.code, reason=event.message)

    def _unknown(self, event: CommandUnknown) -> None:
        name = NAMES.get(type(self._commands.get(event.command_id)), "unknown")
        self._log.warning("outcome of a command unknown", command=name, reason=event.reason)

    def _executed(self, event: CommandExecuted) -> None:
        name = NAMES.get(type(self._commands.pop(event.command_id, None)), "send")
        if event.error:
            self._log.warning(f"failed to {name} order", reason=event.error)

    def _stop(self, event: StopRequested) -> None:
        self._log.info("stopping", reason=event.reason)


def _remember(memory: dict[int, T], identity: int, what: T) -> None:
    """Keep a thing by its number, and let go of the oldest when there are too many."""
    memory[identity] = what
    if len(memory) > REMEMBERED_MAX:
        del memory[next(iter(memory))]
