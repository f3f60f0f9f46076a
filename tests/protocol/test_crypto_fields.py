"""Goldilocks, Poseidon2 and GF(p^5): protocol reference 5.1 to 5.3."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lighterman.protocol.crypto import extension, goldilocks, poseidon2
from lighterman.protocol.crypto.extension import reduce
from lighterman.protocol.crypto.goldilocks import P

words = st.one_of(st.integers(0, P - 1), st.sampled_from([0, 1, 2, P - 1, P - 2, 2**32 - 1, 2**32, 2**63]))
limbs = st.lists(words, min_size=5, max_size=5)


def schoolbook(a, b):
    """Multiply polynomials and replace X^5 by 3."""
    product = [0] * 5
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            product[(i + j) % 5] += x * y * (3 if i + j >= 5 else 1)
    return [value % P for value in product]


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (P, 0), (P + 1, 1), (-1, 2**32 - 2), (7, 7)])
def test_element(value, expected):
    """A negative integer wraps at 2^64 before it becomes a field element (reference 5.1)."""
    assert expected == goldilocks.element(value)


def test_words():
    """Bytes are cut into little-endian words, the last one padded with zeros."""
    assert [0x0807060504030201, 0x09] == goldilocks.words(bytes(range(1, 10)))


@given(words)
def test_goldilocks_square_root(value):
    """A square has its two roots; of a number and 7 times it exactly one is a square."""
    root = goldilocks.square_root(value * value % P)

    assert root in (value, (P - value) % P)
    if value:
        assert (goldilocks.square_root(value) is None) != (goldilocks.square_root(7 * value % P) is None)


ZEROS_PERMUTED = """
    7182099517097165596 9311216678150108034 8831900494918587432 10774846510254277933 10601329242472021962
    5629867288322699978 140799316430260029 16680789625189310103 16589856342819292996 4940126994627441183
    14089387953811494999 8340711910841427341
"""
COUNTING_PERMUTED = """
    8066226119727164551 12034567947558293796 14152291504239882087 17432044828564993022 18363463688991195121
    10972075183901531833 459741503372679350 526680121051726053 647154133136364518 12211724450340700274
    8061408057657658344 15479440560020210066
"""


@pytest.mark.parametrize(
    ("state", "expected"), [([0] * 12, ZEROS_PERMUTED), (range(12), COUNTING_PERMUTED)], ids=["zeros", "counting"]
)
def test_permutation_vectors(state, expected):
    """The permutation agrees with the vectors of reference 5.3."""
    assert [int(word) for word in expected.split()] == poseidon2.permute(state)


def test_sponge_vectors():
    """The hash agrees with the vectors of reference 5.3."""
    assert [
        193952750190893094,
        10617623327897635074,
        18300835573819240156,
        2043841189207866765,
        1803982194166573557,
    ] == poseidon2.sponge(range(16), 5)
    assert [
        7431367281668178651,
        8673656104435309403,
        8585099438262764970,
        14879537960188007193,
    ] == poseidon2.sponge([1], 4)


def plain_permutation(state):
    """Follow the description of reference 5.2 literally, with the module's constants."""
    lanes = _external(state)
    for r in range(4):
        lanes = _external([pow(x + c, 7, P) for x, c in zip(lanes, poseidon2.FULL_ROUNDS[r], strict=True)])
    for constant in poseidon2.PARTIAL_ROUNDS:
        lanes[0] = pow(lanes[0] + constant, 7, P)
        total = sum(lanes)
        lanes = [(total + x * d) % P for x, d in zip(lanes, poseidon2.DIAGONAL, strict=True)]
    for r in range(4, 8):
        lanes = _external([pow(x + c, 7, P) for x, c in zip(lanes, poseidon2.FULL_ROUNDS[r], strict=True)])
    return lanes


