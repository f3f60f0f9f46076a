"""The engine as a whole: cycles, cadence, markets, stopping, sameness."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.desk import BTC, DOGE, ETH, USD, engine_params, limits, market_params
from helpers.engine_and_exchange import BOT, PARAMS, World, storm
from helpers.scripted_venue import CASH_PICO, MS, ScriptedVenue, commands, kinds, modifies, places
from lighterman.domain.commands import CancelAll, CancelOrder, PlaceOrder
from lighterman.domain.errors import InvariantBroken
from lighterman.domain.events import (
    BookSnapshot,
    CollateralReport,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    DayStarted,
    Event,
    Link,
    LinkReport,
    PositionReport,
    QuotaReport,
    StatsReport,
    StopRequested,
)
from lighterman.engine.decision import Decision
from lighterman.engine.engine import REDUCE_ONLY_NS, STOP_REPEAT_NS, Engine
from lighterman.engine.order import OrderState
from lighterman.risk.pnl import LossState

THREE = (
    market_params("ETH"),
    market_params("BTC", order_size="0.01", levels=2),
    market_params("DOGE", order_size="1000", position_max="100000"),
)


def _three(**changes) -> ScriptedVenue:
    venue = ScriptedVenue(engine_params(*THREE, **changes), ETH, BTC, DOGE)
    venue.open()
    return venue


# -- cycles and cadence ---------------------------------------------------------------------


@pytest.mark.parametrize("levels", [1, 3, 8])
def test_a_still_book_is_quoted_once(levels):
    """A hundred cycles on a still book leave two orders a level, and all after the first send nothing (O1, SD2)."""
    venue = ScriptedVenue(engine_params(market_params(levels=levels, size_multiplier=1.0)))
    venue.open()
    venue.accept()
    for _ in range(100):
        assert ([], []) == (venue.cycle().approved, venue.decisions[-1].refused)

    assert 2 * levels == len(venue.orders()) == len({(order.is_ask, order.level) for order in venue.orders()})


@pytest.mark.parametrize("levels", [1, 2, 7])
@pytest.mark.parametrize("interval_ms", [20, 100, 350])
def test_the_cadence_is_the_interval_whatever_the_levels(levels, interval_ms):
    """However fast prices come orders change once an interval; the number of levels does not matter (Q14, SD9)."""
    venue = ScriptedVenue(
        engine_params(market_params(levels=levels, size_multiplier=1.0), requote_interval_ms=interval_ms)
    )
    venue.open()
    venue.accept()
    changed = []
    for step in range(2000):
        venue.now_ns += MS
        venue.mids[0] = 200_000 + 500 * (step % 3)
        venue.prices()
        if venue.decide().approved:
            changed.append(venue.now_ns)
            venue.accept()

    assert {interval_ms * MS} == {after - before for before, after in pairwise(changed)}


def test_a_look_that_changes_nothing_delays_nothing():
    """A market that was looked at a moment ago, and left as it is, is followed at once when it moves."""
    venue = ScriptedVenue(engine_params(market_params(), requote_interval_ms=100))
    venue.open()
    venue.accept()
    venue.cycle(500)
    venue.prices()
    assert ([], 1) == (venue.decide(1).approved, len(venue.decisions[-1].verdicts))
    venue.mids[0] += 100
    venue.prices()

    assert {"ModifyOrder": 6} == kinds(venue.decide(1))


def test_a_cycle_with_cancels_places_too():
    """What must go goes and what is missing is placed, in one decision (O6, SD16)."""
    venue = ScriptedVenue()
    venue.open()
    venue.accept()
    gone, wrong, *_ = venue.orders()
    venue.tell(venue.row(gone, "canceled"))
    venue.engine.state.orders.give_up(wrong.client_order_index)

    assert {"CancelOrder": 1, "PlaceOrder": 1} == kinds(venue.cycle())


def test_a_move_is_followed_by_modifies():
    """When fair price moves the ladder follows by one modify a level, keeping every id (O3)."""
    venue = ScriptedVenue()
    venue.open()
    venue.accept()
    before = [order.client_order_index for order in venue.orders()]
    venue.mids[0] += 100
    assert {"ModifyOrder": 6} == kinds(venue.cycle())

    assert before == [order.client_order_index for order in venue.orders()]
    assert [] == venue.cycle().approved


def test_a_modify_names_the_total():
    """A partly filled order is modified to what was filled plus what is wished (protocol reference 4.8, O2)."""
    venue = ScriptedVenue(engine_params(market_params(levels=1, position_max="0.1", skew_factor=0.0)))
    venue.open()
    venue.accept()
    bid = venue.order()
    venue.tell(venue.fill(bid, 600))
    ask = venue.order(is_ask=True)
    venue.tell(venue.fill(ask, 600))
    decision = venue.cycle()

    assert {(bid.client_order_index, 1600), (ask.client_order_index, 1600)} == {
        (command.client_order_index, command.size_lots) for command in modifies(decision)
    }
    venue.tell(venue.fill(bid, 600))
    assert (400, 400, 600) == (bid.remaining_lots(), *_wished(venue))


def _wished(venue: ScriptedVenue) -> tuple[int, int]:
    """Return what is wished of the bid in the next cycle, and the position it is wished at."""
    venue.cycle()
    quotes = venue.verdict().quotes
    assert quotes is not None
    return quotes.bid_lots[0], venue.engine.state.ledger.markets[0].position.size_lots


def test_a_filled_order_is_replaced_and_the_ladder_leans():
    """After a fill the empty level is placed anew, lower on both sides when bought (Q1)."""
    venue = ScriptedVenue(engine_params(market_params(position_max="1", reprice_threshold_bps=0.0)))
    venue.open()
    venue.accept()
    asks = [venue.order(level, is_ask=True).price_ticks for level in range(3)]
    order = venue.order()
    venue.tell(venue.fill(order, 1000), venue.row(order, "filled", filled_lots=1000))
    venue.cycle()

    assert venue.order().client_order_index != order.client_order_index
    assert all(venue.order(level, is_ask=True).price_ticks < before for level, before in enumerate(asks))


def test_ids_are_unique_over_orders_commands_and_restarts():
    """No client order index and no command id is used twice, in a session or after a restart (I8, O8)."""
    seen: list[int] = []
    for epoch in (1, 2, 65_535):
        venue = ScriptedVenue(epoch=epoch)
        venue.open()
        venue.accept()
        for _ in range(20):
            for order in venue.orders():
                venue.tell(venue.row(order, "canceled"))
            venue.cycle()
        found = [command.client_order_index for decision in venue.decisions for command in places(decision)]
        numbers = [command.command_id for decision in venue.decisions for command in commands(decision)]
        assert sorted(set(numbers)) == sorted(numbers)
        assert {epoch} == {client >> 32 for client in found}
        seen += found

    assert len(set(seen)) == len(seen) == 3 * 21 * 6
    assert max(seen) < 2**48


@pytest.mark.parametrize("epoch", [0, 65_536, -1])
def test_an_epoch_that_does_not_fit_is_a_bug(epoch):
    """The restart epoch has sixteen bits of the venue's forty-eight, and is never nought."""
    with pytest.raises(InvariantBroken):
        Engine(engine_params(), epoch=epoch, loss=LossState())


