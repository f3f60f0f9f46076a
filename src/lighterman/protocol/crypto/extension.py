"""GF(p^5) = GF(p)[X] / (X^5 - 3): five Goldilocks words as one field element (protocol reference 5.1).

An element is ONE Python integer: its polynomial evaluated at X = 2^150. Adding elements is then
adding integers, and all 25 products of a multiplication are a single one, three times faster
than five separate words. The price is a discipline on sizes:

* Coefficients are signed and lazily reduced. `reduce` returns coefficients in (-2^54, 2^65);
  call this a reduced element. `+`, `-` and small factors apply directly and let them grow.
* `reduce` takes any product, sum or difference of products, whose coefficients stay below
  2^146 in magnitude; two reduced elements multiply to less than 2^133.
* Only `unpack` and `to_bytes` return canonical words; only they may be compared.
"""

import struct
from collections.abc import Sequence

from lighterman.protocol.crypto import goldilocks
from lighterman.protocol.crypto.goldilocks import P

ELEMENT_BYTES = 40
ONE = 1

_STRIDE = 150  # bits per coefficient; a multiple of CPython's 30-bit digits
_DEGREE = 5
_NON_RESIDUE = 3  # X^5 = 3


def _spread(value: int, count: int) -> int:
    """Return a packed integer with the same value in each of `count` coefficients."""
    return sum(value << (_STRIDE * i) for i in range(count))


_FOLD_BITS = _STRIDE * _DEGREE
_FOLD_MASK = (1 << _FOLD_BITS) - 1
_LOW = _spread(2**64 - 1, _DEGREE)
_MIDDLE = _spread(2**32 - 1, _DEGREE)
_HIGH = _spread(2 ** (_STRIDE - 96) - 1, _DEGREE)
_PRODUCT_BIAS = _spread((2**146 // P + 1) * P, 2 * _DEGREE)  # makes coefficients positive, changes no residue
_ELEMENT_BIAS = _spread((2**80 // P) * P, _DEGREE)
_FIFTH_ROOT_OF_UNITY = 1041288259238279555


def reduce(product: int) -> int:
    """Return the reduced element of a product: X^5 folds to 3, then 2^64 to 2^32 - 1 and 2^96 to -1."""
    product += _PRODUCT_BIAS
    folded = (product & _FOLD_MASK) + (product >> _FOLD_BITS) * _NON_RESIDUE
    middle = (folded >> 64) & _MIDDLE
    return (folded & _LOW) + (middle << 32) - middle - ((folded >> 96) & _HIGH)


def shift(value: int) -> int:
    """Return X * value as an unfolded polynomial of six coefficients: a factor for `reduce`."""
    return value << _STRIDE


def pack(words: Sequence[int]) -> int:
    """Return the element of five words."""
    return sum(word << (_STRIDE * i) for i, word in enumerate(words))


def unpack(value: int) -> list[int]:
    """Return the five canonical words of an element with coefficients below 2^79."""
    value += _ELEMENT_BIAS
    mask = (1 << _STRIDE) - 1
    return [((value >> (_STRIDE * i)) & mask) % P for i in range(_DEGREE)]


def to_bytes(value: int) -> bytes:
    """Return an element as 40 bytes, little endian."""
    return goldilocks.to_bytes(unpack(value))


def from_bytes(data: bytes) -> int:
    """Read an element from 40 bytes; raise ValueError unless every word is canonical."""
    words = struct.unpack("<5Q", data) if len(data) == ELEMENT_BYTES else ()
    if not words or max(words) >= P:
        raise ValueError("not a field element: 5 little-endian words below p expected")
    return pack(words)


def power(base: int, exponent: int) -> int:
    """Return base^exponent for a reduced base and exponent >= 0."""
    result = ONE
    for bit in f"{exponent:b}":
        result = reduce(result * result)
        if bit == "1":
            result = reduce(result * base)
    return result


def frobenius(value: int, times: int) -> int:
    """Return value^(p^times): coefficient i times the i-th power of a fifth root of unity (5.1)."""
    root = pow(_FIFTH_ROOT_OF_UNITY, times, P)
    return pack([word * pow(root, i, P) % P for i, word in enumerate(unpack(value))])


def norm_parts(value: int) -> tuple[int, int]:
    """Return the norm of a reduced element, a word, and the cofactor with value * cofactor = norm.

    The norm is value^(1 + p + p^2 + p^3 + p^4), the cofactor the product of the conjugates.
    """
    conjugate = frobenius(value, 1)
    pair = reduce(conjugate * frobenius(conjugate, 1))
    cofactor = reduce(pair * frobenius(pair, 2))
    return unpack(reduce(value * cofactor))[0], cofactor


def inverse(value: int) -> int:
    """Return 1 / value for a reduced element, and 0 for 0 (so that the neutral point encodes)."""
    norm, cofactor = norm_parts(value)
    return reduce(cofactor * pow(norm, -1, P)) if norm else 0


def is_square(value: int) -> bool:
    """Tell whether a reduced element is a square: exactly when its norm is one in GF(p); 0 is."""
    norm, _ = norm_parts(value)
    return pow(norm, (P - 1) // 2, P) <= 1


def square_root(value: int) -> int | None:
    """Return a square root of a reduced element, or None.

    With r = 1 + p + ... + p^4 odd, value^((r + 1) / 2) is a root of value * norm, and the norm
    has its own root in GF(p). (r + 1) / 2 = 1 + (p + p^3) * (p + 1) / 2.
    """
    norm, _ = norm_parts(value)
    root_of_norm = goldilocks.square_root(norm)
    if root_of_norm is None:
        return None
    if norm == 0:
        return 0
    half = power(value, (P + 1) // 2)
    conjugates = reduce(frobenius(half, 1) * frobenius(half, 3))
    return reduce(reduce(value * conjugates) * pow(root_of_norm, -1, P))
