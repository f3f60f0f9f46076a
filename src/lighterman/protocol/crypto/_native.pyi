"""The compiled extension: built from native/ where a C compiler is, absent elsewhere (decision 004)."""

from collections.abc import Callable, Sequence
from typing import NoReturn, final

POOL_MAX: int

def hash_integers(values: Sequence[int], count: int, /) -> list[int]:
    """See `poseidon2.hash_integers`."""

@final
class VerifyingKey:
    """See `schnorr.VerifyingKey`."""

    def __init__(self, public_key: bytes) -> None: ...
    @property
    def public_key(self) -> bytes: ...
    def verify(self, message: Sequence[int], signature: bytes, /) -> bool: ...

@final
class SigningKey:
    """A secret scalar and a bounded pool of signature numbers prepared for it.

    A prepared pair (k, encode(k G)) is worth the secret: it stays in C, is taken out of the pool
    before it is used, overwritten after, and gone in a forked child. One thread owns a key.
    """

    def __init__(self, secret: bytes) -> None:
        """Read 40 bytes modulo n; raise ValueError for another length and for zero."""

    @property
    def public_key(self) -> bytes: ...
    @property
    def prepared(self) -> int: ...
    def prepare(self, entropy: Callable[[int], bytes], /) -> bool:
        """Prepare one pair more; return False when there was no room. Raises RuntimeError for broken entropy."""

    def drop(self) -> None:
        """Forget all prepared pairs."""

    def sign(self, messages: Sequence[Sequence[int]], entropy: Callable[[int], bytes], /) -> list[bytes]:
        """Sign a batch of messages, with prepared pairs as long as there are any, else in full."""

    def __reduce__(self) -> NoReturn: ...
