"""The Goldilocks field: integers modulo p = 2^64 - 2^32 + 1 (protocol reference 5.1).

Elements are plain `int`; functions return them canonical, in [0, p).
"""

P = 2**64 - 2**32 + 1
WORD_BYTES = 8


def element(value: int) -> int:
    """Return a signed or unsigned 64-bit integer as an element: negative ones wrap at 2^64 first."""
    return (value & 0xFFFF_FFFF_FFFF_FFFF) % P


def inverse(value: int) -> int:
    """Return 1 / value; raise ValueError for zero."""
    return pow(value, -1, P)


def words(data: bytes) -> list[int]:
    """Cut bytes into 8-byte little-endian words, the last one padded with zeros; not reduced."""
    return [int.from_bytes(data[at : at + WORD_BYTES], "little") for at in range(0, len(data), WORD_BYTES)]
