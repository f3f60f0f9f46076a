"""What each kind of event does to the state. One function a kind; `engine.py` picks it."""

from lighterman.domain.errors import UnitError, invariant
from lighterman.domain.events import (
    BookDelta,
    BookLost,
    BookSnapshot,
    CommandAcked,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    FillReport,
    FundingReport,
    LinkReport,
    MarketReport,
    OrderReport,
    OrdersAbsent,
    PositionReport,
    StatsReport,
)
from lighterman.engine.orders import Order
from lighterman.engine.state import NS_PER_MS, MarketState, State
from lighterman.strategy.params import bind

COOLDOWN_FIRST_NS = 500 * NS_PER_MS
COOLDOWN_LAST_NS = 30_000 * NS_PER_MS
EPOCH_SHIFT = 32  # a client order index is (epoch << 32) + counter: 16 + 32 bits of the venue's 48


def market_described(state: State, event: MarketReport) -> None:
    """A market's description, at start or again later.

    A later change of scale or minimums halts the market: prices in flight would change their
    meaning. Settings that do not fit the venue were refused before the engine was built.
    """
    market = event.market
    params = state.params_of_symbol[market.symbol]
    known = state.markets.get(market.index)
    if known is None:
        rules = bind(params.quote, market)
        limit_lots = params.limits.position_max_lots(market)
        state.markets[market.index] = MarketState(params, market, rules, limit_lots)
        state.orders.open_market(market.index, params.quote.levels)
        state.ledger.define(market)
        return
    scales = (known.market.price_decimals, known.market.size_decimals, known.market.quote_multiplier)
    if scales != (market.price_decimals, market.size_decimals, market.quote_multiplier):
        known.halt_reason = "market_scale_changed"
    elif market != known.market:
        try:
            known.rules = bind(params.quote, market)
        except UnitError:
            known.halt_reason = "market_minimum_changed"
        known.market = market
        state.ledger.define(market)
    known.urgent = True


def book_replaced(state: State, event: BookSnapshot) -> None:
    """A whole book: the market is known again."""
    market = state.markets[event.market]
    market.book.replace(event.bids, event.asks, event.nonce)
    market.lost_reason = "crossed_book" if market.book.is_crossed() else ""
    market.book_ns = event.recv_ns
    market.dirty = True


def book_changed(state: State, event: BookDelta) -> None:
    """Some levels of a book."""
    market = state.markets[event.market]
    if market.lost_reason and market.lost_reason != "crossed_book":
        return
    book = market.book
    book.apply(event.bids, event.asks, event.nonce)
    market.book_ns = event.recv_ns
    market.dirty = True
    if book.is_crossed():
        market.lost_reason = "crossed_book"
        market.urgent = True
    elif market.lost_reason:
        market.lost_reason = ""


def book_lost(state: State, event: BookLost) -> None:
    """A book that is no longer known."""
    market = state.markets.get(event.market)
    if market is not None:
        market.book.clear()
        market.lost_reason = event.reason
        market.urgent = True


def stats_told(state: State, event: StatsReport) -> None:
    """Mark price of a market."""
    market = state.markets.get(event.market)
    if market is not None:
        market.mark_ticks = event.mark_ticks
        market.stats_ns = event.recv_ns


def order_told(state: State, event: OrderReport) -> None:
    """A row of one of our account's orders.

    Three kinds: one we track; one that carries the id of this or an earlier session, which we
    adopt so that it is cancelled; one that is somebody else's, which halts everything.
    """
    state.private_ns = event.recv_ns
    market = state.markets.get(event.market)
    if state.orders.reported(event, event.recv_ns) is None and not event.is_terminal:
        if market is not None and 0 < event.client_order_index >> EPOCH_SHIFT <= state.epoch:
            state.orders.adopt(event, event.recv_ns)
        else:
            state.halt_reason = state.halt_reason or "foreign_order"
            _hurry_all(state)
    if market is not None:
        market.dirty = True


def filled(state: State, event: FillReport) -> None:
    """A trade of ours; counted once however often it is told."""
    market = state.markets.get(event.market)
    if market is None:
        state.halt_reason = state.halt_reason or "fill_in_unknown_market"
        _hurry_all(state)
        return
    if not state.ledger.is_open or not state.ledger.fill(event):
        return
    state.private_ns = event.recv_ns
    if state.orders.filled(event) is None and not state.orders.has_ended(event.client_order_index):
        market.halt_reason = market.halt_reason or "foreign_fill"
        market.urgent = True
    market.dirty = True


def funded(state: State, event: FundingReport) -> None:
    """A funding payment."""
    if event.market in state.markets and state.ledger.is_open and state.ledger.fund(event):
        state.private_ns = event.recv_ns


def position_told(state: State, event: PositionReport) -> None:
    """The venue's view of a position: kept for comparison."""
    market = state.markets.get(event.market)
    if market is not None:
        market.venue_position_lots = event.size_lots


def command_acked(state: State, event: CommandAcked) -> None:
    """Queued at the venue."""
    state.orders.acked(event.command_id, event.recv_ns)


def command_refused(state: State, event: CommandRefused) -> None:
    """Certainly without effect: the market waits a little, longer each time in a row."""
    order = state.orders.refused(event.command_id)
    if order is not None:
        cool_down(state, order, event.recv_ns)


def command_unknown(state: State, event: CommandUnknown) -> None:
    """Nobody knows."""
    _touch(state, state.orders.unknown(event.command_id))


def command_executed(state: State, event: CommandExecuted) -> None:
    """The sequencer's verdict."""
    order = state.orders.executed(event.command_id, event.error, event.recv_ns)
    if order is not None and event.error:
        cool_down(state, order, event.recv_ns)
    elif order is not None:
        state.markets[order.market].cooldown_ns = 0
        _touch(state, order)


def orders_absent(state: State, event: OrdersAbsent) -> None:
    """The venue knows nothing of some orders we asked about."""
    for client_order_index in event.client_order_indexes:
        _touch(state, state.orders.absent(client_order_index, event.asked_ns))


def link_told(state: State, event: LinkReport) -> None:
    """A link came up or went down; every market has to be looked at."""
    if event.up:
        state.links_down.pop(event.link, None)
    else:
        state.links_down[event.link] = event.reason
    _hurry_all(state)


def cool_down(state: State, order: Order, now_ns: int) -> None:
    """Wait before the next new order in this market: refusals must not become a storm."""
    market = state.markets[order.market]
    market.cooldown_ns = min(COOLDOWN_LAST_NS, max(COOLDOWN_FIRST_NS, market.cooldown_ns * 2))
    market.cooldown_until_ns = now_ns + market.cooldown_ns
    market.dirty = True


def _touch(state: State, order: Order | None) -> None:
    if order is not None:
        invariant(order.market in state.markets, f"order {order!r} is of no known market")
        state.markets[order.market].dirty = True


def _hurry_all(state: State) -> None:
    for market in state.markets.values():
        market.urgent = True
