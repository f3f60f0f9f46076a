"""Accounts and their keys: who may act, with which nonce, and what they own."""

from collections import deque

from lighterman.domain.position import FLAT, Position
from lighterman.matching.orders import CLIENT_INDEX_END, Order
from lighterman.matching.outputs import FundingPaid, OrderRow, TradeDone
from lighterman.matching.requests import Request
from lighterman.matching.rules import Rules, Tier

SKIP_NONCE_END = 2**47 - 1  # protocol reference 4.7


def nonce_fits(request: Request, expected: int) -> bool:
    """Tell whether a nonce follows: exactly the expected one, or any later one when skipping."""
    return request.nonce == expected or (request.skip_nonce and expected <= request.nonce < SKIP_NONCE_END)


class Key:
    """One api key: the nonce the sequencer expects, and the transactions queued behind it."""

    __slots__ = ("executed_nonce", "maker_only", "next_nonce", "predicted_us", "public_key", "queued", "updated_us")

    def __init__(self, public_key: bytes, now_us: int) -> None:
        self.public_key = public_key
        self.executed_nonce = 0  # what the sequencer expects
        self.next_nonce = 0  # what the API expects: counts what is queued
        self.predicted_us = 0  # of the last transaction queued: the key is served in order
        self.queued: deque[Request] = deque()
        self.maker_only = False
        self.updated_us = now_us

    def recount(self) -> None:
        """Work out `next_nonce` again after a drop: queued transactions that no longer fit will fail."""
        expected = self.executed_nonce
        for request in self.queued:
            if nonce_fits(request, expected):
                expected = request.nonce + 1
        self.next_nonce = expected


class Account:
    """One account. Its money is changed by `ledger` and `funding` only."""

    __slots__ = (
        "cancel_all_us",
        "clients",
        "collateral_pico",
        "created_us",
        "ended",
        "fees_pico",
        "fractions",
        "free_of_limits",
        "fundings",
        "fundings_pico",
        "index",
        "keys",
        "l1_address",
        "master",
        "orders",
        "positions",
        "realised_micro",
        "tier",
        "trade_count",
        "traded_micro",
        "trades",
        "updated_us",
    )

    def __init__(
        self, index: int, *, tier: Tier, l1_address: str, master: int, free_of_limits: bool, rules: Rules, now_us: int
    ) -> None:
        self.index = index
        self.tier = tier
        self.l1_address = l1_address
        self.master = master  # the first account opened by the same owner
        self.free_of_limits = free_of_limits
        self.keys: dict[int, Key] = {}
        self.collateral_pico = 0
        self.positions: dict[int, Position] = {}  # flat rows stay
        self.fractions: dict[int, int] = {}  # initial margin fraction by market, where set
        self.realised_micro: dict[int, int] = {}  # by market, without fees
        self.fundings_pico: dict[int, int] = {}  # by market, received is positive
        self.fees_pico = 0
        self.traded_micro = 0
        self.trade_count = 0
        self.orders: dict[int, Order] = {}  # active, by order index
        self.clients: dict[int, Order] = {}  # active, by client order index
        self.cancel_all_us = 0  # the armed dead man's switch
        self.ended: deque[OrderRow] = deque(maxlen=rules.ended_orders_kept)
        self.trades: deque[TradeDone] = deque(maxlen=rules.trades_kept)
        self.fundings: deque[FundingPaid] = deque(maxlen=rules.fundings_kept)
        self.created_us = now_us
        self.updated_us = now_us

    def position(self, market: int) -> Position:
        """Return the position in a market, flat if there never was one."""
        return self.positions.get(market, FLAT)

    def find_order(self, market: int, index: int) -> Order | None:
        """Return the active order of this market by client order index or order index."""
        order = (self.clients if index < CLIENT_INDEX_END else self.orders).get(index)
        return order if order is not None and order.market == market else None

    def open_order_count(self, market: int) -> int:
        """Return how many orders are active in a market."""
        return sum(order.market == market for order in self.orders.values())

    def can_reduce(self, market: int, *, is_ask: bool) -> bool:
        """Tell whether trading on this side would make the position smaller."""
        size_lots = self.position(market).size_lots
        return size_lots > 0 if is_ask else size_lots < 0

    def is_switch_due(self, now_us: int) -> bool:
        """Tell whether the dead man's switch should be triggered (protocol reference 4.10)."""
        return 0 < self.cancel_all_us <= now_us
