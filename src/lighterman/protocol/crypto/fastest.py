"""What hashes and verifies: the compiled extension where there is one, else plain Python.

Both compute the same, bit for bit (tests/signing/test_conformance.py), so nothing that is decided
depends on which it is. Whoever needs one of the two by name imports that one: the self-test of
signers judges with plain Python alone.
"""

try:
    from lighterman.protocol.crypto._native import VerifyingKey, hash_integers
except ImportError:
    from lighterman.protocol.crypto.poseidon2 import hash_integers
    from lighterman.protocol.crypto.schnorr import VerifyingKey  # type: ignore[assignment]

IS_NATIVE = VerifyingKey.__module__.endswith("._native")

__all__ = ["IS_NATIVE", "VerifyingKey", "hash_integers"]
