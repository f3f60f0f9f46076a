"""From wished quotes and working orders to the fewest transactions that make one the other.

Law: an order is paired with a wish by its slot (side and level), never by price. One
transaction per slot at a time: what is in flight is left alone until it is answered. Except
when the whole market is pulled: then all that may rest is cancelled, answered or not. When
messages are scarce each slot waits for its turn (see `pace.py`).
"""

import msgspec

from lighterman.domain.units import BPS, price_floor
from lighterman.engine.order import Order, OrderState
from lighterman.engine.orders import MarketOrders, Standing
from lighterman.engine.pace import UNHURRIED, Pace
from lighterman.strategy.params import QuoteParams, QuoteRules
from lighterman.strategy.quoter import Quotes

NS_PER_S = 1_000_000_000
OPEN = OrderState.OPEN


class Change(msgspec.Struct, gc=False):
    """What one slot needs: size 0 cancels `order`; without `order` it is placed, else modified.

    An order that `may_stay` need not go if it may not be moved now.
    """

    order: Order | None
    is_ask: bool
    level: int
    price_ticks: int = 0
    size_lots: int = 0
    may_stay: bool = False


def plan(
    orders: MarketOrders,
    quotes: Quotes | None,
    rules: QuoteRules,
    now_ns: int,
    *,
    may_add: bool,
    pace: Pace = UNHURRIED,
) -> list[Change]:
    """Return the changes, those that lower exposure first.

    Each slot is one of six cases:
    1. something is in flight or unknown: leave it;
    2. an order, no wish: cancel;
    3. an order older than allowed, or one that must go: cancel (it is placed anew when it has gone);
    4. an order and a wish that differ by more than the tolerance: modify, or cancel where the
       modify's total (what was filled, and the wish) would be worth more than one order may be;
    5. an order and a wish near enough: keep, and with it the place in the queue;
    6. a wish, no order: place, unless the last attempt was refused just now.
    A cancel that was refused is not sent again at once either. Without quotes the market is
    pulled. Without `may_add` (after refusals) nothing new is asked for, and what stands wrong is
    cancelled rather than modified. Orders of no slot (adopted ones) have no wish.
    """
    if quotes is None:
        pulled = [order for order in orders.by_id.values() if order.retry_ns <= now_ns and _may_be_pulled(order)]
        return [Change(order, order.is_ask, order.level) for order in pulled]
    params = rules.params
    born_before_ns = now_ns - params.order_age_max_s * NS_PER_S if params.order_age_max_s else 0
    bids, asks = orders.standing()
    bids_stand = bids is not None and _stands(bids, quotes.bid_ticks, quotes.bid_lots, params, born_before_ns)
    asks_stand = asks is not None and _stands(asks, quotes.ask_ticks, quotes.ask_lots, params, born_before_ns)
    if bids_stand and asks_stand and not orders.strays:
        return []
    cancels: list[Change] = []
    modifies: list[Change] = []
    places: list[Change] = []
    changes = (cancels, modifies, places)
    terms = (rules, now_ns, born_before_ns, pace, quotes.basis.fair_ticks)
    if not bids_stand:
        _plan_side(orders, quotes.bid_ticks, quotes.bid_lots, terms, changes, is_ask=False)
    if not asks_stand:
        _plan_side(orders, quotes.ask_ticks, quotes.ask_lots, terms, changes, is_ask=True)
    cancels.extend([Change(order, order.is_ask, -1) for order in orders.strays.values() if order.state is OPEN])
    if not may_add:
        cancels.extend([Change(change.order, change.is_ask, change.level) for change in modifies])
        modifies, places = [], []
    if cancels:
        cancels = [change for change in cancels if change.order is not None and change.order.retry_ns <= now_ns]
    return cancels + modifies + places


def _may_be_pulled(order: Order) -> bool:
    """Tell whether a cancel could do anything, and has not been sent already.

    A create in flight is waited for: its cancel may overtake it, and do nothing.
    """
    if order.state is OrderState.UNKNOWN:
        return order.executed and order.pending is not OrderState.CANCELLING
    return order.state is OPEN or order.state is OrderState.MODIFYING


def _stands(
    standing: Standing, prices: list[int], sizes: list[int], params: QuoteParams, born_before_ns: float
) -> bool:
    """Tell whether a whole side is case 5, as it is most of the time; `_plan_side` would find the same."""
    if standing.rests_lots != sizes or standing.since_ns < born_before_ns:
        return False
    prices_ticks, tolerance_ticks = standing.prices_ticks, price_floor(prices[0] * params.reprice_threshold_bps / BPS)
    for level, price in enumerate(prices):  # noqa: SIM110  (`all` with a generator takes twice as long)
        if abs(prices_ticks[level] - price) > tolerance_ticks:
            return False
    return True


def _plan_side(
    orders: MarketOrders,
    prices: list[int],
    sizes: list[int],
    terms: tuple[QuoteRules, int, float, Pace, float],
    changes: tuple[list[Change], list[Change], list[Change]],
    *,
    is_ask: bool,
) -> None:
    """Sort one side's slots into cancels, modifies and places.

    A modify loses the place in the queue, so small differences are kept. Compared is what
    remains of an order, not what it was born with. One that is nearer to the fair price than any
    quote may be stands wrong.
    """
    cancels, modifies, places = changes
    rules, now_ns, born_before_ns, pace, fair_ticks = terms
    params = rules.params
    tolerance_ticks = prices[0] * params.reprice_threshold_bps / BPS
    slack = params.resize_threshold_fraction
    held_ns, moved_ns = orders.held_ns[is_ask], orders.moved_ns
    for level, order in enumerate(orders.slots[is_ask]):
        size = sizes[level]
        if order is None:
            turn_ns = max(held_ns[level], moved_ns[level] + pace.rest_ns(level))
            if size and turn_ns <= now_ns and (not level or len(places) < pace.room):
                places.append(Change(None, is_ask, level, prices[level], size))
        elif order.state is OPEN:
            if not size or order.must_go or order.since_ns < born_before_ns:
                cancels.append(Change(order, is_ask, level))
                continue
            price, filled_lots = prices[level], order.filled_lots
            if abs(order.price_ticks - price) <= tolerance_ticks and (
                abs(order.size_lots - filled_lots - size) <= size * slack
            ):
                continue
            edge_ticks = order.price_ticks - fair_ticks if is_ask else fair_ticks - order.price_ticks
            is_wrong = edge_ticks * BPS < fair_ticks * rules.edge_min_bps
            waits = pace is not UNHURRIED and now_ns < max(held_ns[level], moved_ns[level] + pace.rest_ns(level))
            if waits and size >= order.size_lots - filled_lots:
                if is_wrong:
                    cancels.append(Change(order, is_ask, level))
                continue
            if filled_lots and rules.market.notional_micro(price, filled_lots + size) > rules.order_value_micro_max:
                cancels.append(Change(order, is_ask, level))
            else:
                modifies.append(Change(order, is_ask, level, price, size, may_stay=not is_wrong))
