"""A number that stands for a whole book: the same levels give the same number, in whatever order they came.

The digest is the exclusive-or of one hash per level, so that a changed level costs two hashes.
"""

import functools
import hashlib
import struct
from collections.abc import Mapping

LEVELS_REMEMBERED = 1 << 18
_LEVEL = struct.Struct("<?QQ")


@functools.lru_cache(maxsize=LEVELS_REMEMBERED)
def level_digest(is_ask: bool, price_ticks: int, size_lots: int) -> int:
    """Return the 64 bits of one level; a level of size zero is none."""
    if not size_lots:
        return 0
    packed = _LEVEL.pack(is_ask, price_ticks, size_lots)
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "little")


def book_digest(bids: Mapping[int, int], asks: Mapping[int, int]) -> int:
    """Return the digest of a book given as price -> size on both sides; an empty book is 0."""
    total = 0
    for price, size in bids.items():
        total ^= level_digest(False, price, size)
    for price, size in asks.items():
        total ^= level_digest(True, price, size)
    return total
