"""What we have: once each, in any order, exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.desk import BTC, ETH
from lighterman.domain.events import AccountSnapshot, FillReport, FundingReport
from lighterman.domain.units import PICO_PER_MICRO
from lighterman.engine import ledger as room
from lighterman.engine.ledger import Ledger

MARKETS = {facts.index: facts for facts in (ETH, BTC)}
START_PICO = 10**16


def _ledger(*held: tuple[int, int, int]) -> Ledger:
    ledger = Ledger()
    for facts in MARKETS.values():
        ledger.define(facts)
    ledger.open(AccountSnapshot(START_PICO, list(held), [], 1, 1))
    return ledger


def _fill(trade_id: int, market: int = 0, *, is_ask: bool = False, price: int = 200_000, size: int = 10,
          fee_ppm: int = 0) -> FillReport:  # fmt: skip
    return FillReport(
        market, trade_id, 1, 1, is_ask, price, size, is_maker=True, fee_ppm=fee_ppm, venue_us=1, recv_ns=1
    )


FILLS = st.lists(
    st.tuples(
        st.sampled_from(sorted(MARKETS)),
        st.booleans(),
        st.integers(1, 10**6),
        st.integers(1, 10**5),
        st.sampled_from([-20, 0, 40, 280]),
    ),
    max_size=15,
).map(
    lambda rows: [
        _fill(number, market, is_ask=is_ask, price=price, size=size, fee_ppm=fee_ppm)
        for number, (market, is_ask, price, size, fee_ppm) in enumerate(rows)
    ]
)
FUNDINGS = st.lists(st.tuples(st.sampled_from(sorted(MARKETS)), st.integers(-(10**15), 10**15)), max_size=6).map(
    lambda rows: [FundingReport(market, number, amount, 1) for number, (market, amount) in enumerate(rows)]
)


def _apply(ledger: Ledger, event: FillReport | FundingReport) -> bool:
    return ledger.fill(event) if isinstance(event, FillReport) else ledger.fund(event)


@given(FILLS, FUNDINGS, st.data())
def test_cash_and_position_do_not_depend_on_order_or_number(fills, fundings, data):
    """Fills and fundings shuffled and told twice leave the same cash, PnL, fees and positions (I10, I11, HB3, E9)."""
    events = [*fills, *fundings]
    twice = data.draw(st.lists(st.sampled_from(events), max_size=9)) if events else []
    in_order, shuffled = _ledger(), _ledger()
    for event in events:
        assert _apply(in_order, event)
    told = data.draw(st.permutations([*events, *twice]))
    assert len(events) == sum(_apply(shuffled, event) for event in told)

    assert in_order.cash_pico == shuffled.cash_pico
    for index, held in in_order.markets.items():
        for name in ("position", "realised_micro", "fees_pico", "funding_pico", "fills", "volume_micro"):
            assert getattr(held, name) == getattr(shuffled.markets[index], name)


@given(FILLS, FUNDINGS)
def test_cash_is_what_was_paid(fills, fundings):
    """Cash is the start, less quotes paid and fees, plus funding and the cost of what is held, to the pico (I10)."""
    ledger = _ledger()
    for event in [*fills, *fundings]:
        _apply(ledger, event)

    paid_micro = sum((-1 if f.is_ask else 1) * f.price_ticks * f.size_lots for f in fills)
    fees_pico = sum(f.price_ticks * f.size_lots * f.fee_ppm for f in fills)
    funding_pico = sum(funding.amount_pico for funding in fundings)
    cost_micro = sum(held.position.signed_entry_micro() for held in ledger.markets.values())
    expected_pico = START_PICO - fees_pico + funding_pico + (cost_micro - paid_micro) * PICO_PER_MICRO
    assert expected_pico == ledger.cash_pico


@given(FILLS)
def test_each_market_keeps_its_own_account(fills):
    """The fills of one market never touch another (O12, SD8)."""
    together, alone = _ledger(), {index: _ledger() for index in MARKETS}
    for fill in fills:
        together.fill(fill)
        alone[fill.market].fill(fill)
    for index, ledger in alone.items():
        ours, theirs = together.markets[index], ledger.markets[index]
        for name in ("position", "realised_micro", "fees_pico", "fills", "volume_micro"):
            assert getattr(ours, name) == getattr(theirs, name)


def test_a_fee_is_a_rate_and_a_rebate_is_income():
    """Fees are quote times ppm, exact to the pico; a negative rate pays us (reference 8.3, HB7)."""
    ledger = _ledger()
    ledger.fill(_fill(1, size=7, fee_ppm=40))
    ledger.fill(_fill(2, size=7, fee_ppm=-20))

    assert START_PICO - 7 * 200_000 * 20 == ledger.cash_pico
    assert 7 * 200_000 * 20 == ledger.markets[0].fees_pico


def test_the_average_is_gone_when_flat():
    """A closed position costs nothing, so nothing of it colours the next (P5)."""
    ledger = _ledger()
    ledger.fill(_fill(1, price=100_000))
    ledger.fill(_fill(2, price=300_000, is_ask=True))

    assert (0, 0) == (ledger.markets[0].position.size_lots, ledger.markets[0].position.entry_quote_micro)
    assert (2_000_000, 0) == (ledger.markets[0].realised_micro, ledger.markets[0].unrealised_micro(999_999))


def test_what_was_held_at_the_start_is_held():
    """The first snapshot gives cash, positions and their cost (O14)."""
    ledger = _ledger((0, -500, 100_000_000))

    assert (-500, START_PICO, True) == (ledger.markets[0].position.size_lots, ledger.cash_pico, ledger.is_open)
    assert 100_000_000 - 500 * 190_000 == ledger.markets[0].unrealised_micro(190_000)


def test_the_venue_may_differ_by_what_it_rounds():
    """Slack is one micro, one for each funding payment, and a tick's worth of what was held at the start."""
    ledger = _ledger((0, -500, 100_000_000))
    ledger.fund(FundingReport(0, 1, -5, 1))
    ledger.fund(FundingReport(0, 1, -5, 1))

    assert (1 + 500 + 1) * PICO_PER_MICRO == ledger.slack_pico


