"""The bot put together: what is refused, what is fresh each time, and that everything is closed again."""

import asyncio
import contextlib
import json
import socket
import urllib.request

import pytest
from msgspec.structs import replace

from helpers.bot_runs import CHAIN, DOCUMENT, plan
from helpers.local_server import running
from helpers.settings_files import TESTNET, settings
from lighterman.clock import SystemClock
from lighterman.config.networks import NETWORKS, Mode
from lighterman.config.settings import LoopSettings
from lighterman.domain.errors import PreflightError
from lighterman.domain.events import QuotaReport
from lighterman.journal.disk import SystemDisk
from lighterman.journal.reader import JournalReader
from lighterman.journal.state import AccountStore
from lighterman.risk.pnl import LossState
from lighterman.runtime import wiring
from lighterman.runtime.busypoll import BusyPoll
from lighterman.runtime.local_account import LocalAccount
from lighterman.runtime.stopping import Stop
from lighterman.runtime.wiring import open_bot


@contextlib.asynccontextmanager
async def opened(folder, url, stop=None, **options):
    """Open a bot, and close it again."""
    async with contextlib.AsyncExitStack() as stack:
        yield await open_bot(plan(folder, url, **options), SystemClock(), stop or Stop(), stack)


@pytest.mark.parametrize("mode", [Mode.TESTNET, Mode.MAINNET])
async def test_real_networks_are_refused(tmp_path, mode):
    """Trading on a real network is refused before anything is opened, and the message says what works instead."""
    wanted = plan(tmp_path)
    wanted = replace(wanted, settings=replace(wanted.settings, mode=mode))
    async with contextlib.AsyncExitStack() as stack:
        with pytest.raises(PreflightError, match=rf"mode {mode.value}.*not built yet.*--mode local"):
            await open_bot(wanted, SystemClock(), Stop(), stack)

    assert [] == list(tmp_path.iterdir())


def test_local_chain_is_nobodys():
    """What is signed for a local exchange bears the chain id of no real network."""
    assert CHAIN == settings(TESTNET, Mode.LOCAL).venue.chain_id
    assert CHAIN not in {network.chain_id for network in NETWORKS}


async def test_keys_are_made_for_the_occasion(tmp_path, monkeypatch):
    """Each run registers new keys of its own, one for creates and one for cancels."""
    registered = []
    add_key = LocalAccount.add_key

    async def watched(self, index, public_key, tier):
        registered.append((index, public_key))
        return await add_key(self, index, public_key, tier)

    monkeypatch.setattr(LocalAccount, "add_key", watched)
    async with running(chain_id=CHAIN) as (_, ready):
        for _ in range(2):
            async with opened(tmp_path, ready["url"]):
                pass

    assert [4, 5, 4, 5] == [index for index, _ in registered]
    assert len({key for _, key in registered}) == 4


async def test_one_bot_an_account(tmp_path):
    """A second bot on the same account and folder is refused, and named; after the first has gone it is not."""
    async with running(chain_id=CHAIN) as (_, ready):
        async with opened(tmp_path, ready["url"]):
            with pytest.raises(PreflightError, match=r"another instance \(process \d+\) trades account 100 on local"):
                async with opened(tmp_path, ready["url"]):
                    pass
        async with opened(tmp_path, ready["url"]) as bot:
            assert bot.engine.state.epoch == 2


async def test_throwaway_account_is_forgotten(tmp_path):
    """A demo's account begins anew each time, in a folder of its own."""
    async with running(chain_id=CHAIN) as (_, ready):
        for _ in range(2):
            async with opened(tmp_path, ready["url"], is_throwaway=True) as bot:
                assert bot.engine.state.epoch == 1


async def test_tripped_limit_survives_until_rearmed(tmp_path):
    """A loss limit that tripped is tripped at the next start; --rearm clears it and the day's loss, for good."""
    store = AccountStore(SystemDisk(), str(tmp_path), "local", 100)
    store.begin()
    store.save_loss(LossState(30_000, -5 * 10**12, "daily_loss"))
    async with running(chain_id=CHAIN) as (_, ready):
        async with opened(tmp_path, ready["url"]) as bot:
            assert bot.engine.state.loss.state() == LossState(30_000, -5 * 10**12, "daily_loss")
        async with opened(tmp_path, ready["url"], rearm=True) as bot:
            assert bot.engine.state.loss.state() == LossState(30_000, 0, "")
        async with opened(tmp_path, ready["url"]) as bot:
            assert not bot.engine.state.loss.tripped


