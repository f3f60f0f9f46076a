"""The matcher against a second one that was written from the rules alone."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.brute_matcher import BruteMatcher
from helpers.trading_floor import ALPHA, BETA, GAMMA, START_US, AmendOrder, DropAll, DropOrder, market, only
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import OrderChanged, TradeDone
from lighterman.matching.requests import DropAllMode, NewOrder, OrderKind, SelfTrade, TimeInForce
from lighterman.matching.rules import MS, Rules

TIF = {"ioc": TimeInForce.IOC, "gtt": TimeInForce.GTT, "post-only": TimeInForce.POST_ONLY}
KIND = {"limit": OrderKind.LIMIT, "market": OrderKind.MARKET}
SELF_TRADE = {
    "expire maker": SelfTrade.EXPIRE_MAKER,
    "expire taker": SelfTrade.EXPIRE_TAKER,
    "cancel both": SelfTrade.CANCEL_BOTH,
    "reduce both": SelfTrade.REDUCE_BOTH,
}
LIMITS = {"min_base": 2, "min_quote": 250, "quote_limit": 1_500}
OWNERS = {ALPHA: ALPHA, BETA: ALPHA, GAMMA: GAMMA, 13: 13, 14: 14}
RULES = Rules(dms_lag_us=20_000 * MS)


class Pair:
    """Both matchers, fed with the same steps at the same times."""

    def __init__(self) -> None:
        description = market(
            0, min_base_lots=LIMITS["min_base"], min_quote_micro=250, order_quote_limit_micro=LIMITS["quote_limit"]
        )
        self.real = Exchange([description], RULES, START_US)
        for account, owner in OWNERS.items():
            self.real.open_account(account, collateral_micro=10**12, tier="standard", l1_address=f"0x{owner}")
        self.real.set_index(0, 100, START_US)
        self.real.take_outputs()
        self.brute = BruteMatcher(owners=OWNERS, dms_lag=RULES.dms_lag_us // MS, **LIMITS)
        self.trades_seen = self.ends_seen = 0

    @property
    def now_us(self) -> int:
        return START_US + self.brute.now * MS

    def step(self, name: str, *facts: Any) -> None:
        actions: dict[str, Callable[..., None]] = {
            "create": self.create,
            "modify": self.modify,
            "cancel": self.cancel,
            "cancel all": self.cancel_all,
            "arm": self.arm,
            "wait": self.wait,
        }
        actions[name](*facts)
        self.compare()

    def create(self, o: dict[str, Any]) -> None:
        if o["tif"] != "ioc" and o["lifetime"]:
            o = o | {"expiry": self.brute.now + o["lifetime"]}
        self.brute.create(o)
        request = NewOrder(
            account_index=o["account"],
            market=0,
            client_order_index=o["client"],
            is_ask=o["is_ask"],
            price_ticks=o["price"],
            size_lots=o["size"],
            kind=KIND[o["kind"]],
            time_in_force=TIF[o["tif"]],
            reduce_only=o["reduce_only"],
            self_trade=SELF_TRADE[o["self_trade"]],
            same_master=o["same_master"],
            expiry_ms=START_US // MS + o["expiry"] if o["expiry"] else 0,
        )
        self.real.act(request, self.now_us)

    def modify(self, account: int, client: int, price: int, size: int, version: int | None) -> None:
        self.brute.modify(account, client, price, size, version)
        amend = AmendOrder(
            account_index=account, market=0, index=client, price_ticks=price, size_lots=size, order_version=version
        )
        self.real.act(amend, self.now_us)

    def cancel(self, account: int, client: int) -> None:
        self.brute.cancel(account, client)
        self.real.act(DropOrder(account_index=account, market=0, index=client), self.now_us)

    def cancel_all(self, account: int) -> None:
        self.brute.cancel_all(account)
        self.real.act(DropAll(account_index=account), self.now_us)

    def arm(self, account: int, ahead: int) -> None:
        self.brute.switches[account] = self.brute.now + ahead
        schedule = DropAll(account_index=account, mode=DropAllMode.SCHEDULE, time_ms=self.now_us // MS + ahead)
        self.real.act(schedule, self.now_us)

    def wait(self, duration: int) -> None:
        self.brute.wait(self.brute.now + duration)
        self.real.advance(self.now_us)

    def compare(self) -> None:
        outputs = self.real.take_outputs()
        trades = [
            (t.ask_account_index, t.bid_account_index, t.price_ticks, t.size_lots, t.is_maker_ask)
            for t in only(outputs, TradeDone)
        ]
        rows = [output.row for output in only(outputs, OrderChanged)]
        ended = [
            (row.account_index, row.client_order_index, row.status.value, row.filled_lots)
            for row in rows
            if row.status.value.startswith(("filled", "canceled"))
        ]
        resting = [
            (row.account_index, row.client_order_index, row.is_ask, row.price_ticks, row.remaining_lots)
            for is_ask in (False, True)
            for row in self.real.resting_orders(0, is_ask=is_ask, limit=10_000)
        ]

        assert trades == self.brute.trades[self.trades_seen :]
        assert ended == self.brute.ended[self.ends_seen :]
        assert resting == self.brute.resting()
        self.trades_seen, self.ends_seen = len(self.brute.trades), len(self.brute.ended)


ACCOUNTS = st.sampled_from([ALPHA, BETA, GAMMA])
CLIENTS = st.integers(0, 8)
PRICES = st.integers(97, 103)
SIZES = st.integers(1, 15)
CREATES = st.fixed_dictionaries(
    {
        "account": ACCOUNTS,
        "client": CLIENTS,
        "is_ask": st.booleans(),
        "price": PRICES,
        "size": SIZES,
        "tif": st.sampled_from(["gtt", "gtt", "gtt", "post-only", "ioc"]),
        "kind": st.just("limit"),
        "reduce_only": st.sampled_from([False, False, False, True]),
        "self_trade": st.sampled_from(sorted(SELF_TRADE)),
        "same_master": st.booleans(),
        "lifetime": st.sampled_from([0, 0, 7_000, 30_000]),
        "expiry": st.just(0),
    }
)
MARKET_CREATES = CREATES.map(lambda o: o | {"tif": "ioc", "kind": "market", "client": 0})
STEPS = st.one_of(
    st.tuples(st.just("create"), CREATES),
    st.tuples(st.just("create"), CREATES),
    st.tuples(st.just("create"), MARKET_CREATES),
    st.tuples(st.just("modify"), ACCOUNTS, CLIENTS, PRICES, SIZES, st.sampled_from([None, None, 0, 1])),
    st.tuples(st.just("cancel"), ACCOUNTS, CLIENTS),
    st.tuples(st.just("cancel all"), ACCOUNTS),
    st.tuples(st.just("arm"), ACCOUNTS, st.integers(1, 20_000)),
    st.tuples(st.just("wait"), st.integers(0, 15_000)),
)


@given(st.lists(STEPS, max_size=40))
@settings(max_examples=400)
def test_agrees_with_brute_force(steps: list[tuple[Any, ...]]):
    """Fills, resting orders with their priority and the ends of orders are those of the plain model."""
    pair = Pair()
    for step in steps:
        pair.step(*step)


def _random_create(rng: random.Random, *, client: int) -> dict[str, Any]:
    tif = rng.choice(["gtt", "gtt", "gtt", "post-only", "ioc"])
    is_market = tif == "ioc" and rng.random() < 0.5
    is_ask = rng.random() < 0.5
    shift = rng.choice([-3, -2, -1, 0, 1, 2, 3, 4, 5])
    return {
        "account": rng.choice(list(OWNERS)),
        "client": client,
        "is_ask": is_ask,
        "price": 100 + (shift if is_ask else -shift),
        "size": rng.randint(2, 15),
        "tif": tif,
        "kind": "market" if is_market else "limit",
        "reduce_only": rng.random() < 0.15,
        "self_trade": rng.choice(sorted(SELF_TRADE)),
        "same_master": rng.random() < 0.5,
        "lifetime": rng.choice([0, 0, 0, 7_000, 60_000]),
        "expiry": 0,
    }


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_brute_force_for_long(seed: int):
    """A deep book with hundreds of orders behaves as the plain model too."""
    rng, pair = random.Random(seed), Pair()
    for client in range(1, 2_000):
        account, other = rng.choice(list(OWNERS)), rng.randint(max(1, client - 150), client)
        draw = rng.random()
        if draw < 0.7:
            pair.step("create", _random_create(rng, client=client))
        elif draw < 0.8:
            pair.step("modify", account, other, rng.randint(97, 103), rng.randint(2, 15), None)
        elif draw < 0.9:
            pair.step("cancel", account, other)
        elif draw < 0.995:
            pair.step("wait", rng.randint(0, 1_000))
        else:
            pair.step("arm", account, rng.randint(1, 20_000))

    assert len(pair.brute.trades) > 250
