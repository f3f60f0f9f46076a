"""The one place where a bot is put together. What differs between modes differs here alone.

Everything opened is registered with the caller's exit stack, so that it is closed in reverse
order whatever happens: the venue first, the local exchange last.
"""

import asyncio
import contextlib
import os
import traceback
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from lighterman import __version__
from lighterman.chance import secret_bytes, seeded
from lighterman.config.networks import Mode
from lighterman.config.settings import Settings
from lighterman.domain.clock import Clock
from lighterman.domain.errors import JournalError, PreflightError
from lighterman.engine.engine import Engine
from lighterman.engine.params import EngineParams
from lighterman.exchange.lighter import LighterVenue
from lighterman.exchange.params import TRANSACTION_LIFETIME_MS_MAX, ClientParams
from lighterman.exchange.settings import VenueSettings
from lighterman.exchange.sockets import SocketTransport
from lighterman.journal.disk import SystemDisk
from lighterman.journal.lock import InstanceLock
from lighterman.journal.records import Header
from lighterman.journal.session import Session, create_session, write_summary
from lighterman.journal.state import AccountState, AccountStore
from lighterman.journal.writer import JournalThread, JournalWriter
from lighterman.monitoring.figures import Figures
from lighterman.monitoring.health import HealthReport, assess
from lighterman.monitoring.logs import Log, LogWriter
from lighterman.monitoring.metrics import Exposition
from lighterman.monitoring.narrator import Narrator
from lighterman.monitoring.samples import Outside
from lighterman.monitoring.server import MonitoringServer
from lighterman.risk.gate import Approved
from lighterman.risk.pnl import LossState
from lighterman.runtime.children import ExchangeProcess
from lighterman.runtime.demo_markets import fitted
from lighterman.runtime.local_account import LocalAccount
from lighterman.runtime.loop import TradingLoop
from lighterman.runtime.outcome import Opening, Outcome
from lighterman.runtime.preflight import MarketPreflight
from lighterman.runtime.replay import how_it_broke
from lighterman.runtime.stopping import Failure, Stop
from lighterman.runtime.watches import LossKeeper, watch_day, watch_exchange, watch_journal
from lighterman.signing.pure import generate_key
from lighterman.signing.select import open_signer
from lighterman.signing.thread import ThreadedSigner

NS_PER_S = 1_000_000_000
JOURNAL_STOP_S = 5.0
LOG_STOP_S = 2.0


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


@dataclass(frozen=True)
class Bot:
    """A bot put together: what `run.py` needs to drive it and to end it."""

    engine: Engine
    venue: LighterVenue
    loop: TradingLoop
    figures: Figures
    opening: Opening
    log: Log
    session: Session
    metrics_port: int
    account: LocalAccount | None  # on a local exchange: its own books can be compared with ours

    def summarise(self, outcome: Outcome) -> None:
        """Keep the result beside the journal."""
        with contextlib.suppress(JournalError):  # it is shown anyway, and nothing is left to stop
            write_summary(SystemDisk(), self.session, outcome)


