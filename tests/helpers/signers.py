"""A signer for tests, with seeded entropy: its key is public anyway."""

from helpers import vectors
from lighterman.chance import seeded
from lighterman.domain.secret import Secret
from lighterman.signing.pure import PureSigner


def pure_signer(seed: int = 1) -> PureSigner:
    rng = seeded(seed, "signature numbers of a test")
    return PureSigner(
        Secret(vectors.PRIVATE_KEY), vectors.ACCOUNT_INDEX, vectors.API_KEY_INDEX, vectors.CHAIN_ID, rng.randbytes
    )
