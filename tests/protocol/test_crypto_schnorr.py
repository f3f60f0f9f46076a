"""Schnorr signatures: protocol reference 5.7 and the vectors of 5.10."""

import struct
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import vectors
from lighterman.protocol.crypto import schnorr
from lighterman.protocol.crypto.curve import N
from lighterman.protocol.crypto.goldilocks import P
from lighterman.protocol.crypto.poseidon2 import sponge
from lighterman.protocol.crypto.schnorr import VerifyingKey

KEY = VerifyingKey(bytes.fromhex(vectors.PUBLIC_KEY))
scalars = st.integers(1, N - 1)
messages = st.lists(st.integers(0, P - 1), min_size=5, max_size=5)


def elements_of(text):
    return list(struct.unpack("<5Q", bytes.fromhex(text)))


def feed(*values):
    """Return an entropy source that yields the given integers, 40 bytes little endian each."""
    stream = iter(values)

    def entropy(count):
        assert count == 40
        return next(stream).to_bytes(40, "little")

    return entropy


def test_public_key():
    """The public key of the vectors' private key is the published one."""
    assert vectors.PUBLIC_KEY == schnorr.public_key(vectors.SCALAR).hex()


def test_explicit_k():
    """With the published k the signature of the first vector's hash is the published one."""
    message = elements_of(vectors.VECTORS[0].tx_hash)

    assert vectors.EXPLICIT_K_SIGNATURE == schnorr.sign(message, vectors.SCALAR, vectors.EXPLICIT_K).hex()
    assert KEY.verify(message, bytes.fromhex(vectors.EXPLICIT_K_SIGNATURE))


@pytest.mark.parametrize("vector", vectors.VECTORS, ids=lambda vector: vector.name)
def test_signatures_of_the_official_library(vector):
    """What the official library signed verifies, and nothing else does under the same signature."""
    assert KEY.verify(elements_of(vector.tx_hash), vector.signature)
    assert not KEY.verify(elements_of(vectors.AUTH_EXAMPLE_HASH), vector.signature)


def test_grouped_orders_vector():
    """The hash of type 28 folds its legs (reference 5.4), and the library's signature of it verifies."""
    first, second = (sponge(leg, 4) for leg in vectors.GROUPED_LEGS)
    message = sponge([*vectors.GROUPED_HEAD, *sponge([*first, *second], 4)], 5)

    assert elements_of(vectors.GROUPED_HASH) == message
    assert KEY.verify(message, vectors.GROUPED_SIGNATURE)


@settings(max_examples=15)
@given(messages, scalars, scalars)
def test_signed_verifies(message, secret, k):
    """Whatever is signed with a key verifies under its public key."""
    signature = schnorr.sign(message, secret, k)

    assert len(signature) == schnorr.SIGNATURE_BYTES
    assert VerifyingKey(schnorr.public_key(secret)).verify(message, signature)


@settings(max_examples=40)
@given(messages, scalars, st.integers(0, 80 * 8 - 1))
def test_tampered_signature_is_refused(message, k, bit):
    """A signature with any bit flipped does not verify."""
    signature = bytearray(schnorr.sign(message, vectors.SCALAR, k))
    signature[bit // 8] ^= 1 << bit % 8

    assert not KEY.verify(message, bytes(signature))


@settings(max_examples=40)
@given(messages, scalars, st.integers(0, 4), st.integers(1, P - 1))
def test_tampered_message_is_refused(message, k, index, change):
    """A signature does not verify for a message that differs in any element."""
    signature = schnorr.sign(message, vectors.SCALAR, k)
    message[index] = (message[index] + change) % P

    assert not KEY.verify(message, signature)


@settings(max_examples=10)
@given(messages, scalars, scalars)
def test_foreign_signature_is_refused(message, secret, k):
    """A signature by another key does not verify."""
    if secret != vectors.SCALAR:
        assert not KEY.verify(message, schnorr.sign(message, secret, k))


def test_non_canonical_scalars_are_refused():
    """Scalars s + n and e + n mean s and e but are refused: a signature has one spelling."""
    message = [1, 2, 3, 4, 5]
    signature = schnorr.sign(message, vectors.SCALAR, 99)
    s, e = (int.from_bytes(signature[at : at + 40], "little") for at in (0, 40))
    spelled = [(s, e), (s + N, e), (s, e + N), (s + N, e + N)]

    verdicts = [KEY.verify(message, x.to_bytes(40, "little") + y.to_bytes(40, "little")) for x, y in spelled]

    assert [True, False, False, False] == verdicts


@pytest.mark.parametrize("length", [0, 40, 79, 81, 160])
def test_signature_of_wrong_length_is_refused(length):
    """A signature has 80 bytes."""
    assert not KEY.verify([0] * 5, bytes(length))


@pytest.mark.parametrize(
    "key",
    [bytes(40), (1).to_bytes(40, "little"), b"", bytes(39), bytes(41), P.to_bytes(8, "little") + bytes(32)],
    ids=["neutral", "no group element", "empty", "short", "long", "not canonical"],
)
def test_impossible_public_keys_are_refused(key):
    """No key: the neutral element (reference 5.7), what is off the curve, of wrong length, not canonical."""
    with pytest.raises(ValueError, match=r"neutral|group element|field element"):
        VerifyingKey(key)


def test_a_forgery_for_the_neutral_key_exists():
    """Why it is refused: for the neutral key (sk = 0) a signature needs no secret."""
    message = [7] * 5
    signature = schnorr.sign(message, 0, 12345)
    s, e = (int.from_bytes(signature[at : at + 40], "little") for at in (0, 40))

    assert s == 12345
    assert e != 0


def test_scalars_are_drawn_by_rejection():
    """0, n, n + 1 and 2^319 - 1 are drawn again, never reduced; bits above 319 are masked away."""
    rejected = [0, N, N + 1, 2**319 - 1, 2**319]

    assert 77 == schnorr.draw_scalar(feed(*rejected, 77))
    assert N - 1 == schnorr.draw_scalar(feed(N - 1))
    assert 5 == schnorr.draw_scalar(feed(2**319 + 5))


def test_each_scalar_takes_fresh_entropy():
    """Forty bytes are drawn for every try and none is used twice."""
    entropy = feed(*range(1, 10))

    assert list(range(1, 10)) == list(islice(iter(lambda: schnorr.draw_scalar(entropy), None), 9))


def test_repr_shows_the_public_key_only():
    """A verifying key is known by its public key."""
    assert f"<VerifyingKey {vectors.PUBLIC_KEY}>" == repr(KEY)
