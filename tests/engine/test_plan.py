"""From wishes and orders to the fewest transactions."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from helpers.desk import ETH, quote_params
from lighterman.domain.commands import CancelOrder, ModifyOrder, PlaceOrder
from lighterman.domain.events import OrderReport
from lighterman.engine.order import OrderState
from lighterman.engine.orders import MarketOrders, Orders
from lighterman.engine.plan import Change, plan
from lighterman.strategy.params import QuoteParams, bind
from lighterman.strategy.quoter import Basis, Quotes

S = 1_000_000_000
NOW = 1000 * S
BASIS = Basis(200_000.0, 200_000.0, 0.0, None, 10.0, 0.0, 10.0, 10.0)
PARAMS = quote_params(reprice_threshold_bps=1.0, resize_threshold_fraction=0.25)  # 20 ticks and a quarter
VALUE_MAX = 10**12


def _wish(bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> Quotes:
    (bid_ticks, bid_lots), (ask_ticks, ask_lots) = (map(list, zip(*side, strict=True)) for side in (bids, asks))
    return Quotes(BASIS, bid_ticks, bid_lots, "", ask_ticks, ask_lots, "")


WISH = _wish([(199_800, 1000), (199_700, 1500)], [(200_200, 1000), (200_300, 1500)])


class Desk:
    """Two levels a side, all resting as wished."""

    def __init__(self, *, is_placed: bool = True) -> None:
        self.orders = Orders(5 * S, 30 * S)
        self.orders.open_market(0, 2)
        self.commands = 10
        if is_placed:
            for change in self.plan(WISH):
                self.send(change)
                self.row(self.commands)

    @property
    def market(self) -> MarketOrders:
        return self.orders.of_market(0)

    def plan(
        self,
        wish: Quotes | None,
        params: QuoteParams = PARAMS,
        *,
        now_ns: int = NOW,
        may_add: bool = True,
        value_max: int = VALUE_MAX,
    ) -> list[Change]:
        return plan(self.market, wish, bind(params, ETH, value_max), now_ns, may_add=may_add)

    def send(self, change: Change) -> None:
        self.commands += 1
        if change.order is None:
            place = PlaceOrder(self.commands, 0, self.commands, change.is_ask, change.price_ticks, change.size_lots)
            self.orders.place(place, change.level, NOW)
        elif change.size_lots:
            total = change.order.filled_lots + change.size_lots
            client = change.order.client_order_index
            self.orders.modify(ModifyOrder(self.commands, 0, client, change.price_ticks, total), NOW)
        else:
            self.orders.cancel(CancelOrder(self.commands, 0, change.order.client_order_index), NOW)

    def row(self, client: int, status: str = "open", filled: int = 0) -> None:
        order = self.orders.get(client)
        assert order is not None
        self.orders.reported(
            OrderReport(0, client, 9, order.is_ask, order.asked_ticks, order.asked_lots, filled, status, 1, NOW), NOW
        )


def _short(changes: list[Change]) -> list[tuple[str, bool, int]]:
    """Return what each change does, on which side and level."""
    kinds = [("place" if c.order is None else "modify" if c.size_lots else "cancel") for c in changes]
    return [(kind, c.is_ask, c.level) for kind, c in zip(kinds, changes, strict=True)]


def _moved(ticks: int, lots: int = 0) -> Quotes:
    """Return the wish with the first bid moved and resized."""
    first = (WISH.bid_ticks[0] + ticks, WISH.bid_lots[0] + lots)
    return _wish([first, (199_700, 1500)], [(200_200, 1000), (200_300, 1500)])


def test_an_empty_book_of_ours_is_filled():
    """A wish without an order is placed, bids first, level by level (case 6)."""
    changes = Desk(is_placed=False).plan(WISH)

    assert [("place", False, 0), ("place", False, 1), ("place", True, 0), ("place", True, 1)] == _short(changes)
    assert [(199_800, 1000), (199_700, 1500)] == [(c.price_ticks, c.size_lots) for c in changes[:2]]


def test_what_stands_right_is_kept():
    """Where every order is as wished nothing is sent (case 5, O1, SD2)."""
    assert [] == Desk().plan(WISH)


def test_a_small_difference_keeps_its_place_in_the_queue():
    """Up to the thresholds an order stays; beyond either of them it is modified (cases 4 and 5, O2, O3)."""
    for ticks, lots, changes in [
        (19, 0, 0),
        (-19, 0, 0),
        (21, 0, 1),
        (0, 300, 0),
        (0, 350, 1),
        (0, -190, 0),
        (0, -250, 1),
    ]:
        assert [("modify", False, 0)] * changes == _short(Desk().plan(_moved(ticks, lots))), (ticks, lots)


def test_the_size_compared_is_what_remains():
    """A partly filled order that still has enough is kept, one that has too little is filled up again (O2)."""
    kept, topped = Desk(), Desk()
    for desk, lots in ((kept, 200), (topped, 300)):
        order = desk.market.slots[False][0]
        assert order is not None
        order.filled_lots = lots

    assert [] == kept.plan(WISH)
    (change,) = topped.plan(WISH)
    assert (1000, 199_800) == (change.size_lots, change.price_ticks)


def test_a_modify_worth_too_much_in_total_is_a_cancel():
    """A modify names the total size: where that is worth more than one order may be, the order goes (I2)."""
    desk = Desk()
    order = desk.market.slots[False][0]
    assert order is not None
    order.filled_lots = 900

    assert [("modify", False, 0)] == _short(desk.plan(WISH, value_max=1900 * 199_800))
    assert [("cancel", False, 0)] == _short(desk.plan(WISH, value_max=1900 * 199_800 - 1))


def test_an_order_without_a_wish_is_cancelled():
    """A level whose wish is empty loses its order (case 2)."""
    assert [("cancel", False, 0)] == _short(Desk().plan(_moved(0, -1000)))


def test_an_old_order_is_replaced():
    """Beyond its greatest age an order is cancelled, and placed anew when it has gone (case 3)."""
    params = quote_params(order_age_max_s=10.0)

    assert [] == Desk().plan(WISH, params, now_ns=NOW + 10 * S)
    assert 4 == len(Desk().plan(WISH, params, now_ns=NOW + 11 * S))
    assert {"cancel"} == {kind for kind, _, _ in _short(Desk().plan(WISH, params, now_ns=NOW + 11 * S))}


def test_an_order_that_must_go_goes():
    """An order that could not be put right is cancelled even where it stands as wished (case 3)."""
    desk = Desk()
    desk.orders.give_up(11)

    assert [("cancel", False, 0)] == _short(desk.plan(WISH))


def test_what_is_in_flight_is_left_alone():
    """One transaction a slot: until it is answered nothing more is sent about it (case 1)."""
    for wish in (_moved(50), _moved(0, -1000)):
        desk = Desk()
        desk.send(desk.plan(_moved(100))[0])
        assert [] == desk.plan(wish)
        desk.orders.unknown(desk.commands)
        assert [] == desk.plan(wish)


def test_the_lowering_of_exposure_comes_first():
    """Cancels go before modifies, and modifies before placements."""
    desk = Desk()
    desk.row(14, "canceled")
    wish = _wish([(199_800, 0), (199_600, 1500)], [(200_200, 1000), (200_300, 1500)])

    assert [("cancel", False, 0), ("modify", False, 1), ("place", True, 1)] == _short(desk.plan(wish))


def test_after_refusals_nothing_is_added():
    """While a market cools down wrong orders are cancelled and none is placed or modified."""
    desk = Desk()
    desk.row(14, "canceled")

    assert [("cancel", False, 0)] == _short(desk.plan(_moved(50), may_add=False))


def test_a_refused_cancel_and_a_held_slot_wait():
    """What was refused is tried again later, not at every turn (HB5)."""
    desk = Desk()
    for order in desk.orders:
        order.retry_ns = NOW + S
    assert [] == desk.plan(None) == desk.plan(_moved(0, -1000))
    assert 4 == len(desk.plan(None, now_ns=NOW + S))

    empty = Desk(is_placed=False)
    empty.market.held_ns[False][1] = NOW + S
    assert [(False, 0), (True, 0), (True, 1)] == [(c.is_ask, c.level) for c in empty.plan(WISH)]
    assert 4 == len(empty.plan(WISH, now_ns=NOW + S))


def test_pulling_a_market_waits_for_no_answer():
    """Without quotes all that may rest is cancelled, modifies in flight too; creates in flight are waited for (SD5)."""
    desk = Desk()
    desk.send(desk.plan(_moved(100))[0])  # 11 is being modified
    desk.send(desk.plan(_wish([(199_900, 1000), (199_700, 0)], [(200_200, 1000), (200_300, 1500)]))[0])  # 12 cancelled
    desk.orders.doubt(next(order for order in desk.orders if order.client_order_index == 13), NOW)
    desk.row(14, "canceled")
    desk.send(next(c for c in desk.plan(WISH) if c.order is None))  # sent, not seen yet

    pulled = desk.plan(None)
    assert [11, 13] == [c.order.client_order_index for c in pulled if c.order]
    for change in pulled:
        desk.send(change)
    assert [] == desk.plan(None)


def test_pulling_does_not_chase_what_may_not_be_there():
    """An unknown order that never showed itself, or is being cancelled already, is asked about and not chased (HB5)."""
    unseen, leaving = Desk(is_placed=False), Desk()
    for change in unseen.plan(WISH):
        unseen.send(change)
        unseen.orders.unknown(unseen.commands)
    for change in leaving.plan(None):
        leaving.send(change)
        leaving.orders.unknown(leaving.commands)

    assert {OrderState.UNKNOWN} == {order.state for desk in (unseen, leaving) for order in desk.orders}
    assert [] == unseen.plan(None) == leaving.plan(None)


def test_adopted_orders_are_cancelled():
    """An order without a slot has no wish (E8)."""
    desk = Desk()
    desk.orders.adopt(OrderReport(0, 99, 9, False, 150_000, 10, 0, "open", 1, NOW), NOW)

    assert [("cancel", False, -1)] == _short(desk.plan(WISH))


SIDES = st.lists(st.tuples(st.integers(0, 60), st.sampled_from([0, 500, 1000, 1400])), min_size=2, max_size=2)


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=8))
def test_any_wishes_are_reached_and_then_nothing_is_sent(wishes):
    """Whatever is wished in turn, on a good venue at most two rounds make the orders match it (BR1, L1)."""
    desk = Desk(is_placed=False)
    for bids, asks in wishes:
        wish = _wish(
            [(199_900 - 100 * level - away, size) for level, (away, size) in enumerate(bids)],
            [(200_100 + 100 * level + away, size) for level, (away, size) in enumerate(asks)],
        )
        for _ in range(2):
            for change in desk.plan(wish):
                desk.send(change)
                client = change.order.client_order_index if change.order else desk.commands
                desk.row(client, "open" if change.order is None or change.size_lots else "canceled")
        assert [] == desk.plan(wish)
        wished = sum(size > 0 for size in [*wish.bid_lots, *wish.ask_lots])
        assert wished == len(desk.orders) == sum(order.state is OrderState.OPEN for order in desk.orders)


def test_a_change_is_its_fields():
    """A change without an order, or without a size, is a placement or a cancel, and is insisted on."""
    assert (None, False, 0, 0, 0, False) == msgspec.structs.astuple(Change(None, is_ask=False, level=0))
