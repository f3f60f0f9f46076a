"""Tapes as the exchange's markets: one clock, a speed, and an end."""

import hashlib

import msgspec
import pytest

from helpers.market_lab import BTC, ETH, SECOND, START_US, begin, steps
from helpers.tape_lab import levels, recording, sold
from lighterman.domain.errors import ConfigError
from lighterman.domain.market import Market
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import TradeDone
from lighterman.matching.requests import DropAll, NewOrder, TimeInForce
from lighterman.simulator.driver import MarketDriver, tape_driver
from lighterman.simulator.tapes.format import write_tape
from lighterman.simulator.tapes.tape import TapeMarkets

BOOK = levels(0, bids=[(-1, 100)], asks=[(1, 200)])
MAKER = 7


def trades_of(driver: MarketDriver, exchange: Exchange, seconds: float) -> list[tuple[float, int, int]]:
    """Return (second, market, lots) of every trade while a driver runs."""
    return [
        ((now_us - START_US) / SECOND, output.market, output.size_lots)
        for now_us in steps(driver, exchange, START_US + round(seconds * SECOND))
        for output in exchange.take_outputs()
        if isinstance(output, TradeDone)
    ]


def test_speed_shortens_time():
    """At ten times the speed what happened after 30 seconds happens after three."""
    records = [BOOK, sold(30, -1, 5), sold(60, -1, 6)]
    for speed, expected in ((1.0, [(30.0, 5), (60.0, 6)]), (10.0, [(3.0, 5), (6.0, 6)])):
        driver = TapeMarkets([recording(records)], speed)
        trades = trades_of(driver, begin(driver), 100)

        assert [(second, lots) for second, _, lots in trades] == expected


def test_markets_share_a_clock():
    """A market that was recorded later stands from the start, and moves when its time comes."""
    early = recording([BOOK, sold(10, -1, 5)], BTC)
    late = recording([levels(20, bids=[(-1, 50)], asks=[(1, 50)]), sold(25, -1, 7)], ETH)
    driver = TapeMarkets([early, late], 1.0)
    exchange = begin(driver)

    assert all(exchange.book(market.index).is_two_sided() for market in driver.markets)
    assert trades_of(driver, exchange, 100) == [(10.0, BTC.index, 5), (25.0, ETH.index, 7)]


def test_a_gap_is_a_pause():
    """In a gap of the recording nothing is due: the book stands still."""
    driver = TapeMarkets([recording([BOOK, levels(100, bids=[(-1, 60)])])], 1.0)
    exchange = begin(driver)
    nonce = exchange.book(BTC.index).nonce

    assert driver.next_due_us() == START_US + 100 * SECOND
    list(steps(driver, exchange, START_US + 99 * SECOND))
    assert exchange.book(BTC.index).nonce == nonce


def test_the_end_is_told():
    """When the recording has ended the market keeps its last book, nothing is due, and the note says so."""
    driver = TapeMarkets([recording([BOOK, sold(1, -1, 5)])], 1.0)
    exchange = begin(driver)
    assert "SIMULATED: a recording, 1 times as fast" in driver.note
    assert "BTC from made by hand (reading: as recorded)" in driver.note
    list(steps(driver, exchange, START_US + 10 * SECOND))

    assert driver.next_due_us() is None
    assert exchange.book(BTC.index).is_two_sided()
    assert "the recording has ended" in driver.note


def test_what_cannot_be_played_is_refused():
    """A speed that is none, and a recording without a book, are refused at once."""
    for speed in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="speed"):
            TapeMarkets([recording([BOOK])], speed)
    with pytest.raises(ConfigError, match="BTC: the recording has ended"):
        TapeMarkets([recording([])], 1.0)
    with pytest.raises(ConfigError, match="no recorded market"):
        TapeMarkets([], 1.0)


def test_a_folder_of_tapes_is_a_session(tmp_path):
    """A folder of tapes opens as one driver with their markets by index."""
    list(write_tape(tmp_path / "BTC.tape", recording([BOOK], BTC)))
    list(write_tape(tmp_path / "ETH.tape", recording([BOOK], ETH)))

    assert tape_driver(tmp_path, 2.0).markets == (ETH, BTC)


def quote(exchange: Exchange, market: Market, half_bp: float, now_us: int) -> None:
    """Replace the test maker's quotes by one order a side, `half_bp` from the mid."""
    bid, ask = exchange.book(market.index).best_bid(), exchange.book(market.index).best_ask()
    if bid is None or ask is None:
        return
    mid = (bid[0] + ask[0]) / 2
    exchange.act(DropAll(account_index=MAKER, market=market.index), now_us)
    for is_ask, side in ((False, -1), (True, 1)):
        order = NewOrder(
            account_index=MAKER,
            market=market.index,
            is_ask=is_ask,
            price_ticks=round(mid * (1 + side * half_bp * 1e-4)),
            size_lots=market.min_base_lots * 5,
            time_in_force=TimeInForce.POST_ONLY,
        )
        exchange.act(order, now_us)


def run_with_a_maker(driver: MarketDriver, seconds: float, every_us: int) -> tuple[int, int, str]:
    """Return the maker's fills, all trades, and a hash of everything said."""
    exchange = begin(driver)
    exchange.open_account(MAKER, collateral_micro=10**12, tier="standard", l1_address="", free_of_limits=True)
    deposited = exchange.deposited_pico()
    digest = hashlib.sha256()
    fills = trades = quoted_us = 0
    for now_us in steps(driver, exchange, START_US + round(seconds * SECOND)):
        outputs = exchange.take_outputs()
        digest.update(msgspec.msgpack.encode(outputs))
        done = [output for output in outputs if isinstance(output, TradeDone)]
        trades += len(done)
        fills += sum(MAKER in (trade.ask_account_index, trade.bid_account_index) for trade in done)
        assert not any(exchange.book(market.index).is_crossed() for market in driver.markets)
        if now_us - quoted_us >= every_us:
            quoted_us = now_us
            for market in driver.markets:
                quote(exchange, market, 1.5, now_us)
    assert exchange.total_value_pico() == deposited
    return fills, trades, digest.hexdigest()


def test_an_hour_of_the_recorded_book(shared_data):
    """On a recorded hour, 60 times as fast, a maker is filled, money is conserved, the book never crosses."""
    fills, trades, _ = run_with_a_maker(tape_driver(shared_data / "standx_btc_usd", 60.0), 60, 250_000)

    assert fills >= 20
    assert trades > 2_000


def test_the_recorded_session_of_lighter(shared_data):
    """On the recorded top of book of Lighter a maker is filled too, in markets with a hole of minutes."""
    fills, trades, _ = run_with_a_maker(tape_driver(shared_data / "lighter_mainnet_20250915", 60.0), 62, 250_000)

    assert fills >= 5
    assert trades > 1_000


def test_a_tape_plays_the_same_again(shared_data):
    """The same recording and the same orders give the same outputs, to the byte."""
    runs = [run_with_a_maker(tape_driver(shared_data / "standx_btc_usd", 60.0), 5, 250_000) for _ in range(2)]

    assert runs[0] == runs[1]
