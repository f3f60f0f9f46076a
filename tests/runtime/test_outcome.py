"""What a run came to: counted facts, exact differences, and an exit code that tells the truth."""

import asyncio
import itertools

import msgspec
import pytest
from msgspec.structs import replace

from helpers.fake_venue import Desk
from helpers.journals import HandClock
from helpers.observed import BTC, ETH, PARAMS, new_figures
from helpers.virtual_time import run
from lighterman.domain.events import (
    AccountSnapshot,
    DayStarted,
    FillReport,
    FundingReport,
    MarketReport,
    OrderReport,
    StatsReport,
)
from lighterman.engine.engine import Engine
from lighterman.monitoring.figures import Figures
from lighterman.protocol.rest import Ledger
from lighterman.risk.pnl import LossState
from lighterman.runtime.exits import Exit
from lighterman.runtime.outcome import Beginning, Outcome, differences, exit_code, fill_in
from lighterman.runtime.stopping import Failure

OPENING_PICO = 10_000 * 10**12
FAILURES = (None, Failure.VENUE, Failure.GONE, Failure.JOURNAL, Failure.BUG)


@pytest.mark.parametrize("orders", [None, 1, 500])
def test_orders_left_count_most(orders):
    """Whatever else happened, orders that are or may be left make the exit code 7."""
    for failure, tripped in itertools.product(FAILURES, (False, True)):
        assert exit_code(open_orders=orders, failure=failure, loss_tripped=tripped) is Exit.ORDERS_UNKNOWN


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
    assert exit_code(open_orders=0, failure=failure, loss_tripped=False) is code
    assert exit_code(open_orders=0, failure=failure, loss_tripped=True) is code


def test_limit_and_success():
    """Without a failure a tripped loss limit is 5, and everything else 0."""
    assert exit_code(open_orders=0, failure=None, loss_tripped=True) is Exit.RISK_HALT
    assert exit_code(open_orders=0, failure=None, loss_tripped=False) is Exit.OK


def _opened(*, positions=()):
    engine = Engine(PARAMS, epoch=1, loss=LossState())
    figures, beginning = new_figures(HandClock()), Beginning(engine, HandClock())
    for event in (
        MarketReport(ETH, 1),
        MarketReport(BTC, 1),
        StatsReport(0, 200_000, 200_000, 0, 1),
        StatsReport(1, 600_000, 600_000, 0, 1),
        AccountSnapshot(OPENING_PICO, list(positions), [], 1, 1),
    ):
        _tell(engine, figures, beginning, event)
    beginning.observe_decision(engine.decide(2))
    return engine, figures, beginning


def _tell(engine: Engine, figures: Figures, beginning: Beginning, event):
    figures.observe_event(event)
    beginning.observe_event(event)
    engine.observe(event)


def _bought(trade_id=1, price=200_000, size=100, *, is_ask=False):
    return FillReport(0, trade_id, 9, (1 << 32) + 1, is_ask, price, size, True, 28, 0, 3)


def _ledger(**changes):
    facts = {
        "account_index": 7,
        "collateral_pico": OPENING_PICO,
        "deposits_pico": OPENING_PICO,
        "fees_pico": 0,
        "funding_pico": 0,
        "realised_micro": 0,
        "positions": {},
        "open_orders": 0,
    }
    return msgspec.convert(facts | changes, Ledger)


def _traded():
    engine, figures, beginning = _opened()
    for event in (_bought(), _bought(2, 210_000, 40, is_ask=True), FundingReport(0, 5, -12_345, 3)):
        _tell(engine, figures, beginning, event)
    fees_pico = (200_000 * 100 + 210_000 * 40) * 28
    realised_micro = 10_000 * 40
    after = _ledger(
        collateral_pico=OPENING_PICO - fees_pico - 12_345 + realised_micro * 10**6,
        fees_pico=fees_pico,
        funding_pico=-12_345,
        realised_micro=realised_micro,
        positions={0: (60, 200_000 * 60)},
    )
    return engine, figures, beginning, after


def test_equal_ledgers_have_no_difference():
    """Cash, fees, funding, realised PnL and positions that agree to the last unit are a match."""
    engine, _, _, after = _traded()

    assert [] == differences(engine, _ledger(), after)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("collateral_pico", "cash_pico"),
        ("fees_pico", "fees_pico"),
        ("funding_pico", "funding_pico"),
        ("realised_micro", "realised_micro"),
    ],
)
def test_last_unit_counts(field, name):
    """One unit of difference in any amount is found and named with both figures."""
    engine, _, _, after = _traded()
    theirs = getattr(after, field)

    (found,) = differences(engine, _ledger(), replace(after, **{field: theirs + 1}))

    assert found.startswith(f"{name}: ")
    assert str(theirs) in found
    assert str(theirs + 1) in found


