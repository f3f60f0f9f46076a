"""Our account at a local exchange: opened, and its ledger read back."""

import pytest
from aiohttp import web

from helpers.local_server import running
from lighterman.chance import secret_bytes
from lighterman.domain.errors import TransportError, VenueError
from lighterman.runtime.local_account import LocalAccount
from lighterman.signing.pure import generate_key


async def test_account_is_opened_once():
    """Opening an account twice does no harm, and its ledger is nought but the deposit."""
    _, public_key = generate_key(secret_bytes)
    async with running() as (_, ready):
        account = LocalAccount(ready["url"], 100)
        opened = [await account.add_key(4, public_key, "premium") for _ in range(2)]
        ledger = await account.ledger()

    assert [(True, 304), (False, 304)] == [(answer.created, answer.chain_id) for answer in opened]
    assert (10_000 * 10**12, 0, 0, {}) == (
        ledger.collateral_pico, ledger.fees_pico, ledger.open_orders, ledger.positions,
    )  # fmt: skip


async def test_refusal_is_the_venues():
    """A key that is none is refused with the exchange's words."""
    async with running() as (_, ready):
        with pytest.raises(VenueError, match="public_key"):
            await LocalAccount(ready["url"], 100).add_key(4, "00", "premium")


async def test_account_that_is_not_there():
    """The ledger of an account that nobody opened is refused."""
    async with running() as (_, ready):
        with pytest.raises(VenueError, match="ledger"):
            await LocalAccount(ready["url"], 100).ledger()


async def test_nobody_there(unused_tcp_port):
    """An exchange that cannot be reached is a failure of the network, named by its address."""
    with pytest.raises(TransportError, match=str(unused_tcp_port)):
        await LocalAccount(f"http://127.0.0.1:{unused_tcp_port}", 100).ledger()


async def test_strange_answer():
    """What is no ledger is not taken for one."""

    async def answer(request):
        return web.Response(text='{"collateral_pico": "much"}')

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        with pytest.raises(VenueError, match="cannot be read"):
            await LocalAccount(f"http://127.0.0.1:{runner.addresses[0][1]}", 100).ledger()
    finally:
        await runner.cleanup()
