"""One run of the bot from start to end.

The order is the safety: nothing is quoted before lock, journal, account and keys are in place
(`wiring.py`), and nothing is closed before the venue has said that no order is left
(`shutdown.py`). A signal may come at any moment, also during the start.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from lighterman.domain.clock import Clock
from lighterman.domain.errors import (
    ConfigError,
    InvariantBroken,
    JournalError,
    LightermanError,
    TransportError,
    VenueError,
)
from lighterman.protocol.rest import Ledger
from lighterman.runtime.bot import Bot, RunPlan
from lighterman.runtime.exits import Exit
from lighterman.runtime.ledgers import begin_together, differences
from lighterman.runtime.local_account import LocalAccount
from lighterman.runtime.outcome import NS_PER_MS, Outcome, exit_code, fill_in, why_not_quoting
from lighterman.runtime.shutdown import STOP_WITHIN_S, cancel_without_engine, stop_trading
from lighterman.runtime.stopping import Failure, Stop
from lighterman.runtime.wiring import open_bot

NS_PER_S = 1_000_000_000
SETTLE_TRIES = 20
SETTLE_EVERY_S = 0.1

T = TypeVar("T")


async def run(plan: RunPlan, clock: Clock, show: Callable[[Bot], None]) -> Outcome:
    """Trade until something ends it; the outcome says what, and what is left.

    `show` is called once everything is built, for a live status. What an operator or a venue
    can cause is not raised: it becomes the outcome's exit code and its `stopped_by`.
    """
    stop = Stop()
    stop.listen_to_signals()

    async def opened(stack: contextlib.AsyncExitStack) -> Bot:
        return await open_bot(plan, clock, stop, stack)

    return await run_to_end(plan, clock, stop, opened, show)


async def run_to_end(
    plan: RunPlan,
    clock: Clock,
    stop: Stop,
    opened: Callable[[contextlib.AsyncExitStack], Awaitable[Bot]],
    show: Callable[[Bot], None],
) -> Outcome:
    """Do the same with a bot that the caller puts together and a stop that the caller asks for."""
    outcome = Outcome(mode=plan.settings.mode.value, stopped_by="", exit_code=Exit.OK)
    if not plan.settings.venue.base_url:  # an exchange that this run alone reaches
        outcome.open_orders_after_stop = 0
    bot: Bot | None = None
    refused = Exit.OK
    async with contextlib.AsyncExitStack() as stack:
        try:
            bot = await _unless(stop, opened(stack))
            if bot is not None:
                show(bot)
                await _trade(bot, plan, clock, stop, outcome)
        except InvariantBroken as error:
            stop.ask(f"bug: {type(error).__name__}: {error}", Failure.BUG)
        except LightermanError as error:  # before anything was sent
            stop.ask(str(error), Failure.START)
            refused = _exit_of(error)
        outcome.stopped_by = stop.reason
        outcome.exit_code = stop.exit_now = exit_code(
            open_orders=outcome.open_orders_after_stop,
            failure=stop.failure,
            may_have_left=bot is not None and (bot.may_have_orders or bot.engine.state.ledger.is_open),
            refused=refused,
            is_loss_tripped=bot is not None and bool(bot.engine.state.loss.tripped),
        )
        if bot is not None:
            outcome.session = bot.session.folder
            bot.summarise(outcome)
    return outcome


async def _trade(bot: Bot, plan: RunPlan, clock: Clock, stop: Stop, outcome: Outcome) -> None:
    """Start the venue, wait for the end, leave nothing behind; raises LightermanError before anything was sent."""
    before = await bot.account.ledger() if bot.account is not None else None
    if before is not None:
        outcome.open_orders_after_stop = before.open_orders
    stop.exit_now = Exit.ORDERS_UNKNOWN
    await _unless(stop, bot.start())
    if not stop.is_asked or bot.engine.state.ledger.is_open:  # else it ended before anything could be sent
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), plan.duration_ns / NS_PER_S if plan.duration_ns else None)
        stop.ask("duration")
        bot.loop.tell_rest()
        outcome.why_not_quoting = why_not_quoting(bot.figures)
        outcome.open_orders_after_stop = await _leave_nothing(bot, clock, stop)
        bot.loop.tell_rest()
        fill_in(outcome, bot.engine, bot.figures, bot.opening, clock.mono_ns())
        if bot.opening.first_quote_ns is not None:
            outcome.first_quote_ms = (bot.opening.first_quote_ns - plan.started_ns) // NS_PER_MS
        if bot.account is not None and before is not None:
            await _compare_ledgers(bot.account, bot, before, outcome)


async def _leave_nothing(bot: Bot, clock: Clock, stop: Stop) -> int | None:
    """Cancel everything, by the engine while it can be trusted; return how many orders are left, None if unknown."""
    count: int | None = None
    if stop.failure is not Failure.BUG:
        within_s = 0.0 if stop.failure is Failure.GONE else STOP_WITHIN_S
        count = await stop_trading(bot.loop, bot.engine, bot.venue, clock, stop.reason, within_s)
    if stop.failure is Failure.BUG:  # perhaps only while it stopped
        bot.loop.close()
        count = await cancel_without_engine(bot.engine, bot.venue, clock)
    venue_is_gone = stop.failure is Failure.GONE
    return 0 if count is None and bot.opening.had_no_orders(venue_is_gone=venue_is_gone) else count


async def _compare_ledgers(account: LocalAccount, bot: Bot, before: Ledger, outcome: Outcome) -> None:
    """Compare with the exchange's own books; the last events may still be on the wire for a moment."""
    opening = bot.opening.books
    for _ in range(SETTLE_TRIES):
        try:
            after = await account.ledger()
        except LightermanError:
            return
        if after.open_orders or outcome.open_orders_after_stop is not None:  # none now is no proof of none to come
            outcome.open_orders_after_stop = after.open_orders
        if opening is None or not begin_together(opening, before):
            return
        outcome.ledger_differences = differences(bot.engine.state.ledger, opening, before, after)
        outcome.ledger_match = not outcome.ledger_differences
        if outcome.ledger_match:
            return
        await asyncio.sleep(SETTLE_EVERY_S)


async def _unless(stop: Stop, awaitable: Awaitable[T]) -> T | None:
    """Return what the awaitable returns, or None, having cancelled it, when the run is to end first."""
    working, stopping = asyncio.ensure_future(awaitable), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)  # house-ok: no result is used
        if working.done():
            return working.result()
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError, LightermanError):
            await working
        return None
    finally:
        working.cancel()
        stopping.cancel()


def _exit_of(error: LightermanError) -> Exit:
    if isinstance(error, ConfigError):
        return Exit.CONFIG
    if isinstance(error, JournalError):
        return Exit.FAIL_SAFE
    return Exit.VENUE if isinstance(error, TransportError | VenueError) else Exit.PREFLIGHT
