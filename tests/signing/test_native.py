"""The native signer: what it signs, and when its prepared numbers are thrown away."""

import base64
import copy
import pickle

import pytest
from hypothesis import given, settings

from helpers import vectors
from helpers.journals import HandClock
from helpers.native import needs_native
from helpers.transactions import ALL_KINDS, CANCEL, POST_ONLY, changed, valid_transactions
from lighterman.chance import seeded
from lighterman.domain.errors import LocalProtocolError, SigningError
from lighterman.domain.secret import Secret
from lighterman.protocol.crypto import poseidon2, schnorr
from lighterman.protocol.crypto.curve import N
from lighterman.protocol.signing import Pool, parse_token, token_message
from lighterman.protocol.transactions import decode, transaction_message
from lighterman.signing import native, selftest
from lighterman.signing.native import SAMPLE, NativeSigner, open_native

pytestmark = needs_native
KEY = schnorr.VerifyingKey(bytes.fromhex(vectors.PUBLIC_KEY))
POOL = 64
SECOND_NS = 1_000_000_000


class Clock(HandClock):
    """A clock whose wall can be set apart."""

    wall_jump_us = 0

    def wall_us(self):
        return super().wall_us() + self.wall_jump_us


def signer_of(clock=None, entropy=None, private=vectors.PRIVATE_KEY):
    entropy = entropy or seeded(1, "native").randbytes
    return NativeSigner(Secret(private), vectors.ACCOUNT_INDEX, vectors.API_KEY_INDEX, 300, entropy, clock or Clock())


def rested(signer):
    """Let a signer rest until it has no more to do."""
    while signer.rest():
        pass
    return signer


def assert_signed(tx, signed, chain_id=300):
    """The transaction asked for, under the hash and with a signature that plain Python accepts."""
    got = decode(signed.tx_type, signed.tx_info)
    message = transaction_message(got, chain_id, poseidon2.hash_integers)

    assert (tx.tx_type, tx.expired_at) == (signed.tx_type, signed.expired_at_ms)
    assert selftest.difference(tx, got) == ""
    assert signed.tx_hash == b"".join(word.to_bytes(8, "little") for word in message).hex()
    assert KEY.verify(message, base64.b64decode(got.sig))


@settings(max_examples=40)
@given(valid_transactions())
def test_signed_transactions_verify(tx):
    """Whatever is valid is signed as asked, in full and with a prepared number."""
    entropy = seeded(2, "native").randbytes
    secret = Secret(vectors.PRIVATE_KEY)
    signer = NativeSigner(secret, tx.account_index, tx.api_key_index, 300, entropy, Clock())
    (in_full,) = signer.sign([tx])
    signer.rest()
    (prepared,) = signer.sign([tx])

    assert (signer.counts.hits, signer.counts.misses) == (1, 1)
    assert in_full.tx_info != prepared.tx_info
    assert_signed(tx, in_full)
    assert_signed(tx, prepared)


def test_a_ladder_is_signed_in_order():
    """A batch comes back in its order, more of it than was prepared."""
    signer = rested(signer_of())
    batch = [changed(tx, nonce=nonce) for nonce, tx in enumerate(ALL_KINDS * 20)]
    signed = signer.sign(batch)

    assert [tx.nonce for tx in batch] == [decode(tx.tx_type, tx.tx_info).nonce for tx in signed]
    assert signer.pool == Pool(left=0, taken=POOL, missed=100 - POOL)
    assert signer.sign([]) == []


def test_auth_token():
    """A token names deadline, account and key, and its signature verifies."""
    token = parse_token(signer_of().auth_token(1_800_000_000))

    assert token.text == "1800000000:12345:5"
    assert KEY.verify(token_message(token.text), token.signature)


def test_a_bad_batch_signs_nothing():
    """One transaction of another key, or one that breaks a rule, refuses the whole batch and costs no number."""
    signer = rested(signer_of())
    for bad in (changed(CANCEL, account_index=1), changed(POST_ONLY, price=0)):
        with pytest.raises(LocalProtocolError):
            signer.sign([CANCEL, bad])

    assert signer.counts.hits + signer.counts.misses == 0


def test_resting_fills_a_bounded_pool():
    """Rest prepares up to the bound and then has no more to do; signing makes room again."""
    signer = rested(signer_of())
    signer.sign([CANCEL] * 3)
    rested(signer)

    assert signer.counts.prepared == POOL + 3
    assert not signer.rest()


def test_an_empty_pool_never_waits():
    """Without rest every signature is made in full, and counted as a miss."""
    signer = signer_of()
    for _ in range(3):
        (signed,) = signer.sign([CANCEL])
        assert_signed(CANCEL, signed)

    assert (signer.counts.hits, signer.counts.misses) == (0, 3)


