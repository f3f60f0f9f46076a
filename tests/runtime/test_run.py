"""A run from start to end: whatever ends it, nothing is left behind and the outcome says so."""

import asyncio
import dataclasses
import json
import os
import signal

import pytest
from msgspec.structs import replace

from helpers.bot_runs import CHAIN, DOCUMENT, MARKET, plan
from helpers.local_server import PATIENCE_S, running
from helpers.local_venue import QuietMarket, crowd
from lighterman.chance import secret_bytes
from lighterman.clock import SystemClock
from lighterman.domain.errors import InvariantBroken
from lighterman.exchange.lighter import LighterVenue
from lighterman.journal.disk import SystemDisk
from lighterman.journal.state import AccountStore
from lighterman.matching.requests import TimeInForce
from lighterman.risk.pnl import LossState
from lighterman.runtime.children import ExchangeProcess
from lighterman.runtime.exits import Exit
from lighterman.runtime.local_account import LocalAccount
from lighterman.runtime.run import run, run_to_end
from lighterman.runtime.stopping import Stop
from lighterman.runtime.wiring import open_bot
from lighterman.signing.pure import generate_key

LEDGER_FIELDS = ("ledger_match", "ledger_differences", "position", "fills")


class Market(QuietMarket):
    """A quiet market whose exchange can be reached."""

    exchange = None

    def start(self, exchange, now_us):
        self.exchange = exchange
        super().start(exchange, now_us)

    def orders(self):
        return self.exchange.open_orders(100) if self.exchange.account(100) is not None else []

    def hit(self, size_lots):
        """Let somebody buy from our best ask."""
        price = min(row.price_ticks for row in self.orders() if row.is_ask)
        crowd(self.exchange, 0, is_ask=False, price_ticks=price, size_lots=size_lots, tif=TimeInForce.IOC)


class Running:
    """A run, and what a test wants to do in it."""

    def __init__(self, wanted):
        self.bot = asyncio.get_running_loop().create_future()
        self.outcome = asyncio.create_task(run(wanted, SystemClock(), self.bot.set_result))

    async def until(self, condition):
        """Wait for something that is looked at often, as long as the run goes on."""
        async with asyncio.timeout(10 * PATIENCE_S):
            while not condition():
                assert not self.outcome.done(), self.outcome.result()
                await asyncio.sleep(0.005)


async def end(running_bot):
    """End a run as an operator does, and return what it came to."""
    os.kill(os.getpid(), signal.SIGINT)
    return await asyncio.wait_for(running_bot.outcome, 10 * PATIENCE_S)


async def test_operator_ends_a_run(tmp_path):
    """A run that is interrupted leaves no order, agrees with the exchange's books, and keeps its summary."""
    market = Market()
    async with running(market, chain_id=CHAIN) as (_, ready):
        bot = Running(plan(tmp_path, ready["url"]))
        await bot.until(lambda: len(market.orders()) == 4)
        market.hit(7)
        state = (await bot.bot).engine.state
        await bot.until(lambda: state.markets and state.ledger.markets[0].position.size_lots == -7)
        outcome = await end(bot)

    assert [] == market.orders()
    assert ("SIGINT", 0, 0, 4) == (
        outcome.stopped_by, outcome.exit_code, outcome.open_orders_after_stop, outcome.orders_placed,
    )  # fmt: skip
    assert (True, [], {"ETH-USDC": "-0.0007"}, 1) == tuple(getattr(outcome, name) for name in LEDGER_FIELDS)
    assert outcome.first_quote_ms > 0
    assert json.loads(SystemDisk().read(f"{outcome.session}/summary.json", 0, 10**6))["stopped_by"] == "SIGINT"


async def test_duration_ends_a_run(tmp_path):
    """A run for a time ends by itself, with the same result."""
    async with running(Market(), chain_id=CHAIN) as (_, ready):
        outcome = await run(plan(tmp_path, ready["url"], duration_ns=1), SystemClock(), lambda bot: None)

    assert ("duration", 0, 0) == (outcome.stopped_by, outcome.exit_code, outcome.open_orders_after_stop)


