"""The life of our orders: answers, silence, rows late and doubled, fills after the end."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighterman.domain.book import NO_ASK, NO_BID
from lighterman.domain.commands import CancelOrder, ModifyOrder, PlaceOrder
from lighterman.domain.errors import InvariantBroken
from lighterman.domain.events import FillReport, OrderReport
from lighterman.engine import orders as room
from lighterman.engine.order import ORDER_TRANSITIONS, Order, OrderState
from lighterman.engine.orders import Orders

S = 1_000_000_000
TIMEOUT, LIFETIME = 5 * S, 30 * S
GONE = LIFETIME + room.SIGNED_LATE_NS + room.CLOCKS_NS
S_, T = OrderState, OrderState


class Desk:
    """One bid of 10 lots at 100 in a world without an engine."""

    def __init__(self) -> None:
        self.orders = Orders(TIMEOUT, LIFETIME)
        self.orders.open_market(0, 3)
        self.now = 100 * S
        self.commands = 0

    @property
    def order(self) -> Order:
        order = self.orders.get(1)
        assert order is not None
        return order

    def command(self) -> int:
        self.commands += 1
        return self.commands

    def place(self, client: int = 1, level: int = 0, *, is_ask: bool = False) -> "Desk":
        self.orders.place(PlaceOrder(self.command(), 0, client, is_ask, 100, 10), level, self.now)
        return self

    def modify(self, price: int = 101, size: int = 12) -> "Desk":
        self.orders.modify(ModifyOrder(self.command(), 0, 1, price, size), self.now)
        return self

    def cancel(self) -> "Desk":
        self.orders.cancel(CancelOrder(self.command(), 0, 1), self.now)
        return self

    def row(self, status: str = "open", price: int = 100, size: int = 10, filled: int = 0, at: int = 0) -> "Desk":
        self.orders.reported(self.report(status, price, size, filled, at), self.now)
        return self

    def report(
        self, status: str = "open", price: int = 100, size: int = 10, filled: int = 0, at: int = 0, client: int = 1
    ) -> OrderReport:
        return OrderReport(0, client, 9, is_ask=False, price_ticks=price, size_lots=size, filled_lots=filled,
                           status=status, venue_us=at or self.now // 1000, recv_ns=self.now)  # fmt: skip

    def fill(self, size: int) -> "Desk":
        self.orders.filled(FillReport(0, 1, 9, 1, is_ask=False, price_ticks=100, size_lots=size, is_maker=True,
                                      fee_ppm=0, venue_us=1, recv_ns=self.now))  # fmt: skip
        return self

    def executed(self, error: str = "") -> "Desk":
        self.orders.executed(self.commands, error, self.now)
        return self

    def refused(self) -> "Desk":
        self.orders.refused(self.commands, self.now)
        return self

    def unknown(self) -> "Desk":
        self.orders.unknown(self.commands)
        return self

    def absent(self, after: int = 0) -> "Desk":
        self.orders.absent(1, self.now + after)
        return self

    def later(self, ns: int) -> "Desk":
        self.now += ns
        return self

    def open(self) -> "Desk":
        return self.place().row()

    def exposed(self) -> int:
        order = self.orders.get(1)
        return order.exposed_lots() if order else 0


# How each edge of the table comes about.
EDGES: dict[tuple[OrderState, OrderState], Callable[[], Desk]] = {
    (S_.SENT, T.OPEN): lambda: Desk().place().row(),
    (S_.SENT, T.UNKNOWN): lambda: Desk().place().unknown(),
    (S_.SENT, T.DRAINING): lambda: Desk().place().row("filled", filled=10),
    (S_.SENT, T.DONE): lambda: Desk().place().refused(),
    (S_.OPEN, T.MODIFYING): lambda: Desk().open().modify(),
    (S_.OPEN, T.CANCELLING): lambda: Desk().open().cancel(),
    (S_.OPEN, T.UNKNOWN): lambda: _doubted(Desk().open()),
    (S_.OPEN, T.DRAINING): lambda: Desk().open().row("canceled-expired", filled=4),
    (S_.MODIFYING, T.OPEN): lambda: Desk().open().modify().row(price=101, size=12),
    (S_.MODIFYING, T.CANCELLING): lambda: Desk().open().modify().cancel(),
    (S_.MODIFYING, T.UNKNOWN): lambda: Desk().open().modify().unknown(),
    (S_.MODIFYING, T.DRAINING): lambda: Desk().open().modify().row("canceled-post-only", filled=1),
    (S_.CANCELLING, T.OPEN): lambda: Desk().open().cancel().refused(),
    (S_.CANCELLING, T.UNKNOWN): lambda: Desk().open().cancel().executed("given order is not active"),
    (S_.CANCELLING, T.DRAINING): lambda: Desk().open().cancel().row("canceled", filled=3),
    (S_.UNKNOWN, T.OPEN): lambda: Desk().place().unknown().row(),
    (S_.UNKNOWN, T.CANCELLING): lambda: Desk().open().modify().unknown().cancel(),
    (S_.UNKNOWN, T.DRAINING): lambda: Desk().place().unknown().row("filled", filled=10),
    (S_.UNKNOWN, T.DONE): lambda: Desk().place().unknown().absent(after=GONE),
    (S_.DRAINING, T.DONE): lambda: Desk().open().row("filled", filled=10).fill(10),
}


def _doubted(desk: Desk) -> Desk:
    desk.orders.doubt(desk.order, desk.now)
    return desk


def test_every_edge_of_the_table_can_be_gone():
    """The table has no edge that no event leads along."""
    assert {(before, after) for before, targets in ORDER_TRANSITIONS.items() for after in targets} == set(EDGES)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: f"{edge[0].value}-{edge[1].value}")
def test_each_edge_is_gone_by_its_event(edge):
    """Each edge is what one kind of answer, row, fill or silence does to an order in that state."""
    orders = EDGES[edge]().orders
    if edge[1] is OrderState.DONE:
        assert (0, True) == (len(orders), orders.remembers(1))
    else:
        order = orders.get(1)
        assert order is not None
        assert edge[1] is order.state


# -- answers and silence --------------------------------------------------------------------


def test_a_refused_create_never_was():
    """A create that certainly had no effect leaves exposure and slot at once."""
    desk = Desk().place().refused()

    assert (0, True) == (desk.exposed(), desk.orders.remembers(1))
    desk.place(client=2)


def test_an_executed_create_with_an_error_never_was():
    """The sequencer's word that a create could not apply ends it, also after silence (N6)."""
    assert 0 == len(Desk().place().executed("client order index already exists").orders)
    assert 0 == len(Desk().place().unknown().executed("client order index already exists").orders)


