"""Our books beside the exchange's: equal to the last unit, whatever was traded and however it began."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from helpers.observed import BTC, ETH
from lighterman.domain.events import AccountSnapshot, FillReport, FundingReport
from lighterman.domain.position import FLAT, Position, apply_fill
from lighterman.engine.ledger import Ledger as OurLedger
from lighterman.protocol.rest import Ledger
from lighterman.runtime.ledgers import begin_together, differences, told

MICRO_PICO = 10**6
CASH_PICO = 10_000 * 10**12 + 123_456
MARKETS = (ETH, BTC)


class Account:
    """One account with both books kept: the exchange's exactly, ours from what the venue shows and says."""

    def __init__(self, positions=(), past=(0, 0, 0)):
        self.cash_pico = CASH_PICO
        self.positions = {market: Position(*held) for market, held in positions}
        self.fees_pico, self.funding_pico, self.realised_micro = past
        self.before = self.ledger()
        self.ours = OurLedger()
        for market in MARKETS:
            self.ours.define(market)
        shown = AccountSnapshot(
            self.cash_pico // MICRO_PICO * MICRO_PICO, [self._shown(*row) for row in self.positions.items()], [], 0, 0
        )
        self.opening = told(shown)
        self.ours.open(shown)
        self.trades = 0

    def _shown(self, market, held):
        """Return a position with the cost that its average price, rounded to a tick, makes it to be."""
        size = abs(held.size_lots)
        return market, held.size_lots, held.entry_quote_micro // size * size

    def trade(self, market, delta_lots, price_ticks, fee_ppm=28):
        held, facts = self.positions.get(market, FLAT), MARKETS[market]
        self.positions[market], realised_micro = apply_fill(
            held, delta_lots=delta_lots, price_ticks=price_ticks, market=facts
        )
        fee_pico = facts.notional_micro(price_ticks, abs(delta_lots)) * fee_ppm
        self.cash_pico += realised_micro * MICRO_PICO - fee_pico
        self.fees_pico += fee_pico
        self.realised_micro += realised_micro
        self.trades += 1
        self.ours.fill(
            FillReport(market, self.trades, 1, 1, delta_lots < 0, price_ticks, abs(delta_lots), True, fee_ppm, 0, 0)
        )

    def fund(self, market, amount_pico):
        self.trades += 1
        self.cash_pico += amount_pico
        self.funding_pico += amount_pico
        self.ours.fund(FundingReport(market, self.trades, amount_pico, 0))

    def ledger(self):
        return msgspec.convert(
            {
                "account_index": 7,
                "collateral_pico": self.cash_pico,
                "deposits_pico": CASH_PICO,
                "fees_pico": self.fees_pico,
                "funding_pico": self.funding_pico,
                "realised_micro": self.realised_micro,
                "positions": {
                    market: (held.size_lots, held.entry_quote_micro)
                    for market, held in self.positions.items()
                    if held.size_lots
                },
                "open_orders": 0,
            },
            Ledger,
        )  # fmt: skip

    def differences(self, **changes):
        return differences(self.ours, self.opening, self.before, replace(self.ledger(), **changes))


@st.composite
def accounts(draw):
    """Return an account that may have held positions before, and has traded and been funded since."""
    held = st.tuples(st.integers(-500, 500).filter(bool), st.integers(1, 10**9))
    positions = draw(st.dictionaries(st.sampled_from([0, 1]), held))
    account = Account(positions.items(), draw(st.tuples(*[st.integers(-(10**9), 10**9)] * 3)))
    market = st.sampled_from([0, 1])
    trades = st.tuples(market, st.integers(-500, 500).filter(bool), st.integers(1, 10**6))
    for market_index, lots, price in draw(st.lists(trades, max_size=12)):
        account.trade(market_index, lots, price)
    for market_index, amount in draw(st.lists(st.tuples(market, st.integers(-(10**9), 10**9)), max_size=3)):
        account.fund(market_index, amount)
    return account


@given(accounts())
def test_books_of_the_same_trades_are_equal(account):
    """Whatever was held before, traded and paid: both books agree to the last unit, rounded beginnings included."""
    assert begin_together(account.opening, account.before)
    assert [] == account.differences()


@given(accounts(), st.sampled_from(["collateral_pico", "fees_pico", "funding_pico"]), st.sampled_from([-1, 1]))
def test_last_unit_counts(account, field, unit):
    """One pico-USDC too much or too little in cash, fees or funding is found, and named with both figures."""
    wrong = getattr(account.ledger(), field) + unit
    (found,) = account.differences(**{field: wrong})

    assert found.partition(":")[0] in (field, "cash_pico", "cash_less_cost_pico")
    assert " here, " in found


@given(accounts(), st.sampled_from([0, 1]), st.sampled_from([-1, 1]))
def test_last_lot_counts(account, market, unit):
    """A position that differs by one lot is found and named."""
    size, cost = account.ledger().positions.get(market, (0, 0))
    changed = {**account.ledger().positions, market: (size + unit, cost)}

    assert f"position of {MARKETS[market].symbol}: {size} here, {size + unit} at the exchange" in account.differences(
        positions=changed
    )


def test_cost_and_realised_count_from_a_flat_start():
    """Where both begin equal, the cost of a position and the realised PnL are compared to the micro-USDC."""
    account = Account()
    account.cash_pico = account.before.collateral_pico
    account.ours.cash_pico = account.cash_pico
    account.opening = replace(account.opening, cash_pico=account.cash_pico)
    account.trade(0, 100, 200_000)
    account.trade(0, -40, 210_000)

    assert [] == account.differences()
    assert ["realised_micro: 400000 here, 400001 at the exchange"] == account.differences(realised_micro=400_001)
    assert ["cost of position of ETH: 12000000 here, 12000001 at the exchange"] == account.differences(
        positions={0: (60, 12_000_001)}
    )


@pytest.mark.parametrize(("lots", "price"), [(5, 200_000), (-5, 200_000)])
def test_trade_before_our_beginning_is_seen(lots, price):
    """An order that an earlier session left, and that trades while we begin, makes the books incomparable."""
    account = Account([(0, (10, 2_000_000))])
    early = account.before
    assert begin_together(account.opening, early)

    account.trade(0, lots, price)
    assert not begin_together(account.opening, account.ledger())
    account.trade(0, -lots, price + 100)  # back to the same position, for another amount

    assert not begin_together(account.opening, account.ledger())
