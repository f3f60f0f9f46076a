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
LOOK_EVERY_S = 0.02  # at our own orders, which costs nothing
ASK_EVERY_S = 1.0  # the venue, whose answers are rationed
ASK_BESIDE_S = 3.0  # where an answer may have been lost
LAST_ANSWER_S = 1.0
REPEAT_S = 1.0


async def stop_trading(
    loop: TradingLoop, engine: Engine, venue: Venue, clock: Clock, reason: str, within_s: float = STOP_WITHIN_S
) -> int | None:
    """Let the engine cancel everything; return the venue's count of open orders, None if unknown.

    Done when all of ours have ended and then the venue shows none, so that nothing can come
    alive after we have gone. Before that it is not asked: what the lowest tier may ask is needed
    to learn what became of our orders. While it may hold one that we do not track, all are
    cancelled anew.
    """
    venue.stop_creates()  # what waits to be sent would leave behind the cancel-all
    loop.receive(StopRequested(reason, clock.mono_ns()))
    orders = engine.state.orders
    deadline_ns = clock.mono_ns() + int(within_s * NS_PER_S)
    ask_ns = 0
    count: int | None = None
    while clock.mono_ns() < deadline_ns and not loop.is_over:
        await asyncio.sleep(LOOK_EVERY_S)
        if len(orders) or clock.mono_ns() < ask_ns:
            continue
        count = await _open_orders(venue, clock, deadline_ns)
        ask_ns = clock.mono_ns() + int(ASK_EVERY_S * NS_PER_S)
        if not len(orders):
            if count == 0:
                return 0
            loop.receive(StopRequested(reason, clock.mono_ns()))
    if within_s and not loop.is_over and clock.mono_ns() >= ask_ns:
        count = await _open_orders(venue, clock, deadline_ns)
        if count == 0 and not len(orders):
            return 0
    return count or None  # nought that was overtaken by an order proves nothing


async def cancel_without_engine(engine: Engine, venue: Venue, clock: Clock) -> int | None:
    """After a bug the engine is not asked any more: cancel everything over its head.

    Nobody counts what is still on the way, so nothing that adds an order leaves any more, and
    the venue must show none twice, with another cancel-all between the answers.
    """
    venue.stop_creates()
    deadline_ns = clock.mono_ns() + int(STOP_WITHIN_S * NS_PER_S)
    command_id = engine.state.commands
    count: int | None = None
    zeros = 0
    while clock.mono_ns() < deadline_ns:
        command_id += 1
        venue.submit([cancel_everything(command_id)])
        await asyncio.sleep(REPEAT_S)
        count = await _open_orders(venue, clock, deadline_ns)
        zeros = zeros + 1 if count == 0 else 0
        if zeros == 2:
            break
    return count


async def _open_orders(venue: Venue, clock: Clock, deadline_ns: int) -> int | None:
    """Ask the venue; None where it does not answer in time, of which a last question has a little too.

    A question without an answer may be lost, or only wait for its turn: another is asked beside it.
    """
    left_s = (deadline_ns - clock.mono_ns()) / NS_PER_S
    questions: list[asyncio.Task[int]] = []
    try:
        async with asyncio.timeout(max(left_s, LAST_ANSWER_S)):
            while True:
                questions.append(asyncio.ensure_future(venue.open_order_count()))
                await asyncio.wait(  # house-ok: the first in the list counts
                    questions, timeout=ASK_BESIDE_S, return_when=asyncio.FIRST_COMPLETED
                )
                for question in questions:
                    if question.done():
                        return question.result()
    except (LightermanError, TimeoutError):
        return None
    finally:
        for question in questions:
            question.cancel()
