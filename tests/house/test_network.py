"""The guard that keeps tests on this machine."""

import asyncio
import socket

import pytest


def test_no_connection_leaves_the_machine():
    """A connection to another host is refused before a packet is sent."""
    with pytest.raises(PermissionError, match="reached for the network"):
        socket.create_connection(("192.0.2.1", 443), timeout=1)


def test_no_name_is_looked_up():
    """A host name is not even resolved."""
    with pytest.raises(PermissionError, match="reached for the network"):
        socket.getaddrinfo("venue.invalid", 443)


async def test_asyncio_is_guarded_too():
    """An asyncio transport goes through the same guard."""
    with pytest.raises(PermissionError, match="reached for the network"):
        await asyncio.open_connection("192.0.2.1", 443)


async def test_loopback_is_free():
    """Servers and clients on this machine work."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())

    assert b"" == await reader.read()

    writer.close()
    server.close()
