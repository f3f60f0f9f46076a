"""A bot put together from parts that somebody else chose: the same in every mode and in the simulation.

What is opened here is registered with the caller's exit stack and closed in reverse order: the
venue first, the journal last. The parts belong to whoever chose them.
"""

import asyncio
import contextlib
import traceback
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from lighterman import __version__
from lighterman.config.settings import Settings
from lighterman.domain.chance import Rng
from lighterman.domain.clock import Clock
from lighterman.domain.errors import JournalError
from lighterman.engine.engine import Engine
from lighterman.engine.params import EngineParams
from lighterman.exchange.lighter import LighterVenue
from lighterman.exchange.params import MARKETS_AGAIN_MS, TRANSACTION_LIFETIME_MS_MAX, ClientParams
from lighterman.exchange.settings import VenueSettings
from lighterman.exchange.transport import Transport
from lighterman.journal.disk import Disk
from lighterman.journal.records import Header
from lighterman.journal.session import Session, write_summary
from lighterman.journal.state import AccountState, AccountStore
from lighterman.journal.writer import JournalWriter, Scribe
from lighterman.monitoring.figures import Figures
from lighterman.monitoring.logs import Log
from lighterman.monitoring.narrator import Narrator
from lighterman.protocol.signing import AsyncSigner
from lighterman.risk.gate import Approved
from lighterman.risk.pnl import LossState
from lighterman.runtime.local_account import LocalAccount
from lighterman.runtime.loop import Observer, TradingLoop
from lighterman.runtime.outcome import Opening, Outcome
from lighterman.runtime.preflight import MarketPreflight
from lighterman.runtime.replay import how_it_broke
from lighterman.runtime.stopping import Failure, Stop
from lighterman.runtime.watches import JournalWatch, LossKeeper, watch_day

JOURNAL_STOP_S = 5.0
CLOCKS_MS = 2_000  # by which the venue's clock and ours may differ


class RunPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What one run is told, beside its settings."""

    settings: Settings
    exchange_arguments: list[str]  # options of the local exchange that is started, if one is
    duration_ns: int | None
    started_ns: int  # monotonic time at which the process began
    is_throwaway: bool  # the account ends with the run, and so does what is known of it
    rearm: bool
    fits_markets: bool = False  # quote what the local exchange lists, whatever the settings name
    submits: bool = True  # False only looks: decisions are made and shown, and nothing is sent


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What differs between one mode and another, and between a machine and a simulated one."""

    settings: Settings
    venue: VenueSettings
    clock: Clock
    disk: Disk
    transport: Transport
    signers: Mapping[int, AsyncSigner]  # by api key index; creates on the first, cancels on the last
    jitter: Rng  # of reconnects
    scribe: Callable[[JournalWriter], Scribe]
    log: Log
    session: Session
    store: AccountStore
    account: LocalAccount | None = None
    observers: Sequence[Observer] = ()  # who else looks on, last of all
    show_bug: Callable[[BaseException], None] = traceback.print_exception
    markets_again_ms: int = MARKETS_AGAIN_MS
    after_turn: Callable[[int], None] = lambda _: None  # what is done when nobody waits; it hears the time


@dataclass(frozen=True)
class Bot:
    """A bot put together: what `run.py` needs to drive it and to end it."""

    engine: Engine
    venue: LighterVenue
    loop: TradingLoop
    figures: Figures
    opening: Opening
    journal: JournalWriter
    log: Log
    session: Session
    disk: Disk
    has_started: asyncio.Event  # the venue has been compared with the settings, and its clock with ours
    account: LocalAccount | None  # on a local exchange: its own books can be compared with ours
    may_have_orders: bool  # an earlier session may have left some
    settle: Callable[[], None]  # keep that the venue has said that no order is left
    metrics_port: int = 0  # 0: nobody serves them

    async def start(self) -> None:
        """Start the venue (see `Venue.start`); from then on our clock is known to be right."""
        await self.venue.start()
        self.has_started.set()

    def summarise(self, outcome: Outcome) -> None:
        """Keep the result beside the journal, and with the account whether orders may be left."""
        if outcome.open_orders_after_stop == 0:
            self.settle()
        with contextlib.suppress(JournalError):  # it is shown anyway, and nothing is left to stop
            write_summary(self.disk, self.session, outcome)


