"""The engine and the exchange's core, wired by an unreliable world: no bytes, no sockets, no clock.

Commands become requests after a delay, in order per key, or get lost; replies get lost too.
What the exchange says becomes events, each kind on a channel of its own with its own delays;
some come twice, the second time late. The exchange's state is the truth that is compared with.
"""

import heapq
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

import msgspec

from helpers.desk import BTC, ETH, engine_params, limits, market_params
from lighterman.chance import seeded
from lighterman.domain.commands import (
    CancelAll,
    CancelOrder,
    Command,
    ModifyOrder,
    PlaceOrder,
    Query,
    QueryAccount,
    QueryOrders,
)
from lighterman.domain.events import (
    AccountSnapshot,
    BookDelta,
    BookLost,
    BookSnapshot,
    CommandAcked,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    DayStarted,
    Event,
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
from lighterman.domain.market import Market
from lighterman.engine.decision import Decision
from lighterman.engine.engine import Engine
from lighterman.engine.exposure import total_notional_micro
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import (
    FundingPaid,
    LevelChanged,
    OrderChanged,
    OrderRow,
    StatsChanged,
    TradeDone,
    TransactionDropped,
    TransactionExecuted,
)
from lighterman.matching.requests import AmendOrder, DropAll, DropOrder, NewOrder, Request, TimeInForce
from lighterman.matching.rules import HOUR, MS, SECOND, Rules
from lighterman.matching.views import Rejected
from lighterman.risk.pnl import LossState

BOT, CROWD = 10, 99
QUOTES, CANCELS = 4, 5  # api keys
MARKETS = (ETH, BTC)
INDEX = {ETH.index: 200_000, BTC.index: 600_000}
START_US = 472_222 * HOUR - 20 * SECOND  # funding comes soon
BOOK_GRID_US = 50 * MS
ORDER_LIFE_US = 3600 * SECOND
PRIVATE = ("orders", "trades", "funding", "executions")
PARAMS = engine_params(
    market_params("ETH", position_max="0.3", levels=2, volatility_samples_min=3, half_spread_min_bps=2.0),
    market_params("BTC", position_max="0.012", levels=3, order_size="0.002", half_spread_max_bps=20.0),
    account=limits(total_position_micro_max=1_080_000_000, order_value_micro_max=400_000_000, price_collar_bps=300.0),
    requote_interval_ms=50,
    position_check_interval_ms=500,
    answer_timeout_ms=1000,
    transaction_lifetime_ms=4000,
    reconcile_interval_ms=5000,
)


class Weather(NamedTuple):
    """How bad the world is: chances of one in a thousand, and the longest delay."""

    delay_ms_max: int = 0
    lost_request: int = 0  # never arrives
    lost_reply: int = 0  # arrives, and nobody says so
    late_request: int = 0  # arrives seconds later, when it may have expired
    refused: int = 0  # by a rate limit, say
    twice: int = 0  # an event of the private channels, the second time late
    lost_answer: int = 0  # of a question
    shuffled: bool = False  # events of one private channel overtake each other
    coarse_rest: bool = False  # rows that are asked for tell time in whole seconds


CALM = Weather()


class InFlight(NamedTuple):
    """A command on its way to execution: what it may add, were it executed now."""

    command: Command
    dead_us: int


class World:
    """Engine, exchange and what lies between; `check` is called after everything that happens."""

    def __init__(self, seed: int, *, tier: str = "premium", check: Callable[["World"], None] = lambda _: None) -> None:
        self.weather = CALM
        self.check = check
        self.rng = seeded(seed, "weather")
        self.exchange = Exchange(MARKETS, Rules(), START_US)
        self.exchange.open_account(BOT, collateral_micro=10**12, tier=tier, l1_address="0xbot")
        for key in (QUOTES, CANCELS):
            self.exchange.add_key(BOT, key, bytes(40))
        self.exchange.open_account(CROWD, collateral_micro=0, tier="standard", l1_address="", free_of_limits=True)
        self.engine = Engine(PARAMS, epoch=1, loss=LossState())
        self.decisions: list[Decision] = []
        self.trades: list[TradeDone] = []
        self.believed_micro = 0  # the engine's worst-case total before its last decision
        self.in_flight: dict[int, InFlight] = {}
        self.down: set[Link] = set()
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._last_due: dict[str, int] = {}
        self._channel_number = dict.fromkeys(PRIVATE, 0)  # raised when what is under way on it gets lost
        self._hashes: dict[str, int] = {}
        self._levels: dict[int, list[LevelChanged]] = {facts.index: [] for facts in MARKETS}
        self._open()

    # -- time ----------------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        return self.exchange.now_us

    @property
    def now_ns(self) -> int:
        return (self.now_us - START_US) * 1000 + 10**12

    def run(self, ms: int) -> None:
        """Let time pass, doing everything at its moment."""
        until_us = self.now_us + ms * MS
        while True:
            due_us = min(
                self._agenda[0][0],
                self.exchange.next_due_us(),
                self._engine_due_us(),
            )
            if due_us > until_us:
                break
            self.exchange.advance(due_us)
            self._listen()
            while self._agenda and self._agenda[0][0] <= self.now_us:
                heapq.heappop(self._agenda)[2]()
                self._listen()
            self._decide()
        self.exchange.advance(until_us)
        self._listen()

    def _engine_due_us(self) -> int:
        deadline_ns = self.engine.next_deadline_ns - 10**12
        return max(self.now_us, START_US - (-deadline_ns // 1000))  # rounded up to a microsecond

    def _at(self, due_us: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (due_us, next(self._numbers), act))

    def _chance(self, per_mille: int) -> bool:
        return self.rng.randrange(0, 1000) < per_mille

    def _delay_us(self) -> int:
        return self.rng.randrange(0, self.weather.delay_ms_max + 1) * MS

    def _in_order(self, lane: str, late_us: int = 0) -> int:
        """Return when the next thing on a lane arrives: nothing overtakes on it."""
        due_us = max(self.now_us + self._delay_us() + late_us, self._last_due.get(lane, 0))
        self._last_due[lane] = due_us
        return due_us

    # -- events to the engine ------------------------------------------------------------

    def tell(self, event: Event) -> None:
        self.engine.observe(event)

    def _on_channel(self, channel: str, make: Callable[[int], Event]) -> None:
        """Deliver an event on a private channel: late, perhaps twice, lost if the link falls meanwhile."""
        number = self._channel_number[channel]

        def deliver() -> None:
            if number == self._channel_number[channel] and Link.PRIVATE not in self.down:
                self.tell(make(self.now_ns))

        due_us = self.now_us + self._delay_us() if self.weather.shuffled else self._in_order(channel)
        self._at(due_us, deliver)
        if self._chance(self.weather.twice):
            self._at(due_us + self.rng.randrange(0, 3000) * MS, deliver)

    def _listen(self) -> None:
        """Turn what the exchange said into events, and look whether all is still well."""
        outputs = self.exchange.take_outputs()
        for output in outputs:
            match output:
                case LevelChanged():
                    if not self._levels[output.market]:
                        flush_us = (self.now_us // BOOK_GRID_US + 1) * BOOK_GRID_US
                        self._at(flush_us, lambda market=output.market: self._flush(market))  # type: ignore[misc]
                    self._levels[output.market].append(output)
                case OrderChanged():
                    row = output.row
                    self._on_channel("orders", lambda now_ns, row=row: report(row, now_ns))  # type: ignore[misc]
                case TradeDone() if BOT in (output.ask_account_index, output.bid_account_index):
                    self.trades.append(output)
                    self._on_channel("trades", lambda now_ns, trade=output: fill(trade, now_ns))  # type: ignore[misc]
                case FundingPaid():
                    paid = output
                    self._on_channel("funding", lambda now_ns, paid=paid: funding(paid, now_ns))  # type: ignore[misc]
                case TransactionExecuted() | TransactionDropped():
                    self._settle(output)
                case StatsChanged():
                    self._at(self._in_order("stats"), lambda market=output.market: self._stats(market))  # type: ignore[misc]
                case _:
                    pass
        if outputs:
            self.check(self)

    def _settle(self, output: TransactionExecuted | TransactionDropped) -> None:
        command_id = self._hashes.pop(output.tx_hash)
        del self.in_flight[command_id]
        if isinstance(output, TransactionExecuted):
            error = output.error
            self._on_channel("executions", lambda now_ns: CommandExecuted(command_id, error, now_ns))
        elif self._chance(500):  # found out, or not
            self._on_channel("executions", lambda now_ns: CommandRefused(command_id, 0, "dropped", now_ns))

    def _flush(self, market: int) -> None:
        changed, self._levels[market] = self._levels[market], []
        bids = {level.price_ticks: level.size_lots for level in changed if not level.is_ask}
        asks = {level.price_ticks: level.size_lots for level in changed if level.is_ask}
        nonce = self.exchange.book(market).nonce

        def deliver() -> None:
            if Link.PUBLIC not in self.down:
                self.tell(BookDelta(market, list(bids.items()), list(asks.items()), nonce, self.now_us, self.now_ns))

        self._at(self._in_order(f"book {market}"), deliver)

    def _pulse(self) -> None:
        """Keep prices fresh: the venue speaks of every market about once a second."""
        for facts in MARKETS:
            self._stats(facts.index)
            self._flush(facts.index)
        self._at(self.now_us + SECOND, self._pulse)

    def _stats(self, market: int) -> None:
        if Link.PUBLIC not in self.down:
            stats = self.exchange.stats(market)
            self.tell(StatsReport(market, stats.mark_ticks, stats.index_ticks, 0, self.now_ns))

    def _snapshot(self, market: int) -> None:
        """Tell the whole book; the changes not yet flushed are in it."""
        self._levels[market] = []
        book = self.exchange.book(market)
        bids, asks = list(book.bids.items()), list(book.asks.items())
        self.tell(BookSnapshot(market, bids, asks, book.nonce, self.now_us, self.now_ns))

    # -- decisions to the exchange -------------------------------------------------------

    def _decide(self) -> None:
        self.believed_micro = total_notional_micro(self.engine.state)
        decision = self.engine.decide(self.now_ns)
        self.decisions.append(decision)
        lifetime_us = PARAMS.transaction_lifetime_ms * MS
        for approved in decision.approved:
            self.in_flight[approved.command.command_id] = InFlight(approved.command, self.now_us + lifetime_us)
        for approved in decision.approved:
            self._send(approved.command)
        for query in decision.queries:
            self._at(self.now_us + self._delay_us(), lambda q=query, at=self.now_ns: self._answer(q, at))  # type: ignore[misc]
        if decision.approved:
            self.check(self)

    def _send(self, command: Command) -> None:
        weather, command_id = self.weather, command.command_id
        key = CANCELS if isinstance(command, CancelOrder | CancelAll) else QUOTES
        if Link.TRANSACTIONS in self.down or self._chance(weather.refused):
            del self.in_flight[command_id]
            self._reply(CommandRefused(command_id, 0, "not sent", 0))
        elif self._chance(weather.lost_request):
            del self.in_flight[command_id]
            self._lose_reply(command_id)
        else:
            late_us = self.rng.randrange(0, 5000) * MS if self._chance(weather.late_request) else 0
            dead_us = self.in_flight[command_id].dead_us
            due_us = self._in_order(f"key {key}", late_us)
            self._at(due_us, lambda: self._arrive(command, key, dead_us))

    def _arrive(self, command: Command, key: int, dead_us: int) -> None:
        nonce = self.exchange.next_nonce(BOT, key) or 0
        tx_hash = f"{key}-{next(self._numbers)}"
        self._hashes[tx_hash] = command.command_id
        answer = self.exchange.admit([self._request(command, key, nonce, tx_hash, dead_us // MS)], self.now_us)
        if isinstance(answer, Rejected):
            del self._hashes[tx_hash], self.in_flight[command.command_id]
        if self._chance(self.weather.lost_reply):
            self._lose_reply(command.command_id)
        elif isinstance(answer, Rejected):
            self._reply(CommandRefused(command.command_id, 21000, answer.reason.value, 0))
        else:
            self._reply(CommandAcked(command.command_id, answer.predicted_us[0] // MS, 0))

    def _request(self, command: Command, key: int, nonce: int, tx_hash: str, dead_ms: int) -> Request:
        facts = {
            "account_index": BOT, "api_key_index": key, "nonce": nonce, "tx_hash": tx_hash, "expired_at_ms": dead_ms,
        }  # fmt: skip
        match command:
            case PlaceOrder():
                return NewOrder(
                    **facts,
                    market=command.market,
                    client_order_index=command.client_order_index,
                    size_lots=command.size_lots,
                    price_ticks=command.price_ticks,
                    is_ask=command.is_ask,
                    time_in_force=TimeInForce.POST_ONLY,
                    expiry_ms=(self.now_us + ORDER_LIFE_US) // MS,
                )
            case ModifyOrder():
                return AmendOrder(
                    **facts,
                    market=command.market,
                    index=command.client_order_index,
                    size_lots=command.size_lots,
                    price_ticks=command.price_ticks,
                )
            case CancelOrder():
                return DropOrder(**facts, market=command.market, index=command.client_order_index)
            case CancelAll():
                return DropAll(**facts)

    def _reply(self, event: Event) -> None:
        def deliver() -> None:
            self.tell(msgspec.structs.replace(event, recv_ns=self.now_ns))

        self._at(self._in_order("replies"), deliver)

    def _lose_reply(self, command_id: int) -> None:
        """Nothing is heard of a command; perhaps at least that is said."""
        if self._chance(500):
            self._reply(CommandUnknown(command_id, "timeout", 0))

    def _answer(self, query: Query, asked_ns: int) -> None:
        """Answer as of now a question that left at `asked_ns`."""
        if self._chance(self.weather.lost_answer):
            return
        if isinstance(query, QueryAccount):
            snapshot = self.account(asked_ns)
            self._at(self.now_us + self._delay_us(), lambda: self.tell(snapshot))
        elif isinstance(query, QueryOrders):
            rows = self.exchange.ended_orders(BOT)[::-1] + self.exchange.open_orders(BOT)
            found = {row.client_order_index: row for row in rows}
            wanted = query.client_order_indexes
            reports = [self._rest_row(found[index]) for index in wanted if index in found]
            absent = [index for index in wanted if index not in found]

            def deliver() -> None:
                for row in reports:
                    self.tell(row)
                if absent:
                    self.tell(OrdersAbsent(absent, asked_ns, self.now_ns))

            self._at(self.now_us + self._delay_us(), deliver)
        else:
            self.tell(BookLost(query.market, "resync", self.now_ns))
            self._snapshot(query.market)

    def _rest_row(self, row: OrderRow) -> OrderReport:
        venue_us = row.updated_us // SECOND * SECOND if self.weather.coarse_rest else row.updated_us
        return report(row, self.now_ns, venue_us)

    def account(self, asked_ns: int) -> AccountSnapshot:
        view = self.exchange.account(BOT)
        assert view is not None
        positions = [(p.market, p.size_lots, p.entry_quote_micro) for p in view.positions if p.size_lots]
        orders = [self._rest_row(row) for row in self.exchange.open_orders(BOT)]
        return AccountSnapshot(view.collateral_pico, positions, orders, asked_ns, self.now_ns)

    # -- links ---------------------------------------------------------------------------

    def drop(self, link: Link) -> None:
        """Lose a link, and with it what is under way on it."""
        if link in self.down:
            return
        self.down.add(link)
        if link is Link.PRIVATE:
            self._channel_number = {channel: number + 1 for channel, number in self._channel_number.items()}
        if link is Link.PUBLIC:
            for facts in MARKETS:
                self.tell(BookLost(facts.index, "link down", self.now_ns))
        self.tell(LinkReport(link, up=False, reason="dropped", recv_ns=self.now_ns))
        self._decide()

    def heal(self, link: Link) -> None:
        """Restore a link the way the client does: what was missed comes first, then the word that it is up."""
        if link not in self.down:
            return
        self.down.discard(link)
        if link is Link.PRIVATE:
            for row in self.exchange.open_orders(BOT):
                self.tell(report(row, self.now_ns))
            for trade in reversed(self.exchange.trades_of(BOT)):
                self.tell(fill(trade, self.now_ns))
            for paid in reversed(self.exchange.fundings_of(BOT)):
                self.tell(funding(paid, self.now_ns))
            self.tell(self.account(self.now_ns))
        self.tell(LinkReport(link, up=True, reason="", recv_ns=self.now_ns))
        if link is Link.PUBLIC:
            for facts in MARKETS:
                self._snapshot(facts.index)
                self._stats(facts.index)
        self._decide()

    def stop(self) -> None:
        self.tell(StopRequested("the test ends", self.now_ns))
        self._decide()

    # -- others --------------------------------------------------------------------------

    def act(self, market: Market, offset_ticks: int, size_lots: int, *, is_ask: bool, takes: bool) -> None:
        """Let the crowd send an order, `offset_ticks` behind the index (or through it where it takes)."""
        price = self.exchange.stats(market.index).index_ticks + (offset_ticks if is_ask != takes else -offset_ticks)
        self.exchange.act(
            NewOrder(
                account_index=CROWD,
                market=market.index,
                size_lots=size_lots,
                price_ticks=max(1, price),
                is_ask=is_ask,
                time_in_force=TimeInForce.IOC if takes else TimeInForce.GTT,
            ),
            self.now_us,
        )
        self._listen()

    def clear_crowd(self) -> None:
        self.exchange.act(DropAll(account_index=CROWD), self.now_us)
        self._listen()

    def move_index(self, market: Market, ticks: int) -> None:
        now = self.exchange.stats(market.index).index_ticks
        low, high = INDEX[market.index] * 9 // 10, INDEX[market.index] * 11 // 10
        self.exchange.set_index(market.index, min(high, max(low, now + ticks)), self.now_us)
        self._listen()

    def refresh(self, market: Market, size_lots: int) -> None:
        """Let the crowd quote five levels a side, and a deep one far behind them."""
        for is_ask in (False, True):
            for level in range(5):
                self.act(market, 2 + level, size_lots, is_ask=is_ask, takes=False)
            self.act(market, INDEX[market.index] // 50, 1_000_000, is_ask=is_ask, takes=False)

    def _open(self) -> None:
        for facts in MARKETS:
            self.tell(MarketReport(facts, self.now_ns))
        for facts in MARKETS:
            self.exchange.set_index(facts.index, INDEX[facts.index], self.now_us)
            self.refresh(facts, 100_000)
        self.tell(self.account(self.now_ns))
        self.tell(DayStarted(1, self.now_ns))
        for link in Link:
            self.tell(LinkReport(link, up=True, reason="", recv_ns=self.now_ns))
        for facts in MARKETS:
            self._snapshot(facts.index)
        self._pulse()


def storm(world: World, seconds: int) -> None:
    """Let others trade wildly for a while, in weather that loses, doubles and shuffles."""
    rng = world.rng
    world.weather = Weather(80, lost_request=30, lost_reply=30, refused=30, twice=200, shuffled=True)
    for _ in range(seconds):
        facts = MARKETS[rng.randrange(0, len(MARKETS))]
        world.clear_crowd()
        world.move_index(facts, rng.randrange(-400, 400))
        for each in MARKETS:
            world.refresh(each, 500)
            world.act(each, rng.randrange(0, 3000), 4000, is_ask=rng.random() < 0.5, takes=True)
        if rng.random() < 0.1:
            world.drop(Link.PRIVATE)
        world.run(1000)
        world.heal(Link.PRIVATE)
    world.weather = CALM


def report(row: OrderRow, now_ns: int, venue_us: int | None = None) -> OrderReport:
    return OrderReport(
        market=row.market,
        client_order_index=row.client_order_index,
        order_index=row.order_index,
        is_ask=row.is_ask,
        price_ticks=row.price_ticks,
        size_lots=row.size_lots,
        filled_lots=row.filled_lots,
        status=row.status.value,
        venue_us=row.updated_us if venue_us is None else venue_us,
        recv_ns=now_ns,
    )


def fill(trade: TradeDone, now_ns: int) -> FillReport:
    is_ask = trade.ask_account_index == BOT
    is_maker = is_ask == trade.is_maker_ask
    return FillReport(
        market=trade.market,
        trade_id=trade.trade_id,
        order_index=trade.ask_order_index if is_ask else trade.bid_order_index,
        client_order_index=trade.ask_client_order_index if is_ask else trade.bid_client_order_index,
        is_ask=is_ask,
        price_ticks=trade.price_ticks,
        size_lots=trade.size_lots,
        is_maker=is_maker,
        fee_ppm=trade.maker_fee_ppm if is_maker else trade.taker_fee_ppm,
        venue_us=trade.at_us,
        recv_ns=now_ns,
    )


def funding(paid: FundingPaid, now_ns: int) -> FundingReport:
    return FundingReport(paid.market, paid.funding_id, paid.amount_pico, now_ns)
