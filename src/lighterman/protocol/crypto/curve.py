"""The group ECgFp5, in the fractional (x, u) coordinates of pornin/ecgfp5 (protocol reference 5.6).

Curve y^2 = x(x^2 + 2x + b) over GF(p^5), b = 263 X, u = x/y. The group has prime order N; one
addition formula is complete: it also doubles, and takes the neutral element. We keep x divided
by b, which saves the formula one multiplication by b: a point is (A : Z : U : T) with
x = b A/Z and u = U/T, all four reduced elements of `extension`. A group element is encoded as
w = y/x = T/U, the neutral one as 0.

Fixed points are multiplied through a comb table: a scalar k is written with 320 digits of +1 or
-1 (the bits of (k + 2^320 - 1) / 2 mod N, 0 meaning -1), so that every step adds exactly one
table entry, whatever k is. Four combs of eight teeth, ten steps: 40 additions and 9 doublings.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

from lighterman.protocol.crypto import extension as field
from lighterman.protocol.crypto.extension import reduce, shift
from lighterman.protocol.crypto.goldilocks import P

# The order of the group: a prime.
N = 1067993516717146951041484916571792702745057740581727230159139685185762082554198619328292418486241

_B = 263  # b = 263 X
_COMBS = 4
_TEETH = 8
_STEPS = 10
_DIGITS = _COMBS * _TEETH * _STEPS
_TOP_TOOTH = 1 << (_TEETH - 1)
_ENTRY_MASK = _TOP_TOOTH - 1
_HALF_SCALAR = (N + 1) // 2
_HALF = (P + 1) // 2


class Point(NamedTuple):
    """A group element (A : Z : U : T); several quadruples mean the same element."""

    a: int
    z: int
    u: int
    t: int


Affine = tuple[int, int]  # (A, U), Z and T being 1
NEUTRAL = Point(0, 1, 0, 1)
GENERATOR_BYTES = (4).to_bytes(field.ELEMENT_BYTES, "little")  # w = 4


def add(left: Point, right: Point) -> Point:
    """Return the sum of any two group elements; 10 multiplications."""
    a1, z1, u1, t1 = left
    a2, z2, u2, t2 = right
    aa, zz, uu, tt = reduce(a1 * a2), reduce(z1 * z2), reduce(u1 * u2), reduce(t1 * t2)
    az = reduce((a1 + z1) * (a2 + z2)) - aa - zz
    ut = reduce((u1 + t1) * (u2 + t2)) - uu - tt
    return _finish(aa, zz, uu, tt, az, ut)


def add_affine(left: Point, right: Affine) -> Point:
    """Return the sum of any group element and one with Z = T = 1; 8 multiplications."""
    a1, z1, u1, t1 = left
    a2, u2 = right
    return _finish(reduce(a1 * a2), z1, reduce(u1 * u2), t1, a1 + reduce(a2 * z1), u1 + reduce(u2 * t1))


def _finish(aa: int, zz: int, uu: int, tt: int, az: int, ut: int) -> Point:
    """Combine the products and cross sums of two points into their sum.

    Coefficients stay below 2^77 in a factor and below 2^146 in a product.
    """
    baa = shift(aa * _B)
    uu += uu
    sum_zz = zz + baa
    first = tt * sum_zz
    second = uu * (sum_zz + shift(az * _B))
    return Point(
        reduce((tt + uu) * (az + sum_zz) - first),
        reduce(first - second),
        reduce(ut * (zz - baa)),
        reduce(first + second),
    )


def encode(point: Point) -> list[int]:
    """Return w = y/x of a group element as five canonical words; all zeros for the neutral one."""
    return field.unpack(reduce(point.t * field.inverse(point.u)))


def decode(data: bytes) -> Point:
    """Read a group element from the 40 bytes of w; raise ValueError when there is none.

    The two x with y = w x are the roots of x^2 - (w^2 - 2) x + b; the element's own is the one
    that is not a square. Their product is b, so our A = x/b is 1 / (the other, square root).
    """
    w = field.from_bytes(data)
    if w == 0:
        return NEUTRAL
    total = reduce(w * w) - 2
    root = field.square_root(reduce(total * total - shift(4 * _B)))
    if root is None:
        raise ValueError("not a group element")
    other = reduce((total + root) * _HALF)
    if not field.is_square(other):
        other = total - other
    return Point(field.inverse(other), 1, field.inverse(w), 1)


class FixedBase:
    """A group element with the comb table that makes multiplying it cheap; building it takes ~15 ms.

    Entry i of comb c is the signed sum of the eight teeth 2^(10 (l + 8 c)), l = 0..7: tooth 7 with
    a plus, tooth l < 7 with the sign of bit l of i. The other half of the sums are the negatives.
    """

    __slots__ = ("_combs",)

    def __init__(self, base: Point) -> None:
        teeth = [base]
        for _ in range(1, _COMBS * _TEETH):
            teeth.append(_double(teeth[-1], _STEPS))
        entries = [entry for at in range(0, len(teeth), _TEETH) for entry in _signed_sums(teeth[at : at + _TEETH])]
        affine = _to_affine(entries)
        self._combs = [affine[at : at + _TOP_TOOTH] for at in range(0, len(affine), _TOP_TOOTH)]

    def rows(self, scalar: int) -> list[tuple[Sequence[Affine], list[int]]]:
        """Return each comb with the entry it contributes at each step; bit 7 of an entry is its sign."""
        bits = f"{(scalar + (1 << _DIGITS) - 1) * _HALF_SCALAR % N:0{_DIGITS}b}"
        length = _TEETH * _STEPS
        combs = reversed(self._combs)  # the text begins with the highest bit
        texts = (bits[at : at + length] for at in range(0, _DIGITS, length))
        return [
            (comb, [int(text[step::_STEPS], 2) for step in range(_STEPS)])
            for comb, text in zip(combs, texts, strict=True)
        ]


def multiply(*terms: tuple[int, FixedBase]) -> Point:
    """Return the sum of scalar * base over the terms; they share the doublings."""
    rows = [row for scalar, base in terms for row in base.rows(scalar)]
    point = NEUTRAL
    for step in range(_STEPS):
        if step:
            point = add(point, point)
        for comb, digits in rows:
            digit = digits[step]
            if digit & _TOP_TOOTH:
                point = add_affine(point, comb[digit & _ENTRY_MASK])
            else:
                a, u = comb[~digit & _ENTRY_MASK]
                point = add_affine(point, (a, -u))
    return point


@functools.cache
def generator() -> FixedBase:
    """Return the generator, w = 4, with its table: built at the first signature or verification."""
    return FixedBase(decode(GENERATOR_BYTES))


def _double(point: Point, times: int) -> Point:
    for _ in range(times):
        point = add(point, point)
    return point


def _signed_sums(teeth: Sequence[Point]) -> list[Point]:
    """Return teeth[-1] plus or minus each other tooth, in the order of FixedBase's entries."""
    lowest = teeth[-1]
    for tooth in teeth[:-1]:
        lowest = add(lowest, tooth._replace(u=-tooth.u))
    sums = [lowest]
    for tooth in teeth[:-1]:
        twice = add(tooth, tooth)
        sums += [add(entry, twice) for entry in sums]
    return sums


def _to_affine(points: Sequence[Point]) -> list[Affine]:
    """Divide by Z and T, with one inversion for all: each product's inverse is peeled off in turn."""
    products = [field.ONE]
    for point in points:
        products.append(reduce(products[-1] * reduce(point.z * point.t)))
    rest = field.inverse(products.pop())
    affine = []
    for point in reversed(points):
        inverse = reduce(rest * products.pop())  # 1 / (Z T) of this point
        affine.append((reduce(point.a * reduce(inverse * point.t)), reduce(point.u * reduce(inverse * point.z))))
        rest = reduce(rest * reduce(point.z * point.t))
    return affine[::-1]
