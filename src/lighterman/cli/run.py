"""`lighterman run` and `lighterman demo`: the same run, with and without a settings file."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import msgspec
from msgspec.structs import replace

from lighterman.cli.interrupts import ignore_signals
from lighterman.clock import SystemClock, process_started_ns
from lighterman.config.crosscheck import MESSAGES_PER_MINUTE
from lighterman.config.networks import STREAM_PATH, Mode
from lighterman.config.settings import Settings, assemble, load
from lighterman.domain.errors import ConfigError
from lighterman.engine import engine
from lighterman.runtime.bot import Bot, RunPlan
from lighterman.runtime.eventloop import loop_factory
from lighterman.runtime.exits import Exit
from lighterman.runtime.outcome import Outcome
from lighterman.runtime.run import run as run_bot
from lighterman.runtime.status import StatusView, view

DEMO_SETTINGS = "demo.json"


def demo(options: argparse.Namespace) -> int:
    """Run on built-in settings: no keys, no network, no configuration."""
    data = files("lighterman.config").joinpath(DEMO_SETTINGS).read_bytes()
    settings = assemble(data, Mode.LOCAL, environ={}, folder=Path(), is_private=True)
    if options.metrics_port is None:
        options.metrics_port = 0
    return _run(settings, options, is_demo=True)


def run(options: argparse.Namespace) -> int:
    """Run as a settings file says."""
    try:
        settings = load(options.config, Mode(options.mode), os.environ)
    except ConfigError as error:
        code = say_problems(error, options.config)
        if options.json:
            _print_json(Outcome(mode=options.mode, stopped_by=str(error), exit_code=code))
        return code
    if options.exchange is not None:
        settings = _at(settings, options.exchange)
    return _run(settings, options, is_demo=False)


def say_problems(error: ConfigError, path: Path) -> int:
    """Print everything that is wrong with a settings file; returns the exit code."""
    print(f"{path}: {len(error.problems)} problem{'s' if len(error.problems) != 1 else ''}", file=sys.stderr)
    for problem in error.problems:
        print(f"  {problem}", file=sys.stderr)
    return Exit.CONFIG


def _at(settings: Settings, url: str) -> Settings:
    """Return the settings for a local exchange that runs already."""
    stream = url.replace("http", "ws", 1) + STREAM_PATH
    return replace(settings, venue=replace(settings.venue, base_url=url, stream_url=stream))


def _run(settings: Settings, options: argparse.Namespace, *, is_demo: bool) -> int:
    has_screen = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    is_headless = options.headless or options.json or not has_screen
    plan = RunPlan(
        settings=_adjusted(settings, options, shows_status=not is_headless),
        exchange_arguments=_exchange_arguments(options),
        duration_ns=options.duration_ns,
        started_ns=process_started_ns(),
        is_throwaway=is_demo,
        fits_markets=is_demo,
        rearm=getattr(options, "rearm", False),
    )
    clock = SystemClock()
    screen = _Screen(clock)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        outcome = runner.run(run_bot(plan, clock, _announce if is_headless else screen.show))
    ignore_signals()  # there is nothing left to stop, and the result is still to be told
    screen.close()
    try:
        (_print_json if options.json else _print)(outcome)
        sys.stdout.flush()
    except OSError:  # nobody reads any more; the summary is kept with the session
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return outcome.exit_code


def _adjusted(settings: Settings, options: argparse.Namespace, *, shows_status: bool) -> Settings:
    """Apply the command line's options to the settings; the status has the terminal to itself."""
    if options.metrics_port is not None:
        settings = replace(settings, monitoring=replace(settings.monitoring, port=options.metrics_port))
    if options.directory is not None:
        settings = replace(settings, journal=replace(settings.journal, directory=str(options.directory)))
    if options.tier is not None:
        settings = _on_tier(settings, options.tier)
    logs = settings.logs
    if options.json:  # stdout belongs to the result
        logs = replace(logs, output_path=_not_stdout(logs.output_path))
        logs = replace(logs, error_output_path=_not_stdout(logs.error_output_path))
    if shows_status and logs.output_path in ("stdout", "stderr"):
        logs = replace(logs, level="error")
    return replace(settings, logs=logs)


def _on_tier(settings: Settings, tier: str) -> Settings:
    """Return the settings for another tier, with a message budget that fits it."""
    limits, usual = settings.engine.limits, MESSAGES_PER_MINUTE[settings.venue.tier]
    most = MESSAGES_PER_MINUTE[tier]
    messages = most if limits.messages_per_minute == usual else min(limits.messages_per_minute, most)
    engine = replace(settings.engine, limits=replace(limits, messages_per_minute=messages))
    return replace(settings, engine=engine, venue=replace(settings.venue, tier=tier))


def _not_stdout(path: str) -> str:
    return "stderr" if path == "stdout" else path


def _exchange_arguments(options: argparse.Namespace) -> list[str]:
    given = {
        "--seed": options.seed,
        "--scenario": options.scenario,
        "--tape": options.tape,
        "--speed": options.speed,
        "--tier": options.tier,
        "--verify": options.verify,
    }
    return [word for name, value in given.items() if value is not None for word in (name, str(value))]


class _Screen:
    """The live status, once there is something to show."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._bot: Bot | None = None
        self._close: Callable[[], None] = _nothing

    def show(self, bot: Bot) -> None:
        """Begin to draw."""
        from lighterman.cli.live import LiveStatus  # noqa: PLC0415  (rich is needed on a terminal alone)

        self._bot = bot
        title = f"lighterman: SIMULATED exchange, metrics on port {bot.metrics_port}"
        status = LiveStatus(self._look, title)
        status.start()
        self._close = status.stop

    def _look(self) -> StatusView | None:
        return view(self._bot.engine, self._bot.figures, self._clock.mono_ns()) if self._bot else None

    def close(self) -> None:
        """Stop drawing."""
        self._close()


def _nothing() -> None:
    """Close what was never opened."""


def _announce(bot: Bot) -> None:
    build = "plain" if engine.__file__.endswith(".py") else "compiled"  # docs/decisions/006-compiled-rooms.md
    bot.log.info("started", session=bot.session.folder, metricsPort=bot.metrics_port, build=build)


def _print_json(outcome: Outcome) -> None:
    print(msgspec.json.encode(outcome).decode())


def _print(outcome: Outcome) -> None:
    orders = outcome.open_orders_after_stop
    if outcome.volume_usd is None:  # it never began
        print(f"lighterman: {outcome.stopped_by}", file=sys.stderr)
        if orders:
            print(f"lighterman: {orders} orders of this account are open, from before", file=sys.stderr)
        return
    left = "UNKNOWN how many orders are left" if orders is None else f"{orders} orders left, asked of the exchange"
    print(f"stopped by {outcome.stopped_by}: {left}")
    print(
        f"orders placed {outcome.orders_placed}, modified {outcome.orders_modified}, "
        f"cancelled {outcome.orders_canceled}; fills {outcome.fills}, volume {outcome.volume_usd} USD"
    )
    print(f"PnL {outcome.pnl_usd or 'unknown'} USD (fees {outcome.fees_usd}, funding {outcome.funding_usd})")
    for market, size in outcome.position.items():
        print(f"position {market} {size}")
    if outcome.ledger_match is not None:
        print("ledger: equal to the exchange's, to the last unit" if outcome.ledger_match else "ledger: DIFFERENT")
        for difference in outcome.ledger_differences:
            print(f"  {difference}")
    print(f"session recorded; replay it: lighterman replay {outcome.session} --verify")
