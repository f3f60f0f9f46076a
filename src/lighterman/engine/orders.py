"""Our own orders, from the moment they are asked for until nothing of them can fill any more.

Rule 1: an order changes state only in this file.
Rule 2: this file does not know why we wanted the order.
Rule 3: an order leaves exposure only when the venue says it ended AND every fill up to the
        venue's filled amount has been applied; a cancel's answer is not an end.
Rule 4: no answer is not a refusal. What was sent and not answered is UNKNOWN, still counts,
        and is asked about.

The mutable state: the orders by client id, and which order each unanswered command is about.
"""

import enum
from collections.abc import Iterator

from lighterman.domain.commands import CancelOrder, ModifyOrder, PlaceOrder
from lighterman.domain.errors import invariant
from lighterman.domain.events import FillReport, OrderReport

ENDED_REMEMBERED_MAX = 4096
NEVER_NS = 1 << 62


class OrderState(enum.Enum):
    """Where an order stands, as far as we have been told."""

    SENT = "sent"
    OPEN = "open"
    MODIFYING = "modifying"
    CANCELLING = "cancelling"
    UNKNOWN = "unknown"
    DRAINING = "draining"  # ended at the venue, fills still to come
    DONE = "done"


_S = OrderState
ORDER_TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    _S.SENT: frozenset({_S.OPEN, _S.UNKNOWN, _S.DRAINING, _S.DONE}),
    _S.OPEN: frozenset({_S.MODIFYING, _S.CANCELLING, _S.UNKNOWN, _S.DRAINING, _S.DONE}),
    _S.MODIFYING: frozenset({_S.OPEN, _S.CANCELLING, _S.UNKNOWN, _S.DRAINING, _S.DONE}),
    _S.CANCELLING: frozenset({_S.OPEN, _S.UNKNOWN, _S.DRAINING, _S.DONE}),
    _S.UNKNOWN: frozenset({_S.OPEN, _S.DRAINING, _S.DONE}),
    _S.DRAINING: frozenset({_S.DONE}),
    _S.DONE: frozenset(),
}
IN_FLIGHT = (_S.SENT, _S.MODIFYING, _S.CANCELLING)


class Order:
    """One order of ours. `asked_*` is a modify under way; `level` is -1 for an adopted order."""

    __slots__ = (
        "asked_lots",
        "asked_ticks",
        "client_order_index",
        "deadline_ns",
        "executed",
        "filled_lots",
        "is_ask",
        "level",
        "market",
        "pending",
        "price_ticks",
        "since_ns",
        "size_lots",
        "state",
        "venue_filled_lots",
    )

    def __init__(
        self,
        client_order_index: int,
        market: int,
        *,
        is_ask: bool,
        level: int,
        price_ticks: int,
        size_lots: int,
        now_ns: int,
    ) -> None:
        self.client_order_index = client_order_index
        self.market = market
        self.is_ask = is_ask
        self.level = level
        self.price_ticks = price_ticks
        self.size_lots = size_lots
        self.asked_ticks = price_ticks
        self.asked_lots = size_lots
        self.filled_lots = 0  # fills applied by us
        self.venue_filled_lots = 0  # fills the venue has reported in the order's row
        self.state = OrderState.SENT
        self.pending = OrderState.SENT  # the state whose answer is awaited, also while UNKNOWN
        self.executed = False  # the sequencer has said that the create took effect
        self.since_ns = now_ns
        self.deadline_ns = 0  # when an awaited answer is late, and the order is asked about

    def __repr__(self) -> str:
        side = "ask" if self.is_ask else "bid"
        return f"<{side} {self.level} {self.state.value} {self.size_lots - self.filled_lots}@{self.price_ticks}>"

    def exposed_lots(self) -> int:
        """Return what may still fill, at worst."""
        if self.state is OrderState.DRAINING:
            return self.venue_filled_lots - self.filled_lots
        return max(self.size_lots, self.asked_lots) - self.filled_lots

    def remaining_lots(self) -> int:
        """Return what rests, as far as we know."""
        return self.size_lots - self.filled_lots

    def move_to(self, state: OrderState) -> None:
        """Change state along the table; staying is always allowed."""
        if state is not self.state:
            invariant(state in ORDER_TRANSITIONS[self.state], f"order {self!r} may not become {state.value}")
            self.state = state
            if state in IN_FLIGHT:
                self.pending = state