def test_silence_makes_an_order_unknown_and_asked_about():
    """What is not answered in time counts on, and is asked about again and again until it is (O5, SD7, NT7)."""
    desk = Desk().place()
    assert [] == desk.orders.expire(desk.now + TIMEOUT - 1)

    for wait in (TIMEOUT, TIMEOUT, TIMEOUT):
        assert desk.now + wait == desk.orders.deadline_ns
        assert [desk.order] == desk.orders.expire(desk.later(wait).now)
        assert (OrderState.UNKNOWN, 10) == (desk.order.state, desk.exposed())


def test_an_acknowledgement_is_not_an_execution():
    """A queued command is waited for anew, and is not taken for done (E1)."""
    desk = Desk().place().later(3 * S)
    desk.orders.acked(1, desk.now)

    assert OrderState.SENT is desk.order.state
    assert [] == desk.orders.expire(desk.now + TIMEOUT - 1)
    assert [desk.order] == desk.orders.expire(desk.now + TIMEOUT)


@pytest.mark.parametrize("after", [0, LIFETIME, GONE - 1])
def test_absence_is_not_believed_while_the_create_may_still_run(after):
    """A create that the venue does not know may be queued until it expires: it counts on (N6, HB2, I1)."""
    assert 10 == Desk().place().unknown().absent(after).exposed()


