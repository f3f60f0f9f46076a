"""`lighterman exchange serve` as a process."""

import json
import signal
import socket
from urllib.parse import urlsplit

import pytest

from helpers.processes import finished, started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ready_line_and_end(tmp_path, number):
    """The only line on stdout says where it is; it introduces itself as SIMULATED, and a signal ends it with 0."""
    async with started("exchange", "serve", "--scenario", "calm", cwd=tmp_path) as process:
        ready = json.loads(await process.says('"ready"'))
        port = urlsplit(ready["url"]).port
        socket.create_connection(("127.0.0.1", port)).close()
        ended = await process.end(number)

    assert ready == {
        "event": "ready",
        "url": f"http://127.0.0.1:{port}",
        "ws_url": f"ws://127.0.0.1:{port}/stream",
        "chain_id": 304,
    }
    assert (0, 1) == (ended.code, len(ended.out.splitlines()))
    assert "SIMULATED" in ended.err


async def test_port_that_is_taken(tmp_path):
    """A port that is in use ends with 4, and is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = await finished("exchange", "serve", "--port", port, cwd=tmp_path)

    assert (4, "") == (ended.code, ended.out)
    assert f"127.0.0.1:{port}" in ended.err


async def test_wrong_options(tmp_path):
    """Options that cannot be used end with 3, each named; another address is not listened on unasked."""
    ended = await finished("exchange", "serve", "--host", "0.0.0.0", "--port", 70000, "--speed", 0, cwd=tmp_path)

    assert (3, "") == (ended.code, ended.out)
    for option in ("--host", "--allow-remote", "--port", "--speed"):
        assert option in ended.err
