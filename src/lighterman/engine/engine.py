"""The engine: `observe` everything that has arrived, then `decide` once. Read this file first.

Law: no I/O, no clock, one thread. The only time is in events and in `decide(now_ns)`; the
same events and the same calls give the same decisions, to the byte. This file only
dispatches: what an event does stands in `intake.py` and `reconcile.py`, what may be quoted in
`readiness.py`, what is sent in `plan.py` and `risk/gate.py`.
"""

from typing import assert_never

import msgspec

from lighterman.domain.commands import (
    CancelAll,
    CancelOrder,
    ModifyOrder,
    PlaceOrder,
    Query,
    QueryAccount,
    QueryOrders,
    ResyncBook,
)
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
from lighterman.engine.order import OrderState
from lighterman.engine.pace import MESSAGE_PACE, UNHURRIED, Pace, pace_of
from lighterman.engine.params import EngineParams
from lighterman.engine.plan import Change, plan
from lighterman.engine.readiness import (
    CROSSED_BOOK,
    MARK_FAR,
    NOBODY_ELSE,
    data_expires_ns,
    is_mark_far,
    why_not_quoted,
)
from lighterman.engine.state import NS_PER_MS, MarketState, State
from lighterman.risk.budget import MESSAGE_BUDGET, VOLUME_QUOTA, MessageBudget
from lighterman.risk.gate import SELF_CROSS, Exposure, Gate, Intent, Refusal
from lighterman.risk.pnl import LossState
from lighterman.strategy.quoter import Quotes, quote

STOP_REPEAT_NS = 1000 * NS_PER_MS
LOSS_SAVE_NS = 5000 * NS_PER_MS
REDUCE_ONLY_NS = 5000 * NS_PER_MS  # how long nothing may grow after the total limit was exceeded
REST_NS = NS_PER_MS  # between two decisions between which nothing happens
LOOK_AGAIN_NS = 1000 * NS_PER_MS  # for what only time can mend: refusals, missing data


