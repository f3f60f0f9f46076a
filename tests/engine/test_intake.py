"""What each event does: doubled, reordered, foreign, adopted."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.desk import BTC, ETH, engine_params, market, market_params
from helpers.scripted_venue import MS, ScriptedVenue, commands, kinds, places
from lighterman.domain.commands import QueryAccount
from lighterman.domain.errors import InvariantBroken
from lighterman.domain.events import (
    BookDelta,
    BookLost,
    BookSnapshot,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    DayStarted,
    FundingReport,
    Link,
    LinkReport,
    MarketReport,
    OrdersAbsent,
    PositionReport,
    StatsReport,
)
from lighterman.engine import intake

EPOCH_7 = 7 << intake.EPOCH_SHIFT


def _quoting(*markets, **changes) -> ScriptedVenue:
    venue = ScriptedVenue(engine_params(*markets, **changes), *(() if not markets else (ETH, BTC)))
    venue.open()
    venue.accept()
    return venue


# -- fills and fundings ---------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 300)), min_size=1, max_size=12), st.data())
def test_private_events_give_the_same_in_any_order_and_number(trades, data):
    """Rows, fills and fundings shuffled and doubled leave the same cash and position (I10, I11, E9, SD8)."""
    venues = _quoting(), _quoting()
    orders = [order.client_order_index for order in venues[0].orders()]
    events: list[object] = [FundingReport(0, 3, -17, venues[0].now_ns)]
    filled = dict.fromkeys(orders, 0)
    for which, lots in trades:
        client = orders[which]
        size = min(lots, 1000 - filled[client])
        if size > 0:
            filled[client] += size
            events += [venues[0].fill(client, size), venues[0].row(client, filled_lots=filled[client])]
    shuffled = data.draw(st.permutations([*events, *events[: data.draw(st.integers(0, len(events)))]]))
    venues[0].tell(*events)
    venues[1].tell(*shuffled)

    first, second = (venue.engine.state.ledger for venue in venues)
    assert first.cash_pico == second.cash_pico
    assert first.markets[0].position == second.markets[0].position
    assert filled == {order.client_order_index: order.filled_lots for order in venues[1].orders()}


def test_fills_reach_their_own_market_alone():
    """A fill moves position and skew of its market and of no other (O12, SD8)."""
    venue = _quoting(market_params(position_max="1"), market_params("BTC"))
    venue.tell(venue.fill(venue.order(), 500))
    venue.decide(100)

    held = venue.engine.state.ledger.markets
    assert (500, 0) == (held[ETH.index].position.size_lots, held[BTC.index].position.size_lots)
    skews = {facts.symbol: quotes.basis.skew for facts in (ETH, BTC) if (quotes := venue.verdict(facts).quotes)}
    assert {"ETH": 0.05, "BTC": 0.0} == skews


def test_a_late_fill_of_an_ended_order_is_counted_and_no_cause_for_alarm():
    """An order that ended and is remembered may still be told of: its fill counts (E7)."""
    venue = _quoting()
    order = venue.order()
    venue.tell(venue.row(order, "canceled"), venue.fill(order.client_order_index, 5))
    venue.decide(100)

    assert 5 == venue.engine.state.ledger.markets[0].position.size_lots
    assert "" == venue.why()


def test_a_fill_of_ours_that_we_lost_sight_of_has_the_account_asked_for():
    """A fill with an id of ours, of an order nobody remembers, counts; the account then shows whether it lives (E8)."""
    venue = _quoting()
    venue.tell(venue.fill((1 << intake.EPOCH_SHIFT) + 9999, 5))
    decision = venue.decide(100)

    assert [QueryAccount()] == decision.queries
    assert (5, "") == (venue.engine.state.ledger.markets[0].position.size_lots, venue.why())


def test_nothing_is_booked_before_the_ledger_is_open():
    """What happened before the first snapshot is in the snapshot."""
    venue = ScriptedVenue()
    venue.describe()
    venue.tell(venue.fill(5, 7), FundingReport(0, 1, 10, venue.now_ns))
    venue.snapshot(ETH=3)

    assert 3 == venue.engine.state.ledger.markets[0].position.size_lots


# -- orders of ours, of an earlier session, of others ----------------------------------------


def test_an_order_of_an_earlier_session_is_adopted_and_cancelled():
    """An order with an id of an earlier epoch is tracked, counted and cancelled, never quoted with (O14, L2)."""
    venue = ScriptedVenue(epoch=9)
    venue.describe()
    venue.prices()
    venue.snapshot(venue.row(EPOCH_7 + 3, size_lots=700))
    assert 700 == venue.engine.state.orders.of_market(0).worst().buy_lots
    venue.tell(*(DayStarted(1, venue.now_ns),))
    venue.connect()

    cancelled = [command for command in commands(venue.decide()) if type(command).__name__ == "CancelOrder"]
    assert [EPOCH_7 + 3] == [command.client_order_index for command in cancelled]  # type: ignore[union-attr]


def test_fills_of_an_order_taken_over_count_once():
    """Those in the first account are in its positions; those told later are new, whatever the row shows (E8, I1)."""
    venue = ScriptedVenue(epoch=9)
    venue.describe()
    venue.snapshot(venue.row(EPOCH_7 + 3, size_lots=700, filled_lots=200))
    worst = venue.engine.state.orders.of_market(0).worst

    assert 500 == worst().buy_lots
    venue.tell(venue.row(EPOCH_7 + 3, size_lots=700, filled_lots=300), venue.fill(EPOCH_7 + 3, 100))
    assert 400 == worst().buy_lots


def test_a_fill_may_come_before_the_row_of_an_order_taken_over():
    """An order that shows itself by its fill is asked about, and its row adds nothing to the fill (E8, E9)."""
    venue = _quoting()
    client = (1 << intake.EPOCH_SHIFT) + 4000
    venue.tell(venue.fill(client, 100), venue.row(client, size_lots=700, filled_lots=100))

    assert {QueryAccount()} == set(venue.decide().queries)
    assert 600 == venue.engine.state.orders.of_market(0).strays[client].exposed_lots()


@pytest.mark.parametrize("client", [0, 12, (2 << intake.EPOCH_SHIFT) + 1, 2**48 - 1], ids=str)
def test_an_order_that_is_not_ours_halts_everything(client):
    """An order without an id of ours, or of a later session, stops all markets until a person looks (E14)."""
    venue = _quoting(market_params(), market_params("BTC"))
    venue.tell(venue.row(client))
    decision = venue.decide()

    assert ("foreign_order", "foreign_order") == (venue.why(ETH), venue.why(BTC))
    assert {"CancelOrder": 12} == kinds(decision)


def test_an_order_of_ours_in_a_market_that_is_not_configured_halts_too():
    """What is left in a market nobody watches cannot be managed."""
    venue = _quoting()
    venue.tell(venue.row(EPOCH_7, market=5))
    venue.decide()

    assert "foreign_order" == venue.why()


def test_a_foreign_order_that_has_ended_is_no_alarm():
    """A terminal row of somebody's order tells of the past."""
    venue = _quoting()
    venue.tell(venue.row(12, "filled"))

    assert [] == venue.decide(100).approved


