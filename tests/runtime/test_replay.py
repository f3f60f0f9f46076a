"""Replay: the same decisions to the byte, and the first that are not, by number."""

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from helpers.fake_venue import Desk
from helpers.journals import HEADER, MemoryDisk
from helpers.observed import PARAMS as LOOSE_PARAMS
from helpers.virtual_time import run
from lighterman.domain.errors import InvariantBroken, JournalError
from lighterman.domain.events import BookDelta, StopRequested
from lighterman.engine.engine import Engine
from lighterman.engine.params import EngineParams
from lighterman.journal.frames import MAGIC, FrameWriter, Torn, read_frames
from lighterman.journal.reader import JournalReader
from lighterman.journal.records import Decided, Ending, decode, encode
from lighterman.journal.settings import JournalSettings
from lighterman.journal.writer import JournalWriter
from lighterman.risk.pnl import LossState
from lighterman.runtime.replay import NOTHING_SAID, how_it_broke, replay

PARAMS = msgspec.convert(msgspec.to_builtins(LOOSE_PARAMS), EngineParams)  # floats that are floats, as the reader's
UNDESCRIBED = BookDelta(42, [], [], 1, 0, 0)  # a book of a market that nobody described breaks the engine
SETTINGS = JournalSettings()


class Recorded:
    """A session at a desk, recorded as a run records it; `during` happens after it quotes."""

    def __init__(self, during=None, *, close=True):
        self.disk = MemoryDisk()
        run(self._session(during, close=close))

    async def _session(self, during, *, close):
        desk = Desk(PARAMS)
        header = replace(HEADER, params=PARAMS, epoch=1, loss=LossState())
        journal = JournalWriter(self.disk, "j", header, SETTINGS, desk.clock)
        desk.look_on([journal])
        desk.loop._on_broken = lambda error, now_ns: journal.observe_break(now_ns, how_it_broke(error))  # noqa: SLF001
        await desk.quote()
        await asyncio.sleep(5)
        if during is not None:
            await during(desk)
        desk.loop.receive(StopRequested("enough", desk.clock.mono_ns()))
        await asyncio.sleep(3)
        if close:
            journal.close("enough")
        else:
            journal.flush()

    @property
    def frames(self):
        return [frame for frame in read_frames(self.disk, "j") if not isinstance(frame, Torn)]

    def replay(self):
        return replay(JournalReader(self.disk, "j"))


def replay_of(frames):
    """Replay a journal made of these payloads."""
    writer, disk = FrameWriter(), MemoryDisk()
    disk.files["j"] = MAGIC + b"".join(writer.frame(frame) for frame in frames)
    return replay(JournalReader(disk, "j"))


@pytest.fixture(scope="module")
def session():
    return Recorded()


def test_session_replays_identically(session):
    """A session that is replayed decides the same, to the byte, and is known to be complete."""
    found = session.replay()

    assert (True, None, "", True, "closed: enough") == (
        found.identical, found.difference, found.broke, found.complete, found.ending,
    )  # fmt: skip
    assert found.commands >= 9  # eight orders and the cancel-all
    assert len(session.frames) == 2 + found.events + found.decisions


def test_every_changed_decision_is_found(session):
    """A decision recorded otherwise, wherever it stands, is named by its record, with both versions."""
    frames = session.frames
    for number, frame in enumerate(frames):
        record = decode(frame)
        if isinstance(record, Decided):
            changed = record.data.replace(b'"stale_book"', b'"fresh_book"').replace(b"[", b"[0,", 1)
            other = b"D" + record.now_ns.to_bytes(8, "little") + changed
            found = replay_of([*frames[:number], other, *frames[number + 1 :]])

            assert not found.identical
            assert (number, record.now_ns) == (found.difference.record, found.difference.now_ns)
            assert changed.decode() == found.difference.recorded
            assert record.data.decode() == found.difference.replayed


def test_missing_event_is_found(session):
    """A journal from which the account's snapshot was taken out does not replay."""
    frames = [frame for frame in session.frames if b"AccountSnapshot" not in frame]

    assert not replay_of(frames).identical


