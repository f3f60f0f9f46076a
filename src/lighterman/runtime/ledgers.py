"""Our books beside the exchange's: equal over a session, to the last unit, or the differences.

Both sides begin from what the venue showed when the session opened, and that may be rounded:
collateral to six decimals of twelve, the cost of a position to a tick of its average price. So
where they do not begin equal, cash less the cost of what is held is compared instead of each
alone: a trade changes that by price x size and the fee, whatever the cost was thought to be.
"""

import msgspec

from lighterman.domain.events import AccountSnapshot
from lighterman.domain.position import FLAT, Position
from lighterman.domain.units import PICO_PER_MICRO
from lighterman.engine import ledger as engine_ledger
from lighterman.protocol.rest import Ledger


class Books(msgspec.Struct, frozen=True):
    """Cash and positions at one moment, as one side has them."""

    cash_pico: int
    positions: dict[int, Position]

    def position(self, market: int) -> Position:
        """Return what is held of a market."""
        return self.positions.get(market, FLAT)

    def cash_less_cost_pico(self) -> int:
        """Return the cash as if every position were given back at what it cost."""
        cost_micro = sum(position.signed_entry_micro() for position in self.positions.values())
        return self.cash_pico - cost_micro * PICO_PER_MICRO


def told(snapshot: AccountSnapshot) -> Books:
    """Return the books that an account's snapshot shows."""
    return Books(snapshot.collateral_pico, {market: Position(lots, cost) for market, lots, cost in snapshot.positions})


def theirs(ledger: Ledger) -> Books:
    """Return the exchange's books."""
    return Books(ledger.collateral_pico, {market: Position(*held) for market, held in ledger.positions.items()})


def begin_together(opening: Books, before: Ledger) -> bool:
    """Tell whether nothing was traded between the look at the exchange's ledger and our own beginning.

    An order that an earlier session left may have been; then nothing can be compared.
    """
    began = theirs(before)
    sizes = [
        {market: held.size_lots for market, held in books.positions.items() if held.size_lots}
        for books in (opening, began)
    ]
    return sizes[0] == sizes[1] and abs(opening.cash_pico - began.cash_pico) < PICO_PER_MICRO


def differences(ours: engine_ledger.Ledger, opening: Books, before: Ledger, after: Ledger) -> list[str]:
    """Return where the bot's ledger and the exchange's differ, over the session; none is a match.

    `opening` is what the bot began with, `before` what the exchange held then. Fees and funding
    are compared to the pico-USDC, positions to the lot; cash, realised PnL and cost exactly
    where both began equal, and together where they did not.
    """
    found = []

    def compare(name: str, here: object, there: object) -> None:
        if here != there:
            found.append(f"{name}: {here} here, {there} at the exchange")

    began, ended = theirs(before), theirs(after)
    held = Books(ours.cash_pico, {index: market.position for index, market in ours.markets.items()})
    markets = list(ours.markets.values())
    compare("fees_pico", sum(market.fees_pico for market in markets), after.fees_pico - before.fees_pico)
    compare("funding_pico", sum(market.funding_pico for market in markets), after.funding_pico - before.funding_pico)
    for index, market in ours.markets.items():
        name = f"position of {market.market.symbol}"
        compare(name, held.position(index).size_lots, ended.position(index).size_lots)
        if opening.position(index) == began.position(index):
            compare(f"cost of {name}", held.position(index).entry_quote_micro, ended.position(index).entry_quote_micro)
    if opening == began:
        compare("cash_pico", held.cash_pico, ended.cash_pico)
        realised_micro = after.realised_micro - before.realised_micro
        compare("realised_micro", sum(market.realised_micro for market in markets), realised_micro)
    else:
        rounded_pico = opening.cash_less_cost_pico() - began.cash_less_cost_pico()
        there_pico = ended.cash_less_cost_pico() + rounded_pico
        compare("cash_less_cost_pico", held.cash_less_cost_pico(), there_pico)
    return found
