"""Hyperliquid: snapshots and best levels by the exchange's time, trades once each."""

import itertools

from helpers.recorded import START_S, hyperliquid
from lighterman.simulator.tapes.format import Levels, Print
from lighterman.simulator.tapes.sources import open_recordings

AT_US = START_S * 1_000_000
BOOKS = [
    (0, [("4296.3", "1.5"), ("4296.2", "2")], [("4296.4", "3"), ("4296.5", "4")]),
    (2, [("4296.1", "1"), ("4296.0", "2")], [("4296.2", "3"), ("4296.3", "4")]),
]
TOPS = [(1, "bid", "4296.2", "1.7"), (1, "ask", "4296.4", "2.5")]
TRADES = [
    (1.5, "4296.2", "0.5", "sell", "11"),
    (0.5, "4296.4", "0.01", "buy", "10"),
    (1.5, "4296.2", "0.5", "sell", "11"),  # sent twice
    (-3, "4296.4", "1", "buy", "9"),  # the backlog of the subscription
]


def test_rows_become_records(tmp_path):
    """Best levels refine the snapshot before them; trades are sorted, and counted once."""
    (recording,) = open_recordings(hyperliquid(tmp_path, "ETH", BOOKS, TOPS, TRADES))

    assert list(recording.records) == [
        Levels(AT_US, [(429_630, 15_000), (429_620, 20_000)], [(429_640, 30_000), (429_650, 40_000)]),
        Print(AT_US + 500_000, 429_640, 100, taker_is_ask=False),
        Levels(AT_US + 1_000_000, [(429_630, 0), (429_620, 17_000)], [(429_640, 25_000)]),
        Print(AT_US + 1_500_000, 429_620, 5_000, taker_is_ask=True),
        Levels(
            AT_US + 2_000_000,
            [(429_620, 0), (429_610, 10_000), (429_600, 20_000)],
            [(429_640, 0), (429_650, 0), (429_620, 30_000), (429_630, 40_000)],
        ),
    ]


def test_the_recorded_data(shared_data):
    """A minute of the recorded session has four markets, one of them unlisted, in order of time."""
    recordings = open_recordings(shared_data / "hyperliquid_20250904", hours=1 / 60)

    assert [recording.header.market.symbol for recording in recordings] == ["ETH", "BTC", "SOL", "WLFI"]
    for recording in recordings:
        seen = list(recording.records)
        assert sum(isinstance(record, Levels) for record in seen) > 200
        assert any(isinstance(record, Print) for record in seen)
        assert all(before.at_us <= after.at_us for before, after in itertools.pairwise(seen))
