"""The two ways to host bot and exchange in one world: messages, or bytes under the real client and server.

`MessageHost` is quick and has a lever for every message. `WireHost` runs `SocketTransport` and the
server that stands behind `lighterman exchange serve`, over connections whose bytes go wrong.
"""

import asyncio
import contextlib
from collections.abc import Callable

from lighterman.domain.chance import Rng
from lighterman.exchange.sockets import SocketTransport
from lighterman.exchange.transport import Transport
from lighterman.simulation.bot import BASE_URL
from lighterman.simulation.network import Network, NodeTransport
from lighterman.simulation.virtual import Node, NodeClock
from lighterman.simulation.wire import Line, Wire, serve
from lighterman.simulator.app import LocalExchange
from lighterman.simulator.server import Server

ADDRESS = "exchange"


class MessageHost:
    """Bot and exchange exchange messages over a `Network`."""

    def __init__(self, app: LocalExchange, clock: NodeClock, chance: Callable[[str], Rng]) -> None:
        self.network = Network(app, clock, chance)

    def transport(self, node: Node, _: contextlib.AsyncExitStack) -> Transport:
        """Return the way from a process to the exchange."""
        return NodeTransport(self.network, node)

    def drop(self, node: Node) -> None:
        """Close what a process that is no more had open."""
        self.network.drop_streams(node)


class WireHost:
    """Bot and exchange are the programs that they are on sockets, over a `Wire`."""

    def __init__(self, app: LocalExchange, clock: NodeClock, wire: Wire, chance: Callable[[str], Rng]) -> None:
        rng = chance("wire")
        wire.line = Line(
            latency_s=rng.uniform(0.001, 0.02),
            jitter_s=rng.uniform(0.0005, 0.006),
            piece_bytes_max=(0, 0, 1, 7, 100, 1500)[rng.randrange(0, 6)],
        )
        masks = chance("masks")
        self._entropy = lambda count: masks.getrandbits(8 * count).to_bytes(count, "little")
        self._exchange = Node("exchange")
        self._serving: asyncio.Task[None] = self._exchange.spawn(serve(Server(app, clock), ADDRESS))

    def transport(self, _: Node, stack: contextlib.AsyncExitStack) -> Transport:
        """Return the way from the running process to the exchange; the wire knows whose step it is."""
        transport = SocketTransport(BASE_URL, "lighterman (SIMULATED)", self._entropy, ADDRESS)
        stack.push_async_callback(transport.close)
        return transport

    def drop(self, node: Node) -> None:
        """Do nothing: the wire hears itself of a process that is killed."""
