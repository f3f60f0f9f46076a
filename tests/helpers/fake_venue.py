"""A venue in memory for the runtime's tests: it takes orders, shows them, and fails on demand."""

import asyncio

from helpers.observed import connected
from helpers.virtual_time import VirtualClock
from lighterman.domain.commands import CancelAll, CancelOrder, ModifyOrder, PlaceOrder
from lighterman.domain.errors import TransportError
from lighterman.domain.events import CommandAcked, CommandExecuted, DayStarted, OrderReport
from lighterman.engine.engine import Engine
from lighterman.risk.pnl import LossState
from lighterman.runtime.loop import TradingLoop

START_US = 1_800_000_000_000_000
ANSWER_S = 0.01


class FakeVenue:
    """A `Venue` that answers after a moment, unless a switch says otherwise."""

    def __init__(self, sink, clock):
        self.sink = sink
        self.clock = clock
        self.open = {}  # by client order index
        self.submitted = []  # commands, in order
        self.queries = []
        self.counts_asked = 0
        self.is_dead = False  # nothing arrives, nothing is answered
        self.is_stuck = False  # questions are neither answered nor refused
        self.cancels_to_ignore = 0
        self.creates_stopped = False

    async def start(self):
        pass

    def submit(self, approved):
        for item in approved:
            self.submitted.append(item.command)
            asyncio.get_running_loop().call_later(ANSWER_S, self._execute, item.command)

    def query(self, queries):
        self.queries += queries

    def stop_creates(self):
        self.creates_stopped = True

    async def open_order_count(self):
        self.counts_asked += 1
        await asyncio.sleep(ANSWER_S)
        if self.is_stuck:
            await asyncio.sleep(1e9)
        if self.is_dead:
            raise TransportError("nobody there")
        return len(self.open)

    async def close(self):
        pass

    def cancel_alls(self):
        return sum(isinstance(command, CancelAll) for command in self.submitted)

    def _execute(self, command):
        if self.is_dead:
            return
        if isinstance(command, CancelAll | CancelOrder) and self.cancels_to_ignore:
            self.cancels_to_ignore -= 1
            return
        now_ns = self.clock.mono_ns()
        self.sink(CommandAcked(command.command_id, 0, now_ns))
        self.sink(CommandExecuted(command.command_id, "", now_ns))
        match command:
            case PlaceOrder():
                self.open[command.client_order_index] = command
                self._show(command, "open")
            case ModifyOrder():
                pass
            case CancelOrder():
                self._end(command.client_order_index)
            case CancelAll():
                for index in list(self.open):
                    self._end(index)

    def _end(self, index):
        order = self.open.pop(index, None)
        if order is not None:
            self._show(order, "canceled")

    def _show(self, order, status):
        now_ns = self.clock.mono_ns()
        row = OrderReport(
            order.market, order.client_order_index, order.client_order_index, order.is_ask,
            order.price_ticks, order.size_lots, 0, status, now_ns // 1000, now_ns,
        )  # fmt: skip
        self.sink(row)


class Desk:
    """A loop with an engine on a fake venue; `quote` lets it place its ladders."""

    def __init__(self, params, *bystanders):
        self.clock = VirtualClock(START_US)
        self.engine = Engine(params, epoch=1, loss=LossState())
        self.broken = []
        self.look_on(bystanders=bystanders)

    def look_on(self, observers=(), bystanders=()):
        """Have somebody look on, before anything happens; some cannot be made before the engine is."""
        self.loop = TradingLoop(
            self.engine, self.clock, observers, lambda *how: self.broken.append(how), bystanders=bystanders
        )
        self.venue = FakeVenue(self.loop.receive, self.clock)
        self.loop.connect(self.venue.submit, self.venue.query)

    async def quote(self):
        await asyncio.sleep(1.0)
        for event in [DayStarted(20_000, self.clock.mono_ns()), *connected(self.clock)]:
            self.loop.receive(event)
        await asyncio.sleep(0.5)
        assert self.venue.open, "the desk does not quote"
