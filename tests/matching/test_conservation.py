"""Whatever accounts, clocks and prices do, the exchange neither makes nor loses anything."""

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from helpers.trading_floor import ALPHA, BETA, CROWD, GAMMA, INDEX, KEY, START_US, market, numbered, only
from lighterman.domain.book import OrderBook
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import LevelChanged, OrderChanged, OrderRow, TradeDone, TransactionExecuted
from lighterman.matching.requests import (
    AmendOrder,
    DropAll,
    DropAllMode,
    DropOrder,
    NewOrder,
    OrderKind,
    Request,
    SelfTrade,
    SetLeverage,
    TimeInForce,
)
from lighterman.matching.rules import HOUR, MINUTE, MS, SECOND, Rules
from lighterman.matching.views import Admitted, Health

WATCHED = {ALPHA: "standard", BETA: "premium", GAMMA: "plus"}
CROWDS = (CROWD, CROWD + 1)
MARKETS = (0, 1)
RULES = Rules(insurance_collateral_micro=3_000, dms_lag_us=SECOND, orders_per_account_max=8)

accounts = st.sampled_from(sorted(WATCHED))
markets = st.sampled_from(MARKETS)
clients = st.integers(0, 6)
sizes = st.integers(2, 60)
shifts = st.integers(-30, 30)


