"""Which backend signs: the operator's word (`lighter.signer`) made into a running signer.

`auto` takes the native signer where it was compiled, else the official library where its package
is installed, else plain Python. What is there but unfit (another version of the library, a failed
self-test) is an error, not a reason to change backends unasked.
"""

from collections.abc import Callable

from lighterman.domain.clock import Clock
from lighterman.domain.errors import SigningError
from lighterman.domain.secret import Secret
from lighterman.protocol.crypto import fastest
from lighterman.protocol.signing import AsyncSigner
from lighterman.signing.inplace import InPlaceSigner
from lighterman.signing.native import open_native
from lighterman.signing.official import OfficialSigner, find_package
from lighterman.signing.pure import Entropy, PureSigner
from lighterman.signing.thread import ThreadedSigner


def open_signer(
    backend: str,
    secret: Secret,
    *,
    account_index: int,
    api_key_index: int,
    chain_id: int,
    entropy: Entropy,
    clock: Clock,
) -> AsyncSigner:
    """Start a signer, the slow ones on a thread; raise SigningError when key or backend cannot be used.

    Waits until it is ready: for the first native one about 50 ms, for the first official one 120,
    for a pure one 20. `entropy` is the operating system's (`chance.secret_bytes`); the official
    library has its own.
    """

    def native() -> AsyncSigner:
        return InPlaceSigner(open_native(secret, account_index, api_key_index, chain_id, entropy, clock))

    def official() -> AsyncSigner:
        return ThreadedSigner(lambda: OfficialSigner(secret, account_index, api_key_index, chain_id))

    def pure() -> AsyncSigner:
        return ThreadedSigner(lambda: PureSigner(secret, account_index, api_key_index, chain_id, entropy))

    makers: dict[str, Callable[[], AsyncSigner]] = {"native": native, "official": official, "pure": pure}
    makers["auto"] = makers[best_backend()]
    if backend not in makers:
        raise SigningError(f"unknown signer backend {backend!r}: one of {', '.join(makers)}")
    return makers[backend]()


def best_backend() -> str:
    """Return the fastest backend that this installation has: what `auto` means here."""
    if fastest.IS_NATIVE:
        return "native"
    return "pure" if find_package() is None else "official"


def fallback_notice(backend: str) -> str:
    """Say, where `auto` had to do without the native signer, why and what it costs; else nothing."""
    if backend != "auto" or fastest.IS_NATIVE:
        return ""
    cost = {"official": "0.4 ms", "pure": "1 ms"}[best_backend()]
    return (
        f"the native signer was not compiled when lighterman was installed; signer {best_backend()} is used, "
        f"{cost} a signature instead of 0.01 ms: with a C compiler on this machine, install again"
    )
