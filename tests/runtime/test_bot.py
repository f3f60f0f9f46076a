"""A bot built from its parts: what it makes of them, and that nothing that fails in it vanishes."""

import asyncio
import contextlib

from helpers.bot_runs import CHAIN, plan
from helpers.local_server import running
from lighterman.clock import SystemClock
from lighterman.exchange.params import TRANSACTION_LIFETIME_MS_MAX
from lighterman.journal.disk import SystemDisk
from lighterman.runtime import bot as bot_room
from lighterman.runtime import wiring
from lighterman.runtime.outcome import Outcome
from lighterman.runtime.stopping import Failure, Stop
from lighterman.runtime.watches import JournalWatch
from lighterman.runtime.wiring import open_bot
from lighterman.signing.select import open_signer


@contextlib.asynccontextmanager
async def opened(folder, url, stop=None, **options):
    """Open a bot, and close it again."""
    async with contextlib.AsyncExitStack() as stack:
        yield await open_bot(plan(folder, url, **options), SystemClock(), stop or Stop(), stack)


async def test_official_signer_lengthens_the_doubt(tmp_path, monkeypatch):
    """The official library fixes a transaction's lifetime, so unknown outcomes are waited for as long as that."""

    def signer(*arguments, **options):
        made = open_signer(*arguments, **options)
        monkeypatch.setattr(type(made), "backend", "official, as far as anybody knows")
        return made

    monkeypatch.setattr(wiring, "open_signer", signer)
    async with running(chain_id=CHAIN) as (_, ready), opened(tmp_path, ready["url"]) as bot:
        assert bot.engine.state.params.transaction_lifetime_ms == TRANSACTION_LIFETIME_MS_MAX


async def test_bug_in_the_loop_ends_the_run_as_one(tmp_path, capsys):
    """An event that breaks the engine ends the run as a bug, shows where it happened, and is in the journal."""
    stop = Stop()
    async with running(chain_id=CHAIN) as (_, ready), opened(tmp_path, ready["url"], stop) as bot:
        bot.loop.receive(object())
        await asyncio.wait_for(stop.wait(), 60)

    assert stop.failure is Failure.BUG
    assert stop.reason.startswith("bug: ")
    assert "Traceback" in capsys.readouterr().err


async def test_bug_beside_the_loop_ends_the_run_too(tmp_path, monkeypatch, capsys):
    """A watch that fails does not vanish: nobody would look at the journal any more."""

    async def broken(*_):
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(JournalWatch, "run", broken)
    stop = Stop()
    async with running(chain_id=CHAIN) as (_, ready), opened(tmp_path, ready["url"], stop):
        await asyncio.wait_for(stop.wait(), 60)

    assert ("bug: ZeroDivisionError: by nought", Failure.BUG) == (stop.reason, stop.failure)
    assert "by nought" in capsys.readouterr().err


async def test_what_came_of_it_is_kept_beside_the_journal(tmp_path):
    """The summary is written through the bot's disk, into the session's folder."""
    async with running(chain_id=CHAIN) as (_, ready), opened(tmp_path, ready["url"]) as bot:
        bot.summarise(Outcome(mode="local", stopped_by="test", exit_code=0, open_orders_after_stop=0))

    assert b'"stopped_by": "test"' in SystemDisk().read(bot.session.summary_path, 0, 10_000)


async def test_who_looks_on_is_told_last(tmp_path, monkeypatch):
    """Observers among the parts hear every event, after the bot's own."""
    heard, has_decided = [], asyncio.Event()

    class Observer:
        def observe_event(self, event):
            heard.append(event)

        def observe_decision(self, decision):
            heard.append(decision)
            has_decided.set()

    parts = bot_room.Parts
    monkeypatch.setattr(wiring, "Parts", lambda **given: parts(**given, observers=[Observer()]))
    async with running(chain_id=CHAIN) as (_, ready), opened(tmp_path, ready["url"]) as bot:
        bot.has_started.set()
        await asyncio.wait_for(has_decided.wait(), 60)

    assert ["DayStarted", "Decision"] == [type(each).__name__ for each in heard[:2]]
