"""The acceptance of the main job, with real processes, sockets and signatures."""

import asyncio
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from helpers.processes import PATIENCE_S, STOP, children, finished, started

MARKETS = {"ETH-USDC", "BTC-USDC", "SOL-USDC"}
SEED_METRICS = {  # seed reference 2.4, without the endings that the library takes off
    "orders_placed", "orders_canceled", "order_placement_duration_seconds", "fills_received", "fill_volume",
    "position", "position_notional_usd", "unrealized_pnl_usd", "spread_bps", "inventory_skew", "risk_checks",
    "risk_violations", "circuit_breaker_state", "websocket_connected", "websocket_messages", "websocket_reconnects",
    "update_cycle_duration_seconds", "goroutines", "memory_bytes",
}  # fmt: skip
MOVING = {"websocket_messages", "risk_checks", "update_cycle_duration_seconds"}
HELP_CPU_S = 0.4
TRIES = 30
IMPORTS = """
import sys
from lighterman.cli import main
code = main(sys.argv[1:])
print("imported", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""


def get(port, path):
    """Return status and text of a GET of the bot's own server."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def totals(text):
    """Return each metric of ours with the sum of its values."""
    found = {}
    for family in text_string_to_metric_families(text):
        samples = [sample.value for sample in family.samples if not sample.name.endswith("_created")]
        found[family.name.removeprefix("marketmaker_")] = sum(value for value in samples if not math.isnan(value))
    return found


async def health(port, status):
    """Ask for the health until it has a status, and return its text."""
    async with asyncio.timeout(PATIENCE_S):
        while (answer := await asyncio.to_thread(get, port, "/health"))[0] != status:
            pass
    return answer[1]


def assert_left_nothing(result):
    """Assert that a run ended as it should: nothing left, books equal, exit code 0."""
    assert (0, 0, True, []) == tuple(
        result[name] for name in ("exit_code", "open_orders_after_stop", "ledger_match", "ledger_differences")
    )


async def test_demo(tmp_path):
    """The demo quotes three markets on both sides, counts in its metrics, ends with nothing left, and replays."""
    async with started("demo", "--for", "15s", "--json", cwd=tmp_path) as bot:
        port = json.loads(await bot.says('"msg":"started"'))["metricsPort"]
        await bot.says('"msg":"quoting"', count=3)
        before = totals((await asyncio.to_thread(get, port, "/metrics"))[1])
        late = before
        while any(late[name] <= before[name] for name in MOVING):
            late = totals((await asyncio.to_thread(get, port, "/metrics"))[1])
        ended = await bot.end()
    result = ended.result
    replayed = await finished("replay", "last", "--verify", "--json", cwd=tmp_path)

    assert_left_nothing(result)
    assert ended.code == 0
    assert result["first_quote_ms"] > 0
    assert result["markets_quoted_both_sides"] == len(MARKETS)
    assert result["orders_placed"] >= 20
    assert set(result["position"]) == MARKETS
    assert SEED_METRICS <= before.keys()
    assert late["websocket_connected"] == 1
    assert (0, True, True, None) == (
        replayed.code, replayed.result["identical"], replayed.result["complete"], replayed.result["difference"],
    )  # fmt: skip


async def test_demo_is_filled(tmp_path):
    """In a volatile market the demo is filled; position and books agree with the exchange to the last unit."""
    async with started("demo", "--scenario", "volatile", "--json", cwd=tmp_path) as bot:
        await bot.says('"msg":"fill received"', count=5)
        ended = await bot.end(signal.SIGTERM)
    replayed = await finished("replay", "last", "--verify", cwd=tmp_path)

    assert_left_nothing(ended.result)
    assert ended.code == 0
    assert ended.result["fills"] >= 5
    assert any(float(size) for size in ended.result["position"].values())
    assert replayed.code == 0


def _moments():
    rng = random.Random("random moments")
    return [(rng.uniform(0.02, 5.0), rng.choice((signal.SIGINT, signal.SIGTERM))) for _ in range(TRIES)]