def test_absence_is_believed_after_the_lifetime():
    """Past its ExpiredAt, signed late and by the slower clock, an unknown create will never come."""
    assert 0 == Desk().place().unknown().absent(GONE).exposed()


def test_a_modify_begins_the_lifetime_anew():
    """An order with a modify under way is not gone before that has expired too."""
    desk = Desk().open().later(60 * S).modify().unknown()

    assert 12 == desk.absent(GONE - 1).exposed()
    assert 0 == desk.absent(GONE).exposed()


def test_absence_is_believed_of_unknown_orders_only():
    """An order whose answer is awaited, or that rests, is not ended by a look that missed it."""
    assert 10 == Desk().place().absent(GONE).exposed()
    assert 10 == Desk().open().absent(GONE).exposed()


def test_an_answer_to_an_older_command_says_nothing():
    """A late refusal of a modify does not undo the cancel that was sent after it (E9)."""
    desk = Desk().open().modify().unknown().cancel()
    desk.orders.refused(2, desk.now)

    assert (OrderState.CANCELLING, 12) == (desk.order.state, desk.exposed())


def test_answers_to_nobody_are_ignored():
    """An answer to a command that is not awaited, or to a cancel-all, changes nothing."""
    desk = Desk().open()
    desk.orders.acked(99, desk.now)

    assert desk.orders.refused(99, desk.now) is desk.orders.unknown(99) is desk.orders.executed(99, "", 1) is None
    assert desk.orders.reported(desk.report(client=7), 1) is None
    assert OrderState.OPEN is desk.order.state


def test_a_refused_cancel_is_not_sent_again_at_once():
    """An order whose cancel was refused rests on, and says before when not to try again (HB5)."""
    desk = Desk().open().cancel().refused()

    assert (OrderState.OPEN, desk.now + room.CANCEL_AGAIN_NS) == (desk.order.state, desk.order.retry_ns)


def test_only_the_last_command_of_an_order_is_remembered():
    """Commands that are never answered do not pile up (I17)."""
    desk = Desk().open()
    for number in range(100):
        desk.modify(price=100 + number % 2, size=11 + number).unknown().row(price=100 + number % 2, size=11 + number)

    assert [desk.commands] == [number for number in range(desk.commands + 1) if desk.orders.about(number)]
    desk.row("canceled")
    assert desk.orders.about(desk.commands) is None


# -- modifies -------------------------------------------------------------------------------


def test_both_terms_count_until_a_row_confirms():
    """A modify under way counts at the larger size and at both prices (I1, O4)."""
    desk = Desk().open().modify(price=101, size=15)
    assert (15, (15, 0, 101, 0)) == (desk.exposed(), desk.orders.of_market(0).worst())

    desk.row(price=101, size=15)
    assert (OrderState.OPEN, 101, 15) == (desk.order.state, desk.order.price_ticks, desk.order.size_lots)


def test_a_row_with_the_old_terms_does_not_answer_a_modify():
    """A fill reported while a modify is on its way leaves it on its way."""
    desk = Desk().open().modify().row(filled=2).fill(2)

    assert (OrderState.MODIFYING, 10) == (desk.order.state, desk.exposed())


def test_execution_alone_does_not_shrink_an_order():
    """A smaller size is believed when the row shows it: until then fills may be on the way (BM1)."""
    desk = Desk().open().modify(price=100, size=4).executed()
    assert (OrderState.MODIFYING, 10) == (desk.order.state, desk.exposed())

    desk.row(size=4, filled=1)
    assert (OrderState.OPEN, 4) == (desk.order.state, desk.exposed())


