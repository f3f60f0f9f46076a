"""The self-test finds out a backend that signs anything but what was asked (reference 10.6)."""

import json

import msgspec
import pytest

from lighterman.chance import seeded
from lighterman.domain.errors import LightermanError, SigningError
from lighterman.protocol.transactions import check
from lighterman.signing import selftest
from lighterman.signing.pure import PureSigner


class Liar:
    """A sound signer whose answers pass through `lie_tx` and `lie_token`."""

    backend = "a liar"

    def __init__(self, lie_tx=lambda signed: signed, lie_token=lambda token: token, *, chain_id=selftest.CHAIN_ID):
        entropy = seeded(5, "k").randbytes
        self._signer = PureSigner(selftest.SECRET, selftest.ACCOUNT_INDEX, selftest.API_KEY_INDEX, chain_id, entropy)
        self._lie_tx = lie_tx
        self._lie_token = lie_token
        self.public_key = self._signer.public_key

    def sign(self, transactions):
        return [self._lie_tx(signed) for signed in self._signer.sign(transactions)]

    def auth_token(self, deadline_s):
        return self._lie_token(self._signer.auth_token(deadline_s))


class Silent(Liar):
    """Signs nothing."""

    def sign(self, transactions):
        return []


def rewrite(**fields):
    """Return a lie that changes fields of the JSON that has them."""

    def lie(signed):
        wire = json.loads(signed.tx_info)
        changed = {key: value for key, value in fields.items() if key in wire}
        return msgspec.structs.replace(signed, tx_info=json.dumps(wire | changed).encode())

    return lie


def test_an_honest_signer_passes():
    """A signer that does as it is told passes."""
    selftest.run(Liar())


def test_the_trials_are_within_the_rules():
    """The trials are valid transactions of all types, with no two fields of one alike."""
    trials = selftest.transactions()

    assert [None] * len(trials) == [check(tx) for tx in trials]
    assert {14, 15, 16, 17, 20} == {tx.tx_type for tx in trials}
    for tx in trials:
        values = [value for value in (getattr(tx, name) for name in tx.__struct_fields__[:-2]) if value > 2]
        assert len(values) == len(set(values))


LIES = {
    "market": rewrite(MarketIndex=0),
    "price": rewrite(Price=405_000),
    "client index": rewrite(ClientOrderIndex=1),
    "side": rewrite(IsAsk=0),
    "nonce": rewrite(Nonce=1),
    "account": rewrite(AccountIndex=12345),
    "no attributes": rewrite(L2TxAttributes=None),
    "other attributes": rewrite(L2TxAttributes={"4": 1}),
    "expiry in the text": rewrite(ExpiredAt=5),
    "no signature": rewrite(Sig=""),
    "short signature": rewrite(Sig="AAAA"),
    "no base64": rewrite(Sig="no base64!"),
    "text for a number": rewrite(Nonce="7"),
    "hash": lambda signed: msgspec.structs.replace(signed, tx_hash="00" * 40),
    "expiry": lambda signed: msgspec.structs.replace(signed, expired_at_ms=signed.expired_at_ms + 1),
    "type": lambda signed: msgspec.structs.replace(signed, tx_type=15 if signed.tx_type == 14 else 14),
    "no JSON": lambda signed: msgspec.structs.replace(signed, tx_info=b"{"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_changed_transaction_is_found(lie):
    """A field, hash, expiry, type or signature that differs is an error that names the backend."""
    with pytest.raises(SigningError, match="self-test of a liar"):
        selftest.run(Liar(LIES[lie]))


def test_another_chain_is_found():
    """A signature for another chain does not pass."""
    with pytest.raises(SigningError, match="hash"):
        selftest.run(Liar(chain_id=selftest.CHAIN_ID + 1))


def test_a_missing_answer_is_found():
    """Fewer signatures than transactions do not pass."""
    with pytest.raises(SigningError, match="0 signed"):
        selftest.run(Silent())


def test_another_public_key_is_found():
    """A backend that does not know its own public key does not pass."""
    liar = Liar()
    liar.public_key = "00" * 40

    with pytest.raises(SigningError, match="public key"):
        selftest.run(liar)


@pytest.mark.parametrize(
    "lie",
    [
        lambda token: "2" + token,
        lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
        lambda token: token.replace(f":{selftest.API_KEY_INDEX}:", ":5:"),
        lambda token: "",
    ],
    ids=["deadline", "signature", "key", "empty"],
)
def test_a_changed_token_is_found(lie):
    """A token for something else, or with a signature that does not verify, does not pass."""
    with pytest.raises(LightermanError):
        selftest.run(Liar(lie_token=lie))
