"""Takers: noise at its stated rate and size, arbitrage only with an edge and only after its delay."""

import itertools
from statistics import fmean, median

import pytest

from helpers.market_lab import BTC, SECOND, START_US
from lighterman.chance import seeded
from lighterman.matching.exchange import Exchange
from lighterman.matching.flow_desk import Actor, Desk
from lighterman.matching.flow_price import EfficientPrice, PriceParams, Slide
from lighterman.matching.flow_takers import (
    Arbitrageur,
    DriftTaker,
    InformedParams,
    NoiseParams,
    NoiseTaker,
    SlicedTaker,
    TrendTaker,
)
from lighterman.matching.outputs import TradeDone
from lighterman.matching.rules import Rules

PRICE = 1_000_000
DEEP_LOTS = 2 * 10**8
MAKER, TAKER = 7, 8
STILL = PriceParams(sigma_bp=(0.0, 0.0), jumps_per_hour=0.0, drift_bp=0.0)


def sliding(move_bp: float, length_s: float) -> PriceParams:
    """Return a price that moves once, from the start on."""
    return PriceParams(
        sigma_bp=(0.0, 0.0),
        jumps_per_hour=0.0,
        drift_bp=0.0,
        slides=(Slide(at_s=0.0, length_s=length_s, move_bp=move_bp),),
        cycle_s=1e6,
    )


class Stand:
    """A deep, still book of two levels, a seat for a taker, and a price of its own."""

    def __init__(self, price: PriceParams = STILL) -> None:
        self.exchange = Exchange([BTC], Rules(), START_US)
        for account in (MAKER, TAKER):
            self.exchange.open_account(
                account, collateral_micro=10**15, tier="standard", l1_address="", free_of_limits=True
            )
        self.exchange.set_index(BTC.index, PRICE, START_US)
        maker = Desk(self.exchange, BTC, MAKER)
        maker.rest(is_ask=False, price_ticks=PRICE - 10, size_lots=DEEP_LOTS, now_us=START_US)
        maker.rest(is_ask=True, price_ticks=PRICE + 10, size_lots=DEEP_LOTS, now_us=START_US)
        self.price = EfficientPrice(price, PRICE, seeded(1, "price"), START_US)
        self.desk = Desk(self.exchange, BTC, TAKER)

    def trades(self, wake: Actor, seconds: float) -> list[TradeDone]:
        """Let an actor live for a while and return what it traded."""
        due_us = START_US
        self.exchange.take_outputs()
        while due_us <= START_US + seconds * SECOND:
            due_us = wake(due_us)
        return [output for output in self.exchange.take_outputs() if isinstance(output, TradeDone)]


def test_noise_has_its_rate_and_sizes():
    """Arrivals come at base / (1 - branching) a second, sizes with the stated median, sides even."""
    stand = Stand()
    params = NoiseParams(base=0.5, branching=0.5, size_usd=500.0, size_log_sigma=1.0)
    trades = stand.trades(NoiseTaker(stand.desk, params, seeded(1, "noise"), START_US).wake, 4_000)

    assert len(trades) / 4_000 == pytest.approx(1.0, rel=0.1)
    assert median(trade.size_lots for trade in trades) == pytest.approx(500, rel=0.1)
    assert fmean(trade.is_maker_ask for trade in trades) == pytest.approx(0.5, abs=0.06)


def test_noise_comes_in_bursts_of_one_side():
    """Excited arrivals are closer together than chance would have them, and repeat the side before."""
    stand = Stand()
    trades = stand.trades(NoiseTaker(stand.desk, NoiseParams(), seeded(2, "noise"), START_US).wake, 2_000)
    waits = [after.at_us - before.at_us for before, after in itertools.pairwise(trades)]
    same_side = [before.is_maker_ask == after.is_maker_ask for before, after in itertools.pairwise(trades)]

    assert median(waits) < 0.3 * fmean(waits)  # 0.69 without memory
    assert fmean(same_side) > 0.7


def test_sliced_orders_keep_their_side():
    """A large order trades slice by slice on one side, at its pace."""
    stand = Stand()
    params = NoiseParams(parents=1.0, slices=2.0, parent_usd=40_000.0)
    trades = stand.trades(SlicedTaker(stand.desk, params, seeded(3, "sliced")).wake, 1_000)
    same_side = [before.is_maker_ask == after.is_maker_ask for before, after in itertools.pairwise(trades)]

    assert fmean(same_side) > 0.85
    assert fmean(trade.size_lots for trade in trades) < 15_000


def test_arbitrage_needs_an_edge():
    """As long as the price lies inside the quotes arbitrage does nothing."""
    stand = Stand()

    assert not stand.trades(Arbitrageur(stand.desk, InformedParams(), stand.price, seeded(4, "a")).wake, 60)


def test_arbitrage_strikes_late_and_within_its_limit():
    """A quote left behind is taken no earlier than the taker delay after the price left it."""
    stand = Stand(sliding(5.0, length_s=0.05))  # at once 500 ticks up: the ask at +10 is stale
    params = InformedParams(delay_ms=250)
    trades = stand.trades(Arbitrageur(stand.desk, params, stand.price, seeded(5, "a")).wake, 10)

    assert trades
    assert all(trade.is_maker_ask and trade.price_ticks == PRICE + 10 for trade in trades)
    assert trades[0].at_us >= START_US + 250_000


def test_drift_takers_follow_the_drift():
    """They trade with the sign of a strong drift, and not at all without one."""
    still = Stand()
    assert not still.trades(DriftTaker(still.desk, InformedParams(), still.price, 0.05, seeded(6, "d")).wake, 60)

    moved = Stand(PriceParams(sigma_bp=(0.0, 0.0), jumps_per_hour=0.0, drift_bp=0.1, drift_half_life_s=1e6))
    trades = moved.trades(DriftTaker(moved.desk, InformedParams(), moved.price, 1e-9, seeded(6, "d")).wake, 60)
    rises = moved.price.ticks(START_US + 60 * SECOND) > PRICE
    assert trades
    assert {trade.is_maker_ask for trade in trades} == {rises}


def test_trend_takers_chase_a_strong_minute():
    """They sell into a fall of more than the trigger within a minute, and ignore a smaller one."""
    for move_bp, expected in ((-40.0, {False}), (-10.0, set())):
        stand = Stand(sliding(move_bp, length_s=30.0))
        trades = stand.trades(TrendTaker(stand.desk, InformedParams(), stand.price, seeded(7, "t")).wake, 60)

        assert {trade.is_maker_ask for trade in trades} == expected
