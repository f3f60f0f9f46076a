import asyncio
import json
import os
import signal
import socket
import struct
import sys
from io import BytesIO

import aiohttp
import pytest
from yarl import URL

from helpers.local_server import PATIENCE_S, running
from helpers.local_venue import QuietMarket, crowd
from lighterman.chance import secret_bytes
from lighterman.domain.errors import ConfigError
from lighterman.protocol import messages, rest
from lighterman.protocol.transactions import CancelAllOrdersTx
from lighterman.signing.pure import PureSigner, generate_key
from lighterman.simulator import server
from lighterman.simulator.options import ServeOptions

SERVE = """
import asyncio, sys
from lighterman.simulator.options import ServeOptions
from lighterman.simulator.server import run
asyncio.run(run(ServeOptions(symbols=("ETH",), watches_stdin=True)))
"""


async def test_one_port_speaks_both_protocols():
    """REST and stream answer at the URL's root of one port, and say SIMULATED (protocol reference 12.1)."""
    async with running() as (http, ready):
        assert ready.keys() == {"event", "url", "ws_url", "chain_id"}
        async with http.get(ready["url"]) as reply:
            assert "SIMULATED" in reply.headers["Server"]
            assert reply.headers["Content-Type"].startswith("application/json")
            assert "SIMULATED" in (await reply.json())["notice"]
        async with http.ws_connect(ready["ws_url"]) as stream:
            assert "SIMULATED" in stream._response.headers["Server"]  # noqa: SLF001
            assert (await stream.receive_json(timeout=PATIENCE_S))["type"] == "connected"
            await stream.send_bytes(messages.subscribe("order_book/0"))
            frame = messages.decode(await stream.receive_str(timeout=PATIENCE_S))
            assert isinstance(frame, messages.BookFrame)
            assert frame.is_snapshot


async def test_a_signed_transaction_travels_over_real_sockets():
    """An account is opened, a signed transaction accepted over HTTP and over the stream, and told on the stream."""
    secret, public_key = generate_key(secret_bytes)
    signer = PureSigner(secret, 300, 5, 304, secret_bytes)
    async with running() as (http, ready), http.ws_connect(ready["ws_url"]) as stream:
        body = {"account_index": 300, "api_key_index": 5, "public_key": public_key}
        async with http.post(ready["url"] + "/local/v1/accounts", json=body) as reply:
            assert (await reply.json())["created"]
        token = signer.auth_token(int((await (await http.get(ready["url"])).json())["timestamp"]) + 600)
        await stream.receive_str(timeout=PATIENCE_S)
        await stream.send_bytes(messages.subscribe("account_tx/300", token))
        await stream.receive_str(timeout=PATIENCE_S)
        drop_all = [
            CancelAllOrdersTx(
                account_index=300, api_key_index=5, expired_at=2**42, nonce=nonce, time_in_force=0, time=0
            )
            for nonce in (0, 1)
        ]
        first, second = signer.sign(drop_all)
        form = {"tx_type": "16", "tx_info": first.tx_info.decode()}
        async with http.post(ready["url"] + "/api/v1/sendTx", data=form) as reply:
            assert rest.read_reply(reply.status, await reply.read(), rest.SendReply).tx_hash == first.tx_hash
        told = messages.decode(await stream.receive_str(timeout=PATIENCE_S))
        assert isinstance(told, messages.TransactionsFrame)
        await stream.send_bytes(messages.send_transaction("x", 16, second.tx_info))
        answer = messages.decode(await stream.receive_str(timeout=PATIENCE_S))
        assert isinstance(answer, rest.SendReply)
        assert (answer.code, answer.id, answer.tx_hash) == (200, "x", second.tx_hash)


async def test_queries_arrive_undecoded_once():
    """A parameter is percent-decoded once: `%252C` is the text `%2C`, not a comma."""
    async with running() as (http, ready):
        url = ready["url"] + "/api/v1/orderBookOrders?market_id=%30&limit=%31"
        async with http.get(url) as reply:
            assert (await reply.json())["total_asks"] == 1
        url = ready["url"] + "/api/v1/orderBookOrders?market_id=0&limit=%2531"
        async with http.get(URL(url, encoded=True)) as reply:
            assert (await reply.json())["code"] == 20001


