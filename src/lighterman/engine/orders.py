"""Our own orders, from the moment they are asked for until nothing of them can fill any more.

Rule 1: an order changes state only in this file.
Rule 2: this file does not know why we wanted the order.
Rule 3: an order leaves exposure only when the venue says it ended AND every fill up to the
        venue's filled amount has been applied; a cancel's answer is not an end.
Rule 4: no answer is not a refusal. What was sent and not answered is UNKNOWN, still counts,
        and is asked about.
Rule 5: only a row of the order says what its terms are. Rows arrive late and twice: terms are
        taken from no row that is older than the last one.

The mutable state: the orders by client id, and which order each unanswered command is about.
"""

from collections.abc import Iterator
from typing import NamedTuple

from lighterman.domain.book import NO_ASK, NO_BID, OwnLots
from lighterman.domain.commands import CancelOrder, ModifyOrder, PlaceOrder
from lighterman.domain.errors import InvariantBroken, invariant
from lighterman.domain.events import FillReport, OrderReport
from lighterman.engine.order import IN_FLIGHT, Order, OrderState

ENDED_REMEMBERED_MAX = 4096
NEVER_NS = 1 << 62
CANCEL_AGAIN_NS = 500_000_000
NO_ROW_US = -1  # no row said that the order ended: any row of it is news
SIGNED_LATE_NS = 2_000_000_000  # ExpiredAt begins at the signing: a second of waiting for the key, and the signer
CLOCKS_NS = 2_000_000_000  # and is judged by the venue's clock; with more between the clocks nothing is created


class Ended(NamedTuple):
    """What is remembered of an order that is not tracked: when the row that ended it was written, and its fills."""

    venue_us: int
    filled_lots: int


class Worst(NamedTuple):
    """What the orders of one market could come to: lots that may fill, and the prices they may rest at.

    A price is 0 where there is no order.
    """

    buy_lots: int
    sell_lots: int
    highest_bid_ticks: int
    lowest_ask_ticks: int


class Standing(NamedTuple):
    """A side whose every slot holds an open order that may stay: price and rest of each, and when the oldest came."""

    prices_ticks: list[int]
    rests_lots: list[int]
    since_ns: int


class MarketOrders:
    """The orders of one market: by client id, and by slot. A slot is a side and a level.

    `held_ns` says of each slot before when nothing is tried there again, `moved_ns` of each level
    when a create or modify last left for it that was not refused. What is gathered from the orders
    is kept until one changes.
    """

    __slots__ = ("_own", "_standing", "_worst", "by_id", "held_ns", "moved_ns", "slots", "strays")

    def __init__(self, levels: int) -> None:
        self.by_id: dict[int, Order] = {}
        self.slots: tuple[list[Order | None], list[Order | None]] = ([None] * levels, [None] * levels)
        self.held_ns: tuple[list[int], list[int]] = ([0] * levels, [0] * levels)
        self.moved_ns = [0] * levels
        self.strays: dict[int, Order] = {}  # adopted orders, which have no slot
        self._own: tuple[OwnLots, OwnLots] | None = None
        self._worst: Worst | None = None
        self._standing: tuple[Standing | None, Standing | None] | None = None

    def __repr__(self) -> str:
        return f"<MarketOrders {list(self.by_id.values())}>"

    def add(self, order: Order) -> None:
        """Take a new order into its slot, which must be free."""
        self.by_id[order.client_order_index] = order
        if order.level < 0:
            self.strays[order.client_order_index] = order
        else:
            slots = self.slots[order.is_ask]
            if slots[order.level] is not None:
                raise InvariantBroken(f"the slot of {order!r} is taken by {slots[order.level]!r}")
            slots[order.level] = order
        self.changed()

    def remove(self, order: Order) -> None:
        """Free an order's slot."""
        del self.by_id[order.client_order_index]
        if self.strays.pop(order.client_order_index, None) is None:
            self.slots[order.is_ask][order.level] = None
        self.changed()

    def changed(self) -> None:
        """Say that an order's price, size or state is not what it was, or that it must go."""
        self._own = self._worst = self._standing = None

    def own_lots(self) -> tuple[OwnLots, OwnLots]:
        """Return what of the bids and of the asks in the public book may be ours.

        A modify under way is counted at both its prices: to mistake our own order for
        somebody else's would have us chase ourselves.
        """
        if self._own is None:
            bids: dict[int, int] = {}
            asks: dict[int, int] = {}
            for order in self.by_id.values():
                if order.state is not OrderState.SENT and order.state is not OrderState.DRAINING:
                    own = asks if order.is_ask else bids
                    filled_lots = max(order.filled_lots, order.venue_filled_lots)
                    own[order.price_ticks] = own.get(order.price_ticks, 0) + max(0, order.size_lots - filled_lots)
                    if order.asked_ticks != order.price_ticks:
                        rest_lots = max(0, order.asked_lots - filled_lots)
                        own[order.asked_ticks] = own.get(order.asked_ticks, 0) + rest_lots
            self._own = ((max(bids, default=NO_BID), bids), (min(asks, default=NO_ASK), asks))
        return self._own

    def worst(self) -> Worst:
        """Return the sums that limits are checked with: everything that may fill is taken to do so."""
        if self._worst is None:
            buy_lots = sell_lots = highest_ticks = lowest_ticks = 0
            for order in self.by_id.values():
                price, asked = order.price_ticks, order.asked_ticks
                is_over = order.state is OrderState.DRAINING
                if order.is_ask:
                    sell_lots += order.exposed_lots()
                    lowest = min(price, asked)
                    if not is_over and (lowest < lowest_ticks or not lowest_ticks):
                        lowest_ticks = lowest
                else:
                    buy_lots += order.exposed_lots()
                    highest = max(price, asked)
                    if not is_over and highest > highest_ticks:
                        highest_ticks = highest
            self._worst = Worst(buy_lots, sell_lots, highest_ticks, lowest_ticks)
        return self._worst

    def standing(self) -> tuple[Standing | None, Standing | None]:
        """Return what stands on the side of bids and of asks; None for a side in which anything is amiss."""
        if self._standing is None:
            bids, asks = self.slots
            self._standing = (_standing(bids), _standing(asks))
        return self._standing


