"""Funding, hourly and to the last pico-USDC: protocol reference 8.2."""

from fractions import Fraction
from math import ceil
from math import floor as round_down

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.trading_floor import ALPHA, CROWD, GAMMA, START_US, ask, bid, do, floor, market, only, taker_bid
from lighterman.matching.exchange import Exchange
from lighterman.matching.funding import hourly_rate_ppm, impact_price, sample_moment_us
from lighterman.matching.outputs import FundingPaid, StatsChanged
from lighterman.matching.rules import HOUR, MINUTE, Rules

RULES = Rules()


@pytest.mark.parametrize(
    ("average", "rate"),
    [
        (0, 12),  # the reference's example: 100 / 8 -> 12 = 0.0012 % per hour
        (100, 12),
        (600, 12),  # interest pulls back by at most 500
        (601, 12),
        (700, 25),
        (-400, 12),
        (-500, 0),
        (-1_000, -62),  # -500 / 8, toward zero
        (80_000, 5_000),  # clamped to 4 % per 8 hours
        (-80_000, -5_000),
    ],
)
def test_hourly_rate(average: int, rate: int):
    """8.2: interest within the small clamp, all within the big one, an eighth of it toward zero."""
    assert hourly_rate_ppm(average, RULES) == rate


def test_impact_price_example():
    """8.2: the last level gives ceil(rest / price); bids round down, asks up."""
    levels = [(100, 5), (101, 50)]

    assert impact_price(levels, 1_000, is_ask=True) == 101  # 500 at 100, then 5 lots at 101: 1005 / 10
    assert impact_price(levels, 1_000, is_ask=False) == 100
    assert impact_price(levels, 500, is_ask=True) == 100
    assert impact_price(levels, 5_551, is_ask=True) == 0  # thinner than that


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(1, 50)), max_size=8), st.integers(1, 20_000), st.booleans())
def test_impact_price_walks_lot_by_lot(levels: list[tuple[int, int]], quote: int, is_ask: bool):
    """8.2: the impact price is the average over the lots that it takes to spend the amount."""
    lots = [price for price, size in levels for _ in range(size)]
    taken, spent = [], 0
    while lots and spent < quote:
        taken.append(lots.pop(0))
        spent += taken[-1]
    average = Fraction(spent, len(taken)) if spent >= quote else Fraction(0)

    assert impact_price(levels, quote, is_ask=is_ask) == (ceil(average) if is_ask else round_down(average))


@given(st.integers(0, 10**9))
def test_one_sample_per_minute(minute: int):
    """8.2: every minute holds exactly one sample moment, the same in every run."""
    assert minute * MINUTE <= sample_moment_us(minute) < (minute + 1) * MINUTE
    assert sample_moment_us(minute) == sample_moment_us(minute)


def positioned(rules: Rules = RULES) -> Exchange:
    """Return an exchange where ALPHA is long 400, GAMMA short 300, the crowd short 100."""
    exchange = floor(rules=rules)
    do(exchange, ask(GAMMA, 1000, 300), ask(CROWD, 1000, 100), taker_bid(ALPHA, 1000, 400))
    return exchange


def test_longs_pay_when_the_rate_is_positive():
    """8.2: payment = -position x rate x index, in 1e-12 USDC; nobody gains what nobody loses."""
    exchange = positioned()
    before = {account: exchange.account(account) for account in (ALPHA, GAMMA, CROWD)}
    exchange.advance(START_US + HOUR)
    paid = {p.account_index: p for p in only(exchange.take_outputs(), FundingPaid)}
    moved = {}
    for index, old in before.items():
        new = exchange.account(index)
        assert old is not None
        assert new is not None
        moved[index] = new.collateral_pico - old.collateral_pico

    assert moved == {ALPHA: -400 * 12 * 1000, GAMMA: 300 * 12 * 1000, CROWD: 100 * 12 * 1000}
    assert {index: p.amount_pico for index, p in paid.items()} == {ALPHA: moved[ALPHA], GAMMA: moved[GAMMA]}
    assert (paid[ALPHA].rate_ppm, paid[ALPHA].size_lots, paid[ALPHA].at_us) == (12, 400, START_US + HOUR)
    assert exchange.fundings_of(ALPHA) == [paid[ALPHA]]
    account = exchange.account(ALPHA)
    assert account is not None
    assert account.funding_pico == account.positions[0].funding_pico == moved[ALPHA]


def test_the_average_is_over_sixty_samples():
    """8.2: the sum of the hour is divided by 60, always, and begins anew."""
    rules = Rules(impact_margin_micro=20)  # 1000 micro of notional
    exchange = floor(rules=rules)
    do(exchange, bid(CROWD, 1006, 100))  # premium 6000 ppm while it stands
    exchange.advance(START_US + 30 * MINUTE)
    estimate = exchange.stats(0).current_funding_rate_ppm
    exchange.set_index(0, 1006, START_US + 30 * MINUTE)  # no premium any more
    exchange.advance(START_US + 2 * HOUR)
    later, first = exchange.fundings(0)

    assert estimate == (6_000 - 500) // 8
    assert (first.rate_ppm, first.index_ticks, first.at_us) == ((3_000 - 500) // 8, 1006, START_US + HOUR)
    assert (later.rate_ppm, later.at_us) == (12, START_US + 2 * HOUR)
    assert exchange.stats(0).funding_rate_ppm == 12
    assert later.funding_id != first.funding_id


def test_a_sample_changes_the_estimate():
    """8.2: each sample is told, since the coming rate may have moved."""
    exchange = floor()
    exchange.advance(START_US + MINUTE)

    assert only(exchange.take_outputs(), StatsChanged) == [StatsChanged(market=0), StatsChanged(market=1)]


def test_only_active_markets_with_a_price_pay():
    """8.2: an inactive market, or one without an index price, has no round."""
    exchange = positioned()
    exchange.set_market(market(1, active=False))
    exchange.set_index(0, 0, exchange.now_us)
    exchange.advance(START_US + HOUR)

    assert exchange.fundings(0) == exchange.fundings(1) == []
    assert exchange.fundings_of(ALPHA) == []


def test_a_late_clock_changes_nothing():
    """Rounds happen at their hour, however late the exchange is advanced."""
    late, punctual = positioned(), positioned()
    late.advance(START_US + 5 * HOUR)
    for minute in range(5 * 60 + 1):
        punctual.advance(START_US + minute * MINUTE)

    assert late.fundings(0) == punctual.fundings(0)
    assert late.take_outputs() == punctual.take_outputs()