class Engine:
    """Trading state and the decisions made from it."""

    __slots__ = ("_budget", "_gate", "_sides", "_slots", "state")

    def __init__(self, params: EngineParams, *, epoch: int, loss: LossState) -> None:
        invariant(0 < epoch < 1 << 16, f"restart epoch {epoch} does not fit 16 bits")
        self.state = State(params, epoch, loss)
        limits = params.limits
        self._sides = 2 * len(params.markets)
        self._slots = 2 * sum(market.quote.levels for market in params.markets)
        self._budget = MessageBudget(limits.messages_per_minute, limits.cancel_reserve_fraction, self._slots)
        self._gate = Gate(limits, self._budget)

    @property
    def messages_left(self) -> int:
        """Return how many transactions the budget still holds, the cancel reserve included."""
        return self._budget.remaining()

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
                pass  # as CollateralReport
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
                intake.day_started(state, event)
            case StopRequested():
                intake.stop_requested(state, event)
            case _:
                assert_never(event)

    # -- decide --------------------------------------------------------------------------

    def decide(self, now_ns: int) -> Decision:
        """Return what to do now, in five steps; what is approved counts as sent from here on."""
        state = self.state
        state.decided_ns = now_ns
        turn = _Turn(now_ns)
        if now_ns >= state.orders.deadline_ns or now_ns >= state.account_due_ns:
            self._expire(turn)
        loss = self._watch(now_ns) if now_ns >= state.watched_ns + state.watch_interval_ns else None
        verdicts = self._look_around(turn)
        if state.stop_reason:
            self._stop(turn)
        if not turn.intents:
            return Decision(now_ns, [], [], turn.queries, verdicts, loss)
        approved, refused = self._gate.review(
            [intent for intent, _ in turn.intents],
            turn.exposures,
            total_notional_micro(state),
            state.params.orders_tracked_max - len(state.orders),
            now_ns,
        )
        self._record(turn, refused)
        return Decision(now_ns, approved, refused, turn.queries, verdicts, loss)

    @property
    def next_deadline_ns(self) -> int:
        """Return when `decide` must be called even if nothing happens until then.

        At once where a market is urgent; otherwise after a rest, whatever the times below say: one
        that `decide` did nothing about would have it called again and again.
        """
        state = self.state
        times = [state.watched_ns + state.watch_interval_ns, state.orders.deadline_ns, state.account_due_ns]
        for market in state.markets.values():
            if market.urgent:
                return 0
            times.append(market.requoted_ns + state.requote_interval_ns if market.dirty else market.look_ns)
        if state.stop_asked_ns is not None and state.orders.any_may_rest():
            times.append(state.stop_asked_ns + STOP_REPEAT_NS)
        return max(min(times), state.decided_ns + REST_NS)

    def _expire(self, turn: "_Turn") -> None:
        """Step 1: what should have been answered is now unknown, and asked about.

        Fills that are in an order's row and were never told come with no other row: a reading of the account has them.
        """
        state, now_ns = self.state, turn.now_ns
        late = state.orders.expire(now_ns)
        if late:
            unknown = [order.client_order_index for order in late if order.state is OrderState.UNKNOWN]
            if unknown:
                turn.queries.append(QueryOrders(unknown))
            if len(unknown) < len(late) and state.private_up_ns <= now_ns:
                state.account_due_ns = now_ns
            for order in late:
                state.markets[order.market].dirty = True
        if now_ns >= state.account_due_ns:
            reconcile.asked(state, now_ns)
            turn.queries.append(QueryAccount())

    def _watch(self, now_ns: int) -> LossState | None:
        """Step 2: the total exposure and the day's loss, looked at also when nothing happens."""
        state = self.state
        state.watched_ns = now_ns
        if not state.ledger.is_open or not state.day_known:
            return None
        if total_notional_micro(state) > state.params.limits.total_position_micro_max:
            if now_ns >= state.reduce_only_until_ns:
                state.hurry_all()
            state.reduce_only_until_ns = now_ns + REDUCE_ONLY_NS
        return self._watch_loss(now_ns)

    def _watch_loss(self, now_ns: int) -> LossState | None:
        """Return what of the day's loss must be saved, at once when it trips."""
        state = self.state
        equity = equity_pico(state)
        if state.is_valued != (equity is not None):
            state.is_valued = not state.is_valued
            state.hurry_all()
        if equity is None:
            return None
        state.loss.observe(equity)
        if state.loss.tripped != state.loss_saved.tripped:
            state.hurry_all()
        elif now_ns < state.loss_saved_ns + LOSS_SAVE_NS:
            return None
        current = state.loss.state()
        if current == state.loss_saved:
            return None
        state.loss_saved, state.loss_saved_ns = current, now_ns
        return current

    def _look_around(self, turn: "_Turn") -> list[MarketVerdict]:
        """Step 3: look at the markets in which something changed, or whose data has just grown old."""
        state, now_ns = self.state, turn.now_ns
        verdicts: list[MarketVerdict] = []
        for market in state.markets.values():
            if market.urgent or now_ns >= (
                market.requoted_ns + state.requote_interval_ns if market.dirty else market.look_ns
            ):
                if not (verdicts or self._budget.is_ample):
                    self._budget.refill(now_ns)
                    turn.pace = pace_of(self._budget, self._sides, self._slots)
                verdicts.append(self._look(market, turn))
        return verdicts

    def _look(self, market: MarketState, turn: "_Turn") -> MarketVerdict:
        """Step 4: wish and plan one market; adds the intents it needs to the turn."""
        state, index, now_ns = self.state, market.market.index, turn.now_ns
        market.dirty = market.urgent = False
        reason = why_not_quoted(state, market, now_ns)
        wished = reason or self._wish(market, now_ns)
        quotes, reason = (None, wished) if isinstance(wished, str) else (wished, "")
        market.look_ns = now_ns + LOOK_AGAIN_NS if quotes is None else data_expires_ns(state, market)
        is_cooling = now_ns < market.cooldown_until_ns
        if is_cooling:
            market.look_ns = min(market.look_ns, market.cooldown_until_ns)
        if reason == CROSSED_BOOK and now_ns >= market.resync_ns:
            market.resync_ns = now_ns + LOOK_AGAIN_NS
            turn.queries.append(ResyncBook(index))
        if not state.stop_reason:
            changes = plan(market.orders, quotes, market.rules, now_ns, may_add=not is_cooling, pace=turn.pace)
            if changes:
                market.requoted_ns = now_ns
                turn.exposures[index] = exposure_of(market, reason)
                turn.intents.extend([(self._intent(change, index), change) for change in changes])
                turn.pace = turn.pace.less(len(changes))
        if quotes is None or turn.pace is UNHURRIED:
            return MarketVerdict(index, quotes, reason)
        market.look_ns = min(market.look_ns, now_ns + LOOK_AGAIN_NS)  # a turn may come with nothing changed
        return MarketVerdict(index, quotes, reason, MESSAGE_PACE)

    def _wish(self, market: MarketState, now_ns: int) -> Quotes | str:
        """Return the quotes we would like, own orders taken out of the book first, or why there are none."""
        state, rules, book, volatility = self.state, market.rules, market.book, market.volatility
        own_bids, own_asks = market.orders.own_lots()
        depth = rules.params.imbalance_levels
        bids, asks = book.bid_front(depth, own_bids), book.ask_front(depth, own_asks)
        if bids is None or asks is None:
            return NOBODY_ELSE
        mid_ticks = (bids[0] + asks[0]) / 2
        if is_mark_far(state, market, mid_ticks):
            return MARK_FAR
        market.mid_ticks = mid_ticks
        volatility.observe(mid_ticks, now_ns)
        return quote(
            rules,
            bids,
            asks,
            position_lots=market.held.position.size_lots,
            position_max_lots=market.position_max_lots,
            volatility_bps=volatility.bps,
            growth_bound="total_position_limit" if now_ns < state.reduce_only_until_ns else "",
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
        return Intent(modify, market, change.is_ask, change.price_ticks, total_lots, growth_lots)

    def _stop(self, turn: "_Turn") -> None:
        """Cancel everything; then again, and ask, for as long as anything of ours may still be there."""
        state, asked_ns = self.state, self.state.stop_asked_ns
        is_again = asked_ns is not None and turn.now_ns >= asked_ns + STOP_REPEAT_NS and state.orders.any_may_rest()
        if asked_ns is None or is_again:
            state.stop_asked_ns = turn.now_ns
            state.commands += 1
            state.stop_commands[state.commands] = None
            turn.intents.append((Intent(CancelAll(state.commands), -1), Change(None, is_ask=False, level=-1)))
        elif not state.stop_is_refused:
            return
        if is_again:
            turn.queries.append(QueryOrders([order.client_order_index for order in state.orders]))
        if state.stop_one_by_one:
            self._cancel_one_by_one(turn)
        state.stop_is_refused = False

    def _cancel_one_by_one(self, turn: "_Turn") -> None:
        """Cancel each order that the venue has shown and of which no cancel is on its way."""
        for order in self.state.orders:
            if order.executed and order.state in (OrderState.OPEN, OrderState.MODIFYING, OrderState.UNKNOWN):
                change = Change(order, is_ask=order.is_ask, level=order.level)
                turn.intents.append((self._intent(change, order.market), change))

    def _record(self, turn: "_Turn", refused: list[Refusal]) -> None:
        """Step 5: what is approved is in flight from now on; what is not is looked at again."""
        orders, now_ns = self.state.orders, turn.now_ns
        reasons = {refusal.command.command_id: refusal.reason for refusal in refused}
        for intent, change in turn.intents:
            command = intent.command
            if command.command_id in reasons:
                market = self.state.markets[intent.market]
                market.look_ns = min(market.look_ns, now_ns + LOOK_AGAIN_NS)
                if reasons[command.command_id] == SELF_CROSS:
                    continue  # what is in the way is about to move
                may_stay = change.may_stay and reasons[command.command_id] in (MESSAGE_BUDGET, VOLUME_QUOTA)
                if isinstance(command, ModifyOrder) and not may_stay:
                    orders.give_up(command.client_order_index)
                    market.dirty = True
                elif isinstance(command, PlaceOrder | ModifyOrder):
                    orders.of_market(command.market).held_ns[change.is_ask][change.level] = now_ns + LOOK_AGAIN_NS
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


class _Turn(msgspec.Struct, gc=False):
    """What one `decide` gathers on its way."""

    now_ns: int
    pace: Pace = UNHURRIED
    queries: list[Query] = []
    intents: list[tuple[Intent, Change]] = []
    exposures: dict[int, Exposure] = {}
