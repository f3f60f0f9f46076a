"""A signer on its own thread."""

import asyncio
import copy
import threading

import pytest

from helpers import vectors
from helpers.signers import pure_signer
from helpers.transactions import ALL_KINDS, CANCEL, POST_ONLY, changed
from lighterman.domain.errors import LocalProtocolError, SigningError
from lighterman.protocol.signing import SignedTx
from lighterman.signing.thread import ThreadedSigner


class RecordingSigner:
    """Notes on which thread it was asked for what; waits at a gate when there is one."""

    backend = "a recording"
    public_key = vectors.PUBLIC_KEY

    def __init__(self, gate=None):
        self.made_on = threading.current_thread()
        self.asked = []
        self.gate = gate

    def sign(self, transactions):
        if self.gate is not None:
            self.gate.wait()
        self.asked.append((threading.current_thread(), list(transactions)))
        return [SignedTx(tx.tx_type, b"{}", str(tx.nonce), tx.expired_at) for tx in transactions]

    def auth_token(self, deadline_s):
        self.asked.append((threading.current_thread(), deadline_s))
        return str(deadline_s)


@pytest.fixture
def recording():
    return RecordingSigner()


async def test_one_thread_that_is_not_the_main_one():
    """The signer is made and used on one thread, which is not the event loop's."""
    made = []

    def make():
        made.append(RecordingSigner())
        return made[0]

    signer = ThreadedSigner(make)
    await signer.sign([CANCEL])
    await signer.auth_token(17)
    signer.close()

    assert {made[0].made_on} == {thread for thread, _ in made[0].asked}
    assert made[0].made_on is not threading.current_thread()


async def test_batches_are_signed_whole_and_in_order(recording):
    """Batches handed over at once are signed one after another, in the order of the calls, each whole."""
    signer = ThreadedSigner(lambda: recording)
    batches = [[changed(CANCEL, nonce=10 * i + j) for j in range(i + 1)] for i in range(5)]
    answers = await asyncio.gather(*(signer.sign(batch) for batch in batches))
    signer.close()

    assert batches == [batch for _, batch in recording.asked]
    assert [[str(tx.nonce) for tx in batch] for batch in batches] == [[tx.tx_hash for tx in got] for got in answers]


async def test_a_batch_is_copied_when_it_is_handed_over():
    """Changing the list afterwards does not change what is signed."""
    gate = threading.Event()
    recording = RecordingSigner(gate)
    signer = ThreadedSigner(lambda: recording)
    batch = [CANCEL]
    waiting = asyncio.ensure_future(signer.sign(batch))
    await asyncio.sleep(0)
    batch.append(POST_ONLY)
    gate.set()
    await waiting
    signer.close()

    assert [CANCEL] == recording.asked[0][1]


async def test_the_loop_runs_on_while_a_batch_is_signed():
    """The event loop is free while the signer works."""
    gate = threading.Event()
    signer = ThreadedSigner(lambda: RecordingSigner(gate))
    waiting = asyncio.ensure_future(signer.sign([CANCEL]))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    gate.set()

    assert len(await waiting) == 1
    signer.close()


async def test_errors_reach_the_caller_and_the_signer_lives_on():
    """What the signer raises is raised where the batch was handed over; the next batch is signed."""
    signer = ThreadedSigner(pure_signer)

    with pytest.raises(LocalProtocolError):
        await signer.sign([changed(CANCEL, index=0)])
    assert len(await signer.sign(ALL_KINDS)) == len(ALL_KINDS)
    signer.close()


async def test_nobody_waits_for_a_signer_that_wanted_to_exit():
    """What is no Exception is raised to the caller, too, and the next batch is signed."""

    class Leaving(RecordingSigner):
        def sign(self, transactions):
            if transactions[0] is POST_ONLY:
                raise SystemExit(3)
            return super().sign(transactions)

    signer = ThreadedSigner(Leaving)

    with pytest.raises(SystemExit):
        await signer.sign([POST_ONLY])
    assert len(await signer.sign([CANCEL])) == 1
    signer.close()


def test_a_signer_that_cannot_be_made_is_an_error_at_once():
    """What making the signer raises is raised by the constructor, and no thread stays behind."""

    def fail():
        raise SigningError("no key")

    before = threading.active_count()
    with pytest.raises(SigningError, match="no key"):
        ThreadedSigner(fail)
    assert before == threading.active_count()


async def test_close_finishes_what_was_handed_over(recording):
    """Closing waits for the batches handed over before; later ones are refused; closing again is allowed."""
    signer = ThreadedSigner(lambda: recording)
    waiting = asyncio.ensure_future(signer.sign([CANCEL]))
    await asyncio.sleep(0)
    signer.close()
    signer.close()

    assert len(await waiting) == 1
    with pytest.raises(SigningError, match="closed"):
        await signer.sign([CANCEL])
    with pytest.raises(SigningError, match="closed"):
        await signer.auth_token(1)


async def test_a_caller_that_gives_up_disturbs_nobody():
    """Cancelling a waiting call leaves the batches behind it alone."""
    gate = threading.Event()
    signer = ThreadedSigner(lambda: RecordingSigner(gate))
    first = asyncio.ensure_future(signer.sign([CANCEL]))
    second = asyncio.ensure_future(signer.sign([POST_ONLY]))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()

    assert len(await second) == 1
    assert first.cancelled()
    signer.close()


def test_it_speaks_for_its_signer(recording):
    """Backend and public key are those of the signer inside; there is no copy."""
    signer = ThreadedSigner(lambda: recording)
    signer.close()

    assert (signer.backend, signer.public_key) == ("a recording", vectors.PUBLIC_KEY)
    assert repr(signer).startswith("<ThreadedSigner of ")
    assert not signer.signs_in_place
    with pytest.raises(SigningError, match="waited for"):
        signer.sign_now([CANCEL])
    with pytest.raises(TypeError):
        copy.copy(signer)
