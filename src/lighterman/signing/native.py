"""The signer in C: a signature costs 3 us where its number was prepared, 30 us where not.

What a signature needs of the curve, r = encode(k G), depends on the secret number k alone. So pairs
(k, r) are prepared while nothing else is to be done, and signing is left with a hash and one
multiplication. The law of the pool, because one reused or leaked k gives the key away:
1. k comes from the entropy of the operating system alone, by rejection, never derived or reduced.
2. A pair is taken out before it is used and never put back, whatever happens then (native/module.c).
3. Nothing of it leaves C: no log, error, repr, copy or pickle has it; `counts` and `pool` are all that shows.
4. The pool is bounded, filled by `rest` alone, and an empty one means signing in full, never waiting.
5. It is dropped when the process forks, when it was not used for a minute, every ten minutes, and
   when the machine slept. What no program can see is a running machine that is cloned: do not.
Signatures are verified by sample, the first of each kind before it is handed out. One that fails
is an error, once; from then on plain Python signs.
"""

import functools
import importlib
import os
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn, final

import msgspec

from lighterman.domain.clock import Clock
from lighterman.domain.errors import SigningError
from lighterman.domain.secret import Secret
from lighterman.protocol.crypto import fastest, goldilocks
from lighterman.protocol.crypto.fastest import VerifyingKey
from lighterman.protocol.crypto.schnorr import SIGNATURE_BYTES
from lighterman.protocol.signing import (
    Pool,
    SignedTx,
    join_token,
    refuse_unsignable,
    signature_text,
    token_message,
    token_text,
)
from lighterman.protocol.transactions import MESSAGE_ELEMENTS, Transaction, encode, transaction_message
from lighterman.signing import selftest
from lighterman.signing.pure import NO_KEY, Entropy, PureSigner, read_secret

if TYPE_CHECKING:
    from lighterman.protocol.crypto._native import SigningKey

SAMPLE = 64  # one of so many signatures is verified, in idle time
UNVERIFIED_MAX = 16
UNUSED_NS_MAX = 60_000_000_000
AGE_NS_MAX = 600_000_000_000
JUMP_NS_MAX = 1_000_000_000  # the wall clock against the monotonic one: a step, or the machine slept

TOKEN = 0  # beside the transaction types, none of which is 0

Message = list[int]
Kind = tuple[int, bool]  # transaction type, and whether it has attributes


class Counts(msgspec.Struct):
    """What may be known of a pool: how many, never which."""

    prepared: int = 0  # pairs made in idle time
    hits: int = 0  # signatures made with one
    misses: int = 0  # signatures made in full
    drops: int = 0  # pairs thrown away unused
    verified: int = 0  # own signatures looked at again


def open_native(
    secret: Secret, account_index: int, api_key_index: int, chain_id: int, entropy: Entropy, clock: Clock
) -> "NativeSigner":
    """Return a signer whose backend has passed the self-test in this process; raise SigningError."""
    _prove(entropy)
    return NativeSigner(secret, account_index, api_key_index, chain_id, entropy, clock)


class _StillClock:
    """A trial takes no time."""

    def mono_ns(self) -> int:
        return 0

    def wall_us(self) -> int:
        return 0


