"""Auth tokens for private reads and channels: made by the signer, kept, renewed in time.

Law: a token is used until REFRESH_BEFORE_S before its end and never later; the venue accepts up
to 8 hours (protocol reference 5.8). It goes into headers and subscriptions, never into a URL.
When the venue refuses it, the next is another key's: what we may still ask must not hang on a
key that is gone.
"""

from collections.abc import Sequence

from lighterman.exchange.venuetime import VenueTime
from lighterman.protocol.signing import AsyncSigner

LIFE_S = 7 * 3600  # what the official library asks for; an hour below the venue's most
REFRESH_BEFORE_S = 20 * 60
MS_PER_S = 1_000


class AuthTokens:
    """The current token; any key of the account gives one."""

    __slots__ = ("_deadline_s", "_signers", "_token", "_venue_time")

    def __init__(self, signers: Sequence[AsyncSigner], venue_time: VenueTime) -> None:
        self._signers = list(signers)
        self._venue_time = venue_time
        self._token = ""
        self._deadline_s = 0

    async def current(self) -> str:
        """Return a token with life left in it; raises SigningError."""
        now_s = self._venue_time.now_ms() // MS_PER_S
        if now_s >= self._deadline_s - REFRESH_BEFORE_S:
            deadline_s = now_s + LIFE_S
            self._token = await self._signers[0].auth_token(deadline_s)
            self._deadline_s = deadline_s
        return self._token

    def discard(self) -> None:
        """The venue refused the token: make a new one for the next use, with the next key."""
        self._signers.append(self._signers.pop(0))
        self._deadline_s = 0
