"""The daily loss limit: every source of loss, no way back by itself."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.desk import ETH
from lighterman.domain.events import AccountSnapshot, FillReport, FundingReport
from lighterman.domain.units import PICO_PER_MICRO
from lighterman.engine.ledger import Ledger
from lighterman.risk.pnl import DailyLoss, LossState

LIMIT_MICRO = 1_000_000
LIMIT_PICO = LIMIT_MICRO * PICO_PER_MICRO
DAY_ONE = LossState(day=1)
EQUITIES = st.lists(st.integers(-3 * LIMIT_PICO, 3 * LIMIT_PICO), min_size=1, max_size=20)


def _watch(equities, state=DAY_ONE, limit_micro=LIMIT_MICRO):
    loss = DailyLoss(limit_micro, state)
    for equity_pico in equities:
        loss.observe(equity_pico)
    return loss


@given(EQUITIES)
def test_it_trips_exactly_when_the_days_loss_passes_the_limit(equities):
    """The limit itself is allowed, one pico more trips, and nothing later undoes it (R6, R7, I14)."""
    loss = _watch(equities)

    assert bool(loss.tripped) == any(equity - equities[0] < -LIMIT_PICO for equity in equities)
    assert equities[-1] - equities[0] == loss.pnl_pico()


@given(EQUITIES, st.integers(0, 19))
def test_a_restart_forgets_nothing_of_the_day(equities, at):
    """Cut anywhere and restarted from what was saved, the day's PnL and the trip are the same (P8, R7)."""
    before = _watch(equities[: at + 1])
    after = _watch(equities[at:], before.state()) if equities[at:] else before

    assert after.state() == _watch(equities).state()


@given(EQUITIES, st.integers(2, 5))
def test_a_new_day_starts_at_nought_and_stays_tripped(equities, day):
    """At midnight the day's PnL begins anew from the equity there; a trip stays (P6, R7, SD11)."""
    loss = _watch(equities)
    tripped = loss.tripped
    loss.start_day(day)

    assert (0, tripped) == (loss.pnl_pico(), loss.tripped)
    loss.observe(equities[-1] - LIMIT_PICO)
    assert (-LIMIT_PICO, tripped) == (loss.pnl_pico(), loss.tripped)
    loss.observe(equities[-1] - LIMIT_PICO - 1)
    assert loss.tripped


@pytest.mark.parametrize("day", [0, 1])
def test_a_clock_set_back_forgives_nothing(day):
    """The same day told again, or an earlier one, does not begin a day (C2)."""
    loss = _watch([0, -LIMIT_PICO])
    loss.start_day(day)

    assert -LIMIT_PICO == loss.pnl_pico()


@given(EQUITIES, st.integers(1, 2 * LIMIT_PICO))
def test_what_is_lost_between_two_sessions_counts(equities, lost_pico):
    """A crash loop cannot erode the limit: what went after the last save or while dead is the day's loss (I14, P8)."""
    saved = _watch(equities).state()
    after = _watch([equities[-1] - lost_pico], saved)

    assert saved.carried_pico - lost_pico == after.pnl_pico()
    assert bool(after.tripped) == (bool(saved.tripped) or after.pnl_pico() < -LIMIT_PICO)


@given(EQUITIES, st.integers(1, 2 * LIMIT_PICO))
def test_what_is_gained_between_two_sessions_does_not(equities, gained_pico):
    """It may be a deposit: the loss before it stands, and the loss after it counts from the new equity (I14, O4)."""
    saved = _watch(equities).state()
    after = _watch([equities[-1] + gained_pico], saved)

    assert saved.carried_pico == after.pnl_pico()
    after.observe(equities[-1] + gained_pico - 1)
    assert saved.carried_pico - 1 == after.pnl_pico()


def test_rearming_clears_a_withdrawal():
    """Money taken out between sessions trips like a loss; what rearming leaves is counted from there (O4)."""
    withdrawn = _watch([-2 * LIMIT_PICO], _watch([0]).state())
    rearmed = _watch([-2 * LIMIT_PICO], LossState(day=withdrawn.state().day))

    assert "daily_loss" == withdrawn.tripped
    assert (0, "") == (rearmed.pnl_pico(), rearmed.tripped)


def test_a_record_without_a_baseline_is_gone_on_from():
    """What was saved before the baseline was kept counts as it did (P9)."""
    old = msgspec.json.decode(b'[1,-5,""]', type=LossState)

    assert -8 == _watch([100, 97], old).pnl_pico()


def test_a_day_that_began_while_we_were_away_starts_at_nought():
    """What was carried belongs to the day it was saved on; the trip does not."""
    loss = DailyLoss(LIMIT_MICRO, LossState(day=3, carried_pico=-5, tripped="daily_loss"))
    loss.start_day(4)

    assert (0, "daily_loss") == (loss.pnl_pico(), loss.tripped)
    assert LossState(4, 0, "daily_loss") == loss.state()


def test_the_equity_of_another_day_is_no_measure():
    """A baseline of the day before is dropped with it: the new day counts from the equity it is first seen with."""
    loss = DailyLoss(LIMIT_MICRO, LossState(day=3, carried_pico=-5, baseline_pico=10 * LIMIT_PICO))
    loss.start_day(4)
    loss.observe(LIMIT_PICO)

    assert (0, "") == (loss.pnl_pico(), loss.tripped)


def _lossy(cause):
    """Return equity before and after one USDC is lost by one cause alone, from the ledger's own figures."""
    ledger = Ledger()
    ledger.define(ETH)
    held = (ETH.index, 10_000, 2_000_000_000)  # 1 ETH at 2000
    ledger.open(AccountSnapshot(10**16, [held], [], 1, 1))

    def equity(mark_ticks=200_000):
        return ledger.cash_pico + ledger.markets[ETH.index].unrealised_micro(mark_ticks) * PICO_PER_MICRO

    def fill(trade_id, *, is_ask, price_ticks, size_lots, fee_ppm=0):
        ledger.fill(
            FillReport(ETH.index, trade_id, 1, 1, is_ask, price_ticks, size_lots, is_maker=True, fee_ppm=fee_ppm,
                       venue_us=1, recv_ns=1)
        )  # fmt: skip

    before_pico = equity()
    if cause == "realised":
        fill(1, is_ask=True, price_ticks=199_900, size_lots=10_000)
        return before_pico, equity()
    if cause == "unrealised":
        return before_pico, equity(199_900)
    if cause == "fees":
        fill(1, is_ask=False, price_ticks=200_000, size_lots=10_000, fee_ppm=500)
        return before_pico, equity()
    ledger.fund(FundingReport(ETH.index, 1, -LIMIT_PICO, 1))
    return before_pico, equity()


@pytest.mark.parametrize("cause", ["realised", "unrealised", "fees", "funding"])
def test_every_kind_of_loss_counts(cause):
    """A loss by realised or unrealised PnL, by fees or by funding alone counts to the pico and trips (P1, P2, SD18)."""
    before_pico, after_pico = _lossy(cause)

    assert -LIMIT_PICO == after_pico - before_pico
    assert not _watch([before_pico, after_pico]).tripped
    assert "daily_loss" == _watch([before_pico, after_pico], limit_micro=LIMIT_MICRO - 1).tripped


def test_a_profit_first_does_not_hide_under_the_start():
    """The day is measured from its start: profit made and lost again is no loss."""
    assert not _watch([0, 5 * LIMIT_PICO, -LIMIT_PICO]).tripped