async def open_bot(plan: RunPlan, clock: Clock, stop: Stop, stack: contextlib.AsyncExitStack) -> Bot:
    """Put a bot together for mode `local`; raises LightermanError where something does not fit."""
    settings = plan.settings
    if settings.mode is not Mode.LOCAL:
        raise PreflightError(
            f"mode {settings.mode.value}: trading on a real network needs the watchman that cancels when the bot "
            "dies, and that is not built yet; --mode local runs the same bot on a local exchange"
        )
    venue_settings = await _find_exchange(plan, stop, stack)
    if plan.fits_markets:
        settings = await fitted(settings, venue_settings.base_url)
    session, state, store = _open_session(plan, clock, stack)
    signers = await _open_signers(venue_settings, stack)
    account = LocalAccount(venue_settings.base_url, venue_settings.account_index)
    await _register_keys(account, signers, venue_settings)
    engine_params = settings.engine
    if any(signer.backend.startswith("official") for signer in signers.values()):  # it fixes ExpiredAt itself
        engine_params = replace(engine_params, transaction_lifetime_ms=TRANSACTION_LIFETIME_MS_MAX)
    engine = Engine(engine_params, epoch=state.epoch, loss=state.loss)
    figures, opening = Figures(engine_params, state.loss, clock), Opening(engine, clock)
    journal, thread = _open_journal(plan, session, state, engine_params, clock, stop, stack)
    log = _open_log(settings, clock, stack)
    transport = SocketTransport(venue_settings.base_url, f"lighterman/{__version__}")
    stack.push_async_callback(transport.close)

    def on_broken(error: Exception, now_ns: int) -> None:
        journal.observe_break(now_ns, how_it_broke(error))
        _end_by_bug(error, stop)

    loop = TradingLoop(
        engine,
        clock,
        [journal, figures, opening, Narrator(engine_params, log, clock), LossKeeper(store, thread), stop],
        on_broken=on_broken,
    )
    venue = LighterVenue(
        _client_params(venue_settings, engine_params),
        signers,
        transport,
        clock,
        seeded(int.from_bytes(secret_bytes(8), "little"), "reconnect jitter"),
        MarketPreflight(engine_params, settings.declared, loop.receive, lambda text: log.info("settings", notice=text)),
        on_failure=lambda error: _end_by_bug(error, stop),
    )
    stack.push_async_callback(venue.close)
    loop.connect(venue.submit if plan.submits else _send_nothing, venue.query)
    stack.callback(loop.close)
    stack.callback(thread.submit, lambda: store.save_loss(engine.state.loss.state()))  # the last seconds count too
    port = _open_monitoring(settings, figures, engine, journal, log, clock, stack)
    for work in (watch_day(clock, loop.receive), watch_journal(journal, store, stop, venue.stop_creates)):
        _run_beside(work, stop, stack)
    return Bot(engine, venue, loop, figures, opening, log, session, port, account)


async def _find_exchange(plan: RunPlan, stop: Stop, stack: contextlib.AsyncExitStack) -> VenueSettings:
    """Return the venue's settings with an address in them: the given one, or a new exchange's."""
    venue = plan.settings.venue
    if venue.base_url:
        return venue
    exchange = await ExchangeProcess.start(["--chain-id", str(venue.chain_id), *plan.exchange_arguments])
    stack.push_async_callback(exchange.stop)
    ready = await exchange.ready()
    _run_beside(watch_exchange(exchange, stop), stop, stack)
    return replace(venue, base_url=ready.url, stream_url=ready.ws_url)


def _open_session(
    plan: RunPlan, clock: Clock, stack: contextlib.AsyncExitStack
) -> tuple[Session, AccountState, AccountStore]:
    """Open the session's folder and what the account must not forget; one bot an account."""
    settings, disk = plan.settings, SystemDisk()
    directory, account = settings.journal.directory, settings.venue.account_index
    network = settings.mode.value
    session = create_session(disk, directory, network, clock.wall_us(), settings.document)
    kept_in = session.folder if plan.is_throwaway else directory
    lock = InstanceLock(kept_in, network, account)
    lock.acquire(os.getpid())
    stack.callback(lock.release)
    store = AccountStore(disk, kept_in, network, account)
    state = store.begin()
    if plan.rearm:
        state = AccountState(state.epoch, LossState(day=state.loss.day))
        store.save_loss(state.loss)
    return session, state, store


async def _open_signers(venue: VenueSettings, stack: contextlib.AsyncExitStack) -> dict[int, ThreadedSigner]:
    """Make keys for the occasion and a signer for each; creates on the first, cancels on the last."""
    signers: dict[int, ThreadedSigner] = {}
    for key_index in dict.fromkeys((venue.api_key_index, venue.cancel_api_key_index)):
        secret, _ = generate_key(secret_bytes)
        signers[key_index] = open_signer(
            venue.signer,
            secret,
            account_index=venue.account_index,
            api_key_index=key_index,
            chain_id=venue.chain_id,
            entropy=secret_bytes,
        )
        stack.callback(signers[key_index].close)
        await asyncio.sleep(0)  # a signal may want to be heard
    return signers