class MarketOrders:
    """The orders of one market: by client id, and by slot. A slot is a side and a level."""

    __slots__ = ("_own_asks", "_own_bids", "_own_known", "by_id", "slots", "strays")

    def __init__(self, levels: int) -> None:
        self.by_id: dict[int, Order] = {}
        self.slots: tuple[list[Order | None], list[Order | None]] = ([None] * levels, [None] * levels)
        self.strays: dict[int, Order] = {}  # adopted orders, which have no slot
        self._own_bids: dict[int, int] = {}
        self._own_asks: dict[int, int] = {}
        self._own_known = True

    def __repr__(self) -> str:
        return f"<MarketOrders {list(self.by_id.values())}>"

    def add(self, order: Order) -> None:
        """Take a new order into its slot, which must be free."""
        self.by_id[order.client_order_index] = order
        if order.level < 0:
            self.strays[order.client_order_index] = order
        else:
            slots = self.slots[order.is_ask]
            invariant(slots[order.level] is None, f"the slot of {order!r} is taken by {slots[order.level]!r}")
            slots[order.level] = order
        self._own_known = False

    def remove(self, order: Order) -> None:
        """Free an order's slot."""
        del self.by_id[order.client_order_index]
        if self.strays.pop(order.client_order_index, None) is None:
            self.slots[order.is_ask][order.level] = None
        self._own_known = False

    def changed(self) -> None:
        """Say that an order's price, size or state is not what it was."""
        self._own_known = False

    def own_sizes(self) -> tuple[dict[int, int], dict[int, int]]:
        """Return our resting size by price, bids and asks, as it may be in the public book.

        A modify under way is counted at both its prices: to mistake our own order for
        somebody else's would have us chase ourselves.
        """
        if not self._own_known:
            self._own_bids, self._own_asks = {}, {}
            for order in self.by_id.values():
                if order.state is not OrderState.SENT:
                    own = self._own_asks if order.is_ask else self._own_bids
                    own[order.price_ticks] = own.get(order.price_ticks, 0) + order.size_lots - order.filled_lots
                    if order.asked_ticks != order.price_ticks:
                        own[order.asked_ticks] = own.get(order.asked_ticks, 0) + order.asked_lots - order.filled_lots
            self._own_known = True
        return self._own_bids, self._own_asks


