"""What each kind of event does to the state. One function a kind; `engine.py` picks it."""

from lighterman.domain.errors import InvariantBroken, UnitError
from lighterman.domain.events import (
    BookDelta,
    BookLost,
    BookSnapshot,
    CommandAcked,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    DayStarted,
    FillReport,
    FundingReport,
    Link,
    LinkReport,
    MarketReport,
    OrderReport,
    OrdersAbsent,
    StatsReport,
    StopRequested,
)
from lighterman.engine.freshness import forget_fastest, written_ns
from lighterman.engine.order import Order, OrderState
from lighterman.engine.orders import NEVER_NS
from lighterman.engine.readiness import CROSSED_BOOK
from lighterman.engine.state import NS_PER_MS, MarketState, State
from lighterman.strategy.params import bind

COOLDOWN_FIRST_NS = 500 * NS_PER_MS
COOLDOWN_LAST_NS = 10_000 * NS_PER_MS  # a market must be quoted again half a minute after what was wrong is right
EPOCH_SHIFT = 32  # a client order index is (epoch << 32) + counter: 16 + 32 bits of the venue's 48


def market_described(state: State, event: MarketReport) -> None:
    """A market's description, at start or again later.

    A later change of scale or minimums halts the market: prices in flight would change their
    meaning. Settings that do not fit the venue were refused before the engine was built.
    """
    market = event.market
    params = state.params_of_symbol.get(market.symbol)
    if params is None:
        raise InvariantBroken(f"market {market.symbol} is not configured")
    known = state.markets.get(market.index)
    order_value_micro_max = min(state.params.limits.order_value_micro_max, market.order_quote_limit_micro)
    if known is None:
        state.markets[market.index] = MarketState(
            params,
            market,
            bind(params.quote, market, order_value_micro_max),
            state.orders.open_market(market.index, params.quote.levels),
            state.ledger.define(market),
            position_max_lots=params.limits.position_max_lots(market),
        )
        return
    scales = (known.market.price_decimals, known.market.size_decimals, known.market.quote_multiplier)
    if scales != (market.price_decimals, market.size_decimals, market.quote_multiplier):
        known.halt_reason = known.halt_reason or "market_scale_changed"
    elif market != known.market:
        try:
            known.rules = bind(params.quote, market, order_value_micro_max)
        except UnitError:
            known.halt_reason = known.halt_reason or "market_minimum_changed"
        known.market = market
        state.ledger.define(market)
    known.urgent = True


def book_replaced(state: State, event: BookSnapshot) -> None:
    """A whole book: the market is known again."""
    market = _market_of_book(state, event.market)
    market.book.replace(event.bids, event.asks, event.nonce)
    market.lost_reason = CROSSED_BOOK if market.book.is_crossed() else ""
    market.book_ns = written_ns(state, event.venue_us, event.recv_ns)
    market.dirty = True
    market.urgent = market.urgent or bool(market.lost_reason)


def book_changed(state: State, event: BookDelta) -> None:
    """Some levels of a book."""
    market = _market_of_book(state, event.market)
    if market.lost_reason and market.lost_reason != CROSSED_BOOK:
        return
    book = market.book
    book.apply(event.bids, event.asks, event.nonce)
    market.book_ns = written_ns(state, event.venue_us, event.recv_ns)
    market.dirty = True
    if book.is_crossed():
        market.lost_reason = CROSSED_BOOK
        market.urgent = True
    elif market.lost_reason:
        market.lost_reason = ""


def book_lost(state: State, event: BookLost) -> None:
    """A book that is no longer known."""
    market = _market_of_book(state, event.market)
    market.book.clear()
    market.lost_reason = event.reason
    market.urgent = True


def stats_told(state: State, event: StatsReport) -> None:
    """Mark price of a market; zero says that there is none now, which is no price to value by."""
    market = state.markets.get(event.market)
    if market is None:
        return
    had_mark = market.stats_ns > 0
    if 0 < event.mark_ticks != market.mark_ticks:
        market.mark_ticks = event.mark_ticks
        state.worth_changed()
    market.stats_ns = event.recv_ns - state.public_lag_ns if event.mark_ticks > 0 else 0
    if had_mark != (market.stats_ns > 0):
        market.urgent = True


def is_ours(state: State, client_order_index: int) -> bool:
    """Tell whether an order bears an id of this or an earlier session of ours."""
    return 0 < client_order_index >> EPOCH_SHIFT <= state.epoch


def order_told(state: State, event: OrderReport) -> None:
    """A row of one of our account's orders.

    Four kinds: one we track; an echo of one that has ended; one that carries an id of ours,
    which we adopt so that it is cancelled; one that is somebody else's, which halts everything.
    """
    market = state.markets.get(event.market)
    if market is not None:
        market.dirty = True
    if state.orders.reported(event, event.recv_ns) is not None or event.is_terminal or state.orders.is_echo(event):
        return
    if market is not None and is_ours(state, event.client_order_index):
        state.orders.adopt(event, event.recv_ns)
    else:
        state.halt_reason = state.halt_reason or "foreign_order"
        state.hurry_all()


