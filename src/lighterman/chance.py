"""Where chance comes from. No other file of this package draws any (enforced by `make lint`).

Two sources that must never be confused: seeded streams for markets and simulations, which
repeat exactly, and the operating system's entropy for keys and signatures, which must not.
"""

import hashlib
import os
import random


def seeded(seed: int, stream: str) -> random.Random:
    """Return the generator of one named stream of a seed; streams do not move each other."""
    digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=16).digest()
    return random.Random(int.from_bytes(digest, "little"))  # noqa: S311  (a market, not a secret)


def secret_bytes(count: int) -> bytes:
    """Return bytes from the operating system's entropy, for keys and signature nonces."""
    return os.urandom(count)
