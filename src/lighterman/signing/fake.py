"""A signer for virtual time: no thread, no secret, the same bytes every time.

No real venue accepts what it signs. The transactions and their hashes are real; the signature
has the right length and proves nothing, so that only an exchange that verifies nothing
(`Verification.OFF`) takes it. No setting selects it: whoever hosts a simulation builds it.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import final

import msgspec

from lighterman.domain.errors import SigningError
from lighterman.protocol.crypto import schnorr
from lighterman.protocol.crypto.curve import N
from lighterman.protocol.signing import SignedTx, join_token, refuse_unsignable, signature_text, token_text
from lighterman.protocol.transactions import Transaction, encode, transaction_hash


@final
class FakeSigner:
    """An AsyncSigner for one account, API key and chain.

    A batch takes `latency_s()` of the loop's time, as with a thread; without one it is signed in place.
    """

    __slots__ = ("_account_index", "_api_key_index", "_chain_id", "_closed", "_latency_s", "_turn", "public_key")

    backend = "fake, for simulations"

    def __init__(
        self, account_index: int, api_key_index: int, chain_id: int, latency_s: Callable[[], float] | None = None
    ) -> None:
        self._account_index = account_index
        self._api_key_index = api_key_index
        self._chain_id = chain_id
        self._latency_s = latency_s
        self._turn = asyncio.Lock()  # as with one thread: whoever asks first is served first
        self._closed = False
        self.public_key = _public_key(account_index, api_key_index).hex()

    def __repr__(self) -> str:
        return f"<FakeSigner account {self._account_index} key {self._api_key_index} chain {self._chain_id}>"

    @property
    def signs_in_place(self) -> bool:
        """Tell whether it stands for a signer without a thread."""
        return self._latency_s is None

    def sign_now(self, transactions: Sequence[Transaction]) -> list[SignedTx]:
        """Put a worthless signature on a batch, in order; see `AsyncSigner.sign_now`."""
        if self._closed:
            raise SigningError("the signer is closed")
        return self._sign(transactions)

    async def sign(self, transactions: Sequence[Transaction]) -> list[SignedTx]:
        """Put a worthless signature on a batch, in order; see `AsyncSigner.sign`."""
        batch = tuple(transactions)
        await self._wait()
        return self._sign(batch)

    async def auth_token(self, deadline_s: int) -> str:
        """Return a token that is well written and worthless; see `AsyncSigner.auth_token`."""
        await self._wait()
        text = token_text(deadline_s, self._account_index, self._api_key_index)
        return join_token(text, self._scribble(text.encode("ascii")))

    def close(self) -> None:
        """Refuse whatever is asked from now on; what was handed over is still done."""
        self._closed = True

    async def _wait(self) -> None:
        if self._closed:
            raise SigningError("the signer is closed")
        if self._latency_s is not None:
            async with self._turn:
                await asyncio.sleep(self._latency_s())

    def _sign(self, batch: Sequence[Transaction]) -> list[SignedTx]:
        refuse_unsignable(batch, self._account_index, self._api_key_index)
        return [self._sign_one(tx) for tx in batch]

    def _sign_one(self, tx: Transaction) -> SignedTx:
        tx_hash = transaction_hash(tx, self._chain_id)
        signed = msgspec.structs.replace(tx, sig=signature_text(self._scribble(tx_hash)))
        return SignedTx(tx.tx_type, encode(signed), tx_hash.hex(), tx.expired_at)

    def _scribble(self, data: bytes) -> bytes:
        """Return what stands where the signature of these bytes would."""
        return hashlib.shake_256(data + self.public_key.encode("ascii")).digest(schnorr.SIGNATURE_BYTES)


def _public_key(account_index: int, api_key_index: int) -> bytes:
    """Return a key that everybody can work out; a group element, because exchanges ask for one."""
    digest = hashlib.shake_256(f"fake key {api_key_index} of {account_index}".encode()).digest(schnorr.SCALAR_BYTES)
    return schnorr.public_key(int.from_bytes(digest, "little") % (N - 1) + 1)