def build_bot(plan: RunPlan, parts: Parts, stop: Stop, stack: contextlib.AsyncExitStack) -> Bot:
    """Put a bot together, its journal begun and its watches running; raises JournalError."""
    clock, log, signers = parts.clock, parts.log, parts.signers
    state = _begin(plan, parts.store)
    params = parts.settings.engine
    if any(signer.backend.startswith("official") for signer in signers.values()):  # it fixes ExpiredAt itself
        params = replace(params, transaction_lifetime_ms=TRANSACTION_LIFETIME_MS_MAX)
    engine = Engine(params, epoch=state.epoch, loss=state.loss)
    figures, opening = Figures(params, state.loss, clock), Opening(engine, clock)
    journal, scribe = _open_journal(parts, state, params, stop, stack)

    def on_broken(error: Exception, now_ns: int) -> None:
        journal.observe_break(now_ns, how_it_broke(error))
        _end_by_bug(error, stop, parts.show_bug)

    def stop_creates() -> None:
        venue.stop_creates()

    watch, has_started = JournalWatch(journal, parts.store, stop, stop_creates), asyncio.Event()
    loop = TradingLoop(
        engine,
        clock,
        [journal, stop, watch, *parts.observers],
        on_broken=on_broken,
        after_turn=parts.after_turn,
        bystanders=[figures, opening, Narrator(params, log), LossKeeper(parts.store, scribe)],
    )
    venue = LighterVenue(
        _client_params(parts, params, may_have_orders=state.may_have_orders),
        signers,
        parts.transport,
        clock,
        parts.jitter,
        MarketPreflight(params, parts.settings.declared, loop.receive, lambda text: log.info("settings", notice=text)),
        on_failure=lambda error: _end_by_bug(error, stop, parts.show_bug),
    )
    stack.push_async_callback(venue.close)
    loop.connect(venue.submit if plan.submits else _send_nothing, venue.query)
    stack.callback(loop.close)
    stack.callback(
        scribe.submit, lambda: parts.store.save_loss(engine.state.loss.state())
    )  # the last seconds count too
    days = watch_day(clock, loop.receive, has_started, lambda text: log.warning("clock", notice=text))
    for work in (days, watch.run()):
        run_beside(work, stop, stack, parts.show_bug)
    session, disk, account = parts.session, parts.disk, parts.account
    return Bot(
        engine,
        venue,
        loop,
        figures,
        opening,
        journal,
        log,
        session,
        disk,
        has_started,
        account,
        may_have_orders=state.may_have_orders,
        settle=lambda: scribe.submit(parts.store.settle),
    )


def _begin(plan: RunPlan, store: AccountStore) -> AccountState:
    """Count the start, and return what the account must not forget."""
    state = store.begin()
    if plan.rearm:
        state = replace(state, loss=LossState(day=state.loss.day))
        store.save_loss(state.loss)
    return state


def _client_params(parts: Parts, engine: EngineParams, *, may_have_orders: bool) -> ClientParams:
    venue, limits = parts.venue, engine.limits
    return ClientParams(
        stream_url=venue.stream_url,
        chain_id=venue.chain_id,
        account_index=venue.account_index,
        symbols=[market.symbol for market in engine.markets],
        order_value_micro_max=limits.order_value_micro_max,
        messages_per_minute=limits.messages_per_minute,
        asking_per_minute=limits.messages_per_minute - limits.messages_kept_for_cancels,
        transaction_lifetime_ms=engine.transaction_lifetime_ms,
        answer_timeout_ms=engine.answer_timeout_ms,
        quiet_ms=engine.transaction_lifetime_ms + CLOCKS_MS if may_have_orders else 0,
        markets_again_ms=parts.markets_again_ms,
    )


def _open_journal(
    parts: Parts, state: AccountState, params: EngineParams, stop: Stop, stack: contextlib.AsyncExitStack
) -> tuple[JournalWriter, Scribe]:
    """Begin the record of the session; it ends with the reason why the run did."""
    settings, session = parts.settings, parts.session
    header = Header(
        lighterman_version=__version__,
        session=session.name,
        config_hash=settings.config_hash,
        epoch=state.epoch,
        params=params,
        loss=state.loss,
    )
    journal = JournalWriter(parts.disk, session.journal_path, header, settings.journal, parts.clock)
    scribe = parts.scribe(journal)
    scribe.start()

    def close() -> None:
        if scribe.stop(JOURNAL_STOP_S):  # else the disk holds it, and would hold us too
            journal.close(stop.reason)

    stack.callback(close)
    return journal, scribe


def _send_nothing(_: Sequence[Approved]) -> None:
    """Take the place of the venue's `submit` where only decisions are wanted."""


def _end_by_bug(error: BaseException, stop: Stop, show_bug: Callable[[BaseException], None]) -> None:
    """End the run because this program is wrong, and show where."""
    show_bug(error)
    stop.ask(f"bug: {type(error).__name__}: {error}", Failure.BUG)


def run_beside(
    work: Coroutine[None, None, None],
    stop: Stop,
    stack: contextlib.AsyncExitStack,
    show_bug: Callable[[BaseException], None],
) -> None:
    """Run something until the stack is closed; that it fails is a bug."""

    def done(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _end_by_bug(error, stop, show_bug)

    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(done)

    async def end() -> None:
        task.cancel()
        await asyncio.wait([task])  # house-ok: one task has no order

    stack.push_async_callback(end)