def test_a_shrunken_order_may_have_filled_more_than_its_size():
    """A modify to less than was filled ends the order with all its fills, and that is no overfill (4.8)."""
    desk = Desk().open().modify(price=100, size=4).row("filled", size=4, filled=7)
    assert 7 == desk.exposed()

    order = desk.order
    desk.fill(7)
    assert (0, False) == (len(desk.orders), order.is_overfilled())


def test_a_modify_without_effect_leaves_the_old_terms():
    """After a refusal, or an error of the sequencer, the order counts as it was."""
    for desk in (Desk().open().modify(size=15).refused(), Desk().open().modify(size=15).executed("invalid price")):
        assert (10, False) == (desk.exposed(), desk.order.is_in_doubt())


def test_a_modify_of_unknown_outcome_goes_on_counting_and_the_order_goes():
    """A row with the old terms proves nothing: the modify may come yet. So both count, and a cancel is due (N7)."""
    desk = Desk().open().modify(size=15).unknown().row()

    assert (OrderState.OPEN, 15, True) == (desk.order.state, desk.exposed(), desk.order.must_go)
    desk.later(S).row(price=101, size=15)
    assert (101, False) == (desk.order.price_ticks, desk.order.is_in_doubt())


def test_a_doubt_outlives_a_refused_cancel():
    """An order pulled while a modify was on its way must go whatever becomes of the cancel: both may still come."""
    desk = Desk().open().modify(size=15).cancel().refused()

    assert (OrderState.OPEN, 15, True) == (desk.order.state, desk.exposed(), desk.order.must_go)


def test_a_modify_found_done_is_done():
    """A row with the asked terms answers also after silence."""
    desk = Desk().open().modify(size=15).unknown().row(price=101, size=15)

    assert (OrderState.OPEN, 15, False) == (desk.order.state, desk.exposed(), desk.order.must_go)


# -- rows and fills, late and doubled -------------------------------------------------------


