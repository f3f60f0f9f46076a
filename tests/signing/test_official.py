"""The official library against our own cryptography.

The library signs and we verify; it exports no verification, so it cannot verify ours. What it
can say is the hash, which is deterministic and the same on both sides.
"""

import base64
import copy
import itertools
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import vectors
from helpers.transactions import ALL_KINDS, CANCEL, CANCEL_ALL, LEVERAGE, MODIFY, POST_ONLY, changed, valid_transactions
from lighterman.chance import seeded
from lighterman.clock import SystemClock
from lighterman.domain.errors import LocalProtocolError, SigningError
from lighterman.domain.secret import Secret
from lighterman.protocol.crypto.schnorr import VerifyingKey
from lighterman.protocol.signing import parse_token, token_message
from lighterman.protocol.transactions import check, decode, transaction_hash, transaction_message
from lighterman.signing import official, selftest
from lighterman.signing.official import Library, OfficialSigner
from lighterman.signing.pure import PureSigner
from lighterman.signing.select import open_signer

PACKAGE = official.find_package()
pytestmark = pytest.mark.skipif(PACKAGE is None, reason="official signer library absent: make install-official")

CHAIN_ID = 300
KEY = VerifyingKey(bytes.fromhex(vectors.PUBLIC_KEY))
SECRET = Secret(vectors.PRIVATE_KEY)
ACCOUNTS = itertools.count(1_000_000)  # the library's registry takes each account and key once


@pytest.fixture(scope="session")
def thread():
    """Return the one thread on which the library is called."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture(scope="session")
def signer(thread):
    """Return the library's signer of the vectors' account; to be called on `thread`.

    One for the whole session: the library takes a key once in a process, and a test runner that
    spreads tests over workers may come back to this module.
    """
    return thread.submit(OfficialSigner, SECRET, vectors.ACCOUNT_INDEX, vectors.API_KEY_INDEX, CHAIN_ID).result()


def test_it_is_the_pinned_version(signer):
    """The library that signs is 1.1.8, and the package `lighter` was not imported for it."""
    assert signer.backend == "official library 1.1.8"
    assert "lighter" not in sys.modules
    assert signer.public_key == vectors.PUBLIC_KEY


AGREED = {
    "post-only": POST_ONLY,
    "immediate": changed(POST_ONLY, time_in_force=0, order_expiry=0, is_ask=0),
    "market": changed(POST_ONLY, order_type=1, time_in_force=0, order_expiry=0, reduce_only=1),
    "create-attributes": changed(POST_ONLY, l2_tx_attributes={"4": 1, "6": 1, "7": 1}),
    "modify": MODIFY,
    "modify-version": changed(MODIFY, l2_tx_attributes={"8": 3}),
    "modify-attributes": changed(MODIFY, l2_tx_attributes={"4": 1, "6": 2, "8": 3}),
    "cancel": CANCEL,
    "cancel-skip-nonce": changed(CANCEL, l2_tx_attributes={"4": 1}),
    "cancel-all": CANCEL_ALL,
    "cancel-all-market-0": changed(CANCEL_ALL, l2_tx_attributes={"5": 0}),
    "cancel-all-scheduled": changed(CANCEL_ALL, time_in_force=1, time=1_800_000_000_000),
    "cancel-all-abort": changed(CANCEL_ALL, time_in_force=2),
    "leverage": LEVERAGE,
    "leverage-skip-nonce": changed(LEVERAGE, l2_tx_attributes={"4": 1}),
}


def assert_agreement(tx, signed):
    """The library signed what was asked, under the hash we compute, with a signature we accept."""
    got = decode(signed.tx_type, signed.tx_info)
    (ours,) = PureSigner(SECRET, vectors.ACCOUNT_INDEX, vectors.API_KEY_INDEX, CHAIN_ID, seeded(6, "k").randbytes).sign(
        [changed(got, sig="")]
    )

    assert selftest.difference(tx, got) == ""
    assert got.expired_at == signed.expired_at_ms
    assert signed.tx_hash == transaction_hash(got, CHAIN_ID).hex() == ours.tx_hash
    assert KEY.verify(transaction_message(got, CHAIN_ID), base64.b64decode(got.sig))


@pytest.mark.parametrize("name", AGREED)
def test_agreement(name, signer, thread):
    """Create, modify, cancel, cancel-all, leverage, with and without attributes: same hash, and we verify it."""
    (signed,) = thread.submit(signer.sign, [AGREED[name]]).result()

    assert_agreement(AGREED[name], signed)


@settings(max_examples=60)
@given(tx=valid_transactions())
def test_agreement_on_anything_valid(tx, signer, thread):
    """Whatever our rules let pass the library signs, and both sides agree on it."""
    (signed,) = thread.submit(signer.sign, [tx]).result()

    assert_agreement(tx, signed)


@settings(max_examples=150)
@given(tx=valid_transactions(), data=st.data())
def test_our_rules_miss_none_of_the_librarys(tx, data, signer, thread):
    """What the library refuses by its own validation, `check` has refused before."""
    name = data.draw(st.sampled_from([n for n in tx.__struct_fields__[2:-2] if n != "expired_at"]))
    value = data.draw(st.sampled_from([-1, 0, 1, 2, 3, 7, 255, 2048, 10_001, 2**32, 2**48 - 1, 2**48, 2**56, 2**62]))
    wild = changed(tx, **{name: value})
    if value == -1 and name in ("nonce", "order_expiry"):
        return  # the library fetches the nonce or makes up an expiry: conveniences we never use
    function, arguments = official.call_for(wild)
    accepted = check(wild) is None
    try:
        thread.submit(official.library().sign, function, **arguments).result()
    except SigningError:
        assert not accepted


def test_auth_token(signer, thread):
    """A token of the library is read by our parser and verifies."""
    token = parse_token(thread.submit(signer.auth_token, 1_800_000_000).result())

    assert token.text == "1800000000:12345:5"
    assert KEY.verify(token_message(token.text), token.signature)


def test_a_batch_keeps_its_order(signer, thread):
    """A batch comes back in the order it was given."""
    batch = [changed(tx, nonce=nonce) for nonce, tx in enumerate(ALL_KINDS * 2)]
    signed = thread.submit(signer.sign, batch).result()

    assert [tx.nonce for tx in batch] == [decode(tx.tx_type, tx.tx_info).nonce for tx in signed]


def test_the_main_thread_is_refused(signer):
    """Every way into the library is closed to the process's main thread (reference 10.4)."""
    for call in (
        lambda: OfficialSigner(SECRET, next(ACCOUNTS), 5, CHAIN_ID),
        lambda: signer.sign([CANCEL]),
        lambda: signer.auth_token(1_800_000_000),
    ):
        with pytest.raises(SigningError, match="main thread"):
            call()


