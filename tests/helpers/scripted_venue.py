"""A venue that does what the test says: events in, decisions out, one step at a time.

By itself it answers nothing. `accept` plays the good venue for what was approved last.
"""

from helpers.desk import ETH, engine_params, market_params
from lighterman.domain.commands import CancelAll, CancelOrder, Command, ModifyOrder, PlaceOrder, Query
from lighterman.domain.events import (
    AccountSnapshot,
    BookSnapshot,
    CommandAcked,
    CommandExecuted,
    DayStarted,
    Event,
    FillReport,
    Link,
    LinkReport,
    MarketReport,
    OrderReport,
    StatsReport,
)
from lighterman.domain.market import Market
from lighterman.engine.decision import Decision, MarketVerdict
from lighterman.engine.engine import Engine
from lighterman.engine.order import Order
from lighterman.engine.params import EngineParams
from lighterman.risk.pnl import LossState

MS = 1_000_000
START_NS = 1_000_000 * MS
MIDS = {0: 200_000, 1: 600_000, 3: 100_000}  # by market index
CASH_PICO = 10**16


class ScriptedVenue:
    """One engine, its time, and all it has decided."""

    def __init__(
        self, params: EngineParams | None = None, *markets: Market, loss: LossState | None = None, epoch: int = 1
    ) -> None:
        self.markets = markets or (ETH,)
        self.params = params or engine_params(market_params())
        self.engine = Engine(self.params, epoch=epoch, loss=loss or LossState())
        self.now_ns = START_NS
        self.decisions: list[Decision] = []
        self.mids = dict(MIDS)
        self._trades = 0

    # -- in ------------------------------------------------------------------------------

    def tell(self, *events: Event) -> None:
        for event in events:
            self.engine.observe(event)

    def describe(self) -> None:
        self.tell(*(MarketReport(facts, self.now_ns) for facts in self.markets))

    def connect(self, *links: Link) -> None:
        self.tell(*(LinkReport(link, up=True, reason="", recv_ns=self.now_ns) for link in links or Link))

    def snapshot(self, *orders: OrderReport, cash_pico: int = CASH_PICO, asked_ms_ago: int = 0, **lots: int) -> None:
        """Tell the account; positions as ETH=lots, at the mid of their market."""
        index = {facts.symbol: facts.index for facts in self.markets}
        held = [(index[symbol], size, abs(size) * self.mids[index[symbol]]) for symbol, size in lots.items() if size]
        self.tell(AccountSnapshot(cash_pico, held, list(orders), self.now_ns - asked_ms_ago * MS, self.now_ns))

    def prices(self) -> None:
        """Tell book and mark of every market."""
        for facts in self.markets:
            self.book(facts)
            self.tell(StatsReport(facts.index, self.mids[facts.index], self.mids[facts.index], 0, self.now_ns))

    def book(self, facts: Market = ETH, levels: int = 5) -> None:
        mid = self.mids[facts.index]
        bids = [(mid - 1 - level, 50_000) for level in range(levels)]
        asks = [(mid + 1 + level, 50_000) for level in range(levels)]
        self.tell(BookSnapshot(facts.index, bids, asks, 1, self.now_ns // 1000, self.now_ns))

    def open(self, **lots: int) -> Decision:
        """Tell everything a start needs; return the first decision."""
        self.describe()
        self.prices()
        self.snapshot(**lots)
        self.tell(DayStarted(1, self.now_ns))
        self.connect()
        return self.decide()

    def row(self, order: int | Order | PlaceOrder, status: str = "open", **facts: int) -> OrderReport:
        """Return the venue's row of an order of ours as we know it, with the given differences."""
        client = order if isinstance(order, int) else order.client_order_index
        known = self.engine.state.orders.get(client)
        base: dict[str, object] = {
            "market": known.market if known else ETH.index,
            "client_order_index": client,
            "order_index": client + 2**48,
            "is_ask": known.is_ask if known else False,
            "price_ticks": known.asked_ticks if known else 199_000,
            "size_lots": known.asked_lots if known else 1000,
            "filled_lots": known.filled_lots if known else 0,
            "status": status,
            "venue_us": self.now_ns // 1000,
            "recv_ns": self.now_ns,
        }
        return OrderReport(**(base | facts))  # type: ignore[arg-type]

    def fill(self, order: int | Order | PlaceOrder, size_lots: int, **facts: int) -> FillReport:
        """Return a trade of an order at its price."""
        client = order if isinstance(order, int) else order.client_order_index
        known = self.engine.state.orders.get(client)
        self._trades += 1
        base: dict[str, object] = {
            "market": known.market if known else ETH.index,
            "trade_id": self._trades,
            "order_index": client + 2**48,
            "client_order_index": client,
            "is_ask": known.is_ask if known else False,
            "price_ticks": known.price_ticks if known else 199_000,
            "size_lots": size_lots,
            "is_maker": True,
            "fee_ppm": 40,
            "venue_us": self.now_ns // 1000,
            "recv_ns": self.now_ns,
        }
        return FillReport(**(base | facts))  # type: ignore[arg-type]

    # -- out -----------------------------------------------------------------------------

    def decide(self, after_ms: int = 0) -> Decision:
        self.now_ns += after_ms * MS
        self.decisions.append(self.engine.decide(self.now_ns))
        return self.decisions[-1]

    def accept(self, decision: Decision | None = None) -> None:
        """Acknowledge, execute and report all that a decision (the last) approved."""
        for command in commands(decision or self.decisions[-1]):
            self.accept_one(command)

    def accept_one(self, command: Command) -> None:
        self.tell(
            CommandAcked(command.command_id, 0, self.now_ns), CommandExecuted(command.command_id, "", self.now_ns)
        )
        if isinstance(command, CancelAll):
            for order in list(self.engine.state.orders):
                self.tell(self.row(order, "canceled"))
        else:
            status = "canceled" if isinstance(command, CancelOrder) else "open"
            self.tell(self.row(command.client_order_index, status))

    def cycle(self, after_ms: int = 100) -> Decision:
        """Tell fresh prices after a while, decide, and accept."""
        self.now_ns += after_ms * MS
        self.prices()
        decision = self.decide()
        self.accept(decision)
        return decision

    def orders(self, facts: Market = ETH) -> list[Order]:
        return list(self.engine.state.orders.of_market(facts.index).by_id.values())

    def order(self, level: int = 0, *, is_ask: bool = False, facts: Market = ETH) -> Order:
        """Return the order in a slot."""
        found = self.engine.state.orders.of_market(facts.index).slots[is_ask][level]
        assert found is not None
        return found

    def verdict(self, facts: Market = ETH) -> MarketVerdict:
        """Return the last verdict on a market."""
        return next(v for d in reversed(self.decisions) for v in d.verdicts if v.market == facts.index)

    def why(self, facts: Market = ETH) -> str:
        """Return why a market was not quoted when it was last looked at."""
        return self.verdict(facts).reason


def commands(decision: Decision) -> list[Command]:
    return [approved.command for approved in decision.approved]


def kinds(decision: Decision) -> dict[str, int]:
    """Return how many commands of each kind a decision approved."""
    found: dict[str, int] = {}
    for command in commands(decision):
        found[type(command).__name__] = found.get(type(command).__name__, 0) + 1
    return found


def places(decision: Decision) -> list[PlaceOrder]:
    return [command for command in commands(decision) if isinstance(command, PlaceOrder)]


def modifies(decision: Decision) -> list[ModifyOrder]:
    return [command for command in commands(decision) if isinstance(command, ModifyOrder)]


def queries(decision: Decision) -> list[Query]:
    return decision.queries
