"""ECgFp5 in fractional coordinates: protocol reference 5.6."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import vectors
from lighterman.protocol.crypto import curve, extension
from lighterman.protocol.crypto.curve import GENERATOR_BYTES, NEUTRAL, N, Point
from lighterman.protocol.crypto.goldilocks import P, to_bytes

GENERATOR = curve.decode(GENERATOR_BYTES)
PUBLIC = curve.FixedBase(curve.decode(bytes.fromhex(vectors.PUBLIC_KEY)))
scalars = st.one_of(st.integers(0, N - 1), st.sampled_from([0, 1, 2, N - 1, N - 2, (N + 1) // 2, 2**318]))


def double_and_add(scalar, point):
    """Multiply the way a textbook does, by the general addition alone."""
    result = NEUTRAL
    for bit in f"{scalar:b}":
        result = curve.add(result, result)
        if bit == "1":
            result = curve.add(result, point)
    return result


def negative(point):
    return Point(point.a, point.z, -point.u, point.t)


def test_generator():
    """The generator is w = 4 with the x and u of reference 5.6."""
    x = extension.reduce(extension.shift(GENERATOR.a * 263))  # A = x / b

    assert [
        12883135586176881569,
        4356519642755055268,
        5248930565894896907,
        2165973894480315022,
        2448410071095648785,
    ] == extension.unpack(x)
    assert [1, 0, 0, 0, 0] == extension.unpack(extension.reduce(GENERATOR.u * 4))


@pytest.mark.parametrize(
    ("scalar", "expected"),
    [
        (1, "04" + "00" * 39),
        (2, "384c87fe1213197f4e1b457e9d43548fc00067c00ee5c1d872895e08ab103be54336d3d4b9d5bc8c"),
        (N - 1, "fdfffffffeffffff" + "00" * 32),
        (N, "00" * 40),
        (vectors.SCALAR, vectors.PUBLIC_KEY),
    ],
    ids=["one", "two", "minus one", "order", "vector"],
)
def test_public_keys(scalar, expected):
    """Multiples of the generator encode as the public keys of reference 5.10, both ways of computing them."""
    assert expected == to_bytes(curve.encode(double_and_add(scalar, GENERATOR))).hex()
    assert expected == to_bytes(curve.encode(curve.multiply((scalar, curve.generator())))).hex()


@settings(max_examples=20)
@given(scalars, scalars)
def test_joint_multiplication(s, e):
    """The comb tables give s G + e Q for every pair of scalars, zero and minus one included."""
    base = double_and_add(vectors.SCALAR, GENERATOR)
    expected = double_and_add((s + e * vectors.SCALAR) % N, GENERATOR)

    assert curve.encode(expected) == curve.encode(curve.multiply((s, curve.generator()), (e, PUBLIC)))
    assert curve.encode(expected) == curve.encode(curve.add(double_and_add(s, GENERATOR), double_and_add(e, base)))


@settings(max_examples=30)
@given(scalars, scalars)
def test_group_laws(a, b):
    """Addition is commutative, complete, and undone by the negative."""
    left, right = double_and_add(a, GENERATOR), double_and_add(b, GENERATOR)

    assert curve.encode(curve.add(left, right)) == curve.encode(curve.add(right, left))
    assert curve.encode(curve.add(left, NEUTRAL)) == curve.encode(left)
    assert curve.encode(curve.add(left, negative(left))) == [0] * 5
    assert curve.encode(curve.add(curve.add(left, right), negative(right))) == curve.encode(left)


@settings(max_examples=30)
@given(scalars)
def test_decode_inverts_encode(scalar):
    """An encoded group element decodes to itself, and has Z = T = 1."""
    words = curve.encode(double_and_add(scalar, GENERATOR))
    point = curve.decode(to_bytes(words))

    assert words == curve.encode(point)
    assert (point.z, point.t) == (1, 1)
    assert words == curve.encode(curve.add_affine(NEUTRAL, (point.a, point.u)))


@settings(max_examples=30)
@given(st.lists(st.integers(0, P - 1), min_size=5, max_size=5))
def test_decode_judges_every_field_element(words):
    """A field element either is refused or decodes to the group element that encodes to it."""
    try:
        point = curve.decode(to_bytes(words))
    except ValueError:
        return
    assert words == curve.encode(point)
    assert curve.encode(double_and_add(N, point)) == [0] * 5


def test_decode_refuses():
    """Half of the field elements are no group element: of the first eight these."""
    refused = []
    for w in range(1, 9):
        try:
            curve.decode(w.to_bytes(40, "little"))
        except ValueError:
            refused.append(w)

    assert [1, 2, 3, 5] == refused
