"""Who signed: verification of transactions and tokens, with one table per public key kept ready.

The table of a key costs ten verifications (1.5 ms each in plain Python, 0.05 ms compiled), so
tables are kept for the keys used last. `Verification` says how much is checked; what is structurally no signature is
refused in every mode.
"""

import binascii
import enum
from collections import OrderedDict
from collections.abc import Sequence

from lighterman.protocol.crypto.fastest import VerifyingKey
from lighterman.protocol.crypto.schnorr import SIGNATURE_BYTES

SAMPLE = 16  # one of so many signatures of a key is verified in mode SAMPLED, the first among them


class Verification(enum.StrEnum):
    """Which signatures of transactions are verified. Tokens are, unless OFF."""

    FULL = "full"
    SAMPLED = "sampled"
    OFF = "off"


class _Signatory:
    """A public key, and how many of its signatures have come by."""

    __slots__ = ("key", "seen")

    def __init__(self, public_key: bytes) -> None:
        self.key = VerifyingKey(public_key)
        self.seen = 0


class Verifier:
    """Verifies signatures; remembers the tables of the keys used last."""

    KEYS_MAX = 256

    def __init__(self, mode: Verification) -> None:
        self._mode = mode
        self._signatories: OrderedDict[bytes, _Signatory] = OrderedDict()

    def is_valid_transaction(self, public_key: bytes, message: Sequence[int], sig: str) -> bool:
        """Tell whether the base64 text `sig` signs five elements, as far as the mode asks."""
        try:
            signature = binascii.a2b_base64(sig, strict_mode=True)
        except ValueError:
            return False
        if len(signature) != SIGNATURE_BYTES:
            return False
        signatory = self._signatory(public_key)
        is_sampled = signatory.seen % SAMPLE == 0
        signatory.seen += 1
        if self._mode is Verification.OFF or (self._mode is Verification.SAMPLED and not is_sampled):
            return True
        return signatory.key.verify(message, signature)

    def is_valid_token(self, public_key: bytes, message: Sequence[int], signature: bytes) -> bool:
        """Tell whether a token's signature is by this key."""
        if self._mode is Verification.OFF:
            return len(signature) == SIGNATURE_BYTES
        return self._signatory(public_key).key.verify(message, signature)

    def _signatory(self, public_key: bytes) -> _Signatory:
        signatory = self._signatories.get(public_key)
        if signatory is None:
            signatory = self._signatories[public_key] = _Signatory(public_key)
            if len(self._signatories) > self.KEYS_MAX:
                self._signatories.popitem(last=False)
        self._signatories.move_to_end(public_key)
        return signatory