async def test_venue_that_refuses_our_signature_ends_the_run(tmp_path):
    """When the venue no longer knows our key the run ends with 6 instead of idling for ever, and leaves nothing."""
    market = Market()
    async with running(market, chain_id=CHAIN) as (_, ready):
        bot = Running(plan(tmp_path, ready["url"]))
        await bot.until(lambda: len(market.orders()) == 4)
        _, stranger = generate_key(secret_bytes)
        await LocalAccount(ready["url"], 100).add_key(4, stranger, "premium")
        market.hit(500)  # a whole order: the bot wants to replace it
        outcome = await asyncio.wait_for(bot.outcome, 10 * PATIENCE_S)

    assert [] == market.orders()
    assert (Exit.VENUE, 0) == (outcome.exit_code, outcome.open_orders_after_stop)
    assert "the venue refuses key 4" in outcome.stopped_by


async def test_bug_cancels_everything(tmp_path, capsys):
    """When the engine breaks its orders are cancelled over its head, and the exit code is 70."""
    market = Market()
    async with running(market, chain_id=CHAIN) as (_, ready):
        bot = Running(plan(tmp_path, ready["url"]))
        await bot.until(lambda: len(market.orders()) == 4)
        (await bot.bot).loop.receive("no event at all")
        outcome = await asyncio.wait_for(bot.outcome, 10 * PATIENCE_S)

    assert [] == market.orders()
    assert (Exit.BROKEN, 0) == (outcome.exit_code, outcome.open_orders_after_stop)
    assert outcome.stopped_by.startswith("bug: ")
    assert "Traceback" in capsys.readouterr().err


async def test_bug_while_stopping_cancels_everything(tmp_path, monkeypatch, capsys):
    """When the engine breaks on the wish to stop its orders are cancelled all the same."""
    market = Market()
    async with running(market, chain_id=CHAIN) as (_, ready):
        bot = Running(plan(tmp_path, ready["url"]))
        await bot.until(lambda: len(market.orders()) == 4)
        state = (await bot.bot).engine.state
        monkeypatch.setattr(type(state), "hurry_all", lambda self: 1 / 0)
        outcome = await end(bot)

    assert [] == market.orders()
    assert (Exit.BROKEN, "SIGINT") == (outcome.exit_code, outcome.stopped_by)
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["start", "wait"])
async def test_client_that_breaks_cancels_everything(tmp_path, monkeypatch, capsys, place):
    """A bug in the client ends the run as one in the engine does; the engine quotes no more meanwhile."""
    market = Market()

    async def broken(self, traded):
        await bot.until(lambda: place == "start" or len(market.orders()) == 4)
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(LighterVenue, "_read_markets_again", broken)
    async with running(market, chain_id=CHAIN) as (_, ready):
        bot = Running(plan(tmp_path, ready["url"]))
        outcome = await asyncio.wait_for(bot.outcome, 10 * PATIENCE_S)

    assert [] == market.orders()
    assert (Exit.BROKEN, "bug: ZeroDivisionError: by nought") == (outcome.exit_code, outcome.stopped_by)
    assert "by nought" in capsys.readouterr().err


async def test_leftover_is_told(tmp_path, monkeypatch):
    """A run that ends before it could cancel an earlier one's order says that it is still there, by exit code 7."""
    market = Market()
    async with running(market, chain_id=CHAIN) as (_, ready):
        bot = Running(plan(tmp_path, ready["url"]))
        await bot.until(lambda: len(market.orders()) == 4)
        left = await end(bot)
        assert left.exit_code == 0
        first = Running(plan(tmp_path, ready["url"]))
        await first.until(lambda: len(market.orders()) == 4)
        first.outcome.cancel()  # as good as killed: nothing is cancelled
        await asyncio.wait([first.outcome])
        unknown = DOCUMENT | {"markets": [MARKET | {"symbol": "NONE-USDC"}]}
        outcome = await run(plan(tmp_path, ready["url"], unknown), SystemClock(), lambda bot: None)
        left_over = len(market.orders())

    assert left_over == 4
    assert (Exit.ORDERS_UNKNOWN, 4) == (outcome.exit_code, outcome.open_orders_after_stop)
    assert "NONE-USDC" in outcome.stopped_by or "'NONE'" in outcome.stopped_by


