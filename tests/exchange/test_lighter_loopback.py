"""The same client and the same exchange as in memory, on real sockets and by real clocks."""

import asyncio

from helpers.local_venue import QuietMarket
from helpers.memory_venue import approved
from lighterman.chance import secret_bytes, seeded
from lighterman.clock import SystemClock
from lighterman.domain.commands import CancelAll, ModifyOrder, PlaceOrder
from lighterman.domain.events import CommandExecuted, LinkReport, OrderReport
from lighterman.exchange.lighter import LighterVenue
from lighterman.exchange.params import ClientParams
from lighterman.exchange.sockets import SocketTransport
from lighterman.runtime.local_account import LocalAccount
from lighterman.signing.pure import PureSigner, generate_key
from lighterman.signing.thread import ThreadedSigner
from lighterman.simulator.options import ServeOptions
from lighterman.simulator.server import serve

CHAIN, ACCOUNT = 77, 100


async def _trade(address, events):
    signers = {key: _signer(key) for key in (5, 6)}
    account = LocalAccount(address["url"], ACCOUNT)
    for key, signer in signers.items():
        await account.add_key(key, signer.public_key, "premium")
    transport = SocketTransport(address["url"], "lighterman-test", secret_bytes)
    params = ClientParams(
        stream_url=address["ws_url"],
        chain_id=CHAIN,
        account_index=ACCOUNT,
        symbols=["ETH", "BTC"],
        order_value_micro_max=10**12,
    )
    failures = []
    venue = LighterVenue(
        params, signers, transport, SystemClock(), seeded(1, "x"), events.append, on_failure=failures.append
    )
    try:
        await venue.start()
        await _until(lambda: sum(report.up for report in _of(events, LinkReport)) == 3)
        venue.submit(
            [approved(PlaceOrder(n, n % 2, 1000 + n, False, (290_000, 950_000)[n % 2] + n, 2000)) for n in range(1, 21)]
        )
        await _until(lambda: len(_of(events, CommandExecuted)) == 20)
        assert await venue.open_order_count() == 20
        venue.submit([approved(ModifyOrder(21, 0, 1002, 289_000, 2500)), approved(CancelAll(22))])
        await _until(lambda: len(_of(events, CommandExecuted)) == 22)
        assert await venue.open_order_count() == 0
        assert [] == failures
    finally:
        await venue.close()
        await transport.close()
        for signer in signers.values():
            signer.close()


def _signer(key):
    secret, _ = generate_key(secret_bytes)
    return ThreadedSigner(lambda: PureSigner(secret, ACCOUNT, key, CHAIN, secret_bytes))


def _of(events, kind):
    return [event for event in events if isinstance(event, kind)]


async def _until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  (events come through a callback)
            await asyncio.sleep(0.005)


async def test_orders_live_and_end_over_real_sockets():
    """Preflight, streams, batches, signatures and nonces against the exchange's own server."""
    ready, stop, events = asyncio.get_running_loop().create_future(), asyncio.Event(), []
    options = ServeOptions(port=0, chain_id=CHAIN)
    server = asyncio.create_task(serve(options, ready.set_result, stop, driver=QuietMarket()))
    try:
        await _trade(await ready, events)
    finally:
        stop.set()
        await server

    rows = {report.client_order_index: report for report in _of(events, OrderReport)}
    assert set(range(1001, 1021)) == set(rows)
    assert {"canceled"} == {row.status for row in rows.values()}
