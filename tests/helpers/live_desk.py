"""Engine, loop and the real client at a local exchange, in memory and in virtual time."""

import asyncio

from msgspec.structs import replace

from helpers.memory_venue import ACCOUNT, CHAIN, Network, World
from helpers.observed import PARAMS
from helpers.virtual_time import run
from lighterman.domain.events import DayStarted
from lighterman.engine.engine import Engine
from lighterman.risk.pnl import LossState
from lighterman.runtime.loop import TradingLoop
from lighterman.runtime.shutdown import stop_trading
from lighterman.simulator.app import AppRules
from lighterman.simulator.limits import LimitRules

LIMITS = replace(PARAMS.limits, data_age_ms_max=10**6, price_collar_bps=2000.0)  # a quiet market does not grow old


class LiveDesk(World):
    """A client whose events go to an engine, and whose orders come from it."""

    def __init__(self, **limits):
        self.loop = None
        super().__init__(Network(AppRules(chain_id=CHAIN, limits=LimitRules(**limits))))
        self.engine = Engine(replace(PARAMS, account_index=ACCOUNT, limits=LIMITS), epoch=1, loss=LossState())
        self.broken = []
        self.loop = TradingLoop(self.engine, self.clock, [], lambda *how: self.broken.append(how))
        self.loop.connect(self._send, self.venue.query)
        self.has_sent = asyncio.Event()

    def _send(self, approved):
        self.venue.submit(approved)
        self.has_sent.set()

    def _hear(self, event):
        super()._hear(event)
        self.loop.receive(event)

    def orders(self):
        """Return our orders at the exchange."""
        return self.network.exchange.open_orders(ACCOUNT)

    async def quote(self):
        self.loop.receive(DayStarted(20_000, self.clock.mono_ns()))
        await self.until(lambda: len(self.orders()) == 8)

    async def stop(self):
        """End trading; return what it came to, and how many seconds it took."""
        began_ns = self.clock.mono_ns()
        count = await stop_trading(self.loop, self.engine, self.venue, self.clock, "enough")
        assert [] == self.broken
        return count, (self.clock.mono_ns() - began_ns) / 1e9


def at_a_live_desk(**limits):
    """Run a test at such a desk, in virtual time."""

    def decorate(test):
        def wrapped():
            async def body():
                async with LiveDesk(**limits) as desk:
                    await test(desk)

            run(body())

        wrapped.__name__, wrapped.__doc__ = test.__name__, test.__doc__
        return wrapped

    return decorate