@pytest.mark.parametrize("position", [(61, 12_000_000), (60, 12_000_001), None])
def test_positions_count_by_lot_and_cost(position):
    """A position that differs by a lot, by a micro-USDC of cost, or is missing, is found and named."""
    engine, _, _, after = _traded()
    positions = {} if position is None else {0: position}

    (found,) = differences(engine, _ledger(), replace(after, positions=positions))

    assert found.startswith("position of ETH: (60, 12000000) here")


def test_earlier_sessions_are_not_ours():
    """Fees, funding and PnL from before the session are taken off the exchange's totals."""
    engine, _, _, after = _traded()
    before = _ledger(fees_pico=77, funding_pico=-3, realised_micro=5)
    later = replace(after, fees_pico=after.fees_pico + 77, funding_pico=after.funding_pico - 3,
                    realised_micro=after.realised_micro + 5)  # fmt: skip

    assert [] == differences(engine, before, later)


def _filled_in(engine, figures, beginning):
    outcome = Outcome(mode="local", stopped_by="", exit_code=0)
    fill_in(outcome, engine, figures, beginning, 10)
    return outcome


def test_money_is_told_in_usd_with_its_sign():
    """PnL holds what was realised and what is open at the mark, less fees and funding."""
    engine, figures, beginning, _ = _traded()
    _tell(engine, figures, beginning, StatsReport(0, 230_000, 230_000, 0, 4))

    outcome = _filled_in(engine, figures, beginning)

    assert outcome.fills == 2
    assert outcome.position == {"ETH-USDC": "0.0060", "BTC-USDC": "0.00000"}
    assert outcome.volume_usd == "+28.40"
    assert outcome.fees_usd == "-0.00"  # 795 micro-USDC
    assert outcome.pnl_usd == "+2.19"  # 0.4 realised, 1.8 open, less 0.000795


def test_inherited_position_counts_from_the_start():
    """Of a position from an earlier session only what happened to it since is this session's PnL."""
    engine, figures, beginning = _opened(positions=[(0, 100, 100 * 150_000)])
    _tell(engine, figures, beginning, StatsReport(0, 201_000, 201_000, 0, 4))

    assert _filled_in(engine, figures, beginning).pnl_usd == "+0.10"


def test_pnl_of_an_account_that_was_never_told_is_unknown():
    """Where the account was not told there is no PnL, and no nought in its place."""
    engine, figures, beginning = (
        Engine(PARAMS, epoch=1, loss=LossState()),
        new_figures(HandClock()),
        Beginning(Engine(PARAMS, epoch=1, loss=LossState()), HandClock()),
    )

    assert _filled_in(engine, figures, beginning).pnl_usd is None


def test_order_of_an_earlier_session_is_no_first_quote():
    """The first quote is an order of this session that rests; leftovers and ended orders are none."""
    clock = HandClock()
    beginning = Beginning(Engine(PARAMS, epoch=2, loss=LossState()), clock)

    def row(epoch, status):
        return OrderReport(0, (epoch << 32) + 1, 9, False, 1, 1, 0, status, 0, 0)

    for event in (row(1, "open"), row(2, "canceled-post-only"), DayStarted(1, 0)):
        beginning.observe_event(event)
    assert beginning.first_quote_ns is None
    clock.now_ns = 77
    beginning.observe_event(row(2, "open"))
    clock.now_ns = 99
    beginning.observe_event(row(2, "open"))

    assert beginning.first_quote_ns == 77


def test_counts_are_of_what_the_venue_confirmed():
    """Orders placed and cancelled are those the venue showed, over all markets, with the reasons for silence."""

    async def body():
        figures = new_figures(HandClock())
        desk = Desk(PARAMS, figures)
        beginning = Beginning(desk.engine, desk.clock)
        await desk.quote()
        await asyncio.sleep(10)  # the book grows old: everything is pulled
        outcome = _filled_in(desk.engine, figures, beginning)

        assert (8, 8, 0) == (outcome.orders_placed, outcome.orders_canceled, outcome.fills)
        assert {"ETH-USDC": "stale_book", "BTC-USDC": "stale_book"} == outcome.why_not_quoting
        assert outcome.markets_quoted_both_sides == 2

    run(body())


def test_unknown_is_null_in_json():
    """What is not known is null in the JSON object, never nought."""
    told = msgspec.json.decode(msgspec.json.encode(Outcome(mode="local", stopped_by="x", exit_code=Exit.VENUE)))

    assert told["exit_code"] == 6
    assert [
        "first_quote_ms", "open_orders_after_stop", "pnl_usd", "fees_usd", "funding_usd", "volume_usd", "ledger_match",
    ] == [name for name, value in told.items() if value is None]  # fmt: skip