def test_too_many_orders_are_refused_with_the_reason():
    """No more orders are tracked than orderPoolSize allows; what is refused is tried again later (O16, HB8)."""
    venue = ScriptedVenue(engine_params(market_params(), orders_tracked_max=4))
    first = venue.open()
    assert (4, ["too_many_orders"] * 2) == (len(first.approved), [refusal.reason for refusal in first.refused])
    venue.accept()

    refused = [len(venue.cycle().refused) for _ in range(20)]
    assert 4 == sum(refused)


def _without_quota() -> ScriptedVenue:
    """Return a venue whose quota is spent, so long ago that every level may be moved again."""
    venue = ScriptedVenue()
    venue.open()
    venue.accept()
    venue.tell(QuotaReport(0, venue.now_ns))
    venue.cycle(1_000_000)
    return venue


def test_a_refused_modify_gives_up_an_order_that_stands_wrong():
    """An order nearer to the fair price than any quote may be, that may not be put right, is cancelled (O10)."""
    venue = _without_quota()
    venue.mids[0] += 4_000
    decision = venue.cycle()
    wrong = [order for order in venue.orders() if order.is_ask and order.price_ticks < venue.mids[0]]

    assert {"ModifyOrder": 1} == kinds(decision)
    assert {"volume_quota"} == {refusal.reason for refusal in decision.refused}
    assert {"CancelOrder": len(wrong)} == kinds(venue.cycle())