def test_an_older_row_does_not_bring_back_old_terms():
    """Terms are taken from no row that was written before the last one (E9)."""
    desk = Desk().open().later(S).modify(size=15).row(price=101, size=15).row(at=100 * S // 1000)

    assert (101, 15) == (desk.order.price_ticks, desk.order.size_lots)


def test_an_older_row_still_says_that_an_unknown_order_lives():
    """A row that tells time in whole seconds is older than it is; its order is known to rest all the same (A-9)."""
    desk = Desk().open().later(S // 2).cancel().unknown().row(at=99 * S // 1000)

    assert OrderState.OPEN is desk.order.state


def test_a_terminal_row_counts_whenever_it_was_written():
    """What ended does not come back, however coarse the time of the row that says so."""
    assert 0 == len(Desk().open().later(S // 2).row("canceled", at=99 * S // 1000).orders)


@given(st.permutations(["fill 3", "fill 7", "row 3", "row 10", "filled", "row 3", "filled"]))
def test_the_end_is_the_same_in_any_order(steps):
    """Rows and fills of an order, in any order and some twice, end it when all fills are in (I1, I11, E7, E9)."""
    desk, left = Desk().open(), {"fill 3", "fill 7"}
    for step in steps:
        kind, _, lots = step.partition(" ")
        assert desk.exposed() >= sum(int(name[5:]) for name in left), "what may still fill counts"
        if kind == "fill":
            left.discard(step)
            desk.fill(int(lots))
        elif not desk.orders.is_echo(desk.report(filled=int(lots or 10))):
            desk.row("filled" if kind == "filled" else "open", filled=int(lots or 10))
    assert 0 == len(desk.orders)


def test_a_late_fill_after_the_cancel_is_waited_for():
    """A canceled order leaves exposure only with its last fill (E7, rule 3, trap 38)."""
    desk = Desk().open().cancel().executed().row("canceled", filled=4)
    assert (OrderState.DRAINING, 4) == (desk.order.state, desk.exposed())

    assert 1 == desk.fill(3).exposed()
    assert 0 == desk.fill(1).exposed()


def test_a_missing_fill_is_asked_about():
    """An order whose fills do not come is asked about like any other silence."""
    desk = Desk().open().row("filled", filled=10)

    assert [desk.order] == desk.orders.expire(desk.now + TIMEOUT)
    assert OrderState.DRAINING is desk.order.state
    assert not desk.orders.any_may_rest()


def test_what_drains_is_let_go_when_no_fill_is_missing():
    """Once the account proves that no fill is missing, what ended before is done."""
    desk = Desk().open().row("filled", filled=10)
    desk.orders.drained(0, desk.now)
    assert 1 == len(desk.orders)

    desk.orders.drained(0, desk.now + 1)
    assert 0 == len(desk.orders)


def test_more_than_was_ever_asked_is_an_overfill():
    """Fills beyond the largest size an order ever had are told apart from those of a larger earlier size."""
    desk = Desk().open().modify(size=12).row(price=101, size=12).modify(price=101, size=11).row(price=101, size=11)

    assert not desk.fill(12).order.is_overfilled()
    assert desk.fill(1).order.is_overfilled()


# -- echoes and adoption --------------------------------------------------------------------


def _ended() -> Desk:
    return Desk().open().later(S).row("filled", filled=10).fill(10)


def test_a_row_no_newer_than_the_end_is_an_echo():
    """A doubled row of an ended order, or one that knows of fewer fills, brings nothing back (E9)."""
    desk = _ended()

    assert desk.orders.is_echo(desk.report(at=desk.now // 1000))
    assert desk.orders.is_echo(desk.later(S).report(filled=3))
    assert not desk.orders.is_echo(desk.report(filled=10))
    assert not desk.orders.is_echo(desk.report(client=2))


def test_any_row_of_an_order_we_only_thought_gone_is_news():
    """An order ended without a row of its own (refused, absent) is adopted as soon as one shows it (HB4, NT1)."""
    for desk in (Desk().place().refused(), Desk().open().modify().unknown().absent(GONE)):
        assert not desk.orders.is_echo(desk.report(at=1))
        desk.orders.adopt(desk.report(), desk.now)
        assert (OrderState.OPEN, -1) == (desk.order.state, desk.order.level)


def test_an_adopted_order_keeps_the_fills_it_had():
    """Fills applied before an order was lost sight of, or while, are not waited for again."""
    desk = Desk().open().fill(3).modify().unknown().absent(GONE).fill(2)
    desk.orders.adopt(desk.report(filled=3), desk.now)
    assert 5 == desk.order.filled_lots

    desk.row("canceled", filled=5)
    assert 0 == len(desk.orders)


def test_a_fill_that_an_adopted_orders_row_had_shown_counts_once():
    """What an adopted order can still do is what it has not done, whether its row or its fill came first (E8)."""
    desk = Desk()
    desk.orders.adopt(desk.report(filled=4), desk.now)
    assert 10 == desk.exposed()

    assert (6, False) == (desk.fill(4).exposed(), desk.order.is_overfilled())
    assert 1 == desk.fill(5).exposed()
    assert 1 == desk.row("canceled", filled=10).exposed()
    assert 0 == len(desk.fill(1).orders)


def test_fills_told_before_an_order_is_shown_are_its_own():
    """Fills of an order not heard of yet are counted when it is adopted."""
    desk = Desk()
    desk.orders.count(1, 3)
    desk.orders.adopt(desk.report(filled=4), desk.now)

    assert (7, 3) == (desk.exposed(), desk.order.filled_lots)


def test_an_id_is_used_once():
    """A second order with the id of one that lives, or that we remember, is a bug (I8)."""
    for desk in (Desk().open(), _ended()):
        with pytest.raises(InvariantBroken):
            desk.place(level=1)


def test_a_slot_holds_one_order():
    """A second order in a slot is a bug: that is how orders leak (O1)."""
    with pytest.raises(InvariantBroken):
        Desk().open().place(client=2)


def test_ended_orders_are_remembered_within_bounds(monkeypatch):
    """The memory of ended orders is bounded, the oldest go first (I17)."""
    monkeypatch.setattr(room, "ENDED_REMEMBERED_MAX", 3)
    desk = Desk()
    for client in range(1, 6):
        desk.place(client=client).refused()

    assert [False, False, True, True, True] == [desk.orders.remembers(client) for client in range(1, 6)]


# -- sums -----------------------------------------------------------------------------------


def test_own_sizes_are_what_may_rest_in_the_public_book():
    """Own size is what remains, at both prices of a modify under way; not what is only sent, or ended (Q11)."""
    desk = Desk().open().place(client=2, level=1).place(client=3, is_ask=True)
    desk.row(filled=4)
    assert ((100, {100: 6}), (NO_ASK, {})) == desk.orders.of_market(0).own_lots()

    desk.modify(price=105, size=14)
    assert ((105, {100: 6, 105: 10}), (NO_ASK, {})) == desk.orders.of_market(0).own_lots()
    desk.row("canceled", filled=9)
    assert ((NO_BID, {}), (NO_ASK, {})) == desk.orders.of_market(0).own_lots()


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 200), st.integers(1, 50)), max_size=6),
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["row", "fill", "modify", "cancel", "end"])), max_size=20),
)
def test_the_worst_is_what_the_orders_say_now(specs, steps):
    """The kept sums are those of the orders as they stand, after anything that happens to one."""
    orders = Orders(TIMEOUT, LIFETIME)
    orders.open_market(0, 6)
    for number, (is_ask, price, size) in enumerate(specs):
        orders.place(PlaceOrder(number + 1, 0, number + 1, is_ask, price, size), number, S)
    for command, (which, act) in enumerate(steps, 100):
        order = orders.get(which + 1)
        if order is not None:
            _do(orders, order, act, command)
        _check_worst(orders)


