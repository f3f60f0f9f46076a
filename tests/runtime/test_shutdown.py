"""The end of a run: nought only when the venue says so, and the truth when it does not."""

import asyncio

import pytest

from helpers.fake_venue import Desk
from helpers.observed import PARAMS
from helpers.virtual_time import run
from lighterman.domain.commands import CancelAll, PlaceOrder
from lighterman.runtime.shutdown import STOP_WITHIN_S, cancel_without_engine, stop_trading


def at_a_desk(test):
    """Run a test at a desk that quotes two markets, in virtual time."""

    def wrapped():
        async def body():
            desk = Desk(PARAMS)
            await desk.quote()
            await test(desk)

        run(body())

    wrapped.__name__, wrapped.__doc__ = test.__name__, test.__doc__
    return wrapped


async def stop(desk, **options):
    """Return what the end came to, and how many seconds it took."""
    began_ns = desk.clock.mono_ns()
    count = await stop_trading(desk.loop, desk.engine, desk.venue, desk.clock, "enough", **options)
    return count, (desk.clock.mono_ns() - began_ns) / 1e9


@at_a_desk
async def test_nought_is_the_venues_answer(desk):
    """A clean end is one cancel-all, no new order, and one question that the venue answers with nought."""
    before = len(desk.venue.submitted)

    count, took_s = await stop(desk)

    assert count == 0
    assert took_s < 0.5
    assert [CancelAll] == [type(command) for command in desk.venue.submitted[before:]]
    assert desk.venue.creates_stopped
    assert desk.venue.counts_asked == 1


@at_a_desk
async def test_cancel_all_is_repeated(desk):
    """A cancel-all without effect is sent again until the orders have gone."""
    desk.venue.cancels_to_ignore = 3

    count, _ = await stop(desk)

    assert count == 0
    assert desk.venue.cancel_alls() == 4


@at_a_desk
async def test_orders_that_stay_are_not_called_gone(desk):
    """Where no cancel has an effect the end is bounded, and the orders are counted as the venue shows them."""
    desk.venue.cancels_to_ignore = 10**6

    count, took_s = await stop(desk)

    assert count == len(desk.venue.open) == 8
    assert took_s == pytest.approx(STOP_WITHIN_S, abs=0.1)


@at_a_desk
async def test_order_that_is_not_ours_is_counted(desk):
    """An order that came from elsewhere and outlives the cancel-all is reported in the venue's count."""
    foreign = PlaceOrder(0, 0, 5, False, 1000, 1)
    desk.venue._end = lambda index: None if index == 5 else type(desk.venue)._end(desk.venue, index)  # noqa: SLF001
    desk.venue.open[5] = foreign

    count, _ = await stop(desk)

    assert count == 1


@at_a_desk
async def test_order_that_is_not_tracked_is_cancelled(desk):
    """An order that came to the book after the cancel-all, and that the engine knows nothing of, is cancelled too."""
    ours = desk.loop.receive
    desk.venue.sink = lambda event: None if getattr(event, "client_order_index", 0) == 5 else ours(event)
    asyncio.get_running_loop().call_later(0.015, desk.venue.open.__setitem__, 5, PlaceOrder(0, 0, 5, False, 1000, 1))

    count, took_s = await stop(desk)

    assert (0, 2) == (count, desk.venue.cancel_alls())
    assert took_s < 3


@at_a_desk
async def test_silence_is_unknown(desk):
    """A venue that is gone leaves the number unknown."""
    desk.venue.is_dead = True

    count, took_s = await stop(desk)

    assert count is None
    assert took_s == pytest.approx(STOP_WITHIN_S, abs=0.1)


@at_a_desk
async def test_question_that_hangs_is_given_up(desk):
    """A venue that takes questions and never answers does not hold up the end beyond its time."""
    desk.venue.is_stuck = True

    count, took_s = await stop(desk, within_s=4.0)

    assert count is None
    assert took_s == pytest.approx(4.0, abs=0.1)