def test_a_doubled_row_after_the_end_is_not_adopted():
    """A late copy of the open row of an order that has ended brings no order back (E9)."""
    venue = _quoting()
    open_row, order = venue.row(venue.order()), venue.order()
    venue.now_ns += MS
    venue.tell(venue.row(order, "canceled"), open_row)

    assert 5 == len(venue.orders())


def test_an_order_thought_never_to_have_been_is_adopted_when_it_appears():
    """A create believed refused that rests all the same is tracked again and cancelled (HB4, NT1)."""
    venue = ScriptedVenue()
    first = venue.open()
    place = places(first)[0]
    venue.tell(CommandRefused(place.command_id, 21000, "no", venue.now_ns), venue.row(place))

    assert place.client_order_index in venue.engine.state.orders.of_market(0).strays


# -- refusals and cooling down ---------------------------------------------------------------


def _refuse_all(venue: ScriptedVenue) -> None:
    for command in commands(venue.decisions[-1]):
        venue.tell(CommandRefused(command.command_id, 21739, "not enough margin", venue.now_ns))


def _cooldown_ms(venue: ScriptedVenue) -> int:
    return (venue.engine.state.markets[0].cooldown_until_ns - venue.now_ns) // MS


def test_refusals_are_answered_with_patience():
    """After a refusal nothing new is placed for a while that doubles each time, and a batch counts once (I13, BM1)."""
    venue = ScriptedVenue()
    venue.open()
    waits = []
    for _ in range(9):
        _refuse_all(venue)
        waits.append(_cooldown_ms(venue))
        assert not venue.decide(100).approved
        venue.now_ns += waits[-1] * MS
        venue.prices()
        assert {"PlaceOrder": 6} == kinds(venue.decide(100))

    assert [500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 10_000] == waits


def test_a_refused_cancel_is_no_reason_to_wait_with_anything_else():
    """Cancels that cannot leave, because the link is down say, do not delay the return of the quotes (L1)."""
    venue = _quoting()
    for _ in range(10):
        venue.tell(LinkReport(Link.TRANSACTIONS, up=False, reason="closed", recv_ns=venue.now_ns))
        for command in commands(venue.decide(1000)):
            venue.tell(CommandRefused(command.command_id, 0, "not sent", venue.now_ns))

    assert 0 == venue.engine.state.markets[0].cooldown_until_ns
    assert 6 == len(venue.orders())


def test_an_execution_ends_the_patience():
    """A create or modify that took effect resets the wait; a cancel does not."""
    venue = ScriptedVenue()
    venue.open()
    _refuse_all(venue)
    venue.now_ns += 600 * MS
    venue.prices()
    venue.accept(venue.decide())
    assert 0 == venue.engine.state.markets[0].cooldown_ns

    venue.engine.state.markets[0].cooldown_ns = 77
    venue.tell(BookLost(0, "gap", venue.now_ns))
    venue.accept(venue.decide())
    assert 77 == venue.engine.state.markets[0].cooldown_ns


