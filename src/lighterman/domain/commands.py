"""Everything the engine can ask of the venue: a closed union of immutable records.

`command_id` counts up within a session and is the only name by which answers come back.
Orders are named by our own `client_order_index` (48 bits: restart epoch, then a counter).
"""

import msgspec


class _Command(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """Base: tagged by class name, so that the journal can tell the records apart."""


class PlaceOrder(_Command, frozen=True, gc=False, array_like=True, tag=True):
    """Create a post-only limit order."""

    command_id: int
    market: int
    client_order_index: int
    is_ask: bool
    price_ticks: int
    size_lots: int


class ModifyOrder(_Command, frozen=True, gc=False, array_like=True, tag=True):
    """Give a resting order a new price and a new TOTAL size; it loses its place in the queue."""

    command_id: int
    market: int
    client_order_index: int
    price_ticks: int
    size_lots: int


class CancelOrder(_Command, frozen=True, gc=False, array_like=True, tag=True):
    """Cancel one order."""

    command_id: int
    market: int
    client_order_index: int


class CancelAll(_Command, frozen=True, gc=False, array_like=True, tag=True):
    """Cancel every order of the account at once, in all markets."""

    command_id: int


class QueryOrders(_Command, frozen=True, gc=False, array_like=True, tag=True):
    """Ask what became of these orders; answered by OrderReport and OrdersAbsent."""

    client_order_indexes: list[int]


class QueryAccount(_Command, frozen=True, gc=False, array_like=True, tag=True):
    """Ask for positions, collateral and open orders; answered by AccountSnapshot."""


class ResyncBook(_Command, frozen=True, gc=False, array_like=True, tag=True):
    """Throw a market's public book away and fetch it anew: what we hold is corrupt.

    Answered by BookLost, then BookSnapshot. Only the holder of the book can see that it is
    crossed, and that is the engine.
    """

    market: int


Command = PlaceOrder | ModifyOrder | CancelOrder | CancelAll
Query = QueryOrders | QueryAccount | ResyncBook