async def test_signals_at_random_moments(tmp_path):
    """A signal at any moment, also during the start, ends the demo with no order left and the truth about it."""
    turns = asyncio.Semaphore(3)

    async def interrupt(number, after_s, signal_number):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with turns, started("demo", "--json", cwd=folder) as bot:
            await asyncio.sleep(after_s)
            return folder, signal_number, await bot.end(signal_number)

    ways = await asyncio.gather(*(interrupt(number, *moment) for number, moment in enumerate(_moments())))

    assert len(ways) == TRIES
    for folder, number, ended in ways:
        if ended.code == -number:  # before the first line of ours: Python itself was still starting
            assert ("", []) == (ended.out, list(folder.iterdir()))
            continue
        result = ended.result
        assert (0, 0, 0, number.name) == (
            ended.code, result["exit_code"], result["open_orders_after_stop"], result["stopped_by"],
        )  # fmt: skip
        assert result["ledger_match"] is (None if result["volume_usd"] is None else True)
        assert "Traceback" not in ended.err


async def test_health_is_truthful(tmp_path):
    """Health is 200 while the bot quotes, 503 with the reason while its exchange is frozen, and 200 again after."""
    async with started("demo", "--json", cwd=tmp_path) as bot:
        port = json.loads(await bot.says('"msg":"started"'))["metricsPort"]
        await bot.says('"msg":"quoting"', count=3)
        healthy = await health(port, 200)
        (frozen,) = children(bot.pid)
        os.kill(frozen, signal.SIGSTOP)
        try:
            await bot.says('"reason":"stale_book"')
            ill = await health(port, 503)
        finally:
            os.kill(frozen, signal.SIGCONT)
        await bot.says('"msg":"quoting"', count=4)
        well = await health(port, 200)
        ended = await bot.end(STOP)

    assert healthy == well == "OK\n"
    assert re.search(r"^market \w+-USDC: no bid: stale_book$", ill, re.MULTILINE)
    assert_left_nothing(ended.result)


async def test_bot_imports_no_heavy_package(tmp_path, repository):
    """The process of the bot imports neither pandas nor the official client's package, whoever signs."""
    settings = repository / "configs" / "config.json"
    arguments = ("run", "-c", settings, "--for", "300ms", "--json", "--metrics-port", 0)
    ended = await finished(*arguments, cwd=tmp_path, program=("-c", IMPORTS))
    imported = set(next(line for line in ended.err.splitlines() if line.startswith("imported ")).split()[1:])

    assert ended.code == 0
    assert {"lighterman", "aiohttp", "msgspec"} <= imported
    assert imported.isdisjoint({"pandas", "lighter", "numpy"})


def test_help_is_cheap():
    """`lighterman --help` takes less than 0.4 s of CPU."""

    def cpu_s():
        process = subprocess.Popen([sys.executable, "-m", "lighterman", "--help"], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return used.ru_utime + used.ru_stime

    assert min(cpu_s() for _ in range(3)) < HELP_CPU_S


@pytest.mark.parametrize(
    ("recording", "speed", "markets"),
    [
        ("lighter_mainnet_20250915", 120, {"ETH-USDC", "BTC-USDC", "PAXG-USDC"}),
        ("standx_btc_usd", 60, {"BTC-USDC"}),
    ],
)
async def test_recorded_market(tmp_path, shared_data, recording, speed, markets):
    """On a recorded market the demo quotes what was recorded, is filled, ends with nothing left, and replays."""
    async with started("demo", "--tape", shared_data / recording, "--speed", speed, "--json", cwd=tmp_path) as bot:
        await bot.says('"msg":"fill received"', count=2)
        ended = await bot.end(STOP)
    replayed = await finished("replay", "last", "--verify", cwd=tmp_path)

    assert_left_nothing(ended.result)
    assert ended.code == 0
    assert set(ended.result["position"]) == markets
    assert ended.result["fills"] >= 2
    assert replayed.code == 0
