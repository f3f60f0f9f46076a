"""What a run came to: counted facts, and an exit code that tells the truth."""

import asyncio
import itertools

import msgspec
import pytest

from helpers.fake_venue import Desk
from helpers.journals import HandClock
from helpers.observed import BTC, ETH, PARAMS, new_figures
from helpers.virtual_time import run
from lighterman.domain.events import (
    AccountSnapshot,
    DayStarted,
    FillReport,
    Link,
    LinkReport,
    MarketReport,
    OrderReport,
    StatsReport,
)
from lighterman.engine.engine import Engine
from lighterman.monitoring.figures import Figures
from lighterman.risk.pnl import LossState
from lighterman.runtime.exits import Exit
from lighterman.runtime.outcome import Opening, Outcome, exit_code, fill_in, why_not_quoting
from lighterman.runtime.shutdown import stop_trading
from lighterman.runtime.stopping import Failure

OPENING_PICO = 10_000 * 10**12
FAILURES = (None, Failure.VENUE, Failure.GONE, Failure.JOURNAL, Failure.BUG)


@pytest.mark.parametrize("orders", [None, 1, 500])
def test_orders_left_count_most(orders):
    """Whatever else happened, orders that are or may be left make the exit code 7."""
    for failure, tripped in itertools.product(FAILURES, (False, True)):
        assert exit_code(open_orders=orders, failure=failure, is_loss_tripped=tripped) is Exit.ORDERS_UNKNOWN


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Failure.VENUE, Exit.VENUE),
        (Failure.GONE, Exit.VENUE),
        (Failure.JOURNAL, Exit.FAIL_SAFE),
        (Failure.BUG, Exit.BROKEN),
    ],
)
def test_failure_without_orders_left_has_its_code(failure, code):
    """With no order left the failure gives the code, before a tripped limit does."""
    assert exit_code(open_orders=0, failure=failure, is_loss_tripped=False) is code
    assert exit_code(open_orders=0, failure=failure, is_loss_tripped=True) is code


def test_start_that_was_refused_has_its_own_code():
    """What kept a run from starting gives the code, unless orders of an earlier run are known to be open."""
    for refused in (Exit.CONFIG, Exit.PREFLIGHT, Exit.VENUE, Exit.FAIL_SAFE):
        for orders in (0, None):
            code = exit_code(
                open_orders=orders,
                failure=Failure.START,
                may_have_left=False,
                refused=refused,
                is_loss_tripped=True,
            )
            assert code is refused
        code = exit_code(open_orders=3, failure=Failure.START, may_have_left=False, refused=refused)
        assert code is Exit.ORDERS_UNKNOWN


def test_end_before_anything_was_sent_leaves_nothing():
    """Where nothing was sent nobody has to be asked: a signal is 0 and a failure its own code, orders unknown."""
    for failure, code in ((None, Exit.OK), (Failure.VENUE, Exit.VENUE), (Failure.JOURNAL, Exit.FAIL_SAFE)):
        assert exit_code(open_orders=None, failure=failure, may_have_left=False) is code


def test_limit_and_success():
    """Without a failure a tripped loss limit is 5, and everything else 0."""
    assert exit_code(open_orders=0, failure=None, is_loss_tripped=True) is Exit.RISK_HALT
    assert exit_code(open_orders=0, failure=None, is_loss_tripped=False) is Exit.OK


def _opened(*, positions=()):
    engine = Engine(PARAMS, epoch=1, loss=LossState())
    figures, opening = new_figures(HandClock()), Opening(engine, HandClock())
    for event in (
        MarketReport(ETH, 1),
        MarketReport(BTC, 1),
        StatsReport(0, 200_000, 200_000, 0, 1),
        StatsReport(1, 600_000, 600_000, 0, 1),
        AccountSnapshot(OPENING_PICO, list(positions), [], 1, 1),
    ):
        _tell(engine, figures, opening, event)
    opening.observe_turn([], engine.decide(2), 2)
    return engine, figures, opening


def _tell(engine: Engine, figures: Figures, opening: Opening, event):
    figures.observe_event(event)
    opening.observe_event(event)
    engine.observe(event)


def _bought(trade_id=1, price=200_000, size=100, *, is_ask=False):
    return FillReport(0, trade_id, 9, (1 << 32) + 1, is_ask, price, size, True, 28, 0, 3)


def _filled_in(engine, figures, opening):
    outcome = Outcome(mode="local", stopped_by="", exit_code=0)
    fill_in(outcome, engine, figures, opening, 10)
    return outcome


def test_money_is_told_in_usd_with_its_sign():
    """PnL holds what was realised and what is open at the mark, less fees and funding."""
    engine, figures, opening = _opened()
    for event in (_bought(), _bought(2, 210_000, 40, is_ask=True), StatsReport(0, 230_000, 230_000, 0, 4)):
        _tell(engine, figures, opening, event)

    outcome = _filled_in(engine, figures, opening)

    assert outcome.fills == 2
    assert outcome.position == {"ETH-USDC": "0.0060", "BTC-USDC": "0.00000"}
    assert outcome.volume_usd == "+28.40"
    assert outcome.fees_usd == "-0.00"  # 795 micro-USDC
    assert outcome.pnl_usd == "+2.19"  # 0.4 realised, 1.8 open, less 0.000795