async def _register_keys(account: LocalAccount, signers: dict[int, ThreadedSigner], venue: VenueSettings) -> None:
    """Show our keys to the exchange; raises PreflightError where it would not understand what they sign."""
    for key_index, signer in signers.items():
        opened = await account.add_key(key_index, signer.public_key, venue.tier)
        if opened.chain_id != venue.chain_id:
            raise PreflightError(
                f"the exchange at {venue.base_url} reads signatures of chain id {opened.chain_id}, "
                f"and mode local signs for {venue.chain_id}: start it with --chain-id {venue.chain_id}"
            )


def _client_params(venue: VenueSettings, engine: EngineParams) -> ClientParams:
    return ClientParams(
        stream_url=venue.stream_url,
        chain_id=venue.chain_id,
        account_index=venue.account_index,
        symbols=[market.symbol for market in engine.markets],
        order_value_micro_max=engine.limits.order_value_micro_max,
        transaction_lifetime_ms=engine.transaction_lifetime_ms,
        answer_timeout_ms=engine.answer_timeout_ms,
    )


def _open_journal(
    plan: RunPlan,
    session: Session,
    state: AccountState,
    params: EngineParams,
    clock: Clock,
    stop: Stop,
    stack: contextlib.AsyncExitStack,
) -> tuple[JournalWriter, JournalThread]:
    """Begin the record of the session; it ends with the reason why the run did."""
    header = Header(
        lighterman_version=__version__,
        session=session.name,
        config_hash=plan.settings.config_hash,
        epoch=state.epoch,
        params=params,
        loss=state.loss,
    )
    journal = JournalWriter(SystemDisk(), session.journal_path, header, plan.settings.journal, clock)
    thread = JournalThread(journal)
    thread.start()

    def close() -> None:
        if thread.stop(JOURNAL_STOP_S):  # else the disk holds it, and would hold us too
            journal.close(stop.reason)

    stack.callback(close)
    return journal, thread


def _open_log(settings: Settings, clock: Clock, stack: contextlib.AsyncExitStack) -> Log:
    log = Log(settings.logs.level, clock)
    writer = LogWriter(log, settings.logs, clock)
    writer.start()
    stack.callback(writer.stop, LOG_STOP_S)
    for notice in settings.notices:
        log.info("settings", notice=notice)
    return log


def _open_monitoring(
    settings: Settings,
    figures: Figures,
    engine: Engine,
    journal: JournalWriter,
    log: Log,
    clock: Clock,
    stack: contextlib.AsyncExitStack,
) -> int:
    """Serve /metrics and /health; returns the port."""
    asyncio_loop = asyncio.get_running_loop()

    def outside() -> Outside:
        health = journal.health
        return Outside(
            tasks=len(asyncio.all_tasks(asyncio_loop)),
            messages_left=engine.messages_left,
            journal_bytes=health.bytes_written,
            journal_pending=health.pending,
            journal_dropped=health.dropped,
            log_lines_dropped=log.dropped,
        )

    def health() -> HealthReport:
        state = journal.health
        return assess(figures, "" if state.may_create else state.reason, clock.mono_ns())

    server = MonitoringServer(settings.monitoring, Exposition(figures, outside, clock).render, health)
    server.start()
    stack.callback(server.stop)
    return server.port


def _send_nothing(_: Sequence[Approved]) -> None:
    """Take the place of the venue's `submit` where only decisions are wanted."""


def _end_by_bug(error: BaseException, stop: Stop) -> None:
    """End the run because this program is wrong, and show where."""
    traceback.print_exception(error)
    stop.ask(f"bug: {type(error).__name__}: {error}", Failure.BUG)


def _run_beside(work: Coroutine[None, None, None], stop: Stop, stack: contextlib.AsyncExitStack) -> None:
    """Run something until the stack is closed; that it fails is a bug."""

    def done(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _end_by_bug(error, stop)

    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(done)

    async def end() -> None:
        task.cancel()
        await asyncio.wait([task])

    stack.push_async_callback(end)
