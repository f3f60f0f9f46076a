"""A signer that is quicker than the way to another thread: it signs where it is asked.

Handing a batch to a thread and back costs 16 us of wall time, more with cold caches, a native signature 10. So it
is used on one thread, the event loop's, and needs no lock: nobody can prepare numbers while it signs. Idle
time is given to it there too, in steps of at most 50 us, and between two steps the loop looks at its
sockets. (A second thread would hold the interpreter in its steps just as long, and wait for it longer.)
"""

import asyncio
from collections.abc import Sequence
from typing import NoReturn, Protocol, final

from lighterman.domain.errors import SigningError
from lighterman.protocol.signing import Pool, RestingSigner, SignedTx, Signer
from lighterman.protocol.transactions import Transaction

REST_AFTER_S = 0.001  # what was signed is on its way to the venue by then


class QuickSigner(Signer, RestingSigner, Protocol):
    """A Signer whose `sign` takes some microseconds, and that rests."""

    @property
    def pool(self) -> Pool:
        """Tell how much it has prepared; from any thread."""
        ...


@final
class InPlaceSigner:
    """An AsyncSigner around a QuickSigner, which has rested when the constructor returns (2 ms)."""

    signs_in_place = True

    __slots__ = ("_closed", "_rest_at", "_signer", "_was_asked")

    def __init__(self, signer: QuickSigner) -> None:
        self._signer = signer
        self._closed = False
        self._rest_at: asyncio.TimerHandle | None = None
        self._was_asked = False  # since the timer was set
        while signer.rest():
            pass

    def __repr__(self) -> str:
        return f"<InPlaceSigner of {self._signer!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is neither pickled nor copied")

    @property
    def backend(self) -> str:
        """Say in words what signs."""
        return self._signer.backend

    @property
    def public_key(self) -> str:
        """Return the key's 80 hex digits."""
        return self._signer.public_key

    @property
    def pool(self) -> Pool:
        """Tell how much is prepared; from any thread."""
        return self._signer.pool

    def sign_now(self, transactions: Sequence[Transaction]) -> list[SignedTx]:
        """Sign a batch in order; see `AsyncSigner.sign_now`."""
        self._begin_work()
        return self._signer.sign(transactions)

    async def sign(self, transactions: Sequence[Transaction]) -> list[SignedTx]:
        """Sign a batch in order; see `AsyncSigner.sign`."""
        return self.sign_now(transactions)

    async def auth_token(self, deadline_s: int) -> str:
        """Return an auth token; see `AsyncSigner.auth_token`."""
        self._begin_work()
        return self._signer.auth_token(deadline_s)

    def close(self) -> None:
        """Forget what was prepared; may be called again."""
        self._closed = True
        if self._rest_at is not None:
            self._rest_at.cancel()
        self._signer.drop()

    def _begin_work(self) -> None:
        """Put off the rest until nothing has been asked for a moment."""
        if self._closed:
            raise SigningError("the signer is closed")
        self._was_asked = True
        if self._rest_at is None:
            self._rest_at = asyncio.get_running_loop().call_later(REST_AFTER_S, self._rest)

    def _rest(self) -> None:
        """Take one step, and the next one when the loop has looked at its sockets."""
        if self._was_asked:
            delay_s: float | None = REST_AFTER_S
        else:
            delay_s = 0.0 if self._signer.rest() else None
        self._was_asked = False
        self._rest_at = None if delay_s is None else asyncio.get_running_loop().call_later(delay_s, self._rest)
