"""StandX: two readings of a book that was cut to 0.1 USD on both sides."""

import itertools

import pytest

from helpers.recorded import START_S, standx
from lighterman.domain.errors import ConfigError
from lighterman.simulator.tapes.format import Levels, Print
from lighterman.simulator.tapes.sources import open_recordings

BOOKS = [
    (0.0, [(900_000, 50), (899_990, 20)], [(900_000, 30), (900_010, 40)]),  # locked at 90,000.0
    (0.5, [(900_000, 20), (899_990, 20)], [(900_002, 30), (900_010, 40)]),
]
TRADES = [(-1.0, 9_000_000, 9, 1), (0.2, 9_000_003, 7, 1), (0.3, 9_000_003, 8, -1), (0.4, 9_000_000, 5, 1)]
AT_US = START_S * 1_000_000


def records(folder, reading):
    return list(open_recordings(standx(folder, BOOKS, TRADES), reading=reading)[0].records)


def test_buckets(tmp_path):
    """In buckets asks move up a tick, buys are rounded up and sells down, and sizes are untouched."""
    assert records(tmp_path, "bucket") == [
        Levels(AT_US, [(900_000, 500), (899_990, 200)], [(900_001, 300), (900_011, 400)]),
        Print(AT_US + 200_000, 900_001, 70, taker_is_ask=False),
        Print(AT_US + 300_000, 900_000, 80, taker_is_ask=True),
        Print(AT_US + 400_000, 900_000, 50, taker_is_ask=False),
        Levels(AT_US + 500_000, [(900_000, 200)], [(900_001, 0), (900_003, 300)]),
    ]


def test_netted(tmp_path):
    """Netted, the overlap of a locked level is gone from both sides, and trades are cut."""
    assert records(tmp_path, "netted") == [
        Levels(AT_US, [(900_000, 200), (899_990, 200)], [(900_010, 400)]),
        Print(AT_US + 200_000, 900_000, 70, taker_is_ask=False),
        Print(AT_US + 300_000, 900_000, 80, taker_is_ask=True),
        Print(AT_US + 400_000, 900_000, 50, taker_is_ask=False),
        Levels(AT_US + 500_000, [], [(900_002, 300)]),
    ]


def test_the_reading_is_in_the_header(tmp_path):
    """Buckets are the default, and whoever has the tape can see which reading it is."""
    folder = standx(tmp_path, BOOKS, TRADES)

    assert open_recordings(folder)[0].header.reading == "bucket"
    assert open_recordings(folder, reading="netted")[0].header.reading == "netted"
    with pytest.raises(ConfigError, match="'raw' is none of bucket, netted"):
        open_recordings(folder, reading="raw")


def test_the_recorded_data(shared_data):
    """Six minutes of the recorded market: books some 250 ms apart, never crossed, prints among them."""
    (recording,) = open_recordings(shared_data / "standx_btc_usd", hours=0.1)
    seen = list(recording.records)
    books = [record for record in seen if isinstance(record, Levels)]

    assert recording.header.market.symbol == "BTC"
    assert 800 < len(books) < 1_600
    assert 100 < len(seen) - len(books) < 2_000
    assert all(before.at_us <= after.at_us for before, after in itertools.pairwise(seen))