async def test_next_run_cancels_what_an_earlier_one_left(tmp_path):
    """A run adopts the orders that a killed one left, cancels them, and quotes in their place."""
    market = Market()
    async with running(market, chain_id=CHAIN) as (_, ready):
        first = Running(plan(tmp_path, ready["url"]))
        await first.until(lambda: len(market.orders()) == 4)
        first.outcome.cancel()
        await asyncio.wait([first.outcome])
        old = {row.client_order_index for row in market.orders()}
        second = Running(plan(tmp_path, ready["url"]))
        await second.until(
            lambda: len(market.orders()) == 4 and not old & {row.client_order_index for row in market.orders()}
        )
        outcome = await end(second)

    assert [] == market.orders()
    assert (0, True) == (outcome.exit_code, outcome.ledger_match)


async def test_signal_during_the_start(tmp_path):
    """A signal while an exchange keeps us waiting ends the start at once; nothing was sent or asked: 0, and null."""
    asked = asyncio.get_running_loop().create_future()
    silent = await asyncio.start_server(lambda _, writer: asked.set_result(writer), "127.0.0.1", 0)
    bot = Running(plan(tmp_path, f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"))
    writer = await asked
    outcome = await end(bot)
    writer.close()
    silent.close()

    assert ("SIGINT", 0, None, None) == (
        outcome.stopped_by, outcome.exit_code, outcome.open_orders_after_stop, outcome.volume_usd,
    )  # fmt: skip


async def test_exchange_that_ends_during_the_start(tmp_path, monkeypatch):
    """A local exchange that ends before the bot is put together ends the start with 6."""
    ready = ExchangeProcess.ready

    async def ready_and_gone(self):
        where = await ready(self)
        self._process.kill()
        return where

    async def hang(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(ExchangeProcess, "ready", ready_and_gone)
    monkeypatch.setattr(LocalAccount, "add_key", hang)
    outcome = await run(plan(tmp_path), SystemClock(), lambda bot: None)

    assert (Exit.VENUE, 0) == (outcome.exit_code, outcome.open_orders_after_stop)
    assert "the local exchange ended" in outcome.stopped_by


async def test_tripped_limit_counts_during_the_start_too(tmp_path, monkeypatch):
    """A signal before trading began, on an account whose loss limit has tripped, returns 5."""
    store = AccountStore(SystemDisk(), str(tmp_path), "local", 100)
    store.begin()
    store.save_loss(LossState(30_000, -5, "daily_loss"))
    asked = asyncio.Event()

    async def hang(self):
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(LighterVenue, "start", hang)
    async with running(Market(), chain_id=CHAIN) as (_, ready):
        bot = Running(plan(tmp_path, ready["url"]))
        await asked.wait()
        outcome = await end(bot)

    assert ("SIGINT", Exit.RISK_HALT) == (outcome.stopped_by, outcome.exit_code)


async def test_invariant_that_breaks_during_the_start(tmp_path, monkeypatch):
    """A bug before trading began is a bug, not a venue that does not fit."""

    async def broken(self):
        raise InvariantBroken("seven is eight")

    monkeypatch.setattr(LighterVenue, "start", broken)
    outcome = await run(plan(tmp_path), SystemClock(), lambda _: None)

    assert (Exit.BROKEN, 0) == (outcome.exit_code, outcome.open_orders_after_stop)
    assert "seven is eight" in outcome.stopped_by


@pytest.mark.parametrize(("was_settled", "code"), [(True, Exit.OK), (False, Exit.ORDERS_UNKNOWN)])
async def test_start_cut_short_behind_an_earlier_session(tmp_path, monkeypatch, was_settled, code):
    """An end before a venue was asked: behind a session that was killed orders may be left, and 7 says so."""
    store = AccountStore(SystemDisk(), str(tmp_path), "local", 100)
    store.begin()
    if was_settled:
        store.settle()
    stop = Stop()

    async def end_it(_):
        stop.ask("enough")
        await asyncio.Event().wait()

    monkeypatch.setattr(LighterVenue, "start", end_it)
    async with running(Market(), chain_id=CHAIN) as (_, ready):
        wanted = plan(tmp_path, ready["url"])

        async def opened(stack):
            return dataclasses.replace(await open_bot(wanted, SystemClock(), stop, stack), account=None)

        outcome = await run_to_end(wanted, SystemClock(), stop, opened, lambda _: None)

    assert (None, code) == (outcome.open_orders_after_stop, outcome.exit_code)


@pytest.mark.parametrize(
    ("change", "code", "why"),
    [
        ({"symbol": "NONE-USDC"}, Exit.PREFLIGHT, "NONE"),
        ({"minOrderSize": "0.00005"}, Exit.PREFLIGHT, "minOrderSize"),
        ({"minOrderSize": "0.001"}, Exit.PREFLIGHT, "below the venue's minimum"),
    ],
)
async def test_settings_that_do_not_fit_the_venue(tmp_path, change, code, why):
    """A market the venue does not have, or sizes it does not take, end the start with 4 and the reason."""
    document = DOCUMENT | {"markets": [MARKET | change]}
    async with running(Market(), chain_id=CHAIN) as (_, ready):
        outcome = await run(plan(tmp_path, ready["url"], document), SystemClock(), lambda bot: None)

    assert code == outcome.exit_code
    assert why in outcome.stopped_by


async def test_start_that_is_refused_forgives_no_loss(tmp_path):
    """Before the venue has seen that our clock is right no day begins: a loss that was kept stays as it was."""
    kept = LossState(20_000, -5, "")
    store = AccountStore(SystemDisk(), str(tmp_path), "local", 100)
    store.begin()
    store.save_loss(kept)
    unknown = DOCUMENT | {"markets": [MARKET | {"symbol": "NONE-USDC"}]}
    async with running(Market(), chain_id=CHAIN) as (_, ready):
        outcome = await run(plan(tmp_path, ready["url"], unknown), SystemClock(), lambda bot: None)

    assert outcome.exit_code == Exit.PREFLIGHT
    assert store.begin().loss == kept


async def test_nobody_there(tmp_path, unused_tcp_port):
    """An exchange that cannot be reached ends the start with 6; what an earlier run left there is unknown."""
    outcome = await run(plan(tmp_path, f"http://127.0.0.1:{unused_tcp_port}"), SystemClock(), lambda bot: None)

    assert (Exit.VENUE, None) == (outcome.exit_code, outcome.open_orders_after_stop)


async def test_folder_that_is_none(tmp_path):
    """A place where nothing can be recorded ends the start with 75."""
    (tmp_path / "file").touch()
    async with running(Market(), chain_id=CHAIN) as (_, ready):
        outcome = await run(plan(tmp_path / "file", ready["url"]), SystemClock(), lambda bot: None)

    assert outcome.exit_code == Exit.FAIL_SAFE
    assert "no session can be kept" in outcome.stopped_by


async def test_exchange_that_does_not_take_its_options(tmp_path):
    """A local exchange that is started with wrong options ends the start with 3."""
    wanted = replace(plan(tmp_path), exchange_arguments=["--speed", "0"])
    outcome = await run(wanted, SystemClock(), lambda bot: None)

    assert outcome.exit_code == Exit.CONFIG