def test_a_refused_modify_leaves_an_order_that_stands_well():
    """An order that only might stand better is kept where messages lack, and not tried again for a second (O10)."""
    venue = _without_quota()
    venue.mids[0] += 50
    decision = venue.cycle()

    assert ({"ModifyOrder": 1}, 5) == (kinds(decision), len(decision.refused))
    following = [venue.cycle() for _ in range(9)]
    assert not any(each.approved or each.refused for each in following)
    assert 4 == len(venue.cycle(200).refused)  # one is of the level that was moved
    assert 6 == len(venue.orders())


def test_a_spent_volume_quota_leaves_what_stands_right():
    """Without quota creates and modifies wait for the free slot, cancels do not (O10)."""
    venue = ScriptedVenue()
    venue.tell(QuotaReport(2, venue.now_ns))
    decision = venue.open()

    assert {"PlaceOrder": 3} == kinds(decision)
    assert ["volume_quota"] * 3 == [refusal.reason for refusal in decision.refused]
    assert venue.engine.messages_left > 0


# -- limits while prices move -----------------------------------------------------------------


def test_the_total_limit_holds_when_the_mark_moves():
    """When prices carry the worst case past the limit, what adds is pulled for a while, what reduces stays (R3)."""
    account = limits(total_position_micro_max=1_000 * USD)
    venue = ScriptedVenue(engine_params(market_params(size_multiplier=1.0, position_max="0.5"), account=account))
    venue.open(ETH=1900)
    venue.accept()
    assert 3 == sum(not order.is_ask for order in venue.orders())
    venue.mids[0] = 206_000
    venue.prices()
    decision = venue.decide(100)

    quotes = venue.verdict().quotes
    assert quotes is not None
    assert ("total_position_limit", 0, 1900) == (quotes.bid_bound, sum(quotes.bid_lots), sum(quotes.ask_lots))
    cancelled = {c.client_order_index for c in commands(decision) if isinstance(c, CancelOrder)}
    assert {order.client_order_index for order in venue.orders() if not order.is_ask} <= cancelled
    venue.accept()
    assert {True} == {order.is_ask for order in venue.orders()}
    venue.now_ns += REDUCE_ONLY_NS
    venue.cycle()
    venue.cycle()
    assert "" == venue.verdict().quotes.bid_bound  # type: ignore[union-attr]


def test_at_the_cap_one_side_is_empty_and_says_why():
    """At the maximum position there is no bid, with its reason, and every ask (Q8, SD1)."""
    venue = ScriptedVenue(engine_params(market_params(position_max="1")))
    decision = venue.open(ETH=10_000)

    assert {True} == {command.is_ask for command in places(decision)}
    assert "position_limit" == venue.verdict().quotes.bid_bound  # type: ignore[union-attr]


def test_loss_is_not_judged_without_a_mark():
    """While a position has no mark its value is not known: nothing is saved and nothing trips."""
    venue = ScriptedVenue()
    venue.describe()
    venue.snapshot(ETH=10_000)
    venue.tell(DayStarted(1, venue.now_ns))

    assert venue.decide(1000).loss is None
    venue.prices()
    assert LossState(1, 0, "", CASH_PICO) == venue.decide(1000).loss