class Floor(RuleBasedStateMachine):
    """Three poor accounts of three tiers with keys, two rich participants, two markets that may crash."""

    def __init__(self) -> None:
        super().__init__()
        self.exchange = Exchange([market(0), market(1, quote_multiplier=3)], RULES, START_US)
        for index, tier in WATCHED.items():
            self.exchange.open_account(index, collateral_micro=4_000, tier=tier, l1_address="0xowner")
            self.exchange.add_key(index, KEY, bytes(40))
        for index in CROWDS:
            self.exchange.open_account(
                index, collateral_micro=10**9, tier="premium", l1_address="", free_of_limits=True
            )
        self.index = dict.fromkeys(MARKETS, INDEX)
        for index in MARKETS:
            self.exchange.set_index(index, INDEX, START_US)
        self.replicas = {index: OrderBook() for index in MARKETS}
        self.rows: dict[tuple[int, int], OrderRow] = {}  # (account, order index) -> last row told
        self.filled: dict[int, int] = {}  # order index -> lots, from trades
        self.read()

    @property
    def now_us(self) -> int:
        return self.exchange.now_us

    def new_order(self, account: int, index: int, shift: int, size: int, **facts: object) -> NewOrder:
        is_ioc = facts.get("time_in_force") is TimeInForce.IOC
        return NewOrder(
            account_index=account,
            market=index,
            price_ticks=max(1, self.index[index] + shift),
            size_lots=size,
            expiry_ms=0 if is_ioc else self.now_us // MS + 400_000,
            **facts,
        )

    def send(self, request: Request) -> None:
        self.exchange.advance(self.now_us)  # a drop that is due gives its nonce back first
        nonce = self.exchange.next_nonce(request.account_index, KEY)
        assert nonce is not None
        answer = self.exchange.admit([numbered(request, nonce)], self.now_us)
        if isinstance(answer, Admitted):
            assert answer.predicted_us[0] >= self.now_us
            assert self.exchange.next_nonce(request.account_index, KEY) == nonce + 1
        else:
            assert self.exchange.next_nonce(request.account_index, KEY) == nonce

    @rule(
        account=accounts,
        index=markets,
        shift=shifts,
        size=sizes,
        client=clients,
        is_ask=st.booleans(),
        tif=st.sampled_from(list(TimeInForce)),
        reduce_only=st.sampled_from([False, False, False, True]),
        self_trade=st.sampled_from(list(SelfTrade)),
    )
    def order(
        self,
        account: int,
        index: int,
        shift: int,
        size: int,
        client: int,
        is_ask: bool,
        tif: TimeInForce,
        reduce_only: bool,
        self_trade: SelfTrade,
    ) -> None:
        facts = {"is_ask": is_ask, "time_in_force": tif, "reduce_only": reduce_only, "self_trade": self_trade}
        self.send(self.new_order(account, index, shift, size, client_order_index=client, **facts))

    @rule(account=accounts, index=markets, size=sizes, is_ask=st.booleans())
    def market_order(self, account: int, index: int, size: int, is_ask: bool) -> None:
        shift = -100 if is_ask else 100
        facts = {"is_ask": is_ask, "time_in_force": TimeInForce.IOC, "kind": OrderKind.MARKET}
        self.send(self.new_order(account, index, shift, size, **facts))

    @rule(account=accounts, index=markets, client=clients, shift=shifts, size=sizes)
    def modify(self, account: int, index: int, client: int, shift: int, size: int) -> None:
        price = max(1, self.index[index] + shift)
        self.send(AmendOrder(account_index=account, market=index, index=client, price_ticks=price, size_lots=size))

    @rule(account=accounts, index=markets, client=clients)
    def cancel(self, account: int, index: int, client: int) -> None:
        self.send(DropOrder(account_index=account, market=index, index=client))

    @rule(account=accounts, mode=st.sampled_from(list(DropAllMode)))
    def cancel_all(self, account: int, mode: DropAllMode) -> None:
        time_ms = self.now_us // MS + 301_000 if mode is DropAllMode.SCHEDULE else 0
        self.send(DropAll(account_index=account, mode=mode, time_ms=time_ms))

    @rule(account=accounts, index=markets, fraction=st.sampled_from([200, 500, 1_000]))
    def leverage(self, account: int, index: int, fraction: int) -> None:
        self.send(SetLeverage(account_index=account, market=index, initial_margin_fraction=fraction))

    @rule(account=st.sampled_from(CROWDS), index=markets, width=st.integers(0, 20), size=st.integers(2, 50))
    def crowd_makes(self, account: int, index: int, width: int, size: int) -> None:
        for level in range(1, 4):
            for is_ask in (False, True):
                shift = (width + level) * (1 if is_ask else -1)
                self.exchange.act(self.new_order(account, index, shift, size, is_ask=is_ask), self.now_us)

    @rule(account=st.sampled_from(CROWDS), index=markets, shift=shifts, size=st.integers(2, 200), is_ask=st.booleans())
    def crowd_takes(self, account: int, index: int, shift: int, size: int, is_ask: bool) -> None:
        facts = {"is_ask": is_ask, "time_in_force": TimeInForce.IOC}
        self.exchange.act(self.new_order(account, index, shift, size, **facts), self.now_us)

    @rule(account=accounts, index=markets, lots=st.integers(20, 80), is_ask=st.booleans())
    def gamble(self, account: int, index: int, lots: int, is_ask: bool) -> None:
        """Open a position as large as the margin allows, against a participant."""
        self.exchange.act(self.new_order(account, index, 0, lots, is_ask=is_ask), self.now_us)
        taker = {"is_ask": not is_ask, "time_in_force": TimeInForce.IOC}
        self.exchange.act(self.new_order(CROWDS[0], index, 0, lots, **taker), self.now_us)

    @rule(index=markets, percent=st.sampled_from([-40, -10, -3, -1, 1, 3, 10, 40]))
    def move_index(self, index: int, percent: int) -> None:
        self.index[index] = min(100_000, max(50, self.index[index] * (100 + percent) // 100))
        self.exchange.set_index(index, self.index[index], self.now_us)
        self.read()
        for account in WATCHED:
            self.check_liquidated(account)

    @rule(wait=st.sampled_from([0, 200 * MS, SECOND, MINUTE, 7 * MINUTE, HOUR]))
    def wait(self, wait: int) -> None:
        self.exchange.advance(self.now_us + wait)

    @rule(account=accounts, amount=st.sampled_from([-500, 500]))
    def deposit(self, account: int, amount: int) -> None:
        self.exchange.deposit(account, amount)

    @rule(index=markets, active=st.booleans())
    def switch_market(self, index: int, active: bool) -> None:
        self.exchange.set_market(msgspec.structs.replace(self.exchange.markets[index], active=active))

    @precondition(lambda self: any(self.exchange.open_orders(account) for account in CROWDS))
    @rule(account=st.sampled_from(CROWDS))
    def crowd_leaves(self, account: int) -> None:
        self.exchange.act(DropAll(account_index=account), self.now_us)

    def check_liquidated(self, account: int) -> None:
        """Below closeout margin nothing is left: neither position nor order."""
        view = self.exchange.account(account)
        assert view is not None
        if view.health >= Health.FULL_LIQUIDATION:
            assert not any(position.size_lots for position in view.positions)

    def read(self) -> None:
        """Follow the outputs as a client would."""
        outputs = self.exchange.take_outputs()
        for change in only(outputs, LevelChanged):
            replica = self.replicas[change.market]
            assert change.nonce == replica.nonce + 1
            level = ((change.price_ticks, change.size_lots),)
            replica.apply(() if change.is_ask else level, level if change.is_ask else (), change.nonce)
        for trade in only(outputs, TradeDone):
            for order in (trade.ask_order_index, trade.bid_order_index):
                self.filled[order] = self.filled.get(order, 0) + trade.size_lots
        for row in (change.row for change in only(outputs, OrderChanged)):
            self.rows[row.account_index, row.order_index] = row
        nonces = [(tx.account_index, tx.nonce) for tx in only(outputs, TransactionExecuted)]
        assert len(set(nonces)) == len(nonces)

    @invariant()
    def money_is_conserved(self) -> None:
        assert self.exchange.total_value_pico() == self.exchange.deposited_pico()

    @invariant()
    def positions_add_up(self) -> None:
        everybody = [*WATCHED, *CROWDS, RULES.treasury_account, RULES.insurance_account]
        for index in MARKETS:
            held = [self.exchange.position_lots(account, index) for account in everybody]
            assert sum(held) == 0
            assert self.exchange.stats(index).open_interest_lots == sum(map(abs, held))

    @invariant()
    def books_are_what_was_told(self) -> None:
        self.read()
        for index in MARKETS:
            book, replica = self.exchange.book(index), self.replicas[index]
            assert not book.is_crossed()
            assert (book.bids, book.asks, book.nonce) == (replica.bids, replica.asks, replica.nonce)
            for is_ask, levels in ((False, book.bids), (True, book.asks)):
                summed: dict[int, int] = {}
                for row in self.exchange.resting_orders(index, is_ask=is_ask, limit=10_000):
                    summed[row.price_ticks] = summed.get(row.price_ticks, 0) + row.remaining_lots
                assert summed == levels

    @invariant()
    def orders_are_what_was_told(self) -> None:
        for account in WATCHED:
            told = {index: row for (owner, index), row in self.rows.items() if owner == account}
            is_open = {row.order_index: row for row in self.exchange.open_orders(account)}
            assert {index: row for index, row in told.items() if row.status == "open"} == is_open
            assert all(row.filled_lots == self.filled.get(index, 0) for index, row in told.items())

    @invariant()
    def realised_money_explains_collateral(self) -> None:
        for account in WATCHED:
            view = self.exchange.account(account)
            assert view is not None
            earned = view.realised_micro * 10**6 - view.fees_pico + view.funding_pico
            assert (view.collateral_pico - earned) % (500 * 10**6) == 0  # all deposits are multiples of 500 micro


TestFloor = Floor.TestCase
TestFloor.settings = settings(max_examples=60, stateful_step_count=60)
