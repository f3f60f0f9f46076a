"""The engine: `observe` everything that has arrived, then `decide` once. Read this file first.

Law: no I/O, no clock, one thread. The only time is in events and in `decide(now_ns)`; the
same events and the same calls give the same decisions, to the byte. This file only
dispatches: what an event does stands in `intake.py` and `reconcile.py`, what may be quoted in
`readiness.py`, what is sent in `plan.py` and `risk/gate.py`.
"""

from typing import assert_never

from lighterman.domain.commands import CancelAll, CancelOrder, ModifyOrder, PlaceOrder, Query, QueryAccount, QueryOrders
from lighterman.domain.errors import invariant
from lighterman.domain.events import (
    AccountSnapshot,
    BookDelta,
    BookLost,
    BookSnapshot,
    CollateralReport,
    CommandAcked,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    DayStarted,
    Event,
    FillReport,
    FundingReport,
    LinkReport,
    MarketReport,
    OrderReport,
    OrdersAbsent,
    PositionReport,
    QuotaReport,
    StatsReport,
    StopRequested,
)
from lighterman.engine import intake, reconcile
from lighterman.engine.decision import Decision, MarketVerdict
from lighterman.engine.exposure import equity_pico, exposure_of, total_notional_micro
from lighterman.engine.params import EngineParams
from lighterman.engine.plan import Change, plan
from lighterman.engine.readiness import data_expires_ns, why_not_quoted
from lighterman.engine.state import NS_PER_MS, MarketState, State
from lighterman.risk.budget import MessageBudget
from lighterman.risk.gate import Approved, Exposure, Gate, Intent
from lighterman.risk.pnl import LossState
from lighterman.strategy.quoter import Quotes, quote

STOP_REPEAT_NS = 1000 * NS_PER_MS
LOSS_SAVE_NS = 5000 * NS_PER_MS
LOOK_AGAIN_NS = 1000 * NS_PER_MS  # for what only time can mend: refusals, missing data


