"""`lighterman run` and `demo` as processes: each way to end has its exit code, and the code is true."""

import asyncio
import json
import os
import signal
import socket
import sys

import pytest

from helpers.bot_runs import DOCUMENT, MARKET
from helpers.processes import PATIENCE_S, STOP, children, exchange, finished, hangups_heard, settings_file, started
from helpers.settings_files import API_KEY, CANCEL_KEY, TESTNET, bent

LOGGED = DOCUMENT | {"logging": {"level": "info", "outputPath": "stdout"}}
BROKEN_PROGRAM = """
import sys
from lighterman.domain.errors import InvariantBroken
from lighterman.engine.engine import Engine
from lighterman.cli import main

decide, calls = Engine.decide, []

def broken(self, now_ns):
    calls.append(now_ns)
    if len(calls) > 20:
        raise InvariantBroken("one and one is three")
    return decide(self, now_ns)

Engine.decide = broken
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def settings(tmp_path):
    """Return the path of a settings file for one market, whose log goes to stdout."""
    return settings_file(tmp_path, LOGGED)


async def test_short_run(tmp_path, repository):
    """The repository's own settings run for three seconds: one JSON object on stdout, the log elsewhere, exit 0."""
    arguments = ("run", "-c", repository / "configs" / "config.json", "--mode", "local", "--for", "3s")
    ended = await finished(*arguments, "--metrics-port", 0, "--json", cwd=tmp_path)
    result = ended.result

    assert ended.code == result["exit_code"] == 0
    assert ("duration", 0, True) == tuple(
        result[name] for name in ("stopped_by", "open_orders_after_stop", "ledger_match")
    )
    assert {"ETH-USDC", "BTC-USDC", "SOL-USDC"} == set(result["position"])
    (session,) = (tmp_path / "runs").glob("*-local")
    assert {"journal", "config.json", "summary.json"} == {path.name for path in session.iterdir()}
    assert result == json.loads((session / "summary.json").read_text())
    assert result["session"] == f"runs/{session.name}"


async def test_log_is_kept_off_stdout(settings, tmp_path):
    """A log that is configured to stdout goes to stderr with --json, errors too, and stays on stdout without."""
    arguments = ("run", "-c", settings, "--for", "300ms", "--scenario", "calm")
    told, shown = await asyncio.gather(
        finished(*arguments, "--json", "--directory", tmp_path / "a", cwd=tmp_path),
        finished(*arguments, "--headless", "--directory", tmp_path / "b", cwd=tmp_path),
    )

    assert told.result["exit_code"] == 0
    assert '"msg":"started"' in told.err
    assert '"msg":"started"' in shown.out
    assert "stopped by duration: 0 orders left, asked of the exchange" in shown.out
    assert f"lighterman replay {tmp_path}/b/" in shown.out


async def test_wrong_settings(tmp_path):
    """A wrong file ends with 3 and every problem, each with its path and a hint; --json adds its object."""
    document = bent(bent(DOCUMENT, "risk.dailyLosLimitUSD", 5), "markets[0].minSpreadBps", "wide")
    del document["risk"]["maxOrderValueUSD"]
    settings = settings_file(tmp_path, document)
    plain = await finished("run", "-c", settings, cwd=tmp_path)
    ended = await finished("run", "-c", settings, "--json", cwd=tmp_path)

    assert (3, "") == (plain.code, plain.out)
    for problem in ("3 problems", "markets[0].minSpreadBps", "risk.maxOrderValueUSD", "did you mean dailyLossLimitUSD"):
        assert problem in plain.err
    assert plain.err == ended.err
    assert ended.code == ended.result["exit_code"] == 3
    assert "risk.maxOrderValueUSD" in ended.result["stopped_by"]
    assert {settings.name} == {path.name for path in tmp_path.iterdir()}


async def test_key_of_a_real_network_is_refused_locally(tmp_path):
    """A real key in the file ends a local run with 3; the key itself is never shown."""
    settings = settings_file(tmp_path, DOCUMENT | {"lighter": {"apiKeyPrivateKey": API_KEY}})
    ended = await finished("run", "-c", settings, "--mode", "local", cwd=tmp_path)

    assert ended.code == 3
    assert "lighter.apiKeyPrivateKey" in ended.err
    assert API_KEY not in ended.err


@pytest.mark.parametrize("mode", ["testnet", "mainnet"])
async def test_real_networks_are_refused(tmp_path, monkeypatch, mode):
    """A real network is refused with 4 and with what works instead, before anything is recorded."""
    monkeypatch.setenv("KEY", API_KEY)
    monkeypatch.setenv("CANCEL_KEY", CANCEL_KEY)
    document = TESTNET if mode == "testnet" else TESTNET | {"lighter": TESTNET["lighter"] | {
        "baseURL": "https://mainnet.zklighter.elliot.ai", "wsURL": "wss://mainnet.zklighter.elliot.ai/stream",
    }}  # fmt: skip
    ended = await finished("run", "-c", settings_file(tmp_path, document), "--mode", mode, "--json", cwd=tmp_path)

    assert ended.code == ended.result["exit_code"] == 4
    assert "--mode local" in ended.result["stopped_by"]
    assert not (tmp_path / "runs").exists()