def test_both_sides_of_a_trade_with_ourselves_count():
    """A trade in which both sides are ours is two fills under one id: flat, and two fees."""
    ledger = _ledger()

    assert [True, True, False] == [ledger.fill(_fill(1, is_ask=is_ask, fee_ppm=40)) for is_ask in (True, False, True)]
    assert (0, 2 * 10 * 200_000 * 40) == (ledger.markets[0].position.size_lots, ledger.markets[0].fees_pico)


def test_of_trades_long_past_only_the_sum_is_kept(monkeypatch):
    """The trades kept for putting later arrivals in order are bounded, and folding them changes nothing (I17)."""
    fills = [_fill(n, is_ask=n % 3 == 0, price=100 + n * 7 % 31, size=1 + n % 5) for n in range(1, 60)]
    whole, folded = _ledger(), _ledger()
    for fill in fills:
        whole.fill(fill)
    monkeypatch.setattr(room, "TRADES_KEPT_MAX", 4)
    for index in range(0, len(fills), 2):
        for fill in reversed(fills[index : index + 2]):
            folded.fill(fill)

    assert (whole.cash_pico, whole.markets[0].position) == (folded.cash_pico, folded.markets[0].position)


def test_the_same_funding_of_two_markets_is_two():
    """A funding id is told apart by market."""
    ledger = _ledger()

    assert [True, True, False] == [ledger.fund(FundingReport(index, 7, 3, 1)) for index in (0, 1, 0)]


def test_the_memory_of_trades_is_bounded(monkeypatch):
    """Ids are remembered within bounds, the oldest go first (I17)."""
    monkeypatch.setattr(room, "IDS_REMEMBERED_MAX", 3)
    ledger = _ledger()

    assert [True] * 4 == [ledger.fill(_fill(number)) for number in range(4)]
    assert [False, True] == [ledger.fill(_fill(number)) for number in (3, 0)]


@pytest.mark.parametrize("multiplier", [1, 10])
def test_a_market_described_anew_keeps_what_it_holds(multiplier):
    """A later description replaces the facts and not the position."""
    ledger = _ledger((0, 10, 2_000_000))
    ledger.define(ETH if multiplier == 1 else BTC)

    assert 10 == ledger.markets[0].position.size_lots
