"""Background makers: late, leaning, shading, and never crossing."""

import itertools
from statistics import fmean

import pytest

from helpers.market_lab import BTC, SECOND, START_US
from lighterman.chance import seeded
from lighterman.matching.exchange import Exchange
from lighterman.matching.flow_desk import Desk
from lighterman.matching.flow_makers import Maker, MakerParams
from lighterman.matching.flow_price import EfficientPrice, PriceParams, Slide
from lighterman.matching.rules import Rules

PRICE = 1_000_000
MAKER, TAKER = 7, 8
STILL = PriceParams(sigma_bp=(0.0, 0.0), jumps_per_hour=0.0, drift_bp=0.0)
RISING = PriceParams(
    sigma_bp=(0.0, 0.0),
    jumps_per_hour=0.0,
    drift_bp=0.0,
    slides=(Slide(at_s=0.0, length_s=10.0, move_bp=20.0),),
    cycle_s=100.0,
)
PLAIN = MakerParams(latencies_ms=(), opinion_bp=0.0, pull=0.0, sigma_share=0.0)


class Stand:
    """One maker alone in a market, a taker beside it, and a price without chance."""

    def __init__(self, params: MakerParams, price: PriceParams, latency_ms: int, seed: int = 1) -> None:
        self.exchange = Exchange([BTC], Rules(), START_US)
        for account in (MAKER, TAKER):
            self.exchange.open_account(
                account, collateral_micro=10**12, tier="standard", l1_address="", free_of_limits=True
            )
        self.exchange.set_index(BTC.index, PRICE, START_US)
        self.price = EfficientPrice(price, PRICE, seeded(seed, "price"), START_US)
        self.taker = Desk(self.exchange, BTC, TAKER)
        self.maker = Maker(Desk(self.exchange, BTC, MAKER), params, latency_ms, self.price, seeded(seed, "maker"))

    def mid(self) -> float:
        mid = self.taker.mid_ticks()
        assert mid is not None
        return mid


def test_a_ladder_stands_around_the_price():
    """Levels stand symmetric around the reference, each `growth` times as far as the one before."""
    stand = Stand(PLAIN, STILL, latency_ms=100)
    stand.maker.wake(START_US)
    book = stand.exchange.book(BTC.index)

    expected = [round(PRICE * PLAIN.half_bp * PLAIN.growth**level * 1e-4) for level in range(PLAIN.levels)]
    assert [price - PRICE for price in sorted(book.asks)] == pytest.approx(expected, abs=1)
    assert [PRICE - price for price in sorted(book.bids, reverse=True)] == pytest.approx(expected, abs=1)


def test_a_steady_market_is_left_alone():
    """Orders that stand near enough are not moved."""
    stand = Stand(PLAIN, STILL, latency_ms=100)
    stand.maker.wake(START_US)
    prices = [set(stand.exchange.book(BTC.index).bids), set(stand.exchange.book(BTC.index).asks)]
    for step in range(1, 20):
        stand.maker.wake(START_US + step * SECOND)

    assert [set(stand.exchange.book(BTC.index).bids), set(stand.exchange.book(BTC.index).asks)] == prices


def test_quotes_are_late():
    """In a rising market the maker's mid is the price of its latency ago."""
    late = []
    for latency_ms in (100, 500):
        stand = Stand(PLAIN, RISING, latency_ms)
        stand.maker.wake(START_US)
        now_us = START_US + 5 * SECOND
        stand.maker.wake(now_us)
        stand.maker.wake(now_us)  # its own old asks were in the way of its bids
        late.append(stand.price.ticks(now_us) - stand.mid())

    assert late == pytest.approx([20, 100], abs=8)  # 200 ticks a second, and a tolerance


def test_inventory_shades_the_quotes():
    """A maker that was sold to quotes lower, so that our fills move the market."""
    stand = Stand(PLAIN, STILL, latency_ms=100)
    stand.maker.wake(START_US)
    before = stand.mid()
    for second in range(1, 20):
        stand.taker.sweep(is_ask=True, value_usd=20_000.0, reach_bp=10.0, now_us=START_US + second * SECOND)
        stand.maker.wake(START_US + second * SECOND)

    assert stand.mid() < before - 5


def test_size_leans_where_the_price_goes():
    """While the price runs ahead of the book, bids show more size than asks."""
    bids, asks = [], []
    for seed in range(30):
        stand = Stand(PLAIN, RISING, latency_ms=500, seed=seed)
        for step in range(1, 6):
            stand.maker.wake(START_US + step * SECOND)
        book = stand.exchange.book(BTC.index)
        best_bid, best_ask = book.best_bid(), book.best_ask()
        assert best_bid is not None
        assert best_ask is not None
        bids.append(best_bid[1])
        asks.append(best_ask[1])

    assert fmean(bids) > 1.5 * fmean(asks)


def test_makers_do_not_cross_each_other():
    """A maker with a newer view stops one tick before an older quote instead of taking it."""
    stand = Stand(PLAIN, RISING, latency_ms=100)
    desk = Desk(stand.exchange, BTC, TAKER)
    stale_ask = desk.rest(is_ask=True, price_ticks=PRICE + 50, size_lots=1_000, now_us=START_US)
    for step in range(1, 9):
        stand.maker.wake(START_US + step * SECOND)

    book = stand.exchange.book(BTC.index)
    assert desk.orders()[stale_ask].filled_lots == 0
    assert book.best_bid() is not None
    assert max(book.bids) == PRICE + 49


def test_wakings_follow_latency():
    """A maker wakes about once per latency."""
    stand = Stand(PLAIN, STILL, latency_ms=200)
    at_us = [START_US]
    for _ in range(200):
        at_us.append(stand.maker.wake(at_us[-1]))

    assert fmean(after - before for before, after in itertools.pairwise(at_us)) == pytest.approx(200_000, rel=0.1)
