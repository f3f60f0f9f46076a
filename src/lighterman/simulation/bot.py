"""The bot as a process of the simulation: the unmodified one, built from simulated parts, started again and again.

Law: a start knows nothing but the disk and what the venue says; only keys and settings are given
anew, as an operator gives them. Between two starts nothing of the first is left but its files.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from lighterman.config.networks import Mode
from lighterman.config.settings import Settings, assemble
from lighterman.domain.chance import Rng
from lighterman.exchange.transport import Transport
from lighterman.journal.session import create_session
from lighterman.journal.state import AccountStore
from lighterman.journal.writer import JournalWriter
from lighterman.monitoring.logs import Log
from lighterman.runtime.bot import Bot, Parts, RunPlan, build_bot
from lighterman.runtime.exits import Exit
from lighterman.runtime.loop import Observer
from lighterman.runtime.outcome import Outcome
from lighterman.runtime.run import run_to_end
from lighterman.runtime.stopping import Stop
from lighterman.signing.fake import FakeSigner
from lighterman.simulation.disk import SimulatedDisk
from lighterman.simulation.plan import Options
from lighterman.simulation.virtual import Node, NodeClock

JOURNALS = "/journal"
BASE_URL, STREAM_URL = "http://exchange", "ws://exchange/stream"
MARKETS_AGAIN_MS = 45_000
WRITES_EVERY_S = 0.05
MARKETS = {  # symbol: smallest order, largest position, both in coins
    "ETH": ("0.05", 2.0),
    "BTC": ("0.002", 0.08),
    "SOL": ("1", 40.0),
}


def settings_of(options: Options) -> Settings:
    """Return the settings an operator would have written for these circumstances."""
    markets = [
        {
            "symbol": f"{symbol}-USDC",
            "minOrderSize": MARKETS[symbol][0],
            "maxPosition": f"{MARKETS[symbol][1] * options.position_share:.6f}",
            "minSpreadBps": 0.8,
            "maxSpreadBps": 8,
            "orderLevels": options.levels,
            "orderSizeMultiplier": 1.3,
            "skewFactor": 0.6,
            "volatilityFactor": 0.2,
            "volatilityMinSamples": 3,
            "imbalanceFactorBps": 0.5,
        }
        for symbol in options.symbols
    ]
    document = {
        "lighter": {"signer": "pure", "tier": options.tier.partition("-")[0]},
        "markets": markets,
        "risk": {
            "maxTotalPositionUSD": options.total_usd,
            "maxOrderValueUSD": 2_000,
            "dailyLossLimitUSD": options.loss_usd,
            "priceCollarBps": options.collar_bps,
        },
        "logging": {"level": "error"},
        "journal": {"directory": JOURNALS},
    }
    settings = assemble(msgspec.json.encode(document), Mode.LOCAL, environ={}, folder=Path(), is_private=True)
    return replace(settings, venue=replace(settings.venue, base_url=BASE_URL, stream_url=STREAM_URL))


class Process:
    """One start of the bot, until its end or its death."""

    def __init__(self, node: Node, clock: NodeClock, disk: SimulatedDisk, settings: Settings, rng: Rng) -> None:
        self.node = node
        self.stop: Stop | None = None
        self.bot: Bot | None = None
        self._clock = clock
        self._disk = disk
        self._settings = settings
        self._rng = rng
        self.bugs: list[BaseException] = []

    def start(
        self,
        transport: Callable[[contextlib.AsyncExitStack], Transport],
        observers: Sequence[Observer],
        on_end: Callable[["Process", Outcome], None],
        *,
        rearm: bool,
    ) -> None:
        """Start the bot on its node; `on_end` hears how it ended, unless it is killed."""
        plan = RunPlan(
            settings=self._settings,
            exchange_arguments=[],
            duration_ns=None,
            started_ns=self._clock.mono_ns(),
            is_throwaway=False,
            rearm=rearm,
        )

        async def main() -> None:
            self.stop = stop = Stop()

            async def opened(stack: contextlib.AsyncExitStack) -> Bot:
                self.bot = build_bot(plan, self._parts(transport(stack), observers), stop, stack)
                return self.bot

            outcome = await run_to_end(plan, self._clock, stop, opened, lambda _: None)
            on_end(self, outcome)

        def done(task: asyncio.Task[None]) -> None:
            error = None if task.cancelled() else task.exception()
            if error is not None:
                self.bugs.append(error)
                on_end(self, Outcome(mode="", stopped_by=f"crashed: {error!r}", exit_code=Exit.BROKEN))

        self.node.spawn(main()).add_done_callback(done)

    def ask_to_stop(self, reason: str) -> None:
        """Signal it."""
        if self.stop is not None:
            self.node.call(self.stop.ask, reason)

    def halted_because(self) -> str:
        """Return what only a person may clear; empty while it trades, or may trade again by itself."""
        if self.bot is None:
            return ""
        state = self.bot.engine.state
        markets = [market.halt_reason for market in state.markets.values() if market.halt_reason]
        return state.halt_reason or next(iter(markets), "") or state.loss.tripped

    def _parts(self, transport: Transport, observers: Sequence[Observer]) -> Parts:
        settings, venue, clock = self._settings, self._settings.venue, self._clock
        keys = dict.fromkeys((venue.api_key_index, venue.cancel_api_key_index))
        latency_s = (None, lambda: self._rng.uniform(0.0002, 0.002))[self._rng.randrange(0, 2)]
        signers = {key: FakeSigner(venue.account_index, key, venue.chain_id, latency_s) for key in keys}
        session = create_session(
            self._disk, settings.journal.directory, Mode.LOCAL.value, clock.wall_us(), settings.document
        )
        return Parts(
            settings=settings,
            venue=venue,
            clock=clock,
            disk=self._disk,
            transport=transport,
            signers=signers,
            jitter=self._rng,
            scribe=LoopScribe,
            log=Log(settings.logs.level, clock),
            session=session,
            store=AccountStore(self._disk, settings.journal.directory, Mode.LOCAL.value, venue.account_index),
            show_bug=self.bugs.append,
            markets_again_ms=MARKETS_AGAIN_MS,
            observers=observers,
        )


class LoopScribe:
    """A `Scribe` in virtual time: what the journal's thread does, as a task, a little later than at once."""

    def __init__(self, writer: JournalWriter) -> None:
        self._writer = writer
        self._errands: deque[Callable[[], None]] = deque()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin writing."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def submit(self, errand: Callable[[], None]) -> None:
        """Have something else written, in order."""
        self._errands.append(errand)

    def stop(self, timeout_s: float) -> bool:  # noqa: ARG002  (this disk never takes long)
        """Write what is left, and end."""
        if self._task is not None:
            self._task.cancel()
        self._write()
        return True

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(WRITES_EVERY_S)
            self._write()

    def _write(self) -> None:
        while self._errands:
            self._errands.popleft()()
        while self._writer.flush():
            pass
