"""The compiled extension against plain Python: hash, keys, signatures, and the pool of prepared numbers."""

import copy
import pickle
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import vectors
from helpers.native import needs_native
from lighterman.chance import seeded
from lighterman.protocol.crypto import fastest, poseidon2, schnorr
from lighterman.protocol.crypto.curve import N
from lighterman.protocol.crypto.goldilocks import P
from lighterman.protocol.crypto.schnorr import SCALAR_BYTES, SIGNATURE_BYTES

pytestmark = needs_native
native = pytest.importorskip("lighterman.protocol.crypto._native", reason="no C compiler, or make install")

MESSAGE = [1, 2, 3, 4, 5]
EDGES = [0, 1, 2, P - 1, P, P + 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1]
words = st.one_of(st.sampled_from(EDGES), st.integers(0, 2**64 - 1))
scalars = st.one_of(
    st.sampled_from([1, 2, 15, 16, 2**64 - 1, 2**64, 2**318, N // 2, N // 2 + 1, N - 2, N - 1]), st.integers(1, N - 1)
)
messages = st.lists(words, min_size=5, max_size=5)


def key_of(secret=vectors.SCALAR):
    return native.SigningKey(secret.to_bytes(SCALAR_BYTES, "little"))


def feed(*values):
    """Return an entropy source that yields the given integers, and fails when there are no more."""
    stream = iter(values)
    return lambda count: next(stream).to_bytes(count, "little")


def nothing(count):
    raise AssertionError(count)


def signed_with(message, secret, k):
    """Return the signature that plain Python makes with a number."""
    return schnorr.sign(message, secret, k)


def test_it_is_what_the_package_uses():
    """Where it was compiled the extension hashes and verifies for the whole package."""
    assert fastest.IS_NATIVE
    assert fastest.hash_integers is native.hash_integers
    assert fastest.VerifyingKey is native.VerifyingKey


@settings(max_examples=150)
@given(st.lists(st.one_of(words, st.integers(-(2**63), -1)), max_size=40), st.integers(1, 8))
def test_hash(values, count):
    """Any integers of 64 bits, signed or not, hash as in plain Python, however many."""
    assert poseidon2.hash_integers(values, count) == native.hash_integers(values, count)
    assert native.hash_integers(values, count) == native.hash_integers(tuple(values), count)


@settings(max_examples=60)
@given(messages, scalars, scalars)
def test_signatures_are_those_of_plain_python(message, secret, k):
    """With the same number both make the same 80 bytes, in full and prepared, and both accept them."""
    expected = signed_with([word % P for word in message], secret, k)
    key, other = key_of(secret), key_of(secret)
    assert other.prepare(feed(k))

    assert schnorr.public_key(secret) == key.public_key
    assert [expected] == key.sign([message], feed(k))
    assert [expected] == other.sign([message], nothing)
    assert native.VerifyingKey(key.public_key).verify(message, expected)


@settings(max_examples=100)
@given(messages, scalars, st.integers(0, 8 * SIGNATURE_BYTES - 1), st.integers(0, 4), st.integers(1, P - 1))
def test_what_is_altered_is_refused(message, k, bit, index, change):
    """One bit of the signature, or one element of the message, and it does not verify."""
    (signature,) = key_of().sign([message], feed(k))
    flipped = (int.from_bytes(signature, "little") ^ 1 << bit).to_bytes(SIGNATURE_BYTES, "little")
    other = [*message]
    other[index] = (other[index] + change) % P
    key = native.VerifyingKey(key_of().public_key)

    assert key.verify(message, signature)
    assert not key.verify(message, flipped)
    assert not key.verify(other, signature)


def test_a_signature_has_one_spelling():
    """S + n and e + n are refused, and so is every length but 80."""
    (signature,) = key_of().sign([MESSAGE], feed(99))
    s, e = (int.from_bytes(signature[at : at + SCALAR_BYTES], "little") for at in (0, SCALAR_BYTES))
    key = native.VerifyingKey(key_of().public_key)
    spelled = [(s, e), (s + N, e), (s, e + N), (s + N, e + N)]

    assert [True, False, False, False] == [
        key.verify(MESSAGE, x.to_bytes(SCALAR_BYTES, "little") + y.to_bytes(SCALAR_BYTES, "little")) for x, y in spelled
    ]
    assert not any(key.verify(MESSAGE, signature[:length]) for length in range(SIGNATURE_BYTES))
    assert not key.verify(MESSAGE, signature + b"\0")


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(min_size=40, max_size=40), st.builds(lambda w: b"".join(x.to_bytes(8, "little") for x in w), messages)
    )
)
def test_keys_are_judged_alike(candidate):
    """Bytes are a public key for both or for neither, for the same reason."""
    verdicts = []
    for read in (schnorr.VerifyingKey, native.VerifyingKey):
        try:
            verdicts.append(repr(read(candidate)))
        except ValueError as error:
            verdicts.append(str(error))

    assert verdicts[0] == verdicts[1]


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [(bytes(40), "neutral"), (b"", "field element"), (bytes(39), "field"), (bytes(41), "field")],
    ids=["neutral", "empty", "short", "long"],
)
def test_what_is_no_key(candidate, reason):
    """The neutral element and other lengths are refused."""
    with pytest.raises(ValueError, match=reason):
        native.VerifyingKey(candidate)


