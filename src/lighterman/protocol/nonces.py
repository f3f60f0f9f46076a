"""Which nonce comes next on one API key, and what became of those already given out.

Law (protocol reference 4.7): a new nonce is the last plus one; a refused transaction has not
used its nonce, an executed one has, and of an unanswered one nobody knows. So a doubt freezes
the key: nothing new is signed until `GET nextNonce` and time have settled every nonce given
out. The keeper never steps back by itself except past refusals with nothing behind them,
and not on one reading either: a reading may be one of before what is on its way, so that it takes
two equal ones in a row, and many where they deny what is known to have been executed.

A nonce given out is in one of four states, and leaves when it was refused, executed, or
settled as unused:

    SENT      no answer yet
    ACCEPTED  queued at the venue; it can still be dropped there, nonce unused
    DENIED    answered 21104 (invalid nonce): not queued by that request, but why is not known
    UNKNOWN   no answer, and none will come: it may still arrive until it is dead
"""

import enum
from collections.abc import Iterable

import msgspec

from lighterman.domain.errors import LocalProtocolError

DEAD_REMEMBERED_NS = 60_000_000_000
NEVER_NS = 2**63 - 1
READINGS_TO_STEP_BACK = 2
READINGS_TO_DENY = 6  # of an execution: the venue itself went back


class NonceState(enum.Enum):
    """What is known of a nonce that was given out."""

    SENT = "sent"
    ACCEPTED = "accepted"
    DENIED = "denied"
    UNKNOWN = "unknown"


class _Given(msgspec.Struct, gc=False):
    """A nonce given out; from `dead_ns` on the venue can no longer include its transaction."""

    state: NonceState
    dead_ns: int


class Settled(msgspec.Struct, frozen=True, gc=False):
    """What a reading of `nextNonce` has settled: nonces now known to be used, and not to be.

    `is_foreign`: nonces are gone that we never gave out; another program uses this key.
    """

    used: list[int]
    unused: list[int]
    is_foreign: bool


class NonceKeeper:
    """The nonces of one key. Time is monotonic: a wall that was set tells nothing of a transaction's age."""

    __slots__ = ("_executed_next", "_given", "_reading", "_reading_ns", "_readings", "frozen_because", "next")

    def __init__(self, next_nonce: int) -> None:
        self.next = next_nonce
        self.frozen_because = ""
        self._given: dict[int, _Given] = {}  # in ascending order of nonces
        self._executed_next = 0  # above every nonce that is known to have been executed
        self._reading = -1  # the last reading in this doubt
        self._reading_ns = 0
        self._readings = 0  # how often in a row it was read

    def __repr__(self) -> str:
        given = ", ".join(f"{nonce} {given.state.value}" for nonce, given in self._given.items())
        return f"<NonceKeeper next {self.next}{' frozen' if self.frozen_because else ''} [{given}]>"

    @property
    def is_frozen(self) -> bool:
        """Tell whether nothing may be signed until `settle` has cleared the doubt."""
        return bool(self.frozen_because)

    def take(self, count: int, now_ns: int) -> range:
        """Give out the next nonces."""
        if self.frozen_because:
            raise LocalProtocolError(f"nonce taken while frozen: {self.frozen_because}")
        self._forget_dead(now_ns - DEAD_REMEMBERED_NS)
        nonces = range(self.next, self.next + count)
        for nonce in nonces:
            self._given[nonce] = _Given(NonceState.SENT, NEVER_NS)
        self.next = nonces.stop
        return nonces

    def leaves(self, nonces: Iterable[int], dead_ns: int) -> None:
        """Their transactions are signed and go on their way; from `dead_ns` on the venue takes them no more."""
        for nonce in nonces:
            self._given[nonce].dead_ns = dead_ns

    def accepted(self, nonces: range) -> None:
        """Code 200: the venue has queued them, so that we count alike; where nothing else is in doubt, that is over."""
        self._mark(nonces, NonceState.ACCEPTED)
        is_last = nonces.stop == self.next >= self._executed_next
        if is_last and all(given.state is NonceState.ACCEPTED for given in self._given.values()):
            self.frozen_because = ""

    def refused(self, nonces: range) -> None:
        """A certain refusal, or they never left us: unused. Those given out behind them cannot be valid now."""
        for nonce in nonces:
            self._given.pop(nonce, None)
        if nonces.stop == self.next:
            self.next = nonces.start
        else:
            self._freeze(f"nonce {nonces.start} was refused with later ones on their way")

    def denied(self, nonces: Iterable[int]) -> None:
        """Code 21104: the venue expects another nonce."""
        self._mark(nonces, NonceState.DENIED)
        self._freeze("the venue expects another nonce")

    def unknown(self, nonces: Iterable[int], reason: str) -> None:
        """No answer will come."""
        self._mark(nonces, NonceState.UNKNOWN)
        self._freeze(reason)

    def executed(self, nonce: int) -> bool:
        """The sequencer ran this nonce, hence all below it; return False if it cannot have been ours."""
        known = self._given.get(nonce)
        is_ours = nonce < self.next and (known is None or known.dead_ns != NEVER_NS)
        for below in [below for below in self._given if below <= nonce]:
            del self._given[below]
        self._executed_next = max(self._executed_next, nonce + 1)
        if not is_ours:
            self._freeze(f"nonce {nonce} was used before ours had left")
        return is_ours

    def settle(self, venue_next: int, now_ns: int) -> Settled:
        """Take a reading of `nextNonce`, made when no answer is awaited any more; unfreeze if it leaves no doubt.

        Three cases for each nonce, once the reading is believed: below it, the nonce was accepted; at
        or above it, it is unused if it was denied, or was dead before the reading before; otherwise it
        may still arrive, and we wait.
        """
        before_ns, self._reading_ns = self._reading_ns, now_ns
        self._readings = self._readings + 1 if venue_next == self._reading else 1
        self._reading = venue_next
        if self._readings < self._readings_needed(venue_next):
            return Settled([], [], is_foreign=False)
        is_foreign = venue_next > self.next
        used = [n for n, given in self._given.items() if n < venue_next and given.state is not NonceState.ACCEPTED]
        self._mark(used, NonceState.ACCEPTED)
        unused = [
            nonce
            for nonce, given in self._given.items()
            if nonce >= venue_next and (given.state is NonceState.DENIED or given.dead_ns <= before_ns)
        ]
        for nonce in unused:
            del self._given[nonce]
        if not any(nonce >= venue_next for nonce in self._given):
            self.next = venue_next
            self._executed_next = min(self._executed_next, venue_next)
            self.frozen_because = ""
        return Settled(used, unused, is_foreign)

    def _readings_needed(self, venue_next: int) -> int:
        if venue_next < self._executed_next:
            return READINGS_TO_DENY
        return 1 if venue_next >= self.next else READINGS_TO_STEP_BACK

    def _mark(self, nonces: Iterable[int], state: NonceState) -> None:
        for nonce in nonces:
            given = self._given.get(nonce)
            if given is not None:
                given.state = state

    def _freeze(self, reason: str) -> None:
        if not self.frozen_because:
            self.frozen_because = reason
            self._readings = 0

    def _forget_dead(self, before_ns: int) -> None:
        """Forget what was accepted and is long dead: had it been dropped, a denial would have told."""
        while self._given:
            oldest = next(iter(self._given))
            if self._given[oldest].dead_ns >= before_ns:
                return
            del self._given[oldest]
