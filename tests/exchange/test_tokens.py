import asyncio

from lighterman.exchange.tokens import AuthTokens
from lighterman.exchange.venuetime import VenueTime


class _Signer:
    def __init__(self):
        self.deadlines = []

    async def auth_token(self, deadline_s):
        self.deadlines.append(deadline_s)
        return f"token until {deadline_s}"


class _Clock:
    now_s = 1_000_000

    def wall_us(self):
        return self.now_s * 1_000_000

    def mono_ns(self):
        return self.now_s * 1_000_000_000


def test_a_token_is_kept_until_it_ages():
    """One token for as long as it has more than twenty minutes to live; never one above eight hours."""
    signer, clock = _Signer(), _Clock()
    tokens = AuthTokens([signer], VenueTime(clock))
    for clock.now_s in range(1_000_000, 1_000_000 + 24 * 3600, 600):
        token = asyncio.run(tokens.current())
        life_s = int(token.rpartition(" ")[2]) - clock.now_s
        assert 15 * 60 < life_s <= 8 * 3600

    assert len(signer.deadlines) == 4


def test_a_refused_token_is_not_used_again():
    """After the venue refused it, the next use makes a new one, with the account's next key."""
    signers = [_Signer(), _Signer()]
    tokens = AuthTokens(signers, VenueTime(_Clock()))
    made = []
    for _ in range(3):
        asyncio.run(tokens.current())
        made.append([len(signer.deadlines) for signer in signers])
        tokens.discard()

    assert [[1, 0], [1, 1], [2, 1]] == made