async def test_a_body_too_large_is_refused():
    """More than a megabyte is not read, and the answer is still the venue's JSON."""
    async with (
        running() as (http, ready),
        http.post(ready["url"] + "/api/v1/sendTx", data=BytesIO(bytes(2_000_000))) as reply,
    ):
        assert (reply.status, (await reply.json())["code"]) == (400, 20001)


async def test_a_client_that_is_gone_before_it_has_said_all_is_no_failure(caplog):
    """Whoever resets the connection in the middle of a body gets no answer, and nobody is told of an error."""
    async with running() as (http, ready):
        url = URL(ready["url"])
        with socket.create_connection((url.host, url.port)) as gone:
            gone.sendall(b"POST /api/v1/sendTx HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ntx_type=14")
            async with http.get(ready["url"]) as reply:  # by then the server waits for the rest
                assert reply.status == 200
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for _ in range(2):
            async with http.get(ready["url"]) as reply:
                assert reply.status == 200

    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_read_only_connection_sends_nothing():
    """?readonly=true is honoured at the upgrade."""
    async with running() as (http, ready), http.ws_connect(ready["ws_url"] + "?readonly=true") as stream:
        await stream.receive_str(timeout=PATIENCE_S)
        await stream.send_bytes(messages.send_transaction("x", 16, b"{}"))
        reply = json.loads(await stream.receive_str(timeout=PATIENCE_S))
        assert reply["error"]["code"] == 30006


async def test_too_many_connections_are_refused_at_the_upgrade():
    """The 61st new connection of a minute is answered in JSON with 23003."""
    async with running() as (http, ready):
        for _ in range(60):
            await (await http.ws_connect(ready["ws_url"])).close()
        headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
        async with http.get(ready["url"] + "/stream", headers=headers) as reply:
            assert (reply.status, (await reply.json())["code"]) == (400, 23003)


async def test_stopping_says_goodbye():
    """When the server stops, connections are closed with 1001 and the port is free again."""
    async with aiohttp.ClientSession() as mine:
        async with running() as (_, ready):
            stream = await mine.ws_connect(ready["ws_url"])
            await stream.receive_str(timeout=PATIENCE_S)
            closing = asyncio.create_task(stream.receive(timeout=PATIENCE_S))
        message = await closing
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", int(ready["url"].rpartition(":")[2])))


async def test_a_foreign_address_is_refused():
    """The server itself refuses an address that is not this machine's own."""
    with pytest.raises(ConfigError, match="--allow-remote"):
        await server.serve(ServeOptions(host="0.0.0.0"), print, asyncio.Event(), driver=QuietMarket())


async def test_a_taken_port_is_an_error():
    """A port in use is an OSError for the caller, not a hang."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="address already in use"):
            async with running(port=taken.getsockname()[1]):
                pass


async def started():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COVERAGE_PROCESS_START": os.environ.get("COVERAGE_PROCESS_START", "")},
    )  # fmt: skip
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), PATIENCE_S))
    assert (ready["event"], ready["chain_id"]) == ("ready", 304)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, None])
async def test_a_signal_or_the_end_of_its_parent_stops_the_process(number):
    """SIGINT, SIGTERM and a closed standard input end it with code 0; standard output holds the ready line alone."""
    process = await started()
    if number is not None:
        process.send_signal(number)
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    else:
        assert process.stdin is not None
        process.stdin.close()
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)

    assert (process.returncode, out) == (0, b"")
    assert b"SIMULATED" in err
    assert b"Traceback" not in err


class DeepMarket(QuietMarket):
    """A market whose book is so deep that a snapshot of it is large."""

    def start(self, exchange, now_us):
        super().start(exchange, now_us)
        for step in range(3_000):
            crowd(exchange, 0, is_ask=False, price_ticks=100_000 + step, size_lots=1_000)


async def flood(deaf, http, url):
    """Ask for snapshots and read none, while somebody else is served."""
    for _ in range(2_000):
        await deaf.send_bytes(messages.subscribe("order_book/0"))
        await deaf.send_bytes(messages.unsubscribe("order_book/0"))
        async with http.get(url) as reply:
            assert reply.status == 200


async def test_a_client_that_does_not_read_is_cut_off():
    """A connection that takes nothing is ended before its frames fill memory; others are served on."""
    async with running(driver=DeepMarket(), enforces_limits=False) as (http, ready):
        deaf = await http.ws_connect(ready["ws_url"])
        with pytest.raises(ConnectionError):
            await flood(deaf, http, ready["url"])
        await deaf.close()
