"""What an account is worth and what it must hold: protocol reference 8.5, cross margin only.

All amounts are pico-USDC, exact. Open orders reserve nothing; the check is made at each match.
"""

from typing import NamedTuple

from lighterman.domain.position import FLAT, Position
from lighterman.domain.units import PICO_PER_MICRO, divide_ceil, divide_floor
from lighterman.matching.accounts import Account
from lighterman.matching.ledger import Leg
from lighterman.matching.rules import FRACTION_ONE
from lighterman.matching.state import State
from lighterman.matching.views import Health

PICO_PER_FRACTION = PICO_PER_MICRO // FRACTION_ONE


class Risk(NamedTuple):
    """Account value and the three requirements."""

    value_pico: int
    initial_pico: int
    maintenance_pico: int
    closeout_pico: int

    def health(self) -> Health:
        """Return which of the five states the account is in."""
        if self.value_pico >= self.initial_pico:
            return Health.HEALTHY
        if self.value_pico < 0:
            return Health.BANKRUPT
        if self.value_pico < self.closeout_pico:
            return Health.FULL_LIQUIDATION
        if self.value_pico < self.maintenance_pico:
            return Health.PARTIAL_LIQUIDATION
        return Health.PRE_LIQUIDATION


def initial_fraction(state: State, account: Account, market: int) -> int:
    """Return the initial margin fraction of a position: the account's own, else the market's."""
    description = state.pits[market].market
    own = account.fractions.get(market, description.default_initial_margin_fraction)
    return max(own, description.min_initial_margin_fraction)


def risk_of(state: State, account: Account) -> Risk:
    """Return the account's risk at the current marks."""
    return _risk(state, account, account.collateral_pico, -1, FLAT)


def risk_after(state: State, leg: Leg, market: int) -> Risk:
    """Return what the risk would be after one leg of a trade."""
    return _risk(state, leg.account, leg.collateral_pico, market, leg.after)


def _risk(state: State, account: Account, collateral_pico: int, changed: int, position: Position) -> Risk:
    sizes = {index: held for index, held in account.positions.items() if held.size_lots}
    if changed >= 0:
        sizes[changed] = position
    value = collateral_pico
    initial = maintenance = closeout = 0
    for index, held in sizes.items():
        pit = state.pits[index]
        market = pit.market
        value += held.unrealised_micro(pit.mark_ticks, market) * PICO_PER_MICRO
        notional = market.notional_micro(pit.mark_ticks, abs(held.size_lots)) * PICO_PER_FRACTION
        initial += notional * initial_fraction(state, account, index)
        maintenance += notional * market.maintenance_margin_fraction
        closeout += notional * market.closeout_margin_fraction
    return Risk(value, initial, maintenance, closeout)


def is_valid_change(before: Risk, after: Risk) -> bool:
    """Tell whether a change is allowed: the healthy stay healthy, the others do not get worse."""
    if before.value_pico >= before.initial_pico:
        return after.value_pico >= after.initial_pico
    return before.value_pico * after.maintenance_pico <= after.value_pico * before.maintenance_pico


def available_pico(risk: Risk, collateral_pico: int) -> int:
    """Return the collateral that may leave."""
    return max(0, min(risk.value_pico - risk.initial_pico, collateral_pico))


def liquidation_price_ticks(state: State, account: Account, risk: Risk, market: int) -> int:
    """Return the mark at which this position alone would start a liquidation; 0 when there is none.

    Solves value(p) = maintenance(p) with the other marks unchanged; rounded towards today.
    """
    pit, size_lots = state.pits[market], account.position(market).size_lots
    if not size_lots:
        return 0
    fraction = pit.market.maintenance_margin_fraction
    notional_micro = pit.market.notional_micro(pit.mark_ticks, size_lots)  # signed
    unit_pico = abs(size_lots) * pit.market.quote_multiplier * PICO_PER_FRACTION  # of one tick, in 1e-4
    others_pico = risk.maintenance_pico - unit_pico * pit.mark_ticks * fraction
    at_zero_pico = risk.value_pico - others_pico - notional_micro * PICO_PER_MICRO
    if size_lots > 0:
        price = divide_ceil(-at_zero_pico, unit_pico * (FRACTION_ONE - fraction))
    else:
        price = divide_floor(at_zero_pico, unit_pico * (FRACTION_ONE + fraction))
    return max(0, price)
