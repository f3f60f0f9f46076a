"""One order of ours: where it stands, what it was asked to be, what may still fill of it.

`ORDER_TRANSITIONS` is the whole of its life; `orders.py` is the only file that moves an order.
"""

import enum

from lighterman.domain.errors import InvariantBroken


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
    _S.OPEN: frozenset({_S.MODIFYING, _S.CANCELLING, _S.UNKNOWN, _S.DRAINING}),
    _S.MODIFYING: frozenset({_S.OPEN, _S.CANCELLING, _S.UNKNOWN, _S.DRAINING}),
    _S.CANCELLING: frozenset({_S.OPEN, _S.UNKNOWN, _S.DRAINING}),
    _S.UNKNOWN: frozenset({_S.OPEN, _S.CANCELLING, _S.DRAINING, _S.DONE}),
    _S.DRAINING: frozenset({_S.DONE}),
    _S.DONE: frozenset(),
}
IN_FLIGHT = (_S.SENT, _S.MODIFYING, _S.CANCELLING)


class Order:
    """One order of ours; `level` is -1 for an adopted order.

    `asked_*` are the terms of the last modify for as long as it may take effect; the worse of
    both terms counts. After a modify whose outcome stayed unknown that may be for good: such
    an order `must_go`, as must one that stands wrong and may not be put right.
    """

    __slots__ = (
        "asked_lots",
        "asked_ticks",
        "client_order_index",
        "command_id",
        "deadline_ns",
        "ended_ns",
        "executed",
        "filled_lots",
        "is_ask",
        "largest_lots",
        "level",
        "market",
        "must_go",
        "pending",
        "price_ticks",
        "retry_ns",
        "sent_ns",
        "since_ns",
        "size_lots",
        "state",
        "venue_filled_lots",
        "venue_us",
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
        self.largest_lots = size_lots  # the most it was ever asked to be
        self.filled_lots = 0  # fills applied by us
        self.venue_filled_lots = 0  # fills the venue has reported in the order's row
        self.venue_us = 0  # the venue's time of the newest row
        self.state = OrderState.SENT
        self.pending = OrderState.SENT  # the state whose answer is awaited, also while UNKNOWN
        self.executed = False  # the venue has shown that the create took effect
        self.must_go = False
        self.command_id = 0  # of the last command about it
        self.since_ns = now_ns
        self.sent_ns = now_ns  # when the last command left that may make it live or larger
        self.retry_ns = 0  # a cancel was refused: not again before this
        self.ended_ns = 0  # when we were told that it ended
        self.deadline_ns = 0  # when an awaited answer is late, and the order is asked about

    def __repr__(self) -> str:
        side = "ask" if self.is_ask else "bid"
        return f"<{side} {self.level} {self.state.value} {self.size_lots - self.filled_lots}@{self.price_ticks}>"

    def exposed_lots(self) -> int:
        """Return what may still fill, at worst."""
        if self.state is OrderState.DRAINING:
            return self.venue_filled_lots - self.filled_lots
        return max(0, max(self.size_lots, self.asked_lots) - self.filled_lots)

    def remaining_lots(self) -> int:
        """Return what rests, as far as we know."""
        return self.size_lots - self.filled_lots

    def misses_fills(self) -> bool:
        """Tell whether the venue's row shows more fills than we have been told of."""
        return self.venue_filled_lots > self.filled_lots

    def is_in_doubt(self) -> bool:
        """Tell whether a modify may still change the terms we know."""
        return self.asked_ticks != self.price_ticks or self.asked_lots != self.size_lots

    def is_overfilled(self) -> bool:
        """Tell whether more was filled than was ever asked for or than the venue itself reports."""
        return self.filled_lots > max(self.largest_lots, self.venue_filled_lots)

    def move_to(self, state: OrderState) -> None:
        """Change state along the table; staying is always allowed."""
        if state is not self.state:
            if state not in ORDER_TRANSITIONS[self.state]:
                raise InvariantBroken(f"order {self!r} may not become {state.value}")
            self.state = state
            if state in IN_FLIGHT:
                self.pending = state

    def take_terms(self, price_ticks: int, size_lots: int) -> None:
        """Believe the terms of a row: those asked for are confirmed, others leave a doubt in place."""
        if not self.is_in_doubt():
            self.asked_ticks, self.asked_lots = price_ticks, size_lots
        self.price_ticks, self.size_lots = price_ticks, size_lots
        self.largest_lots = max(self.largest_lots, size_lots)

    def forget_doubt(self) -> None:
        """The last modify certainly has no effect."""
        self.asked_ticks, self.asked_lots = self.price_ticks, self.size_lots
