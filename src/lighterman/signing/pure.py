"""The signer in plain Python: no library, no compiler, no file; where there is nothing else, and the spare.

The secret stands in one private slot: no repr, copy or pickle shows it, no error carries it.
"""

from collections.abc import Callable, Sequence
from typing import NoReturn, final

import msgspec

from lighterman.domain.errors import SigningError
from lighterman.domain.secret import Secret
from lighterman.protocol.crypto import goldilocks, schnorr
from lighterman.protocol.crypto.curve import N
from lighterman.protocol.signing import (
    SignedTx,
    join_token,
    refuse_unsignable,
    signature_text,
    token_message,
    token_text,
)
from lighterman.protocol.transactions import Transaction, encode, transaction_message

Entropy = Callable[[int], bytes]
NO_KEY = "the API private key is not 80 hexadecimal digits of a key"


def generate_key(entropy: Entropy) -> tuple[Secret, str]:
    """Return a new private key and its public key, both as 80 hex digits (protocol reference 1.4)."""
    scalar = schnorr.draw_scalar(entropy)
    private = scalar.to_bytes(schnorr.SCALAR_BYTES, "little")
    return Secret(private.hex()), schnorr.public_key(scalar).hex()


def read_secret(secret: Secret) -> bytes:
    """Read the 40 bytes of a private key, 80 hex digits with or without 0x; raise SigningError without quoting it."""
    try:
        data = bytes.fromhex(secret.reveal().strip().removeprefix("0x"))
    except ValueError:
        data = b""
    if len(data) != schnorr.SCALAR_BYTES:
        raise SigningError(NO_KEY)
    return data


def read_scalar(secret: Secret) -> int:
    """Read a private key as the venue's own library does, modulo n (5.6); raise SigningError without quoting it."""
    scalar = int.from_bytes(read_secret(secret), "little") % N
    if scalar == 0:
        raise SigningError(NO_KEY)
    return scalar


@final
class PureSigner:
    """Signs for one account, API key and chain; `entropy(count)` is the operating system's, never seeded."""

    __slots__ = ("_account_index", "_api_key_index", "_chain_id", "_entropy", "_scalar", "public_key")

    backend = "pure Python"

    def __init__(self, secret: Secret, account_index: int, api_key_index: int, chain_id: int, entropy: Entropy) -> None:
        self._scalar = read_scalar(secret)
        self._account_index = account_index
        self._api_key_index = api_key_index
        self._chain_id = chain_id
        self._entropy = entropy
        self.public_key = schnorr.public_key(self._scalar).hex()

    def __repr__(self) -> str:
        return f"<PureSigner account {self._account_index} key {self._api_key_index} chain {self._chain_id}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is neither pickled nor copied")

    def sign(self, transactions: Sequence[Transaction]) -> list[SignedTx]:
        """Sign a batch in order; see `Signer.sign`."""
        refuse_unsignable(transactions, self._account_index, self._api_key_index)
        return [self._sign_one(tx) for tx in transactions]

    def auth_token(self, deadline_s: int) -> str:
        """Return an auth token; see `Signer.auth_token`."""
        text = token_text(deadline_s, self._account_index, self._api_key_index)
        return join_token(text, self._signature(token_message(text)))

    def _sign_one(self, tx: Transaction) -> SignedTx:
        message = transaction_message(tx, self._chain_id)
        signed = msgspec.structs.replace(tx, sig=signature_text(self._signature(message)))
        return SignedTx(tx.tx_type, encode(signed), goldilocks.to_bytes(message).hex(), tx.expired_at)

    def _signature(self, message: Sequence[int]) -> bytes:
        return schnorr.sign(message, self._scalar, schnorr.draw_scalar(self._entropy))
