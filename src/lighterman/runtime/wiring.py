"""The one place where a mode is wired: what differs between modes differs here alone.

Everything opened is registered with the caller's exit stack, so that it is closed in reverse
order whatever happens: the venue first, the local exchange last. What is the same in every mode
is put together in `bot.py`.
"""

import asyncio
import contextlib
import dataclasses
import os
import traceback
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from lighterman import __version__
from lighterman.chance import secret_bytes, seeded
from lighterman.config.networks import Mode
from lighterman.config.settings import Settings
from lighterman.domain.clock import Clock
from lighterman.domain.errors import PreflightError
from lighterman.exchange.settings import VenueSettings
from lighterman.exchange.sockets import SocketTransport
from lighterman.journal.disk import SystemDisk
from lighterman.journal.lock import InstanceLock
from lighterman.journal.session import Session, create_session
from lighterman.journal.state import AccountStore
from lighterman.journal.writer import JournalThread
from lighterman.monitoring.health import HealthReport, assess
from lighterman.monitoring.logs import Log, LogWriter
from lighterman.monitoring.metrics import Exposition
from lighterman.monitoring.samples import Outside
from lighterman.monitoring.server import MonitoringServer
from lighterman.protocol.signing import AsyncSigner
from lighterman.runtime.bot import Bot, Parts, RunPlan, build_bot, run_beside
from lighterman.runtime.busypoll import BusyPoll
from lighterman.runtime.children import ExchangeProcess
from lighterman.runtime.collector import QuietCollector
from lighterman.runtime.demo_markets import fitted
from lighterman.runtime.local_account import LocalAccount
from lighterman.runtime.stopping import Stop
from lighterman.runtime.watches import watch_exchange
from lighterman.signing.inplace import InPlaceSigner
from lighterman.signing.pure import generate_key
from lighterman.signing.select import fallback_notice, open_signer

LOG_STOP_S = 2.0


async def open_bot(plan: RunPlan, clock: Clock, stop: Stop, stack: contextlib.AsyncExitStack) -> Bot:
    """Put a bot together for mode `local`; raises LightermanError where something does not fit."""
    settings = plan.settings
    if settings.mode is not Mode.LOCAL:
        raise PreflightError(
            f"mode {settings.mode.value}: trading on a real network needs the watchman that cancels when the bot "
            "dies, and that is not built yet; --mode local runs the same bot on a local exchange"
        )
    venue = await _find_exchange(plan, stop, stack)
    if plan.fits_markets:
        settings = await fitted(settings, venue.base_url)
    session, store = _open_session(plan, clock, stack)
    signers = await _open_signers(venue, clock, stack)
    account = LocalAccount(venue.base_url, venue.account_index)
    await _register_keys(account, signers, venue)
    log = _open_log(settings, clock, stack)
    log.info("signer", backend=", ".join(dict.fromkeys(signer.backend for signer in signers.values())))
    if notice := fallback_notice(venue.signer):
        log.warning("signer", notice=notice)
    transport = SocketTransport(venue.base_url, f"lighterman/{__version__}", secret_bytes)
    stack.push_async_callback(transport.close)
    collector = QuietCollector(clock)
    parts = Parts(
        settings=settings,
        venue=venue,
        clock=clock,
        disk=SystemDisk(),
        transport=transport,
        signers=signers,
        jitter=seeded(int.from_bytes(secret_bytes(8), "little"), "reconnect jitter"),
        scribe=JournalThread,
        log=log,
        session=session,
        store=store,
        account=account,
        after_turn=_after_turn(collector, settings, clock),
    )
    bot = build_bot(plan, parts, stop, stack)
    bot = dataclasses.replace(bot, metrics_port=_open_monitoring(settings, bot, signers, clock, stack))
    collector.begin()
    stack.callback(collector.end)
    return bot


def _after_turn(collector: QuietCollector, settings: Settings, clock: Clock) -> Callable[[int], None]:
    """Return what is done when orders are on their way: collect garbage, and stay awake where that is wanted."""
    if not settings.loop.busy_poll_ms:
        return collector.after_turn
    poll = BusyPoll(settings.loop.busy_poll_ms, clock)

    def after_turn(now_ns: int) -> None:
        collector.after_turn(now_ns)
        poll.after_turn(now_ns)

    return after_turn


