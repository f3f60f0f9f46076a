"""From wished quotes and working orders to the fewest transactions that make one the other.

Law: an order is paired with a wish by its slot (side and level), never by price. One
transaction per slot at a time: what is in flight is left alone until it is answered.
"""

import msgspec

from lighterman.domain.units import BPS
from lighterman.engine.orders import MarketOrders, Order, OrderState
from lighterman.strategy.params import QuoteParams
from lighterman.strategy.quoter import Quotes

NS_PER_S = 1_000_000_000
OPEN = OrderState.OPEN
NOTHING: tuple[list[int], list[int], list[int], list[int]] = ([], [], [], [])


class Change(msgspec.Struct, gc=False):
    """What one slot needs: size 0 cancels `order`; without `order` it is placed, else modified."""

    order: Order | None
    is_ask: bool
    level: int
    price_ticks: int = 0
    size_lots: int = 0


def plan(
    orders: MarketOrders, quotes: Quotes | None, params: QuoteParams, now_ns: int, *, may_add: bool
) -> list[Change]:
    """Return the changes, those that lower exposure first.

    Each slot is one of six cases:
    1. something is in flight or unknown: leave it;
    2. an order, no wish: cancel;
    3. an order older than allowed: cancel (it is placed anew when it has gone);
    4. an order and a wish that differ by more than the tolerance: modify;
    5. an order and a wish near enough: keep, and with it the place in the queue;
    6. a wish, no order: place.
    Without `may_add` (after refusals) nothing new is asked for, and what stands wrong is
    cancelled rather than modified. Orders of no slot (adopted ones) have no wish.
    """
    cancels: list[Change] = []
    modifies: list[Change] = []
    places: list[Change] = []
    bid_ticks, bid_lots, ask_ticks, ask_lots = NOTHING if quotes is None else quotes.ladder()
    _plan_side(orders.slots[0], bid_ticks, bid_lots, params, now_ns, (cancels, modifies, places), is_ask=False)
    _plan_side(orders.slots[1], ask_ticks, ask_lots, params, now_ns, (cancels, modifies, places), is_ask=True)
    cancels.extend(Change(order, order.is_ask, -1) for order in orders.strays.values() if order.state is OPEN)
    if not may_add:
        return cancels + [Change(change.order, change.is_ask, change.level) for change in modifies]
    return cancels + modifies + places


def _plan_side(
    slots: list[Order | None],
    prices: list[int],
    sizes: list[int],
    params: QuoteParams,
    now_ns: int,
    changes: tuple[list[Change], list[Change], list[Change]],
    *,
    is_ask: bool,
) -> None:
    """Sort one side's slots into cancels, modifies and places.

    A modify loses the place in the queue, so small differences are kept. Compared is what
    remains of an order, not what it was born with.
    """
    cancels, modifies, places = changes
    tolerance_ticks = prices[0] * params.reprice_threshold_bps / BPS if prices else 0.0
    slack = params.resize_threshold_fraction
    born_before_ns = now_ns - params.order_age_max_s * NS_PER_S if params.order_age_max_s else 0
    for level, order in enumerate(slots):
        size = sizes[level] if sizes else 0
        if order is None:
            if size:
                places.append(Change(None, is_ask, level, prices[level], size))
        elif order.state is OPEN:
            if not size or order.since_ns < born_before_ns:
                cancels.append(Change(order, is_ask, level))
                continue
            price = prices[level]
            remaining = order.size_lots - order.filled_lots
            if abs(order.price_ticks - price) > tolerance_ticks or abs(remaining - size) > size * slack:
                modifies.append(Change(order, is_ask, level, price, size))