@pytest.mark.parametrize(
    "secret",
    [b"", bytes(39), bytes(41), bytes(40), N.to_bytes(40, "little")],
    ids=["empty", "short", "long", "zero", "order"],
)
def test_what_is_no_secret(secret):
    """A secret has 40 bytes and is not zero modulo n."""
    with pytest.raises(ValueError, match="secret"):
        native.SigningKey(secret)


def test_a_secret_is_read_modulo_n():
    """Secrets from n up mean what they mean modulo n, as for the venue's own library."""
    for secret in (N + 1, 2 * N + 3, 2**320 - 1):
        assert schnorr.public_key(secret % N) == key_of(secret).public_key


def test_numbers_are_drawn_by_rejection():
    """0, n, n + 1 and 2^319 - 1 are drawn again, never reduced; bits above 319 are masked away."""
    key = key_of()

    assert [signed_with(MESSAGE, vectors.SCALAR, 77)] == key.sign([MESSAGE], feed(0, N, N + 1, 2**319 - 1, 2**319, 77))
    assert [signed_with(MESSAGE, vectors.SCALAR, 5)] == key.sign([MESSAGE], feed(2**319 + 5))
    assert [signed_with(MESSAGE, vectors.SCALAR, N - 1)] == key.sign([MESSAGE], feed(N - 1))


def test_each_prepared_number_is_used_once_and_the_oldest_first():
    """A batch takes prepared numbers in their order, then draws; none comes back."""
    key = key_of()
    for k in (11, 12, 13):
        assert key.prepare(feed(k))
    signatures = key.sign([MESSAGE] * 5, feed(14, 15))

    assert [signed_with(MESSAGE, vectors.SCALAR, k) for k in (11, 12, 13, 14, 15)] == signatures
    assert key.prepared == 0


def test_a_failed_batch_burns_its_numbers():
    """What was taken for a batch that failed midway is gone: it is never used for another message."""
    key = key_of()
    for k in (21, 22, 23):
        key.prepare(feed(k))
    with pytest.raises(ValueError, match="five elements"):
        key.sign([MESSAGE, MESSAGE, [1, 2]], nothing)

    assert key.prepared == 1
    assert [signed_with(MESSAGE, vectors.SCALAR, 23)] == key.sign([MESSAGE], nothing)


def test_the_pool_is_bounded():
    """Beyond POOL_MAX nothing is prepared and nothing is drawn; the ring survives turning over."""
    key, entropy = key_of(), seeded(1, "pool").randbytes
    verifier = native.VerifyingKey(key.public_key)
    for _ in range(3):
        while key.prepare(entropy):
            pass
        assert key.prepared == native.POOL_MAX
        assert not key.prepare(nothing)
        signatures = key.sign([MESSAGE] * 40, nothing)
        assert len({signature for signature in signatures if verifier.verify(MESSAGE, signature)}) == 40


def test_dropping_forgets_everything():
    """After `drop` signatures are made in full, with numbers drawn anew."""
    key = key_of()
    key.prepare(feed(31))
    key.drop()

    assert key.prepared == 0
    assert [signed_with(MESSAGE, vectors.SCALAR, 32)] == key.sign([MESSAGE], feed(32))


def test_a_number_that_comes_again_is_refused():
    """An entropy source that repeats itself would give the secret away; it is found out before a signature is."""
    key = key_of()
    key.prepare(feed(41))
    key.sign([MESSAGE], nothing)
    for again in (lambda: key.prepare(feed(41)), lambda: key.sign([MESSAGE], feed(41))):
        with pytest.raises(RuntimeError, match="repeats"):
            again()
    with pytest.raises(RuntimeError, match="repeats"):
        key.sign([MESSAGE] * 2, feed(42, 42))

    assert key.prepared == 0


