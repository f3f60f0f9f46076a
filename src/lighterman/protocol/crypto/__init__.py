"""Lighter's cryptography in plain Python integers (protocol reference 5): sign, verify, hash.

The rooms from the ground up: `goldilocks` (the field of 64-bit words), `poseidon2` (the hash
over it), `extension` (five words as one field element), `curve` (the group), `schnorr`.
Nothing here draws randomness, reads a clock, or computes anything at import.
"""
