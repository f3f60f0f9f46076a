"""What only a market's own participants may do: shrink an order in place, rest below the minimums."""

from helpers.trading_floor import ALPHA, CROWD, START_US, floor
from lighterman.matching.exchange import Exchange
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import NewOrder

FIRST, SECOND = 1, 2
PRICE = 1_000


def rest(exchange: Exchange, account: int, client_order_index: int, size_lots: int) -> Reject | None:
    order = NewOrder(
        account_index=account,
        market=0,
        client_order_index=client_order_index,
        is_ask=True,
        price_ticks=PRICE,
        size_lots=size_lots,
    )
    return exchange.act(order, START_US)


def queue(exchange: Exchange) -> list[tuple[int, int, int]]:
    """Return (account, remaining, size) of the asks in the order in which they would trade."""
    rows = exchange.resting_orders(0, is_ask=True, limit=10)
    return [(row.account_index, row.remaining_lots, row.size_lots) for row in rows]


def test_shrinking_keeps_the_place():
    """A shrunk order stays ahead of those that were behind it, in the book's aggregate too."""
    exchange = floor()
    rest(exchange, CROWD, FIRST, 10)
    rest(exchange, ALPHA, FIRST, 5)
    exchange.shrink(CROWD, 0, FIRST, 4, START_US)

    assert queue(exchange) == [(CROWD, 6, 6), (ALPHA, 5, 5)]
    assert exchange.book(0).best_ask() == (PRICE, 11)


def test_shrinking_to_nothing_cancels():
    """An order that would have nothing left is canceled; shrinking it again does nothing."""
    exchange = floor()
    rest(exchange, CROWD, FIRST, 10)
    exchange.shrink(CROWD, 0, FIRST, 10, START_US)
    exchange.shrink(CROWD, 0, FIRST, 10, START_US)

    assert queue(exchange) == []
    assert exchange.book(0).best_ask() is None


def test_only_participants_rest_below_the_minimum():
    """The minimums bind accounts with limits; a recorded book has whatever sizes it had."""
    exchange = floor()

    assert rest(exchange, ALPHA, FIRST, 1) is Reject.BELOW_MINIMUM
    assert rest(exchange, CROWD, SECOND, 1) is None
    assert queue(exchange) == [(CROWD, 1, 1)]