def test_an_error_of_the_sequencer_cools_down_unless_a_cancel_lost_its_race():
    """A create that could not apply is a refusal; a cancel that found nothing met a fill and is asked about (E7)."""
    venue = _quoting()
    venue.tell(BookLost(0, "gap", venue.now_ns))
    cancel = commands(venue.decide())[0]
    venue.tell(CommandExecuted(cancel.command_id, "given order is not an active limit order", venue.now_ns))
    assert 0 == venue.engine.state.markets[0].cooldown_until_ns
    assert 1 == len(venue.decide().queries)

    fresh = ScriptedVenue()
    place = places(fresh.open())[0]
    fresh.tell(CommandExecuted(place.command_id, "client order index already exists", fresh.now_ns))
    assert 500 == _cooldown_ms(fresh)


def test_an_unknown_outcome_is_not_placed_again():
    """A create whose reply was lost keeps its slot and its exposure: nothing is sent in its stead (HB2, N6, NT1)."""
    venue = ScriptedVenue()
    for place in places(venue.open()):
        venue.tell(CommandUnknown(place.command_id, "timeout", venue.now_ns))
    for _ in range(30):
        venue.now_ns += 100 * MS
        venue.prices()
        assert [] == venue.decide().approved
    venue.tell(OrdersAbsent([order.client_order_index for order in venue.orders()], venue.now_ns, venue.now_ns))
    assert 6 == len(venue.orders())

    venue.now_ns += 30_000 * MS
    venue.prices()
    venue.tell(OrdersAbsent([order.client_order_index for order in venue.orders()], venue.now_ns, venue.now_ns))
    assert {"PlaceOrder": 6} == kinds(venue.decide())


# -- markets and links ----------------------------------------------------------------------


def test_a_book_of_a_market_nobody_described_is_a_bug():
    """Books are followed of described markets only: another one was misrouted (O12)."""
    venue = _quoting()
    for event in (
        BookSnapshot(9, [], [], 1, 1, 1),
        BookDelta(9, [], [], 1, 1, 1),
        BookLost(9, "gap", 1),
        MarketReport(market(9, "SOL", 3, 50), 1),
    ):
        with pytest.raises(InvariantBroken):
            venue.tell(event)


def test_what_is_told_of_all_markets_may_name_others():
    """Statistics, positions and fundings come for every market of the venue; those of others are passed over."""
    venue = _quoting()
    venue.tell(StatsReport(9, 1, 1, 0, 1), PositionReport(9, 5, 1), FundingReport(9, 1, 5, 1))

    assert [] == venue.decide(100).approved


def test_the_first_mark_is_acted_on_at_once():
    """A market that waited for nothing but its mark is quoted in the next decision."""
    venue = ScriptedVenue()
    venue.describe()
    venue.book()
    venue.snapshot()
    venue.tell(DayStarted(1, venue.now_ns))
    venue.connect()
    assert "no_mark_price" == (venue.decide(), venue.why())[1]

    venue.tell(StatsReport(0, 200_000, 200_000, 0, venue.now_ns))
    assert {"PlaceOrder": 6} == kinds(venue.decide())


def test_a_new_minimum_binds_the_settings_anew():
    """When the venue changes a minimum that the settings still meet, quoting goes on by the new one (E12)."""
    venue = _quoting()
    venue.tell(MarketReport(msgspec.structs.replace(ETH, min_base_lots=60, order_quote_limit_micro=100), venue.now_ns))

    state = venue.engine.state.markets[0]
    assert (60, 100, "") == (state.rules.market.min_base_lots, state.rules.order_value_micro_max, state.halt_reason)


def test_after_the_private_link_was_down_the_account_is_told_before_anything_is_quoted():
    """What happened unseen is looked for first; if the venue does not tell it, it is asked (E5, N10, I12)."""
    venue = _quoting()
    venue.tell(LinkReport(Link.PRIVATE, up=False, reason="closed", recv_ns=venue.now_ns))
    venue.accept(venue.decide())
    venue.now_ns += 1000 * MS
    venue.prices()
    venue.connect(Link.PRIVATE)
    assert [QueryAccount()] == venue.decide().queries
    assert "account_not_known_yet" == venue.why()

    venue.snapshot(asked_ms_ago=1001)
    venue.decide(100)
    assert "account_not_known_yet" == venue.why()
    venue.snapshot()
    assert {"PlaceOrder": 6} == kinds(venue.decide(100))


def test_a_venue_that_tells_the_account_before_the_link_is_up_is_not_asked():
    """The account that comes with the link's return is enough."""
    venue = _quoting()
    venue.tell(LinkReport(Link.PRIVATE, up=False, reason="closed", recv_ns=venue.now_ns))
    venue.accept(venue.decide())
    venue.snapshot()
    venue.prices()
    venue.connect(Link.PRIVATE)
    decision = venue.decide(100)

    assert ([], {"PlaceOrder": 6}) == (decision.queries, kinds(decision))


def test_a_link_told_up_twice_changes_nothing():
    """An up without a down before it is no reconnection."""
    venue = _quoting()
    venue.connect()

    assert ([], []) == (venue.decide(100).queries, venue.decisions[-1].approved)
