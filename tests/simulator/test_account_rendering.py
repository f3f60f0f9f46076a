import json

import pytest

from helpers.local_venue import Venue
from lighterman.matching.outputs import OrderStatus
from lighterman.matching.views import PositionView
from lighterman.simulator import account_rendering as rendering
from lighterman.simulator.markets import all_markets

ETH = all_markets()["ETH"]


def position(**changes):
    zero = dict.fromkeys(PositionView.__struct_fields__, 0)
    return rendering.position(ETH, PositionView(**(zero | changes)))


def test_a_flat_position_is_positive_and_without_prices():
    """Size zero has sign +1, entry zero, and no liquidation price (protocol reference 2.7.5)."""
    flat = position()

    assert (flat.sign, flat.position, flat.avg_entry_price, flat.liquidation_price) == (1, "0.0000", "0.00", "0")


def test_the_entry_price_is_cost_over_size():
    """A short 0.0003 ETH for 0.576376 USDC was entered at 1921.25, rounded down to the tick."""
    short = position(size_lots=-3, entry_quote_micro=576_376, liquidation_price_ticks=250_000, funding_pico=-5)

    assert (short.sign, short.position, short.avg_entry_price) == (-1, "0.0003", "1921.25")
    assert (short.liquidation_price, short.total_funding_paid_out) == ("2500.00", "0.000000000005")


@pytest.mark.parametrize("status", list(OrderStatus))
def test_every_status_has_its_number(status):
    """Each status an order can have is known to event_info (protocol reference 2.7.7)."""
    assert status in rendering._STATUS_NUMBERS  # noqa: SLF001


def test_event_info_tells_the_order():
    """A create tells the order it made, a modify the order it changed, in the venue's short keys."""
    venue = Venue()
    trader = venue.trader()
    hashes = [
        trader.send(sent())["tx_hash"]
        for sent in (
            trader.create,
            lambda: trader.modify(5001, price=289_000),
            lambda: trader.cancel(5001),
            trader.cancel_all,
        )
    ]
    events = [json.loads(venue.get("tx", by="hash", value=each)[1]["event_info"]) for each in hashes]
    index = events[0]["to"]["i"]

    assert (events[0]["to"]["p"], events[0]["to"]["st"], events[0]["ae"]) == (290_000, 2, "")
    assert (events[1]["no"]["p"], events[1]["no"]["u"]) == (289_000, 5001)
    assert events[2] == {"a": 100, "i": index, "u": 5001, "ae": ""}
    assert events[3] == {"a": 100, "ae": ""}