def test_own_orders_do_not_move_the_price():
    """Own resting size is taken out of the book before anything is read from it (Q11)."""
    venue = ScriptedVenue()
    venue.open()
    venue.accept()
    expected = venue.verdict().quotes
    bids = [(199_999 - level, 50_000) for level in range(5)]
    asks = [(200_001 + level, 50_000) for level in range(5)]
    own = [(199_999, 50_000 + venue.order().remaining_lots())]
    venue.order().price_ticks = venue.order().asked_ticks = 199_999
    venue.engine.state.orders.of_market(0).changed()
    venue.tell(BookSnapshot(0, own + bids[1:], asks, 2, venue.now_ns // 1000, venue.now_ns))
    venue.decide(100)

    assert expected is not None
    assert venue.verdict().quotes.basis == expected.basis  # type: ignore[union-attr]


# -- several markets ------------------------------------------------------------------------


def test_each_market_is_quoted_by_its_own_settings():
    """Ticks, lots, levels and sizes of an order are those of its market, whatever the others' (O11, SD4)."""
    venue = _three()
    found = {
        facts.symbol: [c for c in places(venue.decisions[0]) if c.market == facts.index] for facts in (ETH, BTC, DOGE)
    }

    assert {"ETH": 6, "BTC": 4, "DOGE": 6} == {symbol: len(orders) for symbol, orders in found.items()}
    assert [1000, 1500, 2250] * 2 == [order.size_lots for order in found["ETH"]]
    assert [1000, 1500] * 2 == [order.size_lots for order in found["BTC"]]
    assert [1000, 1500, 2250] * 2 == [order.size_lots for order in found["DOGE"]]
    for symbol, facts in (("ETH", ETH), ("BTC", BTC), ("DOGE", DOGE)):
        for order in found[symbol]:
            assert abs(order.price_ticks / venue.mids[facts.index] - 1) < 0.021


@given(st.lists(st.tuples(st.sampled_from([ETH, BTC, DOGE]), st.integers(-300, 300), st.integers(1, 150)), max_size=25))
@settings(max_examples=30)
def test_events_of_one_market_never_reach_another(moves):
    """A market decides the same whether others trade beside it or not (O11, O12, SD8)."""
    together = _three()
    alone = {facts.index: ScriptedVenue(engine_params(*THREE), facts) for facts in (ETH, BTC, DOGE)}
    for venue in alone.values():
        venue.open()
        venue.accept()
    together.accept()
    for facts, move, wait_ms in moves:
        for venue in (together, *alone.values()):
            venue.now_ns += wait_ms * MS
            for each in venue.markets:
                venue.mids[each.index] += move * (each.index == facts.index)
            venue.prices()
            venue.decide()
            venue.accept()
    for index, venue in alone.items():
        ours = [v for d in together.decisions for v in d.verdicts if v.market == index]
        theirs = [v for d in venue.decisions for v in d.verdicts]
        assert ours == theirs


# -- stopping -------------------------------------------------------------------------------


def test_stopping_cancels_everything_until_nothing_rests():
    """A stop sends cancel-all at once and again each second while an order may rest (L2, SD10, P2)."""
    venue = _three()
    venue.accept()
    venue.tell(StopRequested("enough", venue.now_ns))
    stopping = venue.decide()
    assert [CancelAll] == [type(command) for command in commands(stopping)]

    for _ in range(35):
        assert venue.engine.next_deadline_ns <= venue.now_ns + STOP_REPEAT_NS
        venue.now_ns += 100 * MS
        venue.prices()
        venue.decide()
    repeated = [command for decision in venue.decisions[2:] for command in commands(decision)]
    assert [CancelAll] * 3 == [type(command) for command in repeated]

    venue.accept_one(repeated[-1])
    for _ in range(30):
        venue.now_ns += 100 * MS
        venue.prices()
        assert [] == venue.decide().approved
    assert 0 == len(venue.engine.state.orders)


def test_an_order_that_comes_alive_while_stopping_is_cancelled_too():
    """A create that was in flight when the stop came keeps the cancel-all going until it has ended (HB2, I3)."""
    venue = ScriptedVenue()
    for place in places(venue.open()):
        venue.tell(CommandUnknown(place.command_id, "timeout", venue.now_ns))
    venue.tell(StopRequested("enough", venue.now_ns))
    venue.decide()
    venue.tell(*(venue.row(order) for order in venue.orders()))
    assert {"CancelAll": 1} == kinds(venue.decide(1000))

    venue.accept()
    assert [] == venue.decide(1000).approved


def test_where_cancel_all_is_refused_orders_are_cancelled_one_by_one():
    """Cancel-all costs volume quota and may be refused for want of it; plain cancels cost none (6.3, P2)."""
    venue = ScriptedVenue()
    first = venue.open()
    seen, *unseen = places(first)
    venue.accept_one(seen)
    venue.tell(CommandExecuted(unseen[0].command_id, "", venue.now_ns))  # its row is still to come
    venue.tell(StopRequested("enough", venue.now_ns))
    (everything,) = commands(venue.decide())
    venue.tell(CommandRefused(everything.command_id, 21999, "no quota", venue.now_ns))
    (cancel,) = commands(venue.decide())
    assert isinstance(cancel, CancelOrder)
    assert seen.client_order_index == cancel.client_order_index

    venue.tell(*(venue.row(order) for order in venue.orders()))
    assert {"CancelAll": 1, "CancelOrder": 5} == kinds(venue.decide(1000))  # one cancel is on its way already
    venue.accept()
    assert [] == venue.decide(1000).approved


def test_a_refused_cancel_all_is_tried_again_each_second():
    """A refusal may be of the moment (429, no connection): what only a cancel-all reaches must not stay (I3)."""
    venue = ScriptedVenue()
    venue.open()
    venue.tell(StopRequested("enough", venue.now_ns))
    (everything,) = commands(venue.decide())
    for _ in range(3):
        venue.tell(CommandRefused(everything.command_id, 23000, "Too Many Requests!", venue.now_ns))
        assert [] == venue.decide().approved  # no storm: nothing that the venue has shown is there to cancel alone
        (everything,) = commands(venue.decide(1000))
        assert isinstance(everything, CancelAll)


def test_a_refusal_that_comes_late_is_one_too():
    """The refusal of an earlier cancel-all has the orders cancelled one by one, as that of the last does."""
    venue = ScriptedVenue()
    venue.open()
    venue.accept()
    venue.tell(StopRequested("enough", venue.now_ns))
    (everything,) = commands(venue.decide())
    assert {"CancelAll": 1} == kinds(venue.decide(1000))
    venue.tell(CommandRefused(everything.command_id, 23000, "Too Many Requests!", venue.now_ns))

    assert {"CancelOrder": 6} == kinds(venue.decide())


def test_asked_again_to_stop_everything_is_cancelled_again():
    """Whoever sees an order that the engine does not track asks again, and there is another cancel-all."""
    venue = ScriptedVenue()
    for _ in range(2):
        venue.tell(StopRequested("enough", venue.now_ns))
        assert {"CancelAll": 1} == kinds(venue.decide())
        assert [] == venue.decide(5000).approved


def test_a_stop_before_anything_is_known_still_cancels_all():
    """Orders of an earlier session may rest: a stop during the start leaves none (P2)."""
    venue = ScriptedVenue()
    venue.tell(StopRequested("enough", venue.now_ns), StopRequested("again", venue.now_ns))

    assert {"CancelAll": 1} == kinds(venue.decide())
    assert "enough" == venue.engine.state.stop_reason


def test_an_order_whose_fills_are_missing_is_not_cancelled_again():
    """What has ended at the venue needs no cancel-all, though it is still counted."""
    venue = ScriptedVenue()
    venue.open()
    venue.accept()
    venue.tell(StopRequested("enough", venue.now_ns))
    venue.decide()
    venue.tell(*(venue.row(order, "canceled", filled_lots=1) for order in venue.orders()))

    assert {OrderState.DRAINING} == {order.state for order in venue.orders()}
    assert [] == venue.decide(5000).approved


# -- sameness -------------------------------------------------------------------------------


def _recorded(seed: int) -> tuple[World, list[Event | int], list[bytes]]:
    """Return a world, what its engine was told and when it decided, and what it decided."""
    steps: list[Event | int] = []
    observe, decide = Engine.observe, Engine.decide
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "observe", lambda self, event: (steps.append(event), observe(self, event))[1])
        patch.setattr(Engine, "decide", lambda self, now_ns: (steps.append(now_ns), decide(self, now_ns))[1])
        world = World(seed)
        storm(world, seconds=20)
    return world, steps, [msgspec.msgpack.encode(decision) for decision in world.decisions]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_events_give_the_same_decisions_to_the_byte(seed):
    """A stormy session told again, from its journal's bytes, is decided the same, byte for byte (I18, FT1)."""
    world, steps, expected = _recorded(seed)
    assert sum(held.fills for held in world.engine.state.ledger.markets.values()) > 5
    engine, found = Engine(PARAMS, epoch=1, loss=LossState()), []
    for step in steps:
        if isinstance(step, int):
            found.append(msgspec.msgpack.encode(engine.decide(step)))
        else:
            engine.observe(msgspec.msgpack.decode(msgspec.msgpack.encode(step), type=Event))

    assert expected == found


def _decisions(steps: list[Event | int], *, every_ms: bool) -> list[tuple[int, bytes]]:
    """Return what is decided at events, and between them at the engine's deadlines, or at each millisecond."""
    engine = Engine(PARAMS, epoch=1, loss=LossState())
    found: list[tuple[int, bytes]] = []
    now_ns = next(step for step in steps if isinstance(step, int))

    def decide(at_ns: int) -> None:
        decision = engine.decide(at_ns)
        if not decision.is_empty:
            found.append((at_ns, msgspec.msgpack.encode(decision)))

    for step in steps:
        if not isinstance(step, int):
            engine.observe(step)
            continue
        while now_ns < step:
            deadline_ns = -(-engine.next_deadline_ns // MS) * MS  # both look on whole milliseconds only
            now_ns = now_ns + MS if every_ms else min(step, max(now_ns + MS, deadline_ns))
            if now_ns < step:
                decide(now_ns)
        decide(step)
    return found


@given(st.lists(st.tuples(st.integers(0, 2600), st.integers(0, 7)), min_size=1, max_size=12))
@settings(max_examples=60)
def test_deciding_at_events_and_deadlines_is_deciding_all_the_time(steps):
    """Nothing is decided later for want of a call: the deadline names every moment at which time alone matters."""
    venue = ScriptedVenue(PARAMS, ETH, BTC)
    told: list[Event | int] = []
    observe = venue.engine.observe
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptedVenue, "tell", lambda _, *events: [(told.append(each), observe(each)) for each in events])
        venue.open()
        told.append(venue.now_ns)
        for wait_ms, kind in steps:
            venue.now_ns += wait_ms * MS
            _happen(venue, kind)
            venue.decide()
            told.append(venue.now_ns)
        told.append(venue.now_ns + 7000 * MS)

    assert _decisions(told, every_ms=True) == _decisions(told, every_ms=False)


def _happen(venue: ScriptedVenue, kind: int) -> None:
    match kind:
        case 0 | 1:
            venue.mids[0] += 37
            venue.prices()
        case 2:
            venue.accept()
        case 3:
            venue.tell(LinkReport(Link.PUBLIC, up=False, reason="x", recv_ns=venue.now_ns))
        case 4:
            venue.connect()
        case 5:
            venue.snapshot()
        case 6:
            venue.tell(StatsReport(0, 0, 0, 0, venue.now_ns))
        case _:
            for order in venue.orders()[:2]:
                venue.tell(venue.row(order))


def test_an_engine_with_nothing_to_do_does_not_spin():
    """Between events the engine asks to be called no more often than its limits are looked at."""
    for venue in (ScriptedVenue(), _three()):
        calls = 0
        until_ns = venue.now_ns + 1000 * MS
        while venue.now_ns < until_ns:
            venue.decide()
            calls += 1
            assert venue.engine.next_deadline_ns > venue.now_ns
            venue.now_ns = venue.engine.next_deadline_ns
        assert calls <= 15


def test_what_is_only_compared_is_not_acted_on():
    """Positions and collateral pushed by the venue change nothing by themselves: the account is compared as a whole."""
    venue = ScriptedVenue()
    venue.open()
    venue.tell(PositionReport(0, 12345, venue.now_ns), CollateralReport(1, venue.now_ns))

    assert 0 == venue.engine.state.ledger.markets[0].position.size_lots
    assert [] == venue.decide(100).approved


def test_a_session_on_the_exchange_quotes_and_fills():
    """On the exchange, without faults, both markets are quoted on both sides and trade as maker (SD16, SD17, L1)."""
    world = World(5)
    world.run(2000)
    rows = world.exchange.open_orders(BOT)

    assert {(0, False), (0, True), (1, False), (1, True)} == {(row.market, row.is_ask) for row in rows}
    assert all(isinstance(approved.command, PlaceOrder) for d in world.decisions[:1] for approved in d.approved)
    assert not any(modifies(decision) for decision in world.decisions)
    world.act(ETH, 3000, 1000, is_ask=False, takes=True)
    world.run(1000)
    assert world.engine.state.ledger.markets[0].fills > 0


def test_a_decision_without_news_is_empty():
    """Called again at once the engine has nothing to say."""
    venue = ScriptedVenue()
    venue.open()

    assert isinstance(venue.decide(), Decision)
    assert venue.decisions[-1].is_empty