@pytest.mark.parametrize(
    ("elapsed_s", "jump_s", "drops"),
    [(59, 0, 0), (61, 0, POOL), (0, 0.9, 0), (0, 2, POOL), (0, -2, POOL)],
    ids=["soon", "a minute unused", "a small step", "slept", "clock set back"],
)
def test_a_stale_pool_is_dropped(elapsed_s, jump_s, drops):
    """Numbers that lay for a minute, or through a sleep of the machine, are thrown away; signing goes on in full."""
    clock = Clock()
    signer = rested(signer_of(clock))
    clock.now_ns += elapsed_s * SECOND_NS
    clock.wall_jump_us += int(jump_s * 1_000_000)
    (signed,) = signer.sign([CANCEL])

    assert_signed(CANCEL, signed)
    assert (signer.counts.drops, signer.counts.misses) == (drops, int(drops > 0))


def test_an_old_pool_is_dropped_although_it_is_used():
    """Ten minutes after its first number a pool is renewed, however busy it is."""
    clock = Clock()
    signer = rested(signer_of(clock))
    for _ in range(30):
        clock.now_ns += 21 * SECOND_NS
        signer.sign([CANCEL])
        rested(signer)

    assert signer.counts.drops == POOL
    assert signer.counts.misses == 1


def test_the_first_of_each_kind_and_a_sample_are_verified():
    """The first signature of each kind is verified at once, later one of so many when there is time."""
    signer = signer_of()
    signer.sign([*ALL_KINDS, *ALL_KINDS, changed(CANCEL, l2_tx_attributes={"4": 1})])
    signer.auth_token(1)
    signer.auth_token(2)
    at_once = signer.counts.verified
    for _ in range(3):
        signer.sign([CANCEL] * SAMPLE)
    rested(signer)

    assert at_once == len(ALL_KINDS) + 2
    assert signer.counts.verified == at_once + 3


class Doubter:
    """Finds every signature wrong."""

    def __init__(self, public_key):
        self.public_key = public_key

    def verify(self, message, signature):
        return False


def test_a_wrong_signature_is_never_handed_out(monkeypatch):
    """When the first of a kind does not verify, that is an error, once; after it plain Python signs."""
    monkeypatch.setattr(native, "VerifyingKey", Doubter)
    signer = signer_of()
    with pytest.raises(SigningError, match="did not verify"):
        signer.sign([CANCEL])
    (signed,) = signer.sign([CANCEL])

    assert_signed(CANCEL, signed)
    assert parse_token(signer.auth_token(5)).deadline_s == 5
    assert signer.backend == "pure Python, after the native signer failed"
    assert not signer.rest()


def test_a_sample_that_fails_is_told_with_the_next_batch():
    """A wrong signature found in idle time drops the pool, is an error of the next call, and plain Python signs on."""
    signer = signer_of()
    signer.sign([CANCEL] * (SAMPLE + 1))
    signer._verifier = Doubter(b"")  # noqa: SLF001  (no signature of it is ever wrong)
    rested(signer)
    with pytest.raises(SigningError, match="did not verify"):
        signer.auth_token(5)
    (signed,) = signer.sign([CANCEL])

    assert_signed(CANCEL, signed)
    assert signer.backend.startswith("pure Python")


@pytest.mark.parametrize("number", [0, 7], ids=["that yields nothing", "that repeats itself"])
def test_broken_entropy_stops_signing(number):
    """Without sound entropy nothing is prepared and signing is an error, however often it is tried."""
    signer = signer_of(entropy=lambda count: number.to_bytes(count, "little"))
    rested(signer)
    with pytest.raises(SigningError, match="entropy"):
        signer.sign([CANCEL, CANCEL])
    with pytest.raises(SigningError, match="entropy"):
        signer.sign([CANCEL])


def test_it_passes_the_self_test_before_it_is_opened():
    """Opening one tries the backend first; plain Python is the judge."""
    signer = open_native(Secret(vectors.PRIVATE_KEY), 12345, 5, 300, seeded(3, "native").randbytes, Clock())

    assert signer.public_key == vectors.PUBLIC_KEY


def test_a_backend_that_fails_the_self_test_is_not_opened(monkeypatch):
    """A native signer that signs another message than it should is refused."""
    monkeypatch.setattr(native, "transaction_message", lambda tx, chain_id: [1, 2, 3, 4, 5])

    with pytest.raises(SigningError, match="self-test of native"):
        open_native(Secret(vectors.PRIVATE_KEY), 12345, 5, 300, seeded(4, "native").randbytes, Clock())


@pytest.mark.parametrize("written", ["", "ab" * 39, "zz" * 40, "00" * 40, N.to_bytes(40, "little").hex()])
def test_what_is_no_key(written):
    """What is no private key is refused, and the error does not quote it."""
    with pytest.raises(SigningError, match="private key") as caught:
        signer_of(private=written)

    assert written == "" or written not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_secret_does_not_show():
    """No repr, copy or pickle gives anything away; counts are all there is to see."""
    signer = rested(signer_of())

    assert repr(signer) == "<NativeSigner account 12345 key 5 chain 300>"
    assert not hasattr(signer, "__dict__")
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            attempt(signer)