class Engine:
    """Trading state and the decisions made from it."""

    __slots__ = ("_budget", "_gate", "state")

    def __init__(self, params: EngineParams, *, epoch: int, loss: LossState) -> None:
        invariant(0 < epoch < 1 << 16, f"restart epoch {epoch} does not fit 16 bits")
        self.state = State(params, epoch, loss)
        self._budget = MessageBudget(params.limits.messages_per_minute, params.limits.cancel_reserve_fraction)
        self._gate = Gate(params.limits, self._budget)

    # -- observe -------------------------------------------------------------------------

    def observe(self, event: Event) -> None:  # noqa: C901, PLR0912  (one line an event, to be read at a glance)
        """Take note of one event; raises InvariantBroken where it cannot be true."""
        state = self.state
        match event:
            case BookDelta():
                intake.book_changed(state, event)
            case StatsReport():
                intake.stats_told(state, event)
            case OrderReport():
                intake.order_told(state, event)
            case FillReport():
                intake.filled(state, event)
            case CommandAcked():
                intake.command_acked(state, event)
            case CommandExecuted():
                intake.command_executed(state, event)
            case PositionReport():
                intake.position_told(state, event)
            case CommandRefused():
                intake.command_refused(state, event)
            case CommandUnknown():
                intake.command_unknown(state, event)
            case BookSnapshot():
                intake.book_replaced(state, event)
            case BookLost():
                intake.book_lost(state, event)
            case FundingReport():
                intake.funded(state, event)
            case CollateralReport():
                pass  # compared through AccountSnapshot, when nothing is on the wire
            case AccountSnapshot():
                reconcile.account_told(state, event)
            case OrdersAbsent():
                intake.orders_absent(state, event)
            case LinkReport():
                intake.link_told(state, event)
            case MarketReport():
                intake.market_described(state, event)
            case QuotaReport():
                self._budget.set_quota(event.remaining)
            case DayStarted():
                state.loss.start_day(event.day)
                state.day_known = True
            case StopRequested():
                state.stop_reason = state.stop_reason or event.reason
                for market in state.markets.values():
                    market.urgent = True
            case _:
                assert_never(event)

    # -- decide --------------------------------------------------------------------------

    def decide(self, now_ns: int) -> Decision:
        """Return what to do now, in five steps; what is approved counts as sent from here on."""
        queries = self._expire(now_ns)
        loss = self._watch_loss(now_ns)
        intents: list[tuple[Intent, Change]] = []
        exposures: dict[int, Exposure] = {}
        verdicts = [self._look(market, now_ns, intents, exposures) for market in self._due(now_ns)]
        if self.state.stop_reason:
            self._stop(now_ns, intents)
        if not intents:
            return Decision(now_ns, [], [], queries, verdicts, loss)
        total_micro = total_notional_micro(self.state)
        approved, refused = self._gate.review([intent for intent, _ in intents], exposures, total_micro, now_ns)
        self._record(approved, intents, now_ns)
        return Decision(now_ns, approved, refused, queries, verdicts, loss)

    @property
    def next_deadline_ns(self) -> int | None:
        """Return when `decide` must be called even if nothing happens until then."""
        state = self.state
        interval_ns = state.params.requote_interval_ms * NS_PER_MS
        times = [state.loss_looked_ns + state.params.position_check_interval_ms * NS_PER_MS]
        for market in state.markets.values():
            if market.urgent:
                return 0
            times.append(market.quoted_ns + interval_ns if market.dirty else market.look_ns)
        times.append(state.orders.next_deadline_ns())
        if state.stop_asked_ns is not None and len(state.orders):
            times.append(state.stop_asked_ns + STOP_REPEAT_NS)
        return min(times)

    def _expire(self, now_ns: int) -> list[Query]:
        """Step 1: what should have been answered is now unknown, and asked about."""
        queries: list[Query] = []
        late = self.state.orders.expire(now_ns)
        if late:
            queries.append(QueryOrders([order.client_order_index for order in late]))
            for order in late:
                self.state.markets[order.market].dirty = True
        if reconcile.account_question_due(self.state, now_ns):
            self.state.account_asked_ns = now_ns
            queries.append(QueryAccount())
        return queries

    def _watch_loss(self, now_ns: int) -> LossState | None:
        """Step 2: the day's loss; returns what must be saved, at once when it trips."""
        state = self.state
        if not state.ledger.is_open or not state.day_known:
            return None
        if now_ns < state.loss_looked_ns + state.params.position_check_interval_ms * NS_PER_MS:
            return None
        state.loss_looked_ns = now_ns
        equity = equity_pico(state)
        if equity is None:
            return None
        state.loss.observe(equity)
        current = state.loss.state()
        tripped = current.tripped != state.loss_saved.tripped
        if tripped:
            for market in state.markets.values():
                market.urgent = True
        elif current == state.loss_saved or now_ns < state.loss_saved_ns + LOSS_SAVE_NS:
            return None
        state.loss_saved, state.loss_saved_ns = current, now_ns
        return current

    def _due(self, now_ns: int) -> list[MarketState]:
        """Step 3: the markets in which something changed, or whose data has just grown old."""
        interval_ns = self.state.params.requote_interval_ms * NS_PER_MS
        return [
            market
            for market in self.state.markets.values()
            if market.urgent or now_ns >= (market.quoted_ns + interval_ns if market.dirty else market.look_ns)
        ]

    def _look(
        self,
        market: MarketState,
        now_ns: int,
        intents: list[tuple[Intent, Change]],
        exposures: dict[int, Exposure],
    ) -> MarketVerdict:
        """Step 4: wish and plan one market; appends the intents it needs."""
        state, index = self.state, market.market.index
        reason = why_not_quoted(state, market, now_ns)
        quotes = None if reason else self._wish(market, now_ns)
        if quotes is None and not reason:
            reason = "nobody_else_in_book"
        if not state.stop_reason:
            cooling = now_ns < market.cooldown_until_ns
            changes = plan(state.orders.of_market(index), quotes, market.params.quote, now_ns, may_add=not cooling)
            if changes:
                exposures[index] = exposure_of(state, market, reason)
                intents.extend((self._intent(change, index), change) for change in changes)
        market.dirty = market.urgent = False
        market.quoted_ns = now_ns
        market.look_ns = data_expires_ns(state, market) if quotes is not None else now_ns + LOOK_AGAIN_NS
        if now_ns < market.cooldown_until_ns:
            market.look_ns = min(market.look_ns, market.cooldown_until_ns)
        return MarketVerdict(index, quotes, reason)

    def _wish(self, market: MarketState, now_ns: int) -> Quotes | None:
        """Return the quotes we would like, own orders taken out of the book first."""
        state, index = self.state, market.market.index
        own_bids, own_asks = state.orders.of_market(index).own_sizes()
        depth = market.params.quote.imbalance_levels
        bids, asks = market.book.top_bids(depth, own_bids), market.book.top_asks(depth, own_asks)
        if not bids or not asks:
            return None
        market.mid_ticks = (bids[0][0] + asks[0][0]) / 2
        market.volatility.observe(market.mid_ticks, now_ns)
        return quote(
            market.rules,
            bids,
            asks,
            position_lots=state.ledger.markets[index].position.size_lots,
            position_max_lots=market.position_max_lots,
            order_value_micro_max=state.params.limits.order_value_micro_max,
            volatility_bps=market.volatility.bps(),
        )

    def _intent(self, change: Change, market: int) -> Intent:
        """Give a change its command: ids come from the engine's own counters."""
        state, order = self.state, change.order
        state.commands += 1
        if order is None:
            state.order_counter += 1
            client_id = (state.epoch << intake.EPOCH_SHIFT) + state.order_counter
            place = PlaceOrder(state.commands, market, client_id, change.is_ask, change.price_ticks, change.size_lots)
            return Intent(place, market, change.is_ask, change.price_ticks, change.size_lots, change.size_lots)
        if not change.size_lots:
            return Intent(CancelOrder(state.commands, market, order.client_order_index), market)
        total_lots = order.filled_lots + change.size_lots
        modify = ModifyOrder(state.commands, market, order.client_order_index, change.price_ticks, total_lots)
        growth_lots = max(0, change.size_lots - order.remaining_lots())
        return Intent(modify, market, change.is_ask, change.price_ticks, change.size_lots, growth_lots)

    def _stop(self, now_ns: int, intents: list[tuple[Intent, Change]]) -> None:
        """Cancel everything, and again for as long as anything of ours may still be there."""
        state = self.state
        asked = state.stop_asked_ns
        if asked is None or (len(state.orders) and now_ns >= asked + STOP_REPEAT_NS):
            state.stop_asked_ns = now_ns
            state.commands += 1
            intents.append((Intent(CancelAll(state.commands), -1), Change(None, is_ask=False, level=-1)))

    def _record(self, approved: list[Approved], intents: list[tuple[Intent, Change]], now_ns: int) -> None:
        """Step 5: what is approved is in flight from now on; what is not is looked at again."""
        orders = self.state.orders
        passed = {item.command.command_id for item in approved}
        for intent, change in intents:
            command = intent.command
            if command.command_id not in passed:
                market = self.state.markets.get(intent.market)
                if market is not None:
                    market.look_ns = min(market.look_ns, now_ns + LOOK_AGAIN_NS)
                continue
            match command:
                case PlaceOrder():
                    orders.place(command, change.level, now_ns)
                case ModifyOrder():
                    orders.modify(command, now_ns)
                case CancelOrder():
                    orders.cancel(command, now_ns)
                case CancelAll():
                    pass
                case _:
                    assert_never(command)