class Orders:
    """Every order that may still fill, by client id and by market."""

    __slots__ = (
        "_about",
        "_answer_timeout_ns",
        "_earliest_ns",
        "_ended",
        "_markets",
        "_orders",
        "_transaction_lifetime_ns",
    )

    def __init__(self, answer_timeout_ns: int, transaction_lifetime_ns: int) -> None:
        self._answer_timeout_ns = answer_timeout_ns
        self._transaction_lifetime_ns = transaction_lifetime_ns
        self._orders: dict[int, Order] = {}
        self._markets: dict[int, MarketOrders] = {}
        self._about: dict[int, int] = {}  # command id -> client id
        self._ended: dict[int, None] = {}  # client ids, oldest first
        self._earliest_ns = NEVER_NS  # no awaited answer is late before this

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders.values())

    def __repr__(self) -> str:
        return f"<Orders {list(self._orders.values())}>"

    def open_market(self, market: int, levels: int) -> None:
        """Make room for a market of so many levels a side."""
        self._markets[market] = MarketOrders(levels)

    def get(self, client_order_index: int) -> Order | None:
        """Return an order that may still fill."""
        return self._orders.get(client_order_index)

    def of_market(self, market: int) -> MarketOrders:
        """Return the orders of one market."""
        return self._markets[market]

    def about(self, command_id: int) -> Order | None:
        """Return the order an unanswered command is about."""
        return self._orders.get(self._about.get(command_id, 0))

    def has_ended(self, client_order_index: int) -> bool:
        """Tell whether we remember an order with this id to have ended."""
        return client_order_index in self._ended

    # -- what we ask ---------------------------------------------------------------------

    def place(self, command: PlaceOrder, level: int, now_ns: int) -> None:
        """A create leaves us."""
        order = Order(
            command.client_order_index,
            command.market,
            is_ask=command.is_ask,
            level=level,
            price_ticks=command.price_ticks,
            size_lots=command.size_lots,
            now_ns=now_ns,
        )
        self._track(order)
        self._expect_answer(order, command.command_id, now_ns)

    def modify(self, command: ModifyOrder, now_ns: int) -> None:
        """A modify leaves us: until it is answered both the old and the new terms count."""
        order = self._orders[command.client_order_index]
        self._move(order, OrderState.MODIFYING)
        order.asked_ticks, order.asked_lots = command.price_ticks, command.size_lots
        self._expect_answer(order, command.command_id, now_ns)

    def cancel(self, command: CancelOrder, now_ns: int) -> None:
        """A cancel leaves us: the order counts until it has ended."""
        order = self._orders[command.client_order_index]
        self._move(order, OrderState.CANCELLING)
        self._expect_answer(order, command.command_id, now_ns)

    # -- what we are told ----------------------------------------------------------------

    def acked(self, command_id: int, now_ns: int) -> None:
        """The command is queued at the venue: the wait for its effect begins anew."""
        order = self.about(command_id)
        if order is not None:
            self._wait(order, now_ns + self._answer_timeout_ns)

    def refused(self, command_id: int) -> Order | None:
        """The command certainly had no effect, and never will."""
        order = self._settle(command_id)
        if order is None or order.state is OrderState.DRAINING:
            return order
        if order.pending is OrderState.SENT and not order.executed:
            self._end(order)
        elif order.state is not OrderState.OPEN:
            order.asked_ticks, order.asked_lots = order.price_ticks, order.size_lots
            self._move(order, OrderState.OPEN)
        return order

    def unknown(self, command_id: int) -> Order | None:
        """Nobody knows what became of the command."""
        order = self.about(command_id)
        if order is not None and order.state in IN_FLIGHT:
            self._move(order, OrderState.UNKNOWN)
        return order

    def executed(self, command_id: int, error: str, now_ns: int) -> Order | None:
        """The sequencer has run the command, or (with an error) found that it could not apply."""
        order = self._settle(command_id)
        if order is None:
            return None
        if not error:
            order.executed = True
            if order.pending is OrderState.MODIFYING and order.state is not OrderState.DRAINING:
                self._confirm_modify(order)
            self._wait(order, now_ns + self._answer_timeout_ns)
        elif order.pending is OrderState.SENT and not order.executed and order.state is not OrderState.DRAINING:
            self._end(order)
        elif order.state in IN_FLIGHT:
            # It may have ended just before; its own row will say so, and if not we ask at once.
            self._doubt(order, now_ns)
        return order

    def doubt(self, order: Order, now_ns: int) -> None:
        """Something says that an open order may be gone: ask about it."""
        if order.state is OrderState.OPEN:
            self._doubt(order, now_ns)

    def reported(self, report: OrderReport, now_ns: int) -> Order | None:
        """The venue's row of an order of ours; None if we do not track it."""
        order = self._orders.get(report.client_order_index)
        if order is None:
            return None
        order.executed = True
        order.venue_filled_lots = max(order.venue_filled_lots, report.filled_lots)
        if report.is_terminal:
            if order.state is not OrderState.DRAINING:
                self._move(order, OrderState.DRAINING)
                self._wait(order, now_ns + self._answer_timeout_ns)
            if order.filled_lots >= order.venue_filled_lots:
                self._end(order)
        elif order.state is OrderState.MODIFYING:
            if (report.price_ticks, report.size_lots) == (order.asked_ticks, order.asked_lots):
                self._confirm_modify(order)
        elif order.state in (OrderState.SENT, OrderState.OPEN, OrderState.UNKNOWN):
            order.price_ticks = order.asked_ticks = report.price_ticks
            order.size_lots = order.asked_lots = report.size_lots
            self._move(order, OrderState.OPEN)
        return order

    def filled(self, fill: FillReport) -> Order | None:
        """A trade of an order of ours; None if we do not track the order."""
        order = self._orders.get(fill.client_order_index)
        if order is None:
            return None
        order.filled_lots += fill.size_lots
        self._markets[order.market].changed()
        invariant(
            order.filled_lots <= max(order.size_lots, order.asked_lots, order.venue_filled_lots),
            f"order {order!r} was filled for more than it ever asked",
        )
        if order.state is OrderState.DRAINING and order.filled_lots >= order.venue_filled_lots:
            self._end(order)
        return order

    def absent(self, client_order_index: int, asked_ns: int) -> Order | None:
        """The venue knew no such order when asked.

        Believed only of an order whose create has either been executed or is past its
        ExpiredAt: until then it may still be queued, and would come alive unwatched.
        """
        order = self._orders.get(client_order_index)
        if order is None or order.state is not OrderState.UNKNOWN:
            return None
        if not order.executed and asked_ns < order.since_ns + self._transaction_lifetime_ns:
            return None
        self._end(order)
        return order

    def adopt(self, report: OrderReport, now_ns: int) -> Order:
        """Track an order that carries our id but that we had lost sight of."""
        self._ended.pop(report.client_order_index, None)
        order = Order(
            report.client_order_index,
            report.market,
            is_ask=report.is_ask,
            level=-1,
            price_ticks=report.price_ticks,
            size_lots=report.size_lots,
            now_ns=now_ns,
        )
        order.state = OrderState.OPEN
        order.executed = True
        order.filled_lots = order.venue_filled_lots = report.filled_lots
        self._track(order)
        return order

    def expire(self, now_ns: int) -> list[Order]:
        """Turn what should have been answered by now into UNKNOWN; return all that must be asked about."""
        if now_ns < self._earliest_ns:
            return []
        awaited = [order for order in self._orders.values() if order.state is not OrderState.OPEN]
        late = [order for order in awaited if order.deadline_ns <= now_ns]
        for order in late:
            if order.state is not OrderState.DRAINING:
                self._move(order, OrderState.UNKNOWN)
            order.deadline_ns = now_ns + self._answer_timeout_ns
        self._earliest_ns = min((order.deadline_ns for order in awaited), default=NEVER_NS)
        return late

    def next_deadline_ns(self) -> int:
        """Return a time before which no awaited answer can be late."""
        return self._earliest_ns

    # -- inside --------------------------------------------------------------------------

    def _track(self, order: Order) -> None:
        client_id = order.client_order_index
        invariant(
            client_id not in self._orders and client_id not in self._ended,
            f"client order index {client_id} is used twice",
        )
        self._orders[client_id] = order
        self._markets[order.market].add(order)

    def _move(self, order: Order, state: OrderState) -> None:
        order.move_to(state)
        self._markets[order.market].changed()

    def _wait(self, order: Order, deadline_ns: int) -> None:
        order.deadline_ns = deadline_ns
        self._earliest_ns = min(self._earliest_ns, deadline_ns)

    def _expect_answer(self, order: Order, command_id: int, now_ns: int) -> None:
        self._about[command_id] = order.client_order_index
        self._wait(order, now_ns + self._answer_timeout_ns)

    def _settle(self, command_id: int) -> Order | None:
        """Return the order a command was about, and await no more answers to that command."""
        return self._orders.get(self._about.pop(command_id, 0))

    def _doubt(self, order: Order, now_ns: int) -> None:
        self._move(order, OrderState.UNKNOWN)
        self._wait(order, now_ns)

    def _confirm_modify(self, order: Order) -> None:
        order.price_ticks, order.size_lots = order.asked_ticks, order.asked_lots
        self._move(order, OrderState.OPEN)

    def _end(self, order: Order) -> None:
        order.move_to(OrderState.DONE)
        del self._orders[order.client_order_index]
        self._markets[order.market].remove(order)
        self._ended[order.client_order_index] = None
        if len(self._ended) > ENDED_REMEMBERED_MAX:
            del self._ended[next(iter(self._ended))]
