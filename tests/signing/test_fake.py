"""The signer of simulations."""

import asyncio

import pytest
from hypothesis import given, settings

from helpers import virtual_time
from helpers.transactions import ACCOUNT_INDEX, ALL_KINDS, API_KEY_INDEX, CANCEL, POST_ONLY, changed, valid_transactions
from lighterman.domain.errors import LocalProtocolError, SigningError
from lighterman.protocol.crypto.schnorr import VerifyingKey
from lighterman.protocol.signing import parse_token, token_message
from lighterman.protocol.transactions import decode, transaction_hash, transaction_message
from lighterman.signing import selftest
from lighterman.signing.fake import FakeSigner
from lighterman.simulator.signatures import Verification, Verifier

CHAIN_ID = 300


def signer(latency_s=lambda: 0.0, account_index: int = ACCOUNT_INDEX) -> FakeSigner:
    return FakeSigner(account_index, API_KEY_INDEX, CHAIN_ID, latency_s)


def signed_by(mine, *batch):
    return virtual_time.run(mine.sign(batch))


@settings(max_examples=40)
@given(valid_transactions())
def test_the_transaction_and_its_hash_are_real(tx):
    """What comes out is the transaction asked for, under the hash that the venue gives it."""
    (signed,) = signed_by(signer(), tx)
    got = decode(signed.tx_type, signed.tx_info)

    assert (tx.tx_type, tx.expired_at) == (signed.tx_type, signed.expired_at_ms)
    assert "" == selftest.difference(tx, got)
    assert transaction_hash(tx, CHAIN_ID).hex() == signed.tx_hash


def test_only_an_exchange_that_verifies_nothing_takes_it():
    """Signatures and tokens are taken where verification is off, and refused where it is on."""
    mine = signer()
    key = bytes.fromhex(mine.public_key)
    (signed,) = signed_by(mine, POST_ONLY)
    sig, message = decode(signed.tx_type, signed.tx_info).sig, transaction_message(POST_ONLY, CHAIN_ID)
    token = parse_token(virtual_time.run(mine.auth_token(1_800_000_000)))
    words = token_message(token.text)

    assert f"1800000000:{ACCOUNT_INDEX}:{API_KEY_INDEX}" == token.text
    for mode, is_taken in ((Verification.OFF, True), (Verification.FULL, False)):
        verifier = Verifier(mode)
        assert verifier.is_valid_transaction(key, message, sig) is is_taken
        assert verifier.is_valid_token(key, words, token.signature) is is_taken


def test_its_bytes_repeat():
    """Two signers of one account and key have one public key and sign the same bytes; others have their own."""
    one, same, other = signer(), signer(), signer(account_index=ACCOUNT_INDEX + 1)

    assert signed_by(one, *ALL_KINDS) == signed_by(same, *ALL_KINDS)
    assert one.public_key == same.public_key
    assert one.public_key != other.public_key
    assert VerifyingKey(bytes.fromhex(other.public_key))


def test_unsignable_transactions_are_refused():
    """A batch with one transaction of another account, or one that breaks a field rule, is refused whole."""
    for bad in (changed(CANCEL, account_index=1), changed(POST_ONLY, price=0)):
        with pytest.raises(LocalProtocolError):
            signed_by(signer(), CANCEL, bad)


def test_batches_come_back_in_the_order_of_the_calls():
    """Each batch takes its latency, one after the other, however quick the later one is."""
    latencies = iter((0.3, 0.1, 0.2))
    mine = signer(lambda: next(latencies))
    done = []

    async def ask(name):
        await mine.sign([CANCEL])
        done.append((name, round(asyncio.get_running_loop().time(), 3)))

    async def work():
        await asyncio.gather(ask("first"), ask("second"), ask("third"))

    virtual_time.run(work())

    assert [("first", 0.3), ("second", 0.4), ("third", 0.6)] == done


def test_a_closed_signer_finishes_and_refuses():
    """What was handed over before the end is signed; later calls are refused."""
    mine = signer(lambda: 0.1)

    async def work():
        asked = [asyncio.create_task(mine.sign([CANCEL])) for _ in range(2)]
        await asyncio.sleep(0)
        mine.close()
        for refused in (mine.sign([CANCEL]), mine.auth_token(1)):
            with pytest.raises(SigningError, match="closed"):
                await refused
        return await asyncio.gather(*asked)

    assert [1, 1] == [len(batch) for batch in virtual_time.run(work())]
    assert "<FakeSigner account 12345 key 5 chain 300>" == repr(mine)
