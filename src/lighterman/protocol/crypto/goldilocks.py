"""The Goldilocks field: integers modulo p = 2^64 - 2^32 + 1 (protocol reference 5.1).

Elements are plain `int`; functions return them canonical, in [0, p).
"""

import struct
from collections.abc import Sequence

P = 2**64 - 2**32 + 1
WORD_BYTES = 8

_NON_SQUARE = 7
_TWO_ADICITY = 32  # p - 1 = 2^32 * (2^32 - 1)


def element(value: int) -> int:
    """Return a signed or unsigned 64-bit integer as an element: negative ones wrap at 2^64 first."""
    return (value & 0xFFFF_FFFF_FFFF_FFFF) % P


def words(data: bytes) -> list[int]:
    """Cut bytes into 8-byte little-endian words, the last one padded with zeros; not reduced."""
    return [int.from_bytes(data[at : at + WORD_BYTES], "little") for at in range(0, len(data), WORD_BYTES)]


def to_bytes(values: Sequence[int]) -> bytes:
    """Return canonical elements as little-endian words."""
    return struct.pack(f"<{len(values)}Q", *values)


def square_root(value: int) -> int | None:
    """Return a square root of a canonical element, or None (Tonelli-Shanks)."""
    odd = (P - 1) >> _TWO_ADICITY
    root, rest, generator = pow(value, (odd + 1) // 2, P), pow(value, odd, P), pow(_NON_SQUARE, odd, P)
    order_bits = _TWO_ADICITY
    while rest not in (0, 1):
        square, bits = rest * rest % P, 1
        while square != 1:
            square, bits = square * square % P, bits + 1
        if bits == order_bits:
            return None
        factor = pow(generator, 1 << (order_bits - bits - 1), P)
        generator, order_bits = factor * factor % P, bits
        root, rest = root * factor % P, rest * generator % P
    return root
