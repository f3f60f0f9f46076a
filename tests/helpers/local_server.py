"""The local exchange on real loopback sockets, with a market in which nothing happens by itself."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp

from helpers.local_venue import QuietMarket
from lighterman.simulator import server
from lighterman.simulator.options import ServeOptions

PATIENCE_S = 20.0


@asynccontextmanager
async def running(driver=None, **options):
    """Serve on a free port; give an HTTP client and the ready event."""
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    market = driver or QuietMarket()
    serving = asyncio.create_task(server.serve(ServeOptions(**options), ready.set_result, stop, driver=market))
    await asyncio.wait({serving, ready}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await serving
    try:
        async with aiohttp.ClientSession() as http:
            yield http, ready.result()
    finally:
        stop.set()
        await serving
