"""Schnorr signatures over ECgFp5 (protocol reference 5.7).

    sign:    r = encode(k G);  e = H5(r | m) mod n;  s = k - e * secret mod n;  signature = s | e
    verify:  R = s G + e PK;   valid exactly when H5(encode(R) | m) mod n == e

A message m is five field elements. The number k must be secret, uniform in [1, n) and used once:
two signatures with one k give the secret away, so `draw_scalar` is the only source callers use.
Python integers are neither constant-time nor erasable: whoever can measure or read this process
has the key. Verification is strict where the reference implementation reduces: s and e below n,
public key words below p, and never the neutral element, for which anyone could forge.
"""

from collections.abc import Callable, Sequence

from lighterman.protocol.crypto import curve, goldilocks
from lighterman.protocol.crypto.curve import N
from lighterman.protocol.crypto.extension import ELEMENT_BYTES
from lighterman.protocol.crypto.poseidon2 import sponge

SCALAR_BYTES = 40
SIGNATURE_BYTES = 2 * SCALAR_BYTES
PUBLIC_KEY_BYTES = ELEMENT_BYTES

_SCALAR_MASK = (1 << N.bit_length()) - 1


def draw_scalar(entropy: Callable[[int], bytes]) -> int:
    """Draw a uniform scalar in [1, n) from `entropy(count) -> bytes`: mask to 319 bits, reject, never reduce."""
    while True:
        scalar = int.from_bytes(entropy(SCALAR_BYTES), "little") & _SCALAR_MASK
        if 0 < scalar < N:
            return scalar


def public_key(secret: int) -> bytes:
    """Return the 40-byte public key of a secret scalar."""
    return goldilocks.to_bytes(curve.encode(curve.multiply((secret, curve.generator()))))


def sign(message: Sequence[int], secret: int, k: int) -> bytes:
    """Return the 80-byte signature of five elements; `k` comes from `draw_scalar` and is used once."""
    r = curve.encode(curve.multiply((k, curve.generator())))
    e = _challenge(r, message)
    s = (k - e * secret) % N
    return s.to_bytes(SCALAR_BYTES, "little") + e.to_bytes(SCALAR_BYTES, "little")


class VerifyingKey:
    """A public key and, from its first verification on, the table that makes the next ones quick."""

    __slots__ = ("_base", "_point", "public_key")

    def __init__(self, public_key: bytes) -> None:
        """Read a 40-byte key; raise ValueError when it is no group element, or the neutral one."""
        self.public_key = public_key
        self._point = curve.decode(public_key)
        if self._point == curve.NEUTRAL:
            raise ValueError("the neutral element is no public key: anyone could sign for it")
        self._base: curve.FixedBase | None = None

    def __repr__(self) -> str:
        return f"<VerifyingKey {self.public_key.hex()}>"

    def verify(self, message: Sequence[int], signature: bytes) -> bool:
        """Tell whether an 80-byte signature of five elements is by this key."""
        if len(signature) != SIGNATURE_BYTES:
            return False
        s = int.from_bytes(signature[:SCALAR_BYTES], "little")
        e = int.from_bytes(signature[SCALAR_BYTES:], "little")
        if s >= N or e >= N:
            return False
        if self._base is None:
            self._base = curve.FixedBase(self._point)
        point = curve.multiply((s, curve.generator()), (e, self._base))
        return _challenge(curve.encode(point), message) == e


def _challenge(r: Sequence[int], message: Sequence[int]) -> int:
    return int.from_bytes(goldilocks.to_bytes(sponge([*r, *message], 5)), "little") % N
