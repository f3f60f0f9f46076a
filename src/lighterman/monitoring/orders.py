"""Follows what we asked of the venue until it is answered, to count answers and not intentions."""

from collections.abc import Mapping

import msgspec

from lighterman.domain.commands import CancelAll, CancelOrder, Command, ModifyOrder, PlaceOrder
from lighterman.domain.events import CommandAcked, CommandExecuted, CommandRefused, CommandUnknown, OrderReport
from lighterman.monitoring.market import MarketFigures

REMEMBERED_MAX = 10_000  # orders and commands of whose end nothing has been heard; the oldest are let go
NAMES: dict[type, str] = {
    PlaceOrder: "place",
    ModifyOrder: "modify",
    CancelOrder: "cancel",
    CancelAll: "cancel_all",
}
REJECTED_PREFIX = "canceled-"  # the venue's own end of an order; a plain "canceled" is ours


class _Order(msgspec.Struct, gc=False):
    """One order we asked for."""

    market: int
    is_ask: bool
    is_live: bool = False  # the venue has shown it
    has_filled: bool = False


class _Sent(msgspec.Struct, gc=False):
    """One command on its way. The receipt and the verdict may come in either order."""

    command: Command
    decided_ns: int
    is_acked: bool = False
    is_over: bool = False


class OrderWatch:
    """Counts orders into the figures of their markets, and commands by outcome."""

    def __init__(self, markets: Mapping[int, MarketFigures]) -> None:
        self._markets = markets
        self._orders: dict[int, _Order] = {}  # by client order index
        self._commands: dict[int, _Sent] = {}  # by id, until acknowledged and over
        self.outcomes: dict[tuple[str, str], int] = {}  # by command and outcome
        self.is_refused = False  # whether the last order or modify of which we heard was not taken

    def sent(self, command: Command, now_ns: int) -> None:
        """A command leaves us."""
        self._commands[command.command_id] = _Sent(command, now_ns)
        if len(self._commands) > REMEMBERED_MAX:
            del self._commands[next(iter(self._commands))]
        if isinstance(command, PlaceOrder):
            self._orders[command.client_order_index] = _Order(command.market, command.is_ask)
            if len(self._orders) > REMEMBERED_MAX:
                self.forget(next(iter(self._orders)))

    def acked(self, event: CommandAcked) -> None:
        """The venue has queued it: for a new order, the time this took is its placement time."""
        sent = self._commands.get(event.command_id)
        if sent is None or sent.is_acked:
            return
        sent.is_acked = True
        self._count(sent.command, "acked")
        if isinstance(sent.command, PlaceOrder):
            self._markets[sent.command.market].placement.observe(event.recv_ns - sent.decided_ns)
        if sent.is_over:
            del self._commands[event.command_id]

    def unknown(self, event: CommandUnknown) -> None:
        """Nobody knows what became of it; it may still be answered."""
        sent = self._commands.get(event.command_id)
        if sent is not None and not sent.is_over:
            self._count(sent.command, "unknown")

    def refused(self, event: CommandRefused) -> None:
        """It certainly had no effect."""
        command = self._over(event.command_id, "refused")
        if command is not None:
            self._commands.pop(event.command_id, None)  # no receipt follows
            self._failed(command)

    def executed(self, event: CommandExecuted) -> None:
        """The sequencer has run it, or found that it could not apply."""
        command = self._over(event.command_id, "failed" if event.error else "executed")
        if command is None:
            return
        if event.error:
            self._failed(command)
            return
        if isinstance(command, PlaceOrder | ModifyOrder):
            self.is_refused = False
        if isinstance(command, ModifyOrder):
            self._markets[command.market].modified += 1

    def reported(self, report: OrderReport) -> None:
        """The venue's row of an order. Rows of ended orders may come again, and count once."""
        order = self._orders.get(report.client_order_index)
        if order is None:
            return
        figures = self._markets[order.market]
        if not order.is_live and report.status.startswith(REJECTED_PREFIX) and not report.filled_lots:
            figures.rejected[report.status] = figures.rejected.get(report.status, 0) + 1
            self.is_refused = True
            self.forget(report.client_order_index)
            return
        if not order.is_live:
            order.is_live = True
            self.is_refused = False
            figures.placed[order.is_ask] += 1
            figures.open_orders += 1
        if report.filled_lots and not order.has_filled:
            order.has_filled = True
            figures.filled_orders += 1
        if report.is_terminal:
            figures.canceled += report.status.startswith("canceled")
            self.forget(report.client_order_index)

    def forget(self, client_order_index: int) -> None:
        """An order is over, or never was."""
        order = self._orders.pop(client_order_index, None)
        if order is not None and order.is_live:
            self._markets[order.market].open_orders -= 1

    def _over(self, command_id: int, outcome: str) -> Command | None:
        """Count the end of a command, once; return the command, or None if it is not known or over already."""
        sent = self._commands.get(command_id)
        if sent is None or sent.is_over:
            return None
        sent.is_over = True
        self._count(sent.command, outcome)
        if sent.is_acked:
            del self._commands[command_id]
        return sent.command

    def _failed(self, command: Command) -> None:
        if isinstance(command, PlaceOrder | ModifyOrder):
            self.is_refused = True
        if isinstance(command, PlaceOrder):
            self.forget(command.client_order_index)

    def _count(self, command: Command, outcome: str) -> None:
        name = (NAMES[type(command)], outcome)
        self.outcomes[name] = self.outcomes.get(name, 0) + 1