def test_inherited_position_counts_from_the_start():
    """Of a position from an earlier session only what happened to it since is this session's PnL."""
    engine, figures, opening = _opened(positions=[(0, 100, 100 * 150_000)])
    _tell(engine, figures, opening, StatsReport(0, 201_000, 201_000, 0, 4))

    assert _filled_in(engine, figures, opening).pnl_usd == "+0.10"


def test_pnl_of_an_account_that_was_never_told_is_unknown():
    """Where the account was not told there is no PnL, and no nought in its place."""
    engine, figures, opening = (
        Engine(PARAMS, epoch=1, loss=LossState()),
        new_figures(HandClock()),
        Opening(Engine(PARAMS, epoch=1, loss=LossState()), HandClock()),
    )

    assert _filled_in(engine, figures, opening).pnl_usd is None


def test_order_of_an_earlier_session_is_no_first_quote():
    """The first quote is an order of this session that rests; leftovers and ended orders are none."""
    clock = HandClock()
    opening = Opening(Engine(PARAMS, epoch=2, loss=LossState()), clock)

    def row(epoch, status):
        return OrderReport(0, (epoch << 32) + 1, 9, False, 1, 1, 0, status, 0, 0)

    for event in (row(1, "open"), row(2, "canceled-post-only"), DayStarted(1, 0)):
        opening.observe_event(event)
    assert opening.first_quote_ns is None
    clock.now_ns = 77
    opening.observe_event(row(2, "open"))
    clock.now_ns = 99
    opening.observe_event(row(2, "open"))

    assert opening.first_quote_ns == 77


def test_account_that_had_no_order_is_empty_without_an_answer():
    """Only where the venue showed an empty account, and no order of ours has left since, is nought known already."""
    mine = OrderReport(0, (1 << 32) + 9, 9, False, 1, 1, 0, "open", 0, 0)
    foreign = OrderReport(0, 9, 9, False, 1, 1, 0, "open", 0, 0)
    for orders, is_empty in (([], True), ([mine], False), ([foreign], False)):
        engine = Engine(PARAMS, epoch=1, loss=LossState())
        opening = Opening(engine, HandClock())
        assert not opening.had_no_orders(venue_is_gone=True)  # nothing was told yet
        engine.observe(MarketReport(ETH, 1))
        engine.observe(AccountSnapshot(OPENING_PICO, [], orders, 1, 1))
        assert opening.had_no_orders(venue_is_gone=False) == is_empty


def test_account_is_not_known_to_be_empty_behind_a_lost_link():
    """Behind a lost link somebody else may place an order, at a venue that is there, until the account is told."""
    engine = Engine(PARAMS, epoch=1, loss=LossState())
    opening = Opening(engine, HandClock())
    engine.observe(MarketReport(ETH, 1))
    engine.observe(AccountSnapshot(OPENING_PICO, [], [], 1, 1))
    known = []
    for event in (
        LinkReport(Link.PRIVATE, up=True, reason="", recv_ns=2),
        LinkReport(Link.PRIVATE, up=False, reason="1006", recv_ns=3),
        LinkReport(Link.PRIVATE, up=True, reason="", recv_ns=4),
        AccountSnapshot(OPENING_PICO, [], [], 5, 6),
    ):
        engine.observe(event)
        assert opening.had_no_orders(venue_is_gone=True)
        known.append(opening.had_no_orders(venue_is_gone=False))

    assert [True, False, False, True] == known


def test_account_is_not_empty_once_an_order_has_left():
    """From the first order that leaves on, only the venue's answer says that there is none."""

    async def body():
        desk = Desk(PARAMS)
        opening = Opening(desk.engine, desk.clock)
        desk.look_on(bystanders=[opening])
        await desk.quote()
        await stop_trading(desk.loop, desk.engine, desk.venue, desk.clock, "enough")

        assert not len(desk.engine.state.orders)
        assert not opening.had_no_orders(venue_is_gone=True)

    run(body())


def test_counts_are_of_what_the_venue_confirmed():
    """Orders placed and cancelled are those the venue showed, over all markets, with the reasons for silence."""

    async def body():
        figures = new_figures(HandClock())
        desk = Desk(PARAMS, figures)
        opening = Opening(desk.engine, desk.clock)
        await desk.quote()
        await asyncio.sleep(10)  # the book grows old: everything is pulled
        outcome = _filled_in(desk.engine, figures, opening)

        assert (8, 8, 0) == (outcome.orders_placed, outcome.orders_canceled, outcome.fills)
        assert {"ETH-USDC": "stale_book", "BTC-USDC": "stale_book"} == why_not_quoting(figures)
        assert outcome.markets_quoted_both_sides == 2

    run(body())


def test_unknown_is_null_in_json():
    """What is not known is null in the JSON object, never nought."""
    told = msgspec.json.decode(msgspec.json.encode(Outcome(mode="local", stopped_by="x", exit_code=Exit.VENUE)))

    assert told["exit_code"] == 6
    assert [
        "first_quote_ms", "open_orders_after_stop", "pnl_usd", "fees_usd", "funding_usd", "volume_usd", "ledger_match",
    ] == [name for name, value in told.items() if value is None]  # fmt: skip
