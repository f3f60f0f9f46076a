"""Choosing a backend by the operator's word."""

from pathlib import Path

import pytest

from helpers import vectors
from helpers.native import needs_native
from helpers.transactions import CANCEL
from lighterman.chance import seeded
from lighterman.clock import SystemClock
from lighterman.domain.errors import SigningError
from lighterman.domain.secret import Secret
from lighterman.protocol.crypto import fastest
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
        clock=SystemClock(),
    )


async def test_pure():
    """`pure` signs with our own Python."""
    signer = opened("pure")
    signed = await signer.sign([CANCEL])
    signer.close()

    assert signer.backend == "pure Python"
    assert len(signed) == 1


@needs_native
async def test_native():
    """`native` signs in C, and so does `auto` where it was compiled; nobody is told of a fall-back then."""
    for word in ("native", "auto"):
        signer = opened(word)
        signed = await signer.sign([CANCEL])
        signer.close()

        assert signer.backend == "native"
        assert len(signed) == 1
    assert select.fallback_notice("auto") == ""


@pytest.fixture
def not_compiled(monkeypatch):
    """Let the extension be absent, and the official library too until a test says otherwise."""
    monkeypatch.setattr(fastest, "IS_NATIVE", False)
    monkeypatch.setattr(select, "find_package", lambda: None)


def test_auto_with_nothing_else(not_compiled):
    """`auto` is our own Python where neither extension nor library is there."""
    signer = opened("auto")
    signer.close()

    assert signer.backend == "pure Python"


def test_auto_takes_the_library_before_plain_python(not_compiled, monkeypatch):
    """Without the extension `auto` is the official library, where its package is installed."""
    monkeypatch.setattr(select, "find_package", lambda: Path("lighter"))

    assert select.best_backend() == "official"


def test_the_fall_back_is_told(not_compiled):
    """Where `auto` has to do without the native signer, a notice says so, what signs instead and what to do."""
    notice = select.fallback_notice("auto")

    assert "not compiled" in notice
    assert "signer pure" in notice
    assert "C compiler" in notice
    assert select.fallback_notice("pure") == ""


def test_native_that_is_absent(not_compiled):
    """Asked for by name, a native signer that was not compiled is an error."""
    with pytest.raises(SigningError, match="not compiled"):
        opened("native")


def test_unknown_backend():
    """Another word is refused, with the words that are known."""
    with pytest.raises(SigningError, match="native, official, pure, auto"):
        opened("fastest")


@pytest.mark.parametrize("backend", ["pure", "auto"])
def test_a_key_that_is_none(backend):
    """A private key that cannot be read is an error at once, whatever the backend."""
    with pytest.raises(SigningError, match="private key"):
        opened(backend, "12345")
