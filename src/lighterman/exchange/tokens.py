"""Auth tokens for private reads and channels: made by the signer, kept, renewed in time.

Law: a token is used until REFRESH_BEFORE_S before its end and never later; the venue accepts up
to 8 hours (protocol reference 5.8). It goes into headers and subscriptions, never into a URL.
"""

from lighterman.domain.clock import Clock
from lighterman.protocol.signing import AsyncSigner

LIFE_S = 7 * 3600  # what the official library asks for; an hour below the venue's most
REFRESH_BEFORE_S = 20 * 60
US_PER_S = 1_000_000


class AuthTokens:
    """The current token of one key."""

    __slots__ = ("_clock", "_deadline_s", "_signer", "_token")

    def __init__(self, signer: AsyncSigner, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock
        self._token = ""
        self._deadline_s = 0

    async def current(self) -> str:
        """Return a token with life left in it; raises SigningError."""
        now_s = self._clock.wall_us() // US_PER_S
        if now_s >= self._deadline_s - REFRESH_BEFORE_S:
            deadline_s = now_s + LIFE_S
            self._token = await self._signer.auth_token(deadline_s)
            self._deadline_s = deadline_s
        return self._token

    def discard(self) -> None:
        """The venue refused the token: make a new one for the next use."""
        self._deadline_s = 0
