"""Which backend signs: the operator's word (`lighter.signer`) made into a running signer.

`auto` takes the official library where its package is installed. A package that is installed but
unfit (another version, a failed self-test) is an error, not a reason to change backends unasked.
"""

from collections.abc import Callable

from lighterman.domain.errors import SigningError
from lighterman.domain.secret import Secret
from lighterman.protocol.signing import Signer
from lighterman.signing.official import OfficialSigner, find_package
from lighterman.signing.pure import Entropy, PureSigner
from lighterman.signing.thread import ThreadedSigner


def open_signer(
    backend: str, secret: Secret, *, account_index: int, api_key_index: int, chain_id: int, entropy: Entropy
) -> ThreadedSigner:
    """Start a signer on its own thread; raise SigningError when key or backend cannot be used.

    Waits until it is ready: about 120 ms for the first official one, 20 ms for a pure one.
    `entropy` is the operating system's (`chance.secret_bytes`); the official library has its own.
    """

    def official() -> Signer:
        return OfficialSigner(secret, account_index, api_key_index, chain_id)

    def pure() -> Signer:
        return PureSigner(secret, account_index, api_key_index, chain_id, entropy)

    makers: dict[str, Callable[[], Signer]] = {
        "official": official,
        "pure": pure,
        "auto": pure if find_package() is None else official,
    }
    if backend not in makers:
        raise SigningError(f"unknown signer backend {backend!r}: one of {', '.join(makers)}")
    return ThreadedSigner(makers[backend])