def _standing(slots: list[Order | None]) -> Standing | None:
    orders = [order for order in slots if order is not None and order.state is OrderState.OPEN and not order.must_go]
    rests_lots = [order.remaining_lots() for order in orders]
    if len(orders) < len(slots) or min(rests_lots) < 1:
        return None
    return Standing([order.price_ticks for order in orders], rests_lots, min([order.since_ns for order in orders]))


class Orders:
    """Every order that may still fill, by client id and by market."""

    __slots__ = (
        "_about",
        "_answer_timeout_ns",
        "_ended",
        "_markets",
        "_orders",
        "_transaction_lifetime_ns",
        "deadline_ns",
    )

    def __init__(self, answer_timeout_ns: int, transaction_lifetime_ns: int) -> None:
        self._answer_timeout_ns = answer_timeout_ns
        self._transaction_lifetime_ns = transaction_lifetime_ns
        self._orders: dict[int, Order] = {}
        self._markets: dict[int, MarketOrders] = {}
        self._about: dict[int, int] = {}  # command id -> client id; one entry an order, its last command
        self._ended: dict[int, Ended] = {}  # by client id, oldest first
        self.deadline_ns = NEVER_NS  # no awaited answer is late before this

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders.values())

    def __repr__(self) -> str:
        return f"<Orders {list(self._orders.values())}>"

    def open_market(self, market: int, levels: int) -> MarketOrders:
        """Make room for a market of so many levels a side."""
        self._markets[market] = orders = MarketOrders(levels)
        return orders

    def get(self, client_order_index: int) -> Order | None:
        """Return an order that may still fill."""
        return self._orders.get(client_order_index)

    def of_market(self, market: int) -> MarketOrders:
        """Return the orders of one market."""
        return self._markets[market]

    def about(self, command_id: int) -> Order | None:
        """Return the order whose last command this is, while it is unanswered."""
        return self._orders.get(self._about.get(command_id, 0))

    def any_may_rest(self) -> bool:
        """Tell whether an order may still be in the venue's book, or come there."""
        return any(order.state is not OrderState.DRAINING for order in self._orders.values())

    def remembers(self, client_order_index: int) -> bool:
        """Tell whether an order that is not tracked has ended, or has had fills."""
        return client_order_index in self._ended

    def is_echo(self, report: OrderReport) -> bool:
        """Tell whether a row is older than the one that ended its order: it says nothing new."""
        ended = self._ended.get(report.client_order_index)
        return ended is not None and (report.venue_us <= ended.venue_us or report.filled_lots < ended.filled_lots)

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
        self._markets[order.market].moved_ns[level] = now_ns
        self._expect_answer(order, command.command_id, now_ns)

    def modify(self, command: ModifyOrder, now_ns: int) -> None:
        """A modify leaves us: until it is answered both the old and the new terms count."""
        order = self._orders[command.client_order_index]
        self._move(order, OrderState.MODIFYING)
        order.asked_ticks, order.asked_lots = command.price_ticks, command.size_lots
        order.largest_lots = max(order.largest_lots, command.size_lots)
        order.sent_ns = self._markets[order.market].moved_ns[order.level] = now_ns
        self._expect_answer(order, command.command_id, now_ns)

    def cancel(self, command: CancelOrder, now_ns: int) -> None:
        """A cancel leaves us: the order counts until it has ended."""
        order = self._orders[command.client_order_index]
        self._move(order, OrderState.CANCELLING)
        self._expect_answer(order, command.command_id, now_ns)

    def give_up(self, client_order_index: int) -> None:
        """An order stands wrong and may not be put right: let the next plan cancel it."""
        order = self._orders[client_order_index]
        order.must_go = True
        self._markets[order.market].changed()

    # -- what we are told ----------------------------------------------------------------

    def acked(self, command_id: int, now_ns: int) -> None:
        """The command is queued at the venue: the wait for its effect begins anew."""
        order = self.about(command_id)
        if order is not None:
            self._wait(order, now_ns + self._answer_timeout_ns)

    def refused(self, command_id: int, now_ns: int) -> Order | None:
        """The command certainly had no effect, and never will."""
        order = self._settle(command_id)
        if order is None or order.state is OrderState.DRAINING:
            return order
        if order.pending is not OrderState.CANCELLING and order.level >= 0:
            self._markets[order.market].moved_ns[order.level] = 0
        if order.pending is OrderState.SENT and not order.executed:
            self._end(order, NO_ROW_US)
            return order
        if order.pending is OrderState.MODIFYING:
            order.forget_doubt()
        elif order.pending is OrderState.CANCELLING:
            order.retry_ns = now_ns + CANCEL_AGAIN_NS
        self._open(order)
        return order

    def unknown(self, command_id: int) -> Order | None:
        """Nobody knows what became of the command."""
        order = self.about(command_id)
        if order is not None and order.state in IN_FLIGHT:
            self._move(order, OrderState.UNKNOWN)
        return order

    def executed(self, command_id: int, error: str, now_ns: int) -> Order | None:
        """The sequencer has run the command, or (with an error) found that it could not apply.

        The order's row, which comes too, tells what it made of it. Not this: a modify to less
        than was filled meanwhile ends the order, and those fills may be still on the way.
        """
        order = self._settle(command_id)
        if order is None:
            return None
        if not error:
            order.executed = True
            self._wait(order, now_ns + self._answer_timeout_ns)
        elif order.pending is OrderState.SENT and not order.executed and order.state is not OrderState.DRAINING:
            self._end(order, NO_ROW_US)
        else:
            if order.pending is OrderState.MODIFYING:
                order.forget_doubt()
            if order.state in IN_FLIGHT:
                # It may have ended just before; its own row will say so, and if not we ask at once.
                self._doubt(order, now_ns)
        return order

    def doubt(self, order: Order, now_ns: int) -> None:
        """Something says that an order which the venue had shown may be gone, cancelled or not: ask about it."""
        if order.executed and order.state in (OrderState.OPEN, OrderState.CANCELLING):
            self._doubt(order, now_ns)

    def reported(self, report: OrderReport, now_ns: int) -> Order | None:
        """The venue's row of an order of ours; None if we do not track it."""
        order = self._orders.get(report.client_order_index)
        if order is None:
            return None
        order.executed = True
        order.venue_filled_lots = max(order.venue_filled_lots, report.filled_lots)
        is_newer = report.venue_us >= order.venue_us
        order.venue_us = max(order.venue_us, report.venue_us)
        if report.is_terminal:
            if order.state is not OrderState.DRAINING:
                self._move(order, OrderState.DRAINING)
                order.ended_ns = now_ns
                self._wait(order, now_ns + self._answer_timeout_ns)
            self._end_if_drained(order)
        elif order.state is not OrderState.DRAINING:
            if is_newer:
                order.take_terms(report.price_ticks, report.size_lots)
            is_awaited = order.state is OrderState.MODIFYING and order.is_in_doubt()
            if is_awaited or order.state is OrderState.CANCELLING:
                self._markets[order.market].changed()
            else:
                self._open(order)
                if order.misses_fills() and order.deadline_ns <= now_ns:
                    self._wait(order, now_ns + self._answer_timeout_ns)
        return order

    def filled(self, fill: FillReport) -> Order | None:
        """A trade of an order of ours; None if we do not track the order."""
        order = self._orders.get(fill.client_order_index)
        if order is None:
            if self.remembers(fill.client_order_index):
                self.count(fill.client_order_index, fill.size_lots)
            return None
        order.filled_lots += fill.size_lots
        self._markets[order.market].changed()
        if order.state is OrderState.DRAINING:
            self._end_if_drained(order)
        return order

    def count(self, client_order_index: int, size_lots: int) -> None:
        """Note fills of an order that is not tracked: they are in the ledger, whenever the order is shown."""
        ended = self._ended.get(client_order_index, Ended(NO_ROW_US, 0))
        self._remember(client_order_index, ended._replace(filled_lots=ended.filled_lots + size_lots))

    def absent(self, client_order_index: int, asked_ns: int) -> Order | None:
        """The venue knew no such order when asked.

        Believed only when the last create or modify of the order is surely past its ExpiredAt:
        until then it may still be queued, and the order would come alive unwatched.
        """
        order = self._orders.get(client_order_index)
        if order is None or order.state is not OrderState.UNKNOWN:
            return None
        if asked_ns < order.sent_ns + SIGNED_LATE_NS + self._transaction_lifetime_ns + CLOCKS_NS:
            return None
        self._end(order, NO_ROW_US)
        return order

    def drained(self, market: int, before_ns: int) -> None:
        """No fill is missing in a market: what ended before `before_ns` will have no more of them."""
        for order in list(self._markets[market].by_id.values()):
            if order.state is OrderState.DRAINING and order.ended_ns < before_ns:
                self._end(order, order.venue_us)

    def adopt(self, report: OrderReport, now_ns: int) -> Order:
        """Track an order that carries our id but that we had lost sight of.

        Its row may show fills that are yet to be told: as of any order, only told ones count.
        """
        ended = self._ended.pop(report.client_order_index, Ended(NO_ROW_US, 0))
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
        order.venue_filled_lots = report.filled_lots
        order.filled_lots = ended.filled_lots
        order.venue_us = report.venue_us
        self._track(order)
        return order

    def expire(self, now_ns: int) -> list[Order]:
        """Turn what should have been answered by now into UNKNOWN; return all that must be asked about.

        Those that are not UNKNOWN miss fills: the venue's row has them, and no trade brought them.
        """
        if now_ns < self.deadline_ns:
            return []
        awaited = [
            order for order in self._orders.values() if order.state is not OrderState.OPEN or order.misses_fills()
        ]
        late = [order for order in awaited if order.deadline_ns <= now_ns]
        for order in late:
            if order.state is not OrderState.DRAINING and order.state is not OrderState.OPEN:
                self._move(order, OrderState.UNKNOWN)
            order.deadline_ns = now_ns + self._answer_timeout_ns
        self.deadline_ns = min((order.deadline_ns for order in awaited), default=NEVER_NS)
        return late

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

    def _open(self, order: Order) -> None:
        """The order rests, and nothing about it is awaited; what is in doubt then stays so, and must go."""
        order.must_go = order.must_go or order.is_in_doubt()
        self._move(order, OrderState.OPEN)

    def _wait(self, order: Order, deadline_ns: int) -> None:
        order.deadline_ns = deadline_ns
        self.deadline_ns = min(self.deadline_ns, deadline_ns)

    def _expect_answer(self, order: Order, command_id: int, now_ns: int) -> None:
        self._about.pop(order.command_id, None)
        self._about[command_id] = order.client_order_index
        order.command_id = command_id
        self._wait(order, now_ns + self._answer_timeout_ns)

    def _settle(self, command_id: int) -> Order | None:
        """Return the order a command was about, and await no more answers to that command."""
        return self._orders.get(self._about.pop(command_id, 0))

    def _doubt(self, order: Order, now_ns: int) -> None:
        self._move(order, OrderState.UNKNOWN)
        self._wait(order, now_ns)

    def _end_if_drained(self, order: Order) -> None:
        if order.filled_lots >= order.venue_filled_lots:
            self._end(order, order.venue_us)

    def _end(self, order: Order, venue_us: int) -> None:
        order.move_to(OrderState.DONE)
        del self._orders[order.client_order_index]
        self._about.pop(order.command_id, None)
        self._markets[order.market].remove(order)
        self._remember(order.client_order_index, Ended(venue_us, order.filled_lots))

    def _remember(self, client_order_index: int, ended: Ended) -> None:
        self._ended[client_order_index] = ended
        if len(self._ended) > ENDED_REMEMBERED_MAX:
            del self._ended[next(iter(self._ended))]