def test_a_second_client_is_refused(signer, thread):
    """One process is one network: the same account and key cannot be registered again, even for another chain."""
    for chain_id in (CHAIN_ID, 304):
        with pytest.raises(SigningError, match="already"):
            thread.submit(OfficialSigner, SECRET, vectors.ACCOUNT_INDEX, vectors.API_KEY_INDEX, chain_id).result()


def test_foreign_and_faulty_transactions_are_refused(signer, thread):
    """Another account's transaction and a broken rule are our own fault, as with every backend."""
    for tx in (changed(CANCEL, account_index=54321), changed(POST_ONLY, price=0)):
        with pytest.raises(LocalProtocolError):
            thread.submit(signer.sign, [tx]).result()


def test_what_the_library_refuses_surfaces(thread):
    """An account the library does not take is an error in its words; its place stays free."""
    with pytest.raises(SigningError, match="CreateClient"):
        thread.submit(OfficialSigner, SECRET, 0, 5, CHAIN_ID).result()


def test_the_key_does_not_show(signer):
    """A signer is known by its account and key index, and has no copy."""
    assert repr(signer) == "<OfficialSigner account 12345 key 5>"
    with pytest.raises(TypeError):
        copy.copy(signer)


def test_a_platform_that_is_not_pinned_is_refused(monkeypatch):
    """Where no library is pinned none is loaded."""
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")

    with pytest.raises(SigningError, match=r"not pinned for \w+ riscv64"):
        Library(Path())


@pytest.fixture
def forged(tmp_path):
    """Return a package folder whose files are links to the installed ones, to be replaced one by one."""
    assert PACKAGE is not None
    (tmp_path / "signers").mkdir()
    for path in (PACKAGE / "signers").iterdir():
        (tmp_path / "signers" / path.name).symlink_to(path)
    return tmp_path


def test_an_unknown_library_is_refused(forged):
    """A library with one byte more than the pinned one is not loaded, nor one with another header, nor none at all."""
    for suffix in ({"Linux": ".so", "Darwin": ".dylib"}[platform.system()], ".h"):
        for path in (forged / "signers").glob(f"*{suffix}"):
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data + b"\n")
        with pytest.raises(SigningError, match=f"{suffix} is not that of lighter-sdk 1.1.8"):
            Library(forged)
        for path in (forged / "signers").glob(f"*{suffix}"):
            path.unlink()
            assert PACKAGE is not None
            path.symlink_to(PACKAGE / "signers" / path.name)
    with pytest.raises(SigningError, match="not where"):
        Library(forged / "elsewhere")


async def test_it_signs_on_a_thread_of_its_own():
    """`official` is the library on a thread of its own."""
    account = next(ACCOUNTS)
    signer = open_signer(
        "official",
        SECRET,
        account_index=account,
        api_key_index=5,
        chain_id=CHAIN_ID,
        entropy=seeded(7, "k").randbytes,
        clock=SystemClock(),
    )
    signed = await signer.sign([changed(CANCEL, account_index=account)])
    signer.close()

    assert signer.backend == "official library 1.1.8"
    assert len(signed) == 1
