"""The pure-Python signer."""

import base64
import copy
import pickle

import pytest
from hypothesis import given, settings

from helpers import vectors
from helpers.signers import pure_signer
from helpers.transactions import ALL_KINDS, CANCEL, valid_transactions
from lighterman.chance import seeded
from lighterman.domain.errors import LocalProtocolError, SigningError
from lighterman.domain.secret import Secret
from lighterman.protocol.crypto.curve import N
from lighterman.protocol.crypto.schnorr import VerifyingKey
from lighterman.protocol.signing import parse_token, token_message
from lighterman.protocol.transactions import decode, transaction_hash, transaction_message
from lighterman.signing import selftest
from lighterman.signing.pure import PureSigner, generate_key

KEY = VerifyingKey(bytes.fromhex(vectors.PUBLIC_KEY))
SIGNER = pure_signer()


@settings(max_examples=40)
@given(valid_transactions())
def test_signed_transactions_verify(tx):
    """What it signs is the transaction asked for, with the venue's hash and a signature that verifies."""
    signer = PureSigner(Secret(vectors.PRIVATE_KEY), tx.account_index, tx.api_key_index, 300, seeded(2, "k").randbytes)
    (signed,) = signer.sign([tx])
    got = decode(signed.tx_type, signed.tx_info)

    assert (tx.tx_type, tx.expired_at) == (signed.tx_type, signed.expired_at_ms)
    assert selftest.difference(tx, got) == ""
    assert transaction_hash(got, 300).hex() == signed.tx_hash
    assert KEY.verify(transaction_message(got, 300), base64.b64decode(got.sig))
    assert not KEY.verify(transaction_message(got, 304), base64.b64decode(got.sig))


def test_a_batch_keeps_its_order():
    """A batch comes back in the order it was given."""
    batch = [CANCEL, *ALL_KINDS, CANCEL]

    assert [tx.tx_type for tx in batch] == [signed.tx_type for signed in SIGNER.sign(batch)]
    assert SIGNER.sign([]) == []


def test_no_two_signatures_share_their_number():
    """The same transaction signed twice has two different signatures: k is drawn anew each time."""
    one, other = SIGNER.sign([CANCEL, CANCEL])

    assert one.tx_hash == other.tx_hash
    assert one.tx_info != other.tx_info


def test_auth_token():
    """A token names deadline, account and key, and its signature verifies."""
    token = parse_token(SIGNER.auth_token(1_800_000_000))

    assert token.text == "1800000000:12345:5"
    assert KEY.verify(token_message(token.text), token.signature)


def test_a_bad_batch_signs_nothing():
    """One transaction of another key refuses the whole batch, before any number is drawn."""

    def no_entropy(count):
        raise AssertionError(count)

    signer = PureSigner(Secret(vectors.PRIVATE_KEY), 999, 5, 300, no_entropy)

    with pytest.raises(LocalProtocolError, match="account 12345"):
        signer.sign([CANCEL])


def test_self_test_passes():
    """The trial of foreign backends accepts our own."""
    selftest.run(
        PureSigner(
            selftest.SECRET,
            selftest.ACCOUNT_INDEX,
            selftest.API_KEY_INDEX,
            selftest.CHAIN_ID,
            seeded(3, "k").randbytes,
        )
    )


@pytest.mark.parametrize(
    "written", [vectors.PRIVATE_KEY, "0x" + vectors.PRIVATE_KEY, f" {vectors.PRIVATE_KEY.upper()}\n"]
)
def test_ways_to_write_a_key(written):
    """A private key is read with or without 0x, in either case, with spaces around."""
    assert vectors.PUBLIC_KEY == PureSigner(Secret(written), 1, 4, 300, bytes).public_key


@pytest.mark.parametrize(
    "written",
    ["", "0x", "ab" * 39, "ab" * 41, "zz" * 40, "00" * 40, N.to_bytes(40, "little").hex(), "a b" * 40],
    ids=["empty", "prefix", "short", "long", "not hex", "zero", "order", "spaces"],
)
def test_what_is_no_key(written):
    """Anything else is refused, and the error does not quote it."""
    with pytest.raises(SigningError) as caught:
        PureSigner(Secret(written), 1, 4, 300, bytes)

    assert written == "" or written not in str(caught.value)
    assert caught.value.__context__ is None or written not in str(caught.value.__context__)


def test_generated_keys_work():
    """A new key has 80 hex digits on both sides, and its public half is what its signer shows."""
    private, public = generate_key(seeded(4, "key").randbytes)

    assert (len(private.reveal()), len(public)) == (80, 80)
    assert public == PureSigner(private, 1, 4, 300, bytes).public_key
    assert private.reveal() not in repr(private)


def test_the_secret_does_not_show():
    """No repr, copy or pickle gives the secret away."""
    scalar = int.from_bytes(bytes.fromhex(vectors.PRIVATE_KEY), "little")

    assert repr(SIGNER) == "<PureSigner account 12345 key 5 chain 304>"
    assert not hasattr(SIGNER, "__dict__")
    assert str(scalar) not in repr(SIGNER)
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            attempt(SIGNER)
