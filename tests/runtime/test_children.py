"""The local exchange's process: started, spoken to, ended, and never an orphan."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lighterman.domain.errors import ConfigError, TransportError
from lighterman.runtime.children import ExchangeProcess

PATIENCE_S = 60
PARENT = """
import asyncio, json, os, sys
from lighterman.runtime.children import ExchangeProcess

async def main():
    exchange = await ExchangeProcess.start(["--scenario", "calm"])
    ready = await exchange.ready()
    print(json.dumps({"url": ready.url, "group": os.getpgid(exchange._process.pid)}), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_exchange_says_where_it_is_and_ends():
    """A started exchange says its addresses and chain id, and has ended when `stop` returns."""
    exchange = await ExchangeProcess.start(["--chain-id", "4321", "--scenario", "calm"])
    try:
        ready = await exchange.ready()
    finally:
        await exchange.stop()

    port = urlsplit(ready.url).port
    assert (f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/stream", 4321) == (
        ready.url, ready.ws_url, ready.chain_id,
    )  # fmt: skip
    assert await exchange.ended() == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    await exchange.stop()  # twice does no harm


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no such way to run")
async def test_exchange_interrupts_nobody():
    """Every thread of a started exchange is of those that interrupt no other when they are woken; ours are not."""
    exchange = await ExchangeProcess.start(["--scenario", "calm"])
    try:
        await exchange.ready()
        assert _ways_to_run(exchange._process.pid) == {os.SCHED_BATCH}  # noqa: SLF001  (no door leads to its number)
    finally:
        await exchange.stop()

    assert _ways_to_run(os.getpid()) == {os.SCHED_OTHER}


def _ways_to_run(pid):
    return {os.sched_getscheduler(int(thread.name)) for thread in Path(f"/proc/{pid}/task").iterdir()}


async def test_wrong_options_are_the_operators(capfd):
    """An exchange that does not take its options says why on stderr, and it is a matter of configuration."""
    exchange = await ExchangeProcess.start(["--speed", "0"])
    try:
        with pytest.raises(ConfigError, match="options"):
            await exchange.ready()
    finally:
        await exchange.stop()

    assert "--speed" in capfd.readouterr().err


async def test_exchange_that_dies_at_the_start_is_told(monkeypatch):
    """An exchange that ends before it is ready is told with its exit code."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    exchange = await ExchangeProcess.start([])
    try:
        with pytest.raises(TransportError, match=r"did not start \(exit code 1\)"):
            await exchange.ready()
    finally:
        await exchange.stop()


async def test_exchange_that_ignores_the_end_is_killed(monkeypatch):
    """An exchange that is frozen, and so hears neither its input's end nor SIGTERM, is killed."""
    monkeypatch.setattr("lighterman.runtime.children.STOP_TIMEOUT_S", 0.05)
    exchange = await ExchangeProcess.start(["--scenario", "calm"])
    await exchange.ready()
    os.kill(exchange._process.pid, signal.SIGSTOP)  # noqa: SLF001  (no door leads to its number)

    await exchange.stop()

    assert await exchange.ended() == -signal.SIGKILL


def test_killed_parent_leaves_no_orphan():
    """When its parent is killed the exchange ends: its last connection is closed."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        try:
            said = json.loads(parent.stdout.readline())
            connection = socket.create_connection(("127.0.0.1", urlsplit(said["url"]).port), PATIENCE_S)
        finally:
            parent.kill()
        with connection:
            assert connection.recv(1) == b""

    assert said["group"] not in (parent.pid, os.getpgrp())  # a Ctrl-C on the terminal does not reach it