@given(st.data())
def test_flipped_byte_is_found_and_named(session, data):
    """Any byte flipped anywhere in the journal is found, and the place is named."""
    whole = session.disk.files["j"]
    place, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    disk = MemoryDisk()
    disk.files["j"] = whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]

    with pytest.raises(JournalError, match=r"byte \d+|record \d+"):
        replay(JournalReader(disk, "j"))


def test_torn_journal_replays_what_it_has(session):
    """A journal cut off anywhere replays to where it goes, and is called incomplete."""
    whole = session.disk.files["j"]
    for kept in range(len(whole) * 3 // 4, len(whole) - 1, 97):
        disk = MemoryDisk()
        disk.files["j"] = whole[:kept]
        found = replay(JournalReader(disk, "j"))

        assert (True, False) == (found.identical, found.complete)
        assert "torn" in found.ending or "never closed" in found.ending


def test_unclosed_journal_is_incomplete():
    """The journal of a process that was killed replays, and is called incomplete."""
    found = Recorded(close=False).replay()

    assert (True, False) == (found.identical, found.complete)
    assert "never closed" in found.ending


async def _break_on_an_event(desk):
    desk.loop.receive(UNDESCRIBED)
    await asyncio.sleep(1)
    assert desk.loop.is_over


def test_broken_invariant_replays_as_it_was():
    """A session that ended with a broken invariant is identical when the engine breaks at the same event."""
    found = Recorded(_break_on_an_event).replay()

    assert (True, None, True) == (found.identical, found.difference, found.complete)
    assert "InvariantBroken: a book of market 42" in found.broke


@pytest.mark.parametrize("error", [InvariantBroken("one and one is three"), ZeroDivisionError("by nought")])
def test_bug_in_a_decision_replays_as_it_was(monkeypatch, error):
    """A session in which `decide` broke is identical when it breaks at the same call in the same words."""
    decide = Engine.decide

    def broken(self, now_ns):
        if now_ns > 4_000_000_000:
            raise error
        return decide(self, now_ns)

    monkeypatch.setattr(Engine, "decide", broken)
    session = Recorded()
    found = session.replay()

    assert (True, how_it_broke(error)) == (found.identical, found.broke)

    monkeypatch.undo()  # the bug is mended: that is a difference
    found = session.replay()

    assert not found.identical
    assert (how_it_broke(error), "nothing broke") == (found.difference.recorded, found.difference.replayed)


def test_other_words_of_a_break_are_a_difference():
    """An engine that breaks at the same place for another reason is a difference."""
    frames = [frame.replace(b"market 42", b"market 43") if frame[:1] == b"X" else frame
              for frame in Recorded(_break_on_an_event).frames]  # fmt: skip
    found = replay_of(frames)

    assert "market 43" in found.difference.recorded
    assert "market 42" in found.difference.replayed


def test_break_that_the_journal_does_not_know_is_a_difference(session):
    """An engine that breaks where the recorded one went on is a difference at the next record."""
    header, *rest = session.frames
    found = replay_of([header, encode(UNDESCRIBED), *rest])

    assert (2, NOTHING_SAID) == (found.difference.record, found.difference.recorded)
    assert "market 42" in found.difference.replayed


def test_break_at_the_very_end_is_a_difference_too(session):
    """An engine that breaks on the last event of a complete journal, which does not say so, is a difference."""
    found = replay_of([*session.frames[:-1], encode(UNDESCRIBED), encode(Ending("closed: x"))])

    assert not found.identical
    assert found.difference.recorded == NOTHING_SAID


def test_break_at_the_end_of_a_torn_journal_is_none(session):
    """Where the journal is cut off behind the event on which the engine breaks, the break may have been recorded."""
    found = replay_of([*session.frames[:-1], encode(UNDESCRIBED)])

    assert (True, False) == (found.identical, found.complete)
    assert "market 42" in found.broke


def test_bug_outside_the_engine_is_told_as_such(session):
    """A break that was none of the engine's does not come again, and is told as a difference."""
    frames = session.frames
    found = replay_of([*frames[:-1], b'X{"now_ns":0,"reason":"KeyError: 7"}', frames[-1]])

    assert ("KeyError: 7", "nothing broke") == (found.difference.recorded, found.difference.replayed)