def _external(lanes):
    out = []
    for at in (0, 4, 8):
        a, b, c, d = lanes[at : at + 4]
        out += [2 * a + 3 * b + c + d, a + 2 * b + 3 * c + d, a + b + 2 * c + 3 * d, 3 * a + b + c + 2 * d]
    return [(x + sum(out[i % 4 :: 4])) % P for i, x in enumerate(out)]


@given(st.lists(words, min_size=12, max_size=12))
@example([P - 1] * 12)
def test_permutation_is_the_described_one(state):
    """The packed partial rounds compute what the description computes round by round."""
    assert plain_permutation(state) == poseidon2.permute(state)


@given(limbs, limbs)
@example([P - 1] * 5, [P - 1] * 5)
def test_extension_product(a, b):
    """A product of packed elements is the product of their polynomials modulo X^5 - 3."""
    assert schoolbook(a, b) == extension.unpack(reduce(extension.pack(a) * extension.pack(b)))


@given(limbs, limbs, limbs)
def test_extension_ring_axioms(a, b, c):
    """Reduced and unreduced sums, differences and products obey the ring's laws."""
    x, y, z = (reduce(extension.pack(value)) for value in (a, b, c))

    assert extension.unpack(reduce(x * (y - z))) == extension.unpack(reduce(x * y) - reduce(x * z))
    assert extension.unpack(reduce(reduce(x * y) * z)) == extension.unpack(reduce(x * reduce(y * z)))
    assert extension.unpack(reduce(x * y - y * x)) == [0] * 5


@given(st.lists(st.integers(-(2**146) + 1, 2**146 - 1), min_size=10, max_size=10))
@example([2**146 - 1] * 10)
@example([1 - 2**146] * 10)
def test_reduction_bounds(coefficients):
    """Whatever ten coefficients below 2^146 are reduced, the result is right and within its promised bounds."""
    stride = 150
    reduced = reduce(sum(value << (stride * i) for i, value in enumerate(coefficients)))
    shifted = reduced + sum(2**54 << (stride * i) for i in range(5))
    parts = [(shifted >> (stride * i)) & (2**stride - 1) for i in range(5)]

    assert all(0 <= part < 2**65 + 2**54 for part in parts)
    assert shifted >> (5 * stride) == 0
    assert extension.unpack(reduced) == [
        (low + 3 * high) % P for low, high in zip(coefficients[:5], coefficients[5:], strict=True)
    ]


@given(limbs)
def test_extension_inverse(a):
    """An element times its inverse is one; zero is its own "inverse"."""
    x = extension.pack(a)
    expected = [1, 0, 0, 0, 0] if any(a) else [0] * 5

    assert expected == extension.unpack(reduce(x * extension.inverse(x)))


@given(limbs)
def test_frobenius(a):
    """The Frobenius map is the p-th power, and five of them are none."""
    x = extension.pack(a)

    assert extension.unpack(extension.power(x, P)) == extension.unpack(extension.frobenius(x, 1))
    assert a == extension.unpack(extension.frobenius(x, 5))


@given(limbs)
def test_extension_square_root(a):
    """A square has its two roots; of an element and 7 times it exactly one is a square."""
    x = extension.pack(a)
    root = extension.square_root(reduce(x * x))

    assert root is not None
    assert extension.unpack(root) in (a, extension.unpack(-x))
    assert extension.is_square(reduce(x * x))
    if any(a):
        assert extension.is_square(x) != extension.is_square(reduce(x * 7))
        assert extension.is_square(x) == (extension.square_root(x) is not None)


@given(limbs)
def test_extension_bytes(a):
    """Forty bytes hold five canonical words, and come back."""
    data = extension.to_bytes(extension.pack(a))

    assert a == extension.unpack(extension.from_bytes(data))


@pytest.mark.parametrize("data", [b"", bytes(39), bytes(41), P.to_bytes(8, "little") + bytes(32), b"\xff" * 40])
def test_extension_rejects(data):
    """A wrong length or a word that is not canonical is no field element."""
    with pytest.raises(ValueError, match="not a field element"):
        extension.from_bytes(data)
