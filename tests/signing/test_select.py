"""Choosing a backend by the operator's word."""

import pytest

from helpers import vectors
from helpers.transactions import CANCEL
from lighterman.chance import seeded
from lighterman.domain.errors import SigningError
from lighterman.domain.secret import Secret
from lighterman.signing import select
from lighterman.signing.select import open_signer


def opened(backend, private=vectors.PRIVATE_KEY):
    return open_signer(
        backend,
        Secret(private),
        account_index=vectors.ACCOUNT_INDEX,
        api_key_index=vectors.API_KEY_INDEX,
        chain_id=300,
        entropy=seeded(8, "k").randbytes,
    )


async def test_pure():
    """`pure` signs with our own Python."""
    signer = opened("pure")
    signed = await signer.sign([CANCEL])
    signer.close()

    assert signer.backend == "pure Python"
    assert len(signed) == 1


def test_auto_without_the_library(monkeypatch):
    """`auto` is our own Python where the official package is not installed."""
    monkeypatch.setattr(select, "find_package", lambda: None)
    signer = opened("auto")
    signer.close()

    assert signer.backend == "pure Python"


def test_unknown_backend():
    """Another word is refused, with the words that are known."""
    with pytest.raises(SigningError, match="official, pure, auto"):
        opened("fastest")


@pytest.mark.parametrize("backend", ["pure", "auto"])
def test_a_key_that_is_none(backend):
    """A private key that cannot be read is an error at once, whatever the backend."""
    with pytest.raises(SigningError, match="private key"):
        opened(backend, "12345")