@pytest.mark.parametrize("entropy", [bytes, lambda count: b"\xff" * count], ids=["zeros", "ones"])
def test_entropy_that_never_yields_a_number_is_refused(entropy):
    """A source from which nothing can be drawn is an error, not an endless loop."""
    key = key_of()

    with pytest.raises(RuntimeError, match="yields no number"):
        key.sign([MESSAGE], entropy)
    with pytest.raises(RuntimeError, match="yields no number"):
        key.prepare(entropy)


@pytest.mark.parametrize(
    "entropy",
    [lambda count: b"short", lambda count: "text", lambda count: None, 5, None],
    ids=["short", "text", "nothing", "number", "none"],
)
def test_entropy_of_the_wrong_kind_is_refused(entropy):
    """A source must be a function that returns as many bytes as it is asked for."""
    key = key_of()

    with pytest.raises(TypeError):
        key.sign([MESSAGE], entropy)
    with pytest.raises(TypeError):
        key.prepare(entropy)


def test_an_entropy_source_that_calls_back_does_no_harm():
    """A source may itself use the key: every signature still has a number of its own."""
    key = key_of()

    def entropy(count):
        key.prepare(feed(51))
        key.sign([MESSAGE], nothing)
        return (52).to_bytes(count, "little")

    assert [signed_with(MESSAGE, vectors.SCALAR, 52)] == key.sign([MESSAGE], entropy)
    assert key.prepared == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda key: key.sign([MESSAGE]),
        lambda key: key.sign(5, nothing),
        lambda key: key.sign([5], nothing),
        lambda key: key.sign([["1"] * 5], nothing),
        lambda key: native.VerifyingKey(key.public_key).verify(MESSAGE, "text"),
        lambda key: native.VerifyingKey(key.public_key).verify(MESSAGE),
        lambda key: native.VerifyingKey("text"),
        lambda key: native.SigningKey(5),
        lambda key: native.hash_integers([1.5], 5),
        lambda key: native.hash_integers([None], 5),
        lambda key: native.hash_integers(5, 5),
        lambda key: native.hash_integers([1], "5"),
        lambda key: native.hash_integers([1]),
    ],
    ids=range(13),
)
def test_arguments_of_the_wrong_kind_are_refused(call):
    """What is no message, signature, key or list of integers is a TypeError."""
    with pytest.raises(TypeError):
        call(key_of())


def test_numbers_out_of_range_are_refused():
    """A hash has one to eight elements, a message five."""
    for count in (0, 9, -1):
        with pytest.raises(ValueError, match="1 to 8"):
            native.hash_integers([1], count)
    for length in (0, 4, 6):
        with pytest.raises(ValueError, match="five"):
            native.VerifyingKey(key_of().public_key).verify([1] * length, bytes(SIGNATURE_BYTES))


def test_nothing_shows_the_secret():
    """A signing key has a fixed repr, no attributes to read, no copy and no pickle."""
    key = key_of()

    assert repr(key) == "<SigningKey>"
    assert {"public_key", "prepared", "prepare", "drop", "sign"} == {name for name in dir(key) if name[0] != "_"}
    for attempt in (copy.copy, copy.deepcopy, *(lambda key, p=p: pickle.dumps(key, p) for p in range(6))):
        with pytest.raises(TypeError):
            attempt(key)


FORK = """
import os, sys
from lighterman.protocol.crypto import _native
key = _native.SigningKey(bytes(range(1, 41)))
for k in (61, 62):
    key.prepare(lambda count: k.to_bytes(count, "little"))
reading, writing = os.pipe()
if os.fork() == 0:
    (signature,) = key.sign([[1, 2, 3, 4, 5]], lambda count: (63).to_bytes(count, "little"))
    os.write(writing, signature)
    os._exit(0)
os.wait()
(own,) = key.sign([[1, 2, 3, 4, 5]], None)
print(os.read(reading, 80).hex(), own.hex())
"""


def test_a_forked_child_has_no_prepared_numbers():
    """A child draws its own numbers, and the parent's stay the parent's: no number serves both."""
    result = subprocess.run([sys.executable, "-c", FORK], check=True, capture_output=True, text=True)
    secret = int.from_bytes(bytes(range(1, 41)), "little")

    assert [signed_with(MESSAGE, secret, k).hex() for k in (63, 61)] == result.stdout.split()