async def _find_exchange(plan: RunPlan, stop: Stop, stack: contextlib.AsyncExitStack) -> VenueSettings:
    """Return the venue's settings with an address in them: the given one, or a new exchange's."""
    venue = plan.settings.venue
    if venue.base_url:
        return venue
    exchange = await ExchangeProcess.start(["--chain-id", str(venue.chain_id), *plan.exchange_arguments])
    stack.push_async_callback(exchange.stop)
    ready = await exchange.ready()
    run_beside(watch_exchange(exchange, stop), stop, stack, traceback.print_exception)
    return replace(venue, base_url=ready.url, stream_url=ready.ws_url)


def _open_session(plan: RunPlan, clock: Clock, stack: contextlib.AsyncExitStack) -> tuple[Session, AccountStore]:
    """Open the session's folder and what the account must not forget; one bot an account."""
    settings, disk = plan.settings, SystemDisk()
    directory, account = settings.journal.directory, settings.venue.account_index
    network = settings.mode.value
    session = create_session(disk, directory, network, clock.wall_us(), settings.document)
    kept_in = session.folder if plan.is_throwaway else directory
    lock = InstanceLock(kept_in, network, account)
    lock.acquire(os.getpid())
    stack.callback(lock.release)
    return session, AccountStore(disk, kept_in, network, account)


async def _open_signers(venue: VenueSettings, clock: Clock, stack: contextlib.AsyncExitStack) -> dict[int, AsyncSigner]:
    """Make keys for the occasion and a signer for each; creates on the first, cancels on the last."""
    signers: dict[int, AsyncSigner] = {}
    for key_index in dict.fromkeys((venue.api_key_index, venue.cancel_api_key_index)):
        secret, _ = generate_key(secret_bytes)
        signers[key_index] = open_signer(
            venue.signer,
            secret,
            account_index=venue.account_index,
            api_key_index=key_index,
            chain_id=venue.chain_id,
            entropy=secret_bytes,
            clock=clock,
        )
        stack.callback(signers[key_index].close)
        await asyncio.sleep(0)  # a signal may want to be heard
    return signers


async def _register_keys(account: LocalAccount, signers: dict[int, AsyncSigner], venue: VenueSettings) -> None:
    """Show our keys to the exchange; raises PreflightError where it would not understand what they sign."""
    for key_index, signer in signers.items():
        opened = await account.add_key(key_index, signer.public_key, venue.tier)
        if opened.chain_id != venue.chain_id:
            raise PreflightError(
                f"the exchange at {venue.base_url} reads signatures of chain id {opened.chain_id}, "
                f"and mode local signs for {venue.chain_id}: start it with --chain-id {venue.chain_id}"
            )


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
    bot: Bot,
    signers: Mapping[int, AsyncSigner],
    clock: Clock,
    stack: contextlib.AsyncExitStack,
) -> int:
    """Serve /metrics and /health; returns the port."""
    asyncio_loop, journal = asyncio.get_running_loop(), bot.journal
    resting = {key_index: signer for key_index, signer in signers.items() if isinstance(signer, InPlaceSigner)}

    def outside() -> Outside:
        health = journal.health
        return Outside(
            tasks=len(asyncio.all_tasks(asyncio_loop)),
            messages_left=bot.engine.messages_left,
            journal_bytes=health.bytes_written,
            journal_pending=health.pending,
            journal_dropped=health.dropped,
            log_lines_dropped=bot.log.dropped,
            pools={key_index: signer.pool for key_index, signer in resting.items()},
        )

    def health() -> HealthReport:
        state = journal.health
        return assess(bot.figures, "" if state.may_create else state.reason, clock.mono_ns())

    server = MonitoringServer(settings.monitoring, Exposition(bot.figures, outside, clock).render, health)
    server.start()
    stack.callback(server.stop)
    return server.port