@functools.lru_cache(maxsize=1)
def _prove(entropy: Entropy) -> None:
    """Try the backend with and without prepared pairs; plain Python is the judge (30 ms)."""
    trial = (selftest.SECRET, selftest.ACCOUNT_INDEX, selftest.API_KEY_INDEX, selftest.CHAIN_ID)
    signer = NativeSigner(*trial, entropy, _StillClock())
    for _ in range(len(selftest.transactions()) // 2):
        signer.rest()
    selftest.run(signer)


def _make_key(secret: Secret) -> "SigningKey":
    if not fastest.IS_NATIVE:
        raise SigningError("the native signer was not compiled: install lighterman where a C compiler is")
    native = importlib.import_module("lighterman.protocol.crypto._native")
    try:
        key: SigningKey = native.SigningKey(read_secret(secret))
    except ValueError:
        raise SigningError(NO_KEY) from None
    return key


@final
class NativeSigner:
    """Signs for one account, API key and chain. `entropy(count)` is the operating system's, never seeded."""

    __slots__ = (
        "__weakref__",
        "_account_index",
        "_alarm",
        "_api_key_index",
        "_chain_id",
        "_clock",
        "_entropy",
        "_filled_ns",
        "_key",
        "_known_kinds",
        "_make_spare",
        "_offset_ns",
        "_spare",
        "_unverified",
        "_used_ns",
        "_verifier",
        "counts",
        "public_key",
    )

    def __init__(
        self, secret: Secret, account_index: int, api_key_index: int, chain_id: int, entropy: Entropy, clock: Clock
    ) -> None:
        self._key = _make_key(secret)
        self._make_spare: Callable[[], PureSigner] = lambda: PureSigner(
            secret, account_index, api_key_index, chain_id, entropy
        )
        self._account_index = account_index
        self._api_key_index = api_key_index
        self._chain_id = chain_id
        self._entropy = entropy
        self._clock = clock
        self._verifier = VerifyingKey(self._key.public_key)
        self._verifier.verify([0] * MESSAGE_ELEMENTS, bytes(SIGNATURE_BYTES))  # no order shall wait for its table
        self._unverified: deque[tuple[Message, bytes]] = deque(maxlen=UNVERIFIED_MAX)
        self._known_kinds: set[Kind] = set()
        self._spare: PureSigner | None = None  # signs, once a signature of ours was wrong
        self._alarm = False  # that is still to be told
        self._used_ns = self._filled_ns = self._offset_ns = 0
        self.counts = Counts()
        self.public_key = self._key.public_key.hex()
        _drop_in_children(self)

    def __repr__(self) -> str:
        return f"<NativeSigner account {self._account_index} key {self._api_key_index} chain {self._chain_id}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is neither pickled nor copied")

    @property
    def backend(self) -> str:
        """Say in words what signs."""
        return "native" if self._spare is None else "pure Python, after the native signer failed"

    @property
    def pool(self) -> Pool:
        """Tell how many pairs are left, and how it went; from any thread."""
        return Pool(self._key.prepared, self.counts.hits, self.counts.misses)

    def sign(self, transactions: Sequence[Transaction]) -> list[SignedTx]:
        """Sign a batch in order; see `Signer.sign`."""
        self._sound_alarm()
        if self._spare is not None:
            return self._spare.sign(transactions)
        refuse_unsignable(transactions, self._account_index, self._api_key_index)
        messages = [transaction_message(tx, self._chain_id) for tx in transactions]
        signatures = self._sign(messages, [(tx.tx_type, bool(tx.l2_tx_attributes)) for tx in transactions])
        return [_signed(*parts) for parts in zip(transactions, messages, signatures, strict=True)]

    def auth_token(self, deadline_s: int) -> str:
        """Return an auth token; see `Signer.auth_token`."""
        self._sound_alarm()
        if self._spare is not None:
            return self._spare.auth_token(deadline_s)
        text = token_text(deadline_s, self._account_index, self._api_key_index)
        (signature,) = self._sign([token_message(text)], [(TOKEN, False)])
        return join_token(text, signature)

    def rest(self) -> bool:
        """Use 50 us of idle time: verify a signature or prepare a pair; tell whether there is more to do."""
        if self._spare is not None:
            return False
        if self._unverified:
            self._alarm = not self._verifies(*self._unverified.popleft())
            return not self._alarm
        self._drop_stale()
        if self._key.prepared == 0:
            self._used_ns = self._filled_ns = self._clock.mono_ns()
            self._offset_ns = self._clock.wall_us() * 1000 - self._filled_ns
        try:
            is_prepared = self._key.prepare(self._entropy)
        except RuntimeError:  # no good entropy: signing in full will meet it again and say so
            self.drop()
            return False
        self.counts.prepared += is_prepared
        return is_prepared

    def drop(self) -> None:
        """Forget all prepared pairs."""
        self.counts.drops += self._key.prepared
        self._key.drop()

    def _sign(self, messages: list[Message], kinds: list[Kind]) -> list[bytes]:
        self._drop_stale()
        self._used_ns = self._clock.mono_ns()
        hits = min(self._key.prepared, len(messages))
        try:
            signatures = self._key.sign(messages, self._entropy)
        except RuntimeError as error:
            self.drop()
            raise SigningError(f"native signer: {error}") from error
        first = self.counts.hits + self.counts.misses
        self.counts.hits += hits
        self.counts.misses += len(messages) - hits
        for number, (kind, message, signature) in enumerate(zip(kinds, messages, signatures, strict=True), first):
            if kind not in self._known_kinds:
                self._alarm = not self._verifies(message, signature)
                self._sound_alarm()
                self._known_kinds.add(kind)
            elif number % SAMPLE == 0:
                self._unverified.append((message, signature))
        return signatures

    def _verifies(self, message: Message, signature: bytes) -> bool:
        """Verify a signature of ours; if it is wrong, plain Python signs from now on."""
        self.counts.verified += 1
        if self._verifier.verify(message, signature):
            return True
        self.drop()
        self._spare = self._make_spare()
        return False

    def _sound_alarm(self) -> None:
        if self._alarm:
            self._alarm = False
            raise SigningError("a signature of the native signer did not verify: plain Python signs from now on")

    def _drop_stale(self) -> None:
        """Throw the pool away when it was not used for long, has grown old, or the machine slept."""
        if self._key.prepared == 0:
            return
        now_ns = self._clock.mono_ns()
        jump_ns = self._clock.wall_us() * 1000 - now_ns - self._offset_ns
        is_unused = now_ns - self._used_ns > UNUSED_NS_MAX
        if is_unused or now_ns - self._filled_ns > AGE_NS_MAX or abs(jump_ns) > JUMP_NS_MAX:
            self.drop()


def _signed(tx: Transaction, message: Message, signature: bytes) -> SignedTx:
    signed = msgspec.structs.replace(tx, sig=signature_text(signature))
    return SignedTx(tx.tx_type, encode(signed), goldilocks.to_bytes(message).hex(), tx.expired_at)


def _drop_in_children(signer: NativeSigner) -> None:
    """Overwrite the pool in a forked child; the key itself refuses to use it there (native/module.c)."""
    held = weakref.ref(signer)

    def drop() -> None:
        own = held()
        if own is not None:
            own.drop()

    os.register_at_fork(after_in_child=drop)
