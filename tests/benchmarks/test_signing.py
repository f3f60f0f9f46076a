"""The signing benchmark checks what it times and calls nothing measured that was not."""

import threading

import pytest

from helpers.native import load_script, needs_native

pytestmark = needs_native


@pytest.fixture(scope="module")
def signing(repository):
    """Return the benchmark as a module."""
    pytest.importorskip("lighterman.protocol.crypto._native", reason="no C compiler, or make install")
    return load_script(repository / "benchmarks" / "signing.py")


@pytest.fixture(scope="module")
def figures(signing):
    """Return the figures of one round, without the official client, measured off the main thread."""
    found = {}
    thread = threading.Thread(target=lambda: found.update(signing.measure(1, None)))
    thread.start()
    thread.join()
    return found


def test_every_native_figure_is_there(figures):
    """One round times a prepared signature, a ladder, a full one and their parts."""
    names = {name.strip() for name in figures}

    assert {"native, prepared", "native, in full", "online part alone", "verify", "plain Python"} <= names
    assert all(0 < figure["cpu_us_min"] <= figure["cpu_us_p50"] for figure in figures.values())


def test_a_missing_reference_is_no_pass(signing, figures):
    """A goal whose reference was not run has no ratio."""
    rows = {row["reference"]: row for row in signing.ratios(figures)}

    assert rows["official client, main thread"]["min"] is None


async def test_the_hop_is_measured(signing):
    """The way through the signer's thread and the signature in place are both timed."""
    found = await signing.hop(10)

    assert {"through the signer's thread", "in place"} == set(found)


def test_a_wrong_signature_ends_it(signing, monkeypatch):
    """What does not verify is not timed."""
    native = signing.Native()
    native.prepared()
    monkeypatch.setattr(signing, "CHAIN_ID", 305)

    with pytest.raises(SystemExit, match="does not verify"):
        native.check()