async def test_one_account_one_bot_and_one_port(settings, tmp_path):
    """While a bot runs, its port and its account are taken: a second ends with 4 and says how to mend it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        arguments = ("run", "-c", settings, "--json", "--scenario", "calm")
        async with started(*arguments, cwd=tmp_path) as first:
            await first.says('"msg":"started"')
            same_account, same_port = await asyncio.gather(
                finished(*arguments, cwd=tmp_path),
                finished(*arguments, "--metrics-port", port, "--directory", tmp_path / "other", cwd=tmp_path),
            )
            ended = await first.end(STOP)

    assert (0, 4, 4) == (ended.code, same_account.code, same_port.code)
    assert f"another instance (process {first.pid}) trades account 100" in same_account.result["stopped_by"]
    assert f"port {port}" in same_port.result["stopped_by"]
    assert "performance.metricsPort" in same_port.result["stopped_by"]


async def test_exchange_that_is_not_there(settings, tmp_path, unused_tcp_port):
    """An exchange that cannot be reached ends the start with 6, on stderr without --json."""
    url = f"http://127.0.0.1:{unused_tcp_port}"
    ended = await finished("run", "-c", settings, "--exchange", url, cwd=tmp_path)

    assert (6, "") == (ended.code, ended.out.replace(_log_lines(ended.out), ""))
    assert url in ended.err


def _log_lines(out):
    return "".join(line for line in out.splitlines(keepends=True) if line.startswith('{"level"'))


async def test_exchange_of_another_chain(settings, tmp_path):
    """An exchange that would refuse our signatures is refused itself with 4, and the option that mends it."""
    async with exchange("--scenario", "calm", cwd=tmp_path, chain_id=304) as (_, url):
        ended = await finished("run", "-c", settings, "--exchange", url, "--json", cwd=tmp_path)

    assert ended.code == ended.result["exit_code"] == 4
    assert "start it with --chain-id 131072304" in ended.result["stopped_by"]


async def test_exchange_that_dies_before_any_order(tmp_path):
    """A local exchange that dies while nothing was quoted ends the run with 6: there is nothing to leave."""
    settings = settings_file(tmp_path, bent(LOGGED, "risk.priceCollarBps", 1))  # no quote may be so far away
    async with started("run", "-c", settings, "--json", cwd=tmp_path) as bot:
        await bot.says('"risk check failed"')
        (child,) = children(bot.pid)
        os.kill(child, signal.SIGKILL)
        ended = await bot.end()

    assert "the local exchange ended" in ended.result["stopped_by"]
    assert ended.code == ended.result["exit_code"] == 6
    assert (0, 0) == (ended.result["open_orders_after_stop"], ended.result["orders_placed"])
    assert ended.result["refusals"]["price_collar"] > 0


async def test_exchange_that_dies_with_our_orders(settings, tmp_path):
    """A local exchange that is killed while orders rest ends the run with 7 at once, and their number is null."""
    async with started("run", "-c", settings, "--json", "--scenario", "calm", cwd=tmp_path) as bot:
        await bot.says('"msg":"quoting"')
        (child,) = children(bot.pid)
        os.kill(child, signal.SIGKILL)
        ended = await bot.end()

    assert ended.code == ended.result["exit_code"] == 7
    assert (None, None) == (ended.result["open_orders_after_stop"], ended.result["ledger_match"])
    assert "the local exchange ended (exit code -9)" in ended.result["stopped_by"]


async def test_broken_invariant(settings, tmp_path):
    """A bug ends with 70 once everything is cancelled; the session replays to the same bug."""
    program = ("-c", BROKEN_PROGRAM)
    ended = await finished("run", "-c", settings, "--json", "--scenario", "calm", cwd=tmp_path, program=program)
    session = ended.result["session"]
    again = await finished("replay", session, "--verify", cwd=tmp_path, program=program)
    mended = await finished("replay", session, "--verify", cwd=tmp_path)

    assert ended.code == ended.result["exit_code"] == 70
    assert "bug: InvariantBroken: one and one is three" == ended.result["stopped_by"]
    assert (0, True) == (ended.result["open_orders_after_stop"], ended.result["ledger_match"])
    assert "Traceback" in ended.err
    assert again.code == 0
    assert "the engine broke: InvariantBroken: one and one is three" in again.out
    assert mended.code == 70
    assert "nothing broke" in mended.out


async def test_full_journal(tmp_path):
    """A journal that is full ends the run with 75, with nothing left; what it holds still replays."""
    busy = [MARKET | {"symbol": symbol, "minOrderSize": size, "orderLevels": 8, "maxPosition": "100"}
            for symbol, size in (("ETH", "0.05"), ("BTC", "0.002"), ("SOL", "1"))]  # fmt: skip
    settings = settings_file(tmp_path, LOGGED | {"journal": {"maxBytes": 65536}, "markets": busy})
    ended = await finished("run", "-c", settings, "--json", cwd=tmp_path)
    replay = await finished("replay", "last", "--verify", "--json", cwd=tmp_path)

    assert ended.code == ended.result["exit_code"] == 75
    assert "journal full" in ended.result["stopped_by"]
    assert (0, True) == (ended.result["open_orders_after_stop"], ended.result["ledger_match"])
    assert (True, False) == (replay.result["identical"], replay.result["complete"])
    assert (tmp_path / ended.result["session"] / "journal").stat().st_size <= 65536


async def test_daily_loss_survives_restarts(tmp_path):
    """A daily loss stops quoting and ends with 5, also after a restart; only --rearm lets it quote again."""
    market = MARKET | {"minSpreadBps": 0.1, "maxSpreadBps": 0.2}  # at the touch: it is hit soon
    document = bent(LOGGED | {"markets": [market]}, "risk.dailyLossLimitUSD", 0.01)
    arguments = ("run", "-c", settings_file(tmp_path, document), "--json", "--exchange")
    async with exchange("--scenario", "volatile", cwd=tmp_path) as (_, url):
        async with started(*arguments, url, cwd=tmp_path) as bot:
            await bot.says("circuit breaker tripped")
            first = await bot.end(STOP)
        async with started(*arguments, url, cwd=tmp_path) as bot:
            await bot.says('"reason":"daily_loss"')
            await bot.says('"msg":"websocket connected","link":"private"')
            second = await bot.end(STOP)
        async with started(*arguments, url, "--rearm", cwd=tmp_path) as bot:
            await bot.says('"msg":"quoting"')
            third = await bot.end(STOP)

    assert (5, 5) == (first.code, second.code)
    assert third.code in (0, 5)  # it may have lost again at once
    assert first.result["fills"] > 0
    assert first.result["pnl_usd"].startswith("-")
    assert (0, {"ETH-USDC": "daily_loss"}) == (second.result["orders_placed"], second.result["why_not_quoting"])
    assert {0} == {ended.result["open_orders_after_stop"] for ended in (first, second, third)}
    assert {True} == {ended.result["ledger_match"] for ended in (first, second, third)}


async def test_killed_run_is_cleaned_up_by_the_next(settings, tmp_path):
    """After a bot was killed, the next one on the same exchange cancels what it left, quotes, and leaves nothing."""
    arguments = ("run", "-c", settings, "--json", "--exchange")
    async with exchange("--scenario", "normal", cwd=tmp_path) as (_, url):
        async with started(*arguments, url, cwd=tmp_path) as bot:
            await bot.says('"msg":"quoting"')
            killed = await bot.end(signal.SIGKILL)
        async with started(*arguments, url, cwd=tmp_path) as bot:
            await bot.says('"msg":"quoting"')
            ended = await bot.end(STOP)
        replayed = await finished("replay", "last", "--verify", cwd=tmp_path)

    assert (-signal.SIGKILL, "") == (killed.code, killed.out)
    assert (0, 0, True) == tuple(ended.result[name] for name in ("exit_code", "open_orders_after_stop", "ledger_match"))
    assert replayed.code == 0


async def test_standard_account(settings, tmp_path):
    """A standard account, with its few messages and questions a minute, ends with nothing left as well."""
    async with started("run", "-c", settings, "--json", "--tier", "standard", cwd=tmp_path) as bot:
        await bot.says('"msg":"quoting"')
        ended = await bot.end(STOP)

    assert (0, 0, True) == tuple(ended.result[name] for name in ("exit_code", "open_orders_after_stop", "ledger_match"))


@pytest.mark.parametrize("options", [["--json"], ["--headless"]])
async def test_result_that_nobody_reads(settings, tmp_path, options):
    """A run whose reader has gone ends as it would have, without a traceback, and keeps its summary."""
    reader, writer = os.pipe()
    os.close(reader)
    words = ["run", "-c", str(settings), "--for", "300ms", "--scenario", "calm", *options]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lighterman", *words, cwd=tmp_path, stdout=writer, stderr=asyncio.subprocess.PIPE
    )
    os.close(writer)
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)

    assert process.returncode == 0
    assert b"Traceback" not in err
    assert b"BrokenPipeError" not in err
    assert list((tmp_path / "runs").glob("*-local/summary.json"))


async def test_lost_terminal(settings, tmp_path):
    """A bot that loses its terminal ends as after Ctrl-C: nothing is left."""
    arguments = ("run", "-c", settings, "--json", "--scenario", "calm")
    with hangups_heard():
        async with started(*arguments, cwd=tmp_path) as bot:
            await bot.says('"msg":"quoting"')
            ended = await bot.end(signal.SIGHUP)

    assert (0, "SIGHUP", 0) == (
        ended.code, ended.result["stopped_by"], ended.result["open_orders_after_stop"],
    )  # fmt: skip