async def test_last_seconds_of_the_loss_are_kept(tmp_path):
    """The day's loss at the end of a run is kept, though nothing had been saved since."""
    async with running(chain_id=CHAIN) as (_, ready), opened(tmp_path, ready["url"]) as bot:
        bot.engine.state.loss.start_day(30_000)
        bot.engine.state.loss.observe(10**16)
        bot.engine.state.loss.observe(10**16 - 7)

    kept = AccountStore(SystemDisk(), str(tmp_path), "local", 100).begin().loss
    assert kept == LossState(30_000, -7, "", 10**16)


async def test_who_signs_is_told_once(tmp_path, monkeypatch):
    """The log says at the start which backend signs and, where a faster one is missing, why."""
    monkeypatch.setattr(wiring, "fallback_notice", lambda backend: f"asked for {backend}, which is slow")
    log = tmp_path / "log"
    document = DOCUMENT | {"logging": {"level": "info", "outputPath": str(log)}}
    async with running(chain_id=CHAIN) as (_, ready), opened(tmp_path / "runs", ready["url"], document=document):
        pass
    told = [json.loads(line) for line in log.read_text().splitlines() if '"signer"' in line]

    assert ["pure Python"] == [line["backend"] for line in told if "backend" in line]
    assert ["asked for pure, which is slow"] == [line["notice"] for line in told if "notice" in line]


async def test_everything_is_closed_again(tmp_path):
    """After a run no task, port, lock or journal is left open, and the journal ends with the run's reason."""
    stop, before = Stop(), asyncio.all_tasks()
    async with running(chain_id=CHAIN) as (_, ready):
        serving = asyncio.all_tasks()
        async with opened(tmp_path, ready["url"], stop) as bot:
            await bot.venue.start()
            with socket.create_connection(("127.0.0.1", bot.metrics_port)):
                pass
            stop.ask("enough")
        assert [] == [task for task in asyncio.all_tasks() - serving if _is_the_bots(task)]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", bot.metrics_port))
    reader = JournalReader(SystemDisk(), bot.session.journal_path)
    list(reader)

    assert ("closed: enough", True) == (reader.ending, reader.is_complete)
    assert before >= asyncio.all_tasks()


def _is_the_bots(task):
    file = task.get_coro().cr_code.co_filename
    return "/lighterman/" in file and "/simulator/" not in file


async def test_metrics_tell_of_loop_and_journal(tmp_path):
    """What only the wiring knows reaches the metrics: tasks, journal, message budget."""
    async with running(chain_id=CHAIN) as (_, ready), opened(tmp_path, ready["url"]) as bot:
        url = f"http://127.0.0.1:{bot.metrics_port}/metrics"
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read().decode())

    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values["marketmaker_goroutines"]) >= 2
    assert float(values["marketmaker_journal_bytes"]) > 0
    assert float(values["marketmaker_messages_left"]) > 0


@pytest.mark.parametrize("span_ms", [0, 5])
async def test_it_stays_awake_where_it_is_told_to(tmp_path, monkeypatch, span_ms):
    """After a turn the loop is kept from sleeping if `performance.busyPollMs` says so, and only then."""
    turns = []
    monkeypatch.setattr(BusyPoll, "after_turn", lambda _, now_ns: turns.append(now_ns))
    async with running(chain_id=CHAIN) as (_, ready), contextlib.AsyncExitStack() as stack:
        wanted = plan(tmp_path, ready["url"])
        wanted = replace(wanted, settings=replace(wanted.settings, loop=LoopSettings(busy_poll_ms=span_ms)))
        bot = await open_bot(wanted, SystemClock(), Stop(), stack)
        bot.loop.receive(QuotaReport(1000, 1))
        for _ in range(3):
            await asyncio.sleep(0)

    assert bool(turns) == bool(span_ms)
