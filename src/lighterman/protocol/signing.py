"""What it means to sign, whoever does it: the two interfaces, and the text of auth tokens.

The law of this file: a backend signs whole batches in order; all of a batch or none; it signs
for one (account, api key, chain) and refuses every other; it checks the field rules first. A
signature costs one nonce of the account's key, so nothing is ever signed in vain or twice.
"""

import base64
import re
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec

from lighterman.domain.errors import LocalProtocolError, RemoteProtocolError
from lighterman.protocol.crypto.fastest import hash_integers
from lighterman.protocol.crypto.goldilocks import words
from lighterman.protocol.transactions import MESSAGE_ELEMENTS, Transaction, check

TOKEN_LIFE_S_MAX = 8 * 3600  # what the venue accepts ahead of now (5.8)

_NUMBER = "(0|[1-9][0-9]{0,18})"
_TOKEN = re.compile(rf"\A{_NUMBER}:{_NUMBER}:{_NUMBER}:([0-9a-fA-F]{{160}})\Z")


class SignedTx(msgspec.Struct, frozen=True, gc=False):
    """A transaction ready to be sent: the `tx_type` and `tx_info` of the venue's API, and its hash.

    `expired_at_ms` is when it becomes void. It may be later than the transaction asked for: the
    official library fixes it at 599 s (10.3), and until then an unanswered send is unknown.
    """

    tx_type: int
    tx_info: bytes
    tx_hash: str
    expired_at_ms: int


class Pool(msgspec.Struct, frozen=True):
    """What a signer has prepared for its next signatures: how many, never which."""

    left: int
    taken: int  # signatures made with one
    missed: int  # signatures that found none


class Signer(Protocol):
    """A blocking backend, used from one thread."""

    @property
    def backend(self) -> str:
        """Say in words what signs."""
        ...

    @property
    def public_key(self) -> str:
        """Return the key's 80 hex digits."""
        ...

    def sign(self, transactions: Sequence[Transaction]) -> list[SignedTx]:
        """Sign a batch in order.

        Raises LocalProtocolError, with nothing signed, when a transaction breaks a field rule or
        is not this key's; SigningError when the backend fails.
        """
        ...

    def auth_token(self, deadline_s: int) -> str:
        """Return a token for the private parts of the API, valid until an epoch second (5.8)."""
        ...


@runtime_checkable
class RestingSigner(Protocol):
    """A Signer that prepares for its next signatures while none is asked for."""

    def rest(self) -> bool:
        """Do one short step of it; tell whether there is more to do. Raises nothing."""
        ...

    def drop(self) -> None:
        """Forget all that was prepared."""
        ...


class AsyncSigner(Protocol):
    """A signer that does not hold up the event loop; errors as for Signer."""

    @property
    def backend(self) -> str:
        """Say in words what signs."""
        ...

    @property
    def public_key(self) -> str:
        """Return the key's 80 hex digits."""
        ...

    @property
    def signs_in_place(self) -> bool:
        """Tell whether signing takes some microseconds only, so that `sign_now` may be called."""
        ...

    def sign_now(self, transactions: Sequence[Transaction]) -> list[SignedTx]:
        """Sign a batch in order, without a switch of tasks."""
        ...

    async def sign(self, transactions: Sequence[Transaction]) -> list[SignedTx]:
        """Sign a batch in order; batches are signed in the order of the calls."""
        ...

    async def auth_token(self, deadline_s: int) -> str:
        """Return a token valid until an epoch second."""
        ...

    def close(self) -> None:
        """Finish what was handed over, then end; later calls raise SigningError."""
        ...


def refuse_unsignable(transactions: Sequence[Transaction], account_index: int, api_key_index: int) -> None:
    """Raise LocalProtocolError when one of a batch is another key's or breaks a field rule."""
    for tx in transactions:
        if (tx.account_index, tx.api_key_index) != (account_index, api_key_index):
            raise LocalProtocolError(
                f"a transaction of account {tx.account_index} key {tx.api_key_index} "
                f"was given to the signer of account {account_index} key {api_key_index}"
            )
        fault = check(tx)
        if fault is not None:
            raise LocalProtocolError(f"{tx.tx_type.name} nonce {tx.nonce}: {fault.message} ({fault.code})")


def signature_text(signature: bytes) -> str:
    """Return a signature as `Sig` of a transaction: base64 (4.2)."""
    return base64.b64encode(signature).decode("ascii")


class Token(msgspec.Struct, frozen=True, gc=False):
    """An auth token taken apart; nothing in it is verified yet (5.8)."""

    deadline_s: int
    account_index: int
    api_key_index: int
    signature: bytes

    @property
    def text(self) -> str:
        """Return the part that is signed."""
        return token_text(self.deadline_s, self.account_index, self.api_key_index)


def token_text(deadline_s: int, account_index: int, api_key_index: int) -> str:
    """Return the part of a token that is signed."""
    return f"{deadline_s}:{account_index}:{api_key_index}"


def token_message(text: str) -> list[int]:
    """Return the five elements that are signed for a token's text (5.8)."""
    return hash_integers(words(text.encode("ascii")), MESSAGE_ELEMENTS)


def join_token(text: str, signature: bytes) -> str:
    """Return the whole token."""
    return f"{text}:{signature.hex()}"


def parse_token(token: str) -> Token:
    """Take a standard token apart; raise RemoteProtocolError unless it is written canonically."""
    match = _TOKEN.match(token)
    if match is None:
        raise RemoteProtocolError("not an auth token")
    deadline, account, key, signature = match.groups()
    return Token(int(deadline), int(account), int(key), bytes.fromhex(signature))
