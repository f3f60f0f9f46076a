"""What a path holds is found out, and only what is understood is opened."""

import pytest

from helpers.market_lab import BTC
from helpers.recorded import START_S, binance, hyperliquid, lighter, standx
from helpers.tape_lab import levels, recording, sold
from lighterman.domain.errors import ConfigError
from lighterman.simulator.tapes.format import write_tape
from lighterman.simulator.tapes.sources import KINDS, open_recordings

TOP = (0.0, 100.1, 0.1, 100.2, 0.1)
SIDE = [("100", "1")], [("101", "1")]


def make(kind, folder):
    """Write the smallest recording of a kind."""
    if kind == "tape":
        list(write_tape(folder / "BTC.tape", recording([levels(0, [(-1, 5)], [(1, 5)])])))
    elif kind == "standx":
        standx(folder, [(0, [(1_000, 5)], [(1_001, 5)])], [(1, 10_000, 1, 1)])
    elif kind == "lighter":
        lighter(folder, "BTC", [TOP], [(1.0, 100.1, 0.1, "buy")])
    elif kind == "hyperliquid":
        hyperliquid(folder, "BTC", [(0, *SIDE)], [], [])
    else:
        message = {"e": "bookTicker", "s": "BTCUSDT", "T": START_S * 1_000, "b": "1", "B": "1", "a": "2", "A": "1"}
        binance(folder / "x.gz", [(0, {"stream": "x", "data": message})])
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_found_out(tmp_path, kind):
    """Each kind is recognised by itself and opened by name, and never taken for another."""
    folder = make(kind, tmp_path)

    assert [name for name, each in KINDS.items() if each.recognises(folder)] == [kind]
    for asked in ("auto", kind):
        (opened,) = open_recordings(folder, kind=asked)
        assert opened.header.market == BTC
        assert len(list(opened.records)) >= 1


def test_what_is_not_there_is_refused(tmp_path):
    """No such path, no recording in it, an unknown kind, another kind: each says so."""
    with pytest.raises(ConfigError, match="there is no"):
        open_recordings(tmp_path / "absent")
    with pytest.raises(ConfigError, match="holds no recording of a known kind"):
        open_recordings(tmp_path)
    with pytest.raises(ConfigError, match="kind 'mp3' is none of auto, tape, standx"):
        open_recordings(tmp_path, kind="mp3")
    with pytest.raises(ConfigError, match="no recording of kind standx"):
        open_recordings(make("tape", tmp_path), kind="standx")


def test_one_market_once(tmp_path):
    """Two tapes of one market are no session."""
    make("tape", tmp_path)
    (tmp_path / "copy.tape").write_bytes((tmp_path / "BTC.tape").read_bytes())

    with pytest.raises(ConfigError, match="one market twice"):
        open_recordings(tmp_path)
    assert len(open_recordings(tmp_path / "copy.tape")) == 1


def test_a_recording_begins_with_a_book(tmp_path):
    """Prints older than the first book are dropped, and only the hours asked for are read."""
    book, after = levels(10, [(-1, 5)], [(1, 5)]), sold(20, -1, 1)
    records = [sold(9, -1, 1), book, after, sold(10 + 1_801, -1, 1)]
    list(write_tape(tmp_path / "BTC.tape", recording(records)))

    assert list(open_recordings(tmp_path)[0].records) == records[1:]
    assert list(open_recordings(tmp_path, hours=0.5)[0].records) == [book, after]