@at_a_desk
async def test_question_whose_answer_is_lost_is_asked_again(desk):
    """One question that hangs does not make the end unknown: another is asked beside it."""
    desk.venue.is_stuck = True
    asyncio.get_running_loop().call_later(1.0, setattr, desk.venue, "is_stuck", False)

    count, took_s = await stop(desk)

    assert (0, 2) == (count, desk.venue.counts_asked)
    assert took_s < 4


@at_a_desk
async def test_orders_that_end_at_the_last_moment_have_ended(desk):
    """Where ours end only while a last question is asked the answer counts."""
    desk.venue.cancels_to_ignore = 3

    count, took_s = await stop(desk, within_s=2.99)

    assert (0, 1) == (count, desk.venue.counts_asked)
    assert took_s < 3.1


@at_a_desk
async def test_venue_is_not_asked_while_ours_are_unsettled(desk):
    """What may be asked is left to those who settle our own orders; the venue's count comes when they have ended."""
    desk.venue.cancels_to_ignore = 3

    await stop(desk)

    assert desk.venue.counts_asked == 1


@at_a_desk
async def test_no_time_asks_nobody(desk):
    """Where it is known that nobody will answer, nobody is asked."""
    count, took_s = await stop(desk, within_s=0.0)

    assert (None, 0.0) == (count, took_s)
    assert desk.venue.counts_asked == 0


@at_a_desk
async def test_answer_overtaken_by_a_create_does_not_count(desk):
    """Nought while a create of ours is still on its way is not believed: the order would outlive us."""
    late = []
    desk.venue._execute = late.append  # noqa: SLF001
    desk.venue.open.clear()  # the venue shows nothing of what we track

    count, _ = await stop(desk, within_s=3.0)

    assert count is None


def test_unopened_account_is_unknown():
    """Where not even the account was told, nothing is known of its orders."""

    async def body():
        desk = Desk(PARAMS)
        desk.venue.is_dead = True

        count, _ = await stop(desk)

        assert count is None

    run(body())


@at_a_desk
async def test_bug_while_stopping_ends_the_wait(desk):
    """When the engine breaks during the end nobody waits for its orders to settle."""
    desk.venue.is_dead = True
    asyncio.get_running_loop().call_later(1.0, desk.loop.close)

    _, took_s = await stop(desk)

    assert took_s < 1.5


async def cancel_over_its_head(desk):
    desk.loop.close()
    began_ns = desk.clock.mono_ns()
    count = await cancel_without_engine(desk.engine, desk.venue, desk.clock)
    return count, (desk.clock.mono_ns() - began_ns) / 1e9


@at_a_desk
async def test_after_a_bug_everything_is_cancelled_without_the_engine(desk):
    """Creates are stopped, everything is cancelled, and two answers a cancel apart must be nought."""
    count, took_s = await cancel_over_its_head(desk)

    assert count == 0
    assert desk.venue.creates_stopped
    assert desk.venue.cancel_alls() == 2
    assert took_s < STOP_WITHIN_S


@at_a_desk
async def test_order_that_arrives_after_the_cancel_is_cancelled_too(desk):
    """A create that was on its way when the engine broke, and came alive after the first answer, is cancelled."""
    late = PlaceOrder(99, 0, 77, False, 1000, 1)
    asyncio.get_running_loop().call_later(1.2, desk.venue.open.__setitem__, 77, late)

    count, _ = await cancel_over_its_head(desk)

    assert count == 0
    assert not desk.venue.open


@at_a_desk
async def test_after_a_bug_silence_is_unknown_too(desk):
    """Without an answer the number of orders after a bug is unknown."""
    desk.venue.is_dead = True

    count, took_s = await cancel_over_its_head(desk)

    assert count is None
    assert took_s < STOP_WITHIN_S + 2


@at_a_desk
async def test_after_a_bug_orders_that_stay_are_counted(desk):
    """Orders that no cancel reaches are counted as the venue shows them."""
    desk.venue.cancels_to_ignore = 10**6

    count, _ = await cancel_over_its_head(desk)

    assert count == len(desk.venue.open) == 8
