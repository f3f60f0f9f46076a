"""A small share of the campaign that `make conformance` runs in full."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.native import load_script, needs_native
from lighterman.signing import official

pytestmark = needs_native
TRANSACTIONS = 200


@pytest.fixture(scope="module")
def conformance(repository):
    """Return the campaign as a module."""
    pytest.importorskip("lighterman.protocol.crypto._native", reason="no C compiler, or make install")
    return load_script(repository / "tools" / "conformance.py")


def test_c_and_python_agree(conformance):
    """Over transactions of every kind both hash, sign and judge alike."""
    campaign = conformance.Campaign(2, with_official=False)
    campaign.run(TRANSACTIONS)

    assert campaign.counts["signatures verified in C"] == TRANSACTIONS + campaign.counts["tokens"]
    assert campaign.counts["signatures equal with the same number"] > 0
    assert campaign.counts["hashes equal, CancelAllOrdersTx"] == TRANSACTIONS // 5


@pytest.mark.skipif(official.find_package() is None, reason="official signer library absent: make install-official")
def test_the_official_library_agrees(conformance):
    """The official library has the same hashes, and C accepts its signatures and tokens."""
    with ThreadPoolExecutor(1) as thread:  # it refuses the main one
        campaign = thread.submit(conformance.Campaign, 3, with_official=True).result()
        thread.submit(campaign.run, TRANSACTIONS).result()

    assert campaign.counts["official hashes and signatures agreed with"] == TRANSACTIONS
    assert campaign.counts["official tokens agreed with"] > 0


def test_a_disagreement_is_found(conformance, monkeypatch):
    """A hash that differs ends the campaign."""
    monkeypatch.setattr(conformance.poseidon2, "hash_integers", lambda values, count: [0] * count)

    with pytest.raises(conformance.DisagreementError, match="hashes"):
        conformance.Campaign(4, with_official=False).run(1)
