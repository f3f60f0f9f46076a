"""Lighter's own recording: best levels and trades as floats on the market's grid."""

import pytest

from helpers.recorded import START_S, lighter
from lighterman.domain.errors import ConfigError
from lighterman.simulator.tapes.format import Levels, Print
from lighterman.simulator.tapes.sources import open_recordings

AT_US = START_S * 1_000_000
TOPS = [
    (1.0, 115_303.2, 0.1, 115_303.3, 0.00216),
    (0.0, 115_303.1, 0.1, 115_303.3, 0.00216),  # a row that goes back in time
    (2.0, 115_303.2, 0.1, 115_303.3, 0.00216),  # one that changes nothing
]
TRADES = [(1.5, 115_303.2, 1e-05, "sell"), (0.5, 115_303.3, 0.002, "buy")]


def test_rows_become_records(tmp_path):
    """Rows are sorted, numbers are exact, and a row that repeats the book says that the feed was alive."""
    (recording,) = open_recordings(lighter(tmp_path, "BTC", TOPS, TRADES))

    assert list(recording.records) == [
        Levels(AT_US, [(1_153_031, 10_000)], [(1_153_033, 216)]),
        Print(AT_US + 500_000, 1_153_033, 200, taker_is_ask=False),
        Levels(AT_US + 1_000_000, [(1_153_031, 0), (1_153_032, 10_000)], []),
        Print(AT_US + 1_500_000, 1_153_032, 1, taker_is_ask=True),
        Levels(AT_US + 2_000_000, [], []),
    ]


def test_an_inexact_price_is_refused(tmp_path):
    """A price between two ticks refuses the recording when it is opened."""
    folder = lighter(tmp_path, "BTC", [(0.0, 115_303.25, 0.1, 115_303.3, 0.1)], TRADES)

    with pytest.raises(ConfigError, match=r"BTC: price 115303\.25"):
        open_recordings(folder)


def test_the_recorded_data(shared_data):
    """The recorded session has three markets with books and trades."""
    recordings = open_recordings(shared_data / "lighter_mainnet_20250915")
    counts = {recording.header.market.symbol: [0, 0] for recording in recordings}
    for recording in recordings:
        for record in recording.records:
            counts[recording.header.market.symbol][isinstance(record, Print)] += 1

    assert [recording.header.market.index for recording in recordings] == [0, 1, 48]
    assert {symbol: prints for symbol, (_, prints) in counts.items()} == {
        "ETH": 446,
        "BTC": 455,
        "PAXG": 146,
    }  # the others are older than the first book
    assert all(books > 50 for books, _ in counts.values())
