"""An order becomes active, changes and ends: who is told and who remembers."""

from helpers.trading_floor import ALPHA, CROWD, ask, do, floor, only, taker_bid
from lighterman.matching.outputs import (
    CollateralChanged,
    LevelChanged,
    OrderChanged,
    OrderStatus,
    PositionChanged,
    TradeDone,
)


def test_participants_are_not_reported():
    """An account without limits shows in trades and in the book, nowhere else."""
    exchange = floor()
    outputs = do(exchange, ask(CROWD, 1000, 4), taker_bid(ALPHA, 1000, 4))

    assert len(only(outputs, TradeDone)) == 1
    assert len(only(outputs, LevelChanged)) == 2
    assert {output.row.account_index for output in only(outputs, OrderChanged)} == {ALPHA}
    assert {output.account_index for output in only(outputs, PositionChanged)} == {ALPHA}
    assert {output.account_index for output in only(outputs, CollateralChanged)} == {ALPHA}
    assert exchange.position_lots(CROWD, 0) == -4


def test_the_owner_is_told_each_step():
    """9.5: one row when it rests, one per fill, one at its end; then it is an ended order."""
    exchange = floor()
    outputs = do(exchange, ask(ALPHA, 1000, 10, client=1), taker_bid(CROWD, 1000, 4), taker_bid(CROWD, 1000, 6))
    rows = [output.row for output in only(outputs, OrderChanged)]

    assert [(row.status, row.filled_lots, row.remaining_lots) for row in rows] == [
        (OrderStatus.OPEN, 0, 10),
        (OrderStatus.OPEN, 4, 6),
        (OrderStatus.FILLED, 10, 0),
    ]
    assert exchange.open_orders(ALPHA) == []
    assert exchange.ended_orders(ALPHA) == [rows[-1]]


def test_rows_come_after_the_trade_they_report():
    """7.2 step 4: a trade is told before the positions, collateral and orders it changed."""
    exchange = floor()
    outputs = do(exchange, ask(CROWD, 1000, 10), taker_bid(ALPHA, 1000, 4))
    kinds = [type(output) for output in outputs if not isinstance(output, LevelChanged)]

    assert kinds == [TradeDone, PositionChanged, CollateralChanged, OrderChanged]
