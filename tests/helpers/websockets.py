"""What a WebSocket server says, byte by byte."""

import base64
import hashlib

from lighterman.exchange import frames

KEY = bytes(range(16))


def accept(key=KEY):
    """Return what proves that a handshake's key was read."""
    return base64.b64encode(hashlib.sha1(base64.b64encode(key) + frames.GUID, usedforsecurity=False).digest()).decode()


UPGRADED = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade"


def handshake(key=KEY):
    """Return the whole reply that opens a WebSocket."""
    return f"{UPGRADED}\r\nSec-WebSocket-Accept: {accept(key)}\r\n\r\n".encode()


def server_frame(first, payload):
    """Return a frame as a server sends it: without a mask."""
    size = len(payload)
    if size <= 125:
        head = bytes((first, size))
    elif size < 1 << 16:
        head = bytes((first, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 127)) + size.to_bytes(8, "big")
    return head + payload


def close_frame(code, reason=b""):
    """Return the frame with which a server leaves."""
    return server_frame(0x88, code.to_bytes(2, "big") + reason)
