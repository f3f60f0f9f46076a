"""A signer that signs where it is asked."""

import asyncio
import copy
import threading

import pytest

from helpers import vectors
from helpers.transactions import CANCEL, POST_ONLY
from lighterman.domain.errors import SigningError
from lighterman.protocol.signing import Pool, SignedTx
from lighterman.signing import inplace
from lighterman.signing.inplace import InPlaceSigner


class Resting:
    """Notes what it was asked for, and on which thread; has so much to do in idle time."""

    backend = "a recording"
    public_key = vectors.PUBLIC_KEY
    pool = Pool(left=3, taken=2, missed=1)

    def __init__(self, steps=3):
        self.left = steps
        self.done = []
        self.threads = set()
        self.is_resting, self.is_rested = asyncio.Event(), asyncio.Event()
        self.drops = 0

    def _note(self, what):
        self.done.append(what)
        self.threads.add(threading.current_thread())

    def sign(self, transactions):
        self._note("sign")
        return [SignedTx(tx.tx_type, b"{}", str(tx.nonce), tx.expired_at) for tx in transactions]

    def auth_token(self, deadline_s):
        self._note("token")
        return str(deadline_s)

    def rest(self):
        self._note("rest")
        self.is_resting.set()
        self.left = max(0, self.left - 1)
        if not self.left:
            self.is_rested.set()
        return self.left > 0

    def drop(self):
        self.drops += 1


def test_it_has_rested_when_it_is_made():
    """The first order already finds its number prepared: there is no loop yet, and none is needed."""
    resting = Resting(3)
    InPlaceSigner(resting)

    assert ["rest"] * 3 == resting.done


def test_it_shows_what_is_prepared():
    """How much is prepared may be asked for without signing."""
    assert Resting.pool == InPlaceSigner(Resting(1)).pool


async def test_a_batch_is_signed_within_the_call():
    """No other task and no other thread has its turn before the batch is signed, awaited or not."""
    resting = Resting(1)
    signer = InPlaceSigner(resting)
    others = []
    asyncio.get_running_loop().call_soon(others.append, 1)

    assert signer.signs_in_place
    assert [CANCEL.nonce, POST_ONLY.nonce] == [int(tx.tx_hash) for tx in signer.sign_now([CANCEL, POST_ONLY])]
    assert len(await signer.sign([CANCEL])) == 1
    assert await signer.auth_token(17) == "17"
    assert (["rest", "sign", "sign", "token"], []) == (resting.done, others)
    assert {threading.current_thread()} == resting.threads
    signer.close()


async def test_idle_time_is_the_signers_step_by_step(monkeypatch):
    """It rests after it signed, and between two steps the loop sees to others."""
    monkeypatch.setattr(inplace, "REST_AFTER_S", 0)
    resting = Resting(1)
    signer = InPlaceSigner(resting)
    resting.left = 5
    resting.is_rested.clear()
    signer.sign_now([CANCEL])
    turns = 0
    while not resting.is_rested.is_set():
        turns += 1
        await asyncio.sleep(0)
    signer.close()

    assert ["sign"] + ["rest"] * 5 == resting.done[1:]
    assert turns >= 5


async def test_rest_makes_way_for_work(monkeypatch):
    """Whoever asks in the middle of a rest is served at once, and the rest begins anew after a while."""
    monkeypatch.setattr(inplace, "REST_AFTER_S", 0)
    resting = Resting(1)
    signer = InPlaceSigner(resting)
    resting.left = 10**9
    signer.sign_now([CANCEL])
    resting.is_resting.clear()
    await resting.is_resting.wait()
    monkeypatch.setattr(inplace, "REST_AFTER_S", 3600)
    signer.sign_now([CANCEL])
    rests = len(resting.done)
    for _ in range(5):
        await asyncio.sleep(0)
    signer.close()

    assert resting.done[-1] == "sign"
    assert rests == len(resting.done)


async def test_a_closed_signer_has_forgotten_everything():
    """Closing drops what was prepared and refuses what comes later; closing again is allowed."""
    resting = Resting(1)
    signer = InPlaceSigner(resting)
    signer.sign_now([CANCEL])
    signer.close()
    signer.close()

    assert resting.drops == 2
    with pytest.raises(SigningError, match="closed"):
        await signer.sign([CANCEL])
    with pytest.raises(SigningError, match="closed"):
        await signer.auth_token(1)


async def test_it_speaks_for_its_signer():
    """Backend and public key are those of the signer inside; there is no copy."""
    signer = InPlaceSigner(Resting(1))

    assert (signer.backend, signer.public_key) == ("a recording", vectors.PUBLIC_KEY)
    assert repr(signer).startswith("<InPlaceSigner of ")
    with pytest.raises(TypeError):
        copy.copy(signer)
