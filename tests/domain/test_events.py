"""The union of events: complete, closed, and the same after the journal."""

import typing

import msgspec
import pytest

from lighterman.domain import commands, events


def _order(status: str) -> events.OrderReport:
    return events.OrderReport(
        0, 1, 2, is_ask=True, price_ticks=3, size_lots=4, filled_lots=0, status=status, venue_us=5, recv_ns=6
    )


@pytest.mark.parametrize(
    ("status", "is_terminal"),
    [
        ("in-progress", False),
        ("pending", False),
        ("open", False),
        ("filled", True),
        ("canceled", True),
        ("canceled-post-only", True),
        ("canceled-for-a-reason-of-tomorrow", True),
    ],
)
def test_an_order_that_can_no_longer_trade_is_terminal(status, is_terminal):
    """Every kind of cancellation ends an order, also one that the venue invents later."""
    assert is_terminal == _order(status).is_terminal


@pytest.mark.parametrize(("module", "union"), [(events, events.Event), (commands, commands.Command | commands.Query)])
def test_the_union_is_closed(module, union):
    """Every record of the module belongs to its union, so the type checker sees every case."""
    records = {
        record
        for name, record in vars(module).items()
        if isinstance(record, type) and issubclass(record, msgspec.Struct) and not name.startswith("_")
        if record.__module__ == module.__name__
    }

    assert records == set(typing.get_args(union))


def test_an_event_survives_the_journal():
    """A record comes back from its bytes as itself: the class is part of them."""
    written = [_order("open"), events.LinkReport(events.Link.PUBLIC, up=False, reason="closed", recv_ns=7)]
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(written), type=list[events.Event])

    assert written == read
