"""The numbers of the wire that requests share: protocol reference 4.1, 4.4, 4.6, 4.10."""

from helpers.trading_floor import ALPHA, AmendOrder, DropAll, DropOrder, SetLeverage, bid
from lighterman.matching.requests import DropAllMode, MarginMode, OrderKind, Request, SelfTrade, TimeInForce


def test_transaction_types():
    """4.1: a request is the transaction type it is made from."""
    requests: list[Request] = [
        bid(ALPHA, 990, 4),
        DropOrder(account_index=ALPHA, market=0, index=1),
        DropAll(account_index=ALPHA),
        AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=990, size_lots=4),
        SetLeverage(account_index=ALPHA, market=0, initial_margin_fraction=500),
    ]

    assert [request.tx_type for request in requests] == [14, 15, 16, 17, 20]


def test_enumerations_are_those_of_the_wire():
    """4.4, 4.6, 4.10: a wire value becomes a member by its number."""
    assert (OrderKind(0), OrderKind(1)) == (OrderKind.LIMIT, OrderKind.MARKET)
    assert [tif.name for tif in TimeInForce] == ["IOC", "GTT", "POST_ONLY"]
    assert [mode.name for mode in SelfTrade] == ["EXPIRE_MAKER", "EXPIRE_TAKER", "CANCEL_BOTH", "REDUCE_BOTH"]
    assert [mode.name for mode in DropAllMode] == ["IMMEDIATE", "SCHEDULE", "ABORT"]
    assert [mode.name for mode in MarginMode] == ["CROSS", "ISOLATED"]
    for members in (TimeInForce, SelfTrade, DropAllMode, MarginMode):
        assert [member.value for member in members] == list(range(len(members)))
