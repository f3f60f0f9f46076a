"""The end of a run, in order: no new orders, cancel everything, ask the venue, then close.

Law: how it ended is what the venue said, not what we hoped. Zero open orders counts only when
it was answered by the venue after the last thing we sent; no answer is `None`, and the exit
code says so.
"""

import asyncio

from lighterman.domain.clock import Clock
from lighterman.domain.errors import LightermanError
from lighterman.domain.events import StopRequested
from lighterman.engine.engine import Engine
from lighterman.exchange.port import Venue
from lighterman.risk.gate import cancel_everything
from lighterman.runtime.loop import TradingLoop

NS_PER_S = 1_000_000_000
STOP_WITHIN_S = 10.0
ASK_EVERY_S = 0.1
REPEAT_S = 1.0


async def stop_trading(loop: TradingLoop, engine: Engine, venue: Venue, clock: Clock, reason: str) -> int | None:
    """Let the engine cancel everything; return the venue's count of open orders, None if unknown.

    Done when the venue shows no order and none of ours is unanswered, so that nothing can
    come alive after we have gone.
    """
    loop.receive(StopRequested(reason, clock.mono_ns()))
    deadline_ns = clock.mono_ns() + int(STOP_WITHIN_S * NS_PER_S)
    count: int | None = None
    while clock.mono_ns() < deadline_ns:
        await asyncio.sleep(ASK_EVERY_S)
        count = await _open_orders(venue)
        if count == 0 and not len(engine.state.orders):
            return 0
    return count if not len(engine.state.orders) else None


async def cancel_without_engine(engine: Engine, venue: Venue, clock: Clock) -> int | None:
    """After a broken invariant the engine is not asked any more: cancel everything over its head."""
    deadline_ns = clock.mono_ns() + int(STOP_WITHIN_S * NS_PER_S)
    repeat_ns = 0
    count: int | None = None
    while clock.mono_ns() < deadline_ns:
        if clock.mono_ns() >= repeat_ns:
            engine.state.commands += 1
            venue.submit([cancel_everything(engine.state.commands)])
            repeat_ns = clock.mono_ns() + int(REPEAT_S * NS_PER_S)
        await asyncio.sleep(ASK_EVERY_S)
        count = await _open_orders(venue)
        if count == 0:
            return 0
    return count


async def _open_orders(venue: Venue) -> int | None:
    """Ask the venue; None where it does not answer."""
    try:
        return await venue.open_order_count()
    except LightermanError:
        return None