def filled(state: State, event: FillReport) -> None:
    """A trade of ours; counted once however often it is told.

    One of an order that we lost sight of is ours all the same: the account is asked for, and
    shows the order if it still lives. Any other fill we cannot explain halts the market.
    """
    market = state.markets.get(event.market)
    if market is None:
        state.halt_reason = state.halt_reason or "fill_in_unknown_market"
        state.hurry_all()
        return
    if not state.ledger.is_open or not state.ledger.fill(event):
        return
    state.trade_told(event.recv_ns)
    market.dirty = True
    order = state.orders.filled(event)
    if order is not None:
        if order.is_overfilled():
            _halt(market, "overfilled_order")
    elif not state.orders.remembers(event.client_order_index):
        if is_ours(state, event.client_order_index):
            state.orders.count(event.client_order_index, event.size_lots)
            state.account_due_ns = 0
        else:
            _halt(market, "foreign_fill")


def funded(state: State, event: FundingReport) -> None:
    """A funding payment."""
    if event.market in state.markets and state.ledger.is_open and state.ledger.fund(event):
        state.trade_told(event.recv_ns)


def command_acked(state: State, event: CommandAcked) -> None:
    """Queued at the venue."""
    state.orders.acked(event.command_id, event.recv_ns)


def command_refused(state: State, event: CommandRefused) -> None:
    """Certainly without effect: the market waits a little, longer each time in a row.

    A refused cancel is no reason to: it has its own time to be tried again. Where the venue
    refuses to cancel all, the orders are cancelled one by one as well, at once.
    """
    if event.command_id in state.stop_commands:
        state.stop_one_by_one = state.stop_is_refused = True
    order = state.orders.refused(event.command_id, event.recv_ns)
    if order is None:
        return
    state.markets[order.market].dirty = True
    if order.pending is not OrderState.CANCELLING:
        cool_down(state, order, event.recv_ns)


def command_unknown(state: State, event: CommandUnknown) -> None:
    """Nobody knows."""
    _touch(state, state.orders.unknown(event.command_id))


def command_executed(state: State, event: CommandExecuted) -> None:
    """The sequencer's verdict. A cancel that found no order lost a race against a fill: no fault."""
    order = state.orders.executed(event.command_id, event.error, event.recv_ns)
    if order is None:
        return
    market = state.markets[order.market]
    market.dirty = True
    if order.pending is not OrderState.CANCELLING:
        if event.error:
            cool_down(state, order, event.recv_ns)
        else:
            market.cooldown_ns = 0


def orders_absent(state: State, event: OrdersAbsent) -> None:
    """The venue knows nothing of some orders we asked about."""
    for client_order_index in event.client_order_indexes:
        _touch(state, state.orders.absent(client_order_index, event.asked_ns))


def link_told(state: State, event: LinkReport) -> None:
    """A link came up or went down; every market has to be looked at.

    While the private link is down something may happen unseen, so the account has to be told
    anew before anything is quoted again; if the venue does not by itself, it is asked.
    """
    if event.up:
        was_down = state.links_down.pop(event.link, None) is not None
        if was_down and event.link is Link.PRIVATE:
            state.private_up_ns = event.recv_ns
            state.account_due_ns = 0
            if state.account_is_current:
                state.account_due_ns = event.recv_ns + state.params.reconcile_interval_ms * NS_PER_MS
    else:
        state.links_down[event.link] = event.reason
        if event.link is Link.PRIVATE:
            state.account_is_current = False
            state.account_due_ns = NEVER_NS
            state.private_down_ns, state.private_up_ns = event.recv_ns, NEVER_NS
        elif event.link is Link.PUBLIC:
            forget_fastest(state)
    state.hurry_all()


def day_started(state: State, event: DayStarted) -> None:
    """A UTC day began."""
    state.loss.start_day(event.day)
    state.day_known = True
    state.worth_changed()
    state.hurry_all()


def stop_requested(state: State, event: StopRequested) -> None:
    """Somebody wants us to stop; asked again, we cancel everything again, whatever we know of."""
    state.stop_reason = state.stop_reason or event.reason
    state.stop_asked_ns = None
    state.hurry_all()


def cool_down(state: State, order: Order, now_ns: int) -> None:
    """Wait before the next new order in this market: refusals must not become a storm.

    Refusals that arrive during a wait were sent before it and do not lengthen it.
    """
    market = state.markets[order.market]
    market.dirty = True
    if now_ns >= market.cooldown_until_ns:
        market.cooldown_ns = min(COOLDOWN_LAST_NS, max(COOLDOWN_FIRST_NS, market.cooldown_ns * 2))
        market.cooldown_until_ns = now_ns + market.cooldown_ns


def _market_of_book(state: State, index: int) -> MarketState:
    """Return the market of a public book; we follow those of described markets only."""
    market = state.markets.get(index)
    if market is None:
        raise InvariantBroken(f"a book of market {index}, which nobody described")
    return market


def _halt(market: MarketState, reason: str) -> None:
    market.halt_reason = market.halt_reason or reason
    market.urgent = True


def _touch(state: State, order: Order | None) -> None:
    if order is not None:
        state.markets[order.market].dirty = True
