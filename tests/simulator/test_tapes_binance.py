"""Binance raw lines: a snapshot and what changed since, by the exchange's clock."""

import gzip

import pytest

from helpers.recorded import START_S, binance
from lighterman.domain.errors import ConfigError
from lighterman.simulator.tapes.format import Levels, Print
from lighterman.simulator.tapes.sources import open_recordings

AT_US = START_S * 1_000_000
AT_MS = START_S * 1_000
SNAPSHOT = {"lastUpdateId": 10, "bids": [["1.214", "63.38"], ["1.213", "177.36"]], "asks": [["1.216", "62.53"]]}


def stream(**data):
    return {"stream": "x", "data": {"s": "NEXOUSDT"} | data}


def depth(update_id, bids, asks, after_ms, **more):
    return stream(e="depthUpdate", E=AT_MS + after_ms, U=update_id, u=update_id, b=bids, a=asks, **more)


def trade(price, size, after_ms, *, seller_took, **more):
    return stream(e="trade", E=AT_MS + after_ms + 1, T=AT_MS + after_ms, p=price, q=size, m=seller_took, **more)


LINES = [
    (0, depth(10, [["1.214", "1"]], [], 0)),  # in the snapshot already
    (5, SNAPSHOT),
    (10, stream(u=11, b="1.214", B="63.38", a="1.216", A="54.36")),  # before the trade that made it
    (20, depth(11, [], [["1.216", "54.36"]], 100)),
    (30, trade("1.216", "8.17", 90, seller_took=False)),  # after the difference that shows it
    (40, depth(12, [["1.214", "0"]], [], 200)),
    (50, trade("1.214", "63.38", 200, seller_took=True)),
    (60, trade("1.000", "1", 210, seller_took=True, X="INSURANCE_FUND")),
]


def test_lines_become_records(tmp_path):
    """The book begins with the first difference after the snapshot; prints stand before what they made."""
    (recording,) = open_recordings(binance(tmp_path / "nexo.gz", LINES))

    assert recording.header.market.symbol == "NEXO"
    assert list(recording.records) == [
        Levels(AT_US + 100_000, [(1_214, 63_380), (1_213, 177_360)], [(1_216, 54_360)]),
        Print(AT_US + 200_000, 1_214, 63_380, taker_is_ask=True),
        Levels(AT_US + 200_000, [(1_214, 0)], []),
    ]


def test_a_stamped_ticker_stands_in_for_a_snapshot(tmp_path):
    """Without a snapshot the book is the best levels, if the exchange stamped them."""
    tops = [(0, stream(e="bookTicker", u=1, T=AT_MS, b="1.214", B="5", a="1.216", A="6"))]
    (recording,) = open_recordings(binance(tmp_path / "nexo.gz", [*tops, LINES[4]]))

    assert list(recording.records) == [
        Levels(AT_US, [(1_214, 5_000)], [(1_216, 6_000)]),
        Print(AT_US + 90_000, 1_216, 8_170, taker_is_ask=False),
    ]


def test_a_book_cannot_be_guessed(tmp_path):
    """Neither a snapshot nor a stamped ticker: the recording is refused."""
    lines = [line for line in LINES if line[1] is not SNAPSHOT]

    with pytest.raises(ConfigError, match="neither a snapshot nor a stamped bookTicker"):
        open_recordings(binance(tmp_path / "nexo.gz", lines))


def test_contracts_are_no_base_asset(tmp_path):
    """COIN-margined sizes are refused."""
    lines = [(0, stream(e="trade", E=AT_MS, s="BTCUSD_PERP", p="61804.7", q="35"))]

    with pytest.raises(ConfigError, match="its sizes may be contracts"):
        open_recordings(binance(tmp_path / "cm.gz", lines))


def test_files_that_follow_each_other_are_one(tmp_path):
    """A folder's files of one symbol are read as one; of two symbols, or of two days, they are not."""
    binance(tmp_path / "1.gz", LINES[:4])
    binance(tmp_path / "2.gz", LINES[4:])
    (recording,) = open_recordings(tmp_path)
    assert sum(isinstance(record, Print) for record in recording.records) == 1

    binance(tmp_path / "3.gz", [(0, stream(e="trade", E=AT_MS, s="ETHUSDT", p="1", q="1"))])
    with pytest.raises(ConfigError, match=r"several recordings: name one of 1\.gz, 2\.gz, 3\.gz"):
        open_recordings(tmp_path)
    binance(tmp_path / "3.gz", [(0, depth(99, [], [], 3 * 24 * 3_600_000))])
    with pytest.raises(ConfigError, match="several recordings"):
        open_recordings(tmp_path)


@pytest.mark.parametrize("content", ["no time {}", "12 {not json", '12 {"data":{"u":"eleven"}}'])
def test_something_else_is_refused(tmp_path, content):
    """A line of another shape refuses the file, by name."""
    path = binance(tmp_path / "nexo.gz", LINES)
    text = f"1 {{}}\n{content}\n"
    path.write_bytes(gzip.compress(text.encode()))

    with pytest.raises(ConfigError, match="holds no recording of kind binance"):
        open_recordings(path, kind="binance")


def test_the_recorded_data(shared_data):
    """Twenty hours of a thin market begin with their snapshot; minutes of a major have their prints."""
    (nexo,) = open_recordings(shared_data / "binance_spot_nexousdt", hours=0.5)
    (eth,) = open_recordings(shared_data / "binance_btc_eth_minutes" / "usdm_ethusdt_20240808.gz")

    assert sum(isinstance(record, Levels) for record in nexo.records) > 100
    assert sum(isinstance(record, Print) for record in eth.records) > 10_000


def test_recorded_data_off_the_grid(shared_data):
    """Spot BTC prints on 0.01 USD, which Lighter's BTC cannot say: refused, not rounded."""
    with pytest.raises(ConfigError, match="is no whole number of 1e-1, the unit of BTC"):
        open_recordings(shared_data / "binance_btc_eth_minutes" / "spot_btcusdt_20240808.gz")