def _do(orders: Orders, order: Order, act: str, command: int) -> None:
    client = order.client_order_index
    report = OrderReport(0, client, 9, order.is_ask, order.asked_ticks, order.asked_lots, order.filled_lots,
                         "canceled" if act == "end" else "open", command, S)  # fmt: skip
    if act in ("row", "end"):
        orders.reported(report, S)
    elif act == "fill" and order.remaining_lots() > 0:
        orders.filled(FillReport(0, command, 9, client, order.is_ask, 1, 1, is_maker=True, fee_ppm=0, venue_us=1,
                                 recv_ns=1))  # fmt: skip
    elif act == "modify" and order.state is OrderState.OPEN:
        orders.modify(ModifyOrder(command, 0, client, order.price_ticks + 3, order.size_lots + 2), S)
    elif act == "cancel" and order.state is OrderState.OPEN:
        orders.cancel(CancelOrder(command, 0, client), S)


def _check_worst(orders: Orders) -> None:
    alive = list(orders)
    bids = [order for order in alive if not order.is_ask]
    asks = [order for order in alive if order.is_ask]
    worst = orders.of_market(0).worst()
    assert (sum(o.exposed_lots() for o in bids), sum(o.exposed_lots() for o in asks)) == worst[:2]
    bids = [order for order in bids if order.state is not OrderState.DRAINING]
    asks = [order for order in asks if order.state is not OrderState.DRAINING]
    assert worst.highest_bid_ticks == max((max(o.price_ticks, o.asked_ticks) for o in bids), default=0)
    assert worst.lowest_ask_ticks == min((min(o.price_ticks, o.asked_ticks) for o in asks), default=0)


def test_orders_show_themselves():
    """The whole and one market are listed in their texts."""
    desk = Desk().open()

    assert "<Orders [<bid 0 open 10@100>]>" == repr(desk.orders)
    assert "<MarketOrders [<bid 0 open 10@100>]>" == repr(desk.orders.of_market(0))
