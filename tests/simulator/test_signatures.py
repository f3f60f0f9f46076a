import base64

import pytest

from helpers.local_venue import Venue
from lighterman.protocol.crypto import schnorr
from lighterman.simulator.app import AppRules
from lighterman.simulator.signatures import SAMPLE, Verification, Verifier

MESSAGE = [1, 2, 3, 4, 5]
SECRET, K = 1234567, 7654321
PUBLIC = schnorr.public_key(SECRET)
GOOD = base64.b64encode(schnorr.sign(MESSAGE, SECRET, K)).decode()
WRONG = base64.b64encode(schnorr.sign([1, 2, 3, 4, 6], SECRET, K)).decode()


@pytest.mark.parametrize("mode", list(Verification))
def test_what_is_no_signature_is_refused_in_every_mode(mode):
    """Text that is not base64 of 80 bytes is refused even when verification is off."""
    verifier = Verifier(mode)

    for sig in ("", "!", GOOD[:-4], GOOD + "AAAA", GOOD.replace("=", ""), "é" * 108):
        assert not verifier.is_valid_transaction(PUBLIC, MESSAGE, sig)


def test_full_verifies_every_signature():
    """Every wrong signature is found."""
    verifier = Verifier(Verification.FULL)

    assert verifier.is_valid_transaction(PUBLIC, MESSAGE, GOOD)
    assert not any(verifier.is_valid_transaction(PUBLIC, MESSAGE, WRONG) for _ in range(3))


def test_sampled_verifies_one_in_sixteen():
    """The first signature of a key is verified, then every sixteenth."""
    verifier = Verifier(Verification.SAMPLED)
    verdicts = [verifier.is_valid_transaction(PUBLIC, MESSAGE, WRONG) for _ in range(2 * SAMPLE)]

    assert [number for number, verdict in enumerate(verdicts) if not verdict] == [0, SAMPLE]


def test_off_takes_any_signature_but_keeps_nonces():
    """Without verification a foreign signature passes, a wrong nonce still does not."""
    venue = Venue(AppRules(verification=Verification.OFF))
    trader = venue.trader()
    order = trader.create()

    assert venue.post("sendTx", tx_type=14, tx_info=order.changed(Sig=WRONG).info)[0] == 200
    status, reply = venue.post("sendTx", tx_type=14, tx_info=order.changed(Sig=WRONG).info)
    assert (status, reply["code"]) == (400, 21104)


def test_the_number_of_kept_tables_is_bounded():
    """The keys used last keep their tables, the others lose them."""
    verifier = Verifier(Verification.OFF)
    keys = [schnorr.public_key(secret) for secret in range(1, 4)]
    verifier.KEYS_MAX = 2
    for key in keys:
        verifier.is_valid_transaction(key, MESSAGE, GOOD)

    assert list(verifier._signatories) == keys[1:]  # noqa: SLF001
