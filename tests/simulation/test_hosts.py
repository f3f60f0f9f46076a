"""Both hosts carry the same conversation: a request is answered, a stream greets."""

import asyncio
import contextlib

import pytest

from helpers.local_venue import START_US, QuietMarket
from lighterman.chance import seeded
from lighterman.simulation.hosts import MessageHost, WireHost
from lighterman.simulation.virtual import Node, NodeClock, VirtualLoop, run
from lighterman.simulation.wire import Wire, WireLoop
from lighterman.simulator.app import AppRules, LocalExchange

GRAVES = []  # what is left of ended worlds


@pytest.mark.parametrize("is_wire", [False, True])
def test_a_process_reaches_the_exchange(is_wire):
    """A bot on either host asks the exchange, hears its stream, and is forgotten when it is gone."""
    wire, clock = Wire(1), NodeClock(START_US)

    def host_of(app, clock):
        def chance(name):
            return seeded(1, name)

        return WireHost(app, clock, wire, chance) if is_wire else MessageHost(app, clock, chance)

    heard = []

    async def converse(host, node):
        async with contextlib.AsyncExitStack() as stack:
            transport = host.transport(node, stack)
            assert 200 == (await transport.request("GET", "/", {}, None, {})).status
            stream = await transport.open_stream("ws://exchange/stream", heard.append, heard.append)
            await asyncio.sleep(1)
            stream.close()

    async def world():
        app = LocalExchange(QuietMarket(), AppRules(), seeded(1, "entropy").randbytes, START_US)
        node = Node("bot")
        host = host_of(app, clock)
        await asyncio.sleep(0.5)
        await node.spawn(converse(host, node))
        await asyncio.sleep(2)
        host.drop(node)
        assert [] == (wire.connections if is_wire else host.network.streams)

    loop = WireLoop(wire) if is_wire else VirtualLoop()
    GRAVES.append(loop)
    run(world(), loop)
    assert b'"connected"' in heard[0]
    assert [] == loop.failures
