"""Lighter's cryptography (protocol reference 5): sign, verify, hash.

In plain Python integers, from the ground up: `goldilocks` (the field of 64-bit words), `poseidon2`
(the hash over it), `extension` (five words as one field element), `curve` (the group), `schnorr`.
The folder native/ of the source tree holds the same in C; where it was compiled it is `_native`,
and `fastest` names what is best here. Nothing draws randomness, reads a clock, or computes
anything at import.
"""
