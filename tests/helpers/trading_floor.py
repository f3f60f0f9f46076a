"""A small exchange to test on: two markets with easy numbers, and short ways to say an order."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from lighterman.domain.market import Market
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import OrderRow, OrderStatus, Output
from lighterman.matching.requests import (
    AmendOrder,
    DropAll,
    DropOrder,
    NewOrder,
    OrderKind,
    Request,
    SetLeverage,
    TimeInForce,
)
from lighterman.matching.rules import HOUR, MS, Rules
from lighterman.matching.views import Admitted, Rejected

START_US = 472_222 * HOUR  # an hour's beginning in 2023
KEY = 5
INDEX = 1_000  # ticks: with one lot = one micro per tick, notional is simply price x size
EXPIRY_MS = START_US // MS + 3_600_000

ALPHA, BETA, GAMMA = 10, 11, 12  # accounts with limits; ALPHA and BETA have one owner
CROWD = 99  # a market participant

OutputType = TypeVar("OutputType")


def market(index: int = 0, **changes: object) -> Market:
    facts: dict[str, object] = {
        "index": index,
        "symbol": f"M{index}",
        "price_decimals": 2,
        "size_decimals": 4,
        "min_base_lots": 2,
        "min_quote_micro": 1_500,
        "order_quote_limit_micro": 10**15,
    }
    return Market(**(facts | changes))


def floor(
    *, rules: Rules | None = None, tier: str = "standard", collateral_micro: int = 10**9, **market_changes: object
) -> Exchange:
    """Return an exchange with two priced markets and the accounts above, each with a key."""
    exchange = Exchange([market(0, **market_changes), market(1)], rules or Rules(), START_US)
    owners = {ALPHA: "0xowner", BETA: "0xowner", GAMMA: "0xother"}
    for account, owner in owners.items():
        exchange.open_account(account, collateral_micro=collateral_micro, tier=tier, l1_address=owner)
        exchange.add_key(account, KEY, bytes(40))
    exchange.open_account(CROWD, collateral_micro=10**12, tier="standard", l1_address="", free_of_limits=True)
    exchange.set_index(0, INDEX, START_US)
    exchange.set_index(1, INDEX, START_US)
    exchange.take_outputs()
    return exchange


def order(account: int, price: int, size: int, *, is_ask: bool, client: int = 0, **facts: object) -> NewOrder:
    """Return a limit order in market 0 unless told otherwise; resting ones expire in an hour."""
    defaults: dict[str, object] = {"market": 0, "client_order_index": client}
    if facts.get("time_in_force") is not TimeInForce.IOC:
        defaults["expiry_ms"] = EXPIRY_MS
    return NewOrder(account_index=account, price_ticks=price, size_lots=size, is_ask=is_ask, **(defaults | facts))


bid: Callable[..., NewOrder] = partial(order, is_ask=False)
ask: Callable[..., NewOrder] = partial(order, is_ask=True)
taker_bid: Callable[..., NewOrder] = partial(bid, time_in_force=TimeInForce.IOC)
taker_ask: Callable[..., NewOrder] = partial(ask, time_in_force=TimeInForce.IOC)
maker_bid: Callable[..., NewOrder] = partial(bid, time_in_force=TimeInForce.POST_ONLY)
maker_ask: Callable[..., NewOrder] = partial(ask, time_in_force=TimeInForce.POST_ONLY)
market_bid: Callable[..., NewOrder] = partial(taker_bid, kind=OrderKind.MARKET)
market_ask: Callable[..., NewOrder] = partial(taker_ask, kind=OrderKind.MARKET)


def do(exchange: Exchange, *requests: Request) -> list[Output]:
    """Execute requests at once, at the exchange's own time, and return what happened."""
    for request in requests:
        exchange.act(request, exchange.now_us)
    return exchange.take_outputs()


def send(exchange: Exchange, *requests: Request, after_us: int = 0) -> Admitted | Rejected:
    """Admit transactions as one batch, with the key and the nonces that are due."""
    account = requests[0].account_index
    nonce = exchange.next_nonce(account, KEY) or 0
    return exchange.admit([numbered(r, nonce + at) for at, r in enumerate(requests)], exchange.now_us + after_us)


def numbered(request: Request, nonce: int, **changes: object) -> Request:
    """Return the request as the transaction of a key."""
    facts = {name: getattr(request, name) for name in request.__struct_fields__}
    facts |= {"api_key_index": KEY, "nonce": nonce, "tx_hash": f"{request.account_index}-{nonce}"}
    return type(request)(**(facts | changes))


def only(outputs: list[Output], kind: type[OutputType]) -> list[OutputType]:
    """Return the outputs of one kind."""
    return [output for output in outputs if isinstance(output, kind)]


def fate(exchange: Exchange, account: int, client: int) -> tuple[OrderStatus, int]:
    """Return status and filled size of an order by client index, active or ended."""
    row = row_of(exchange, account, client)
    return row.status, row.filled_lots


def row_of(exchange: Exchange, account: int, client: int) -> OrderRow:
    """Return the last row of an order by client index, active or ended."""
    rows = exchange.open_orders(account) + exchange.ended_orders(account)
    return next(row for row in rows if row.client_order_index == client)


def levels(exchange: Exchange, market_index: int = 0) -> tuple[dict[int, int], dict[int, int]]:
    """Return bids and asks as price -> size."""
    book = exchange.book(market_index)
    return dict(book.bids), dict(book.asks)


__all__ = [
    "ALPHA",
    "BETA",
    "CROWD",
    "EXPIRY_MS",
    "GAMMA",
    "INDEX",
    "KEY",
    "START_US",
    "AmendOrder",
    "DropAll",
    "DropOrder",
    "SetLeverage",
    "ask",
    "bid",
    "do",
    "fate",
    "floor",
    "levels",
    "maker_ask",
    "maker_bid",
    "market",
    "market_ask",
    "market_bid",
    "numbered",
    "only",
    "order",
    "row_of",
    "send",
    "taker_ask",
    "taker_bid",
]
