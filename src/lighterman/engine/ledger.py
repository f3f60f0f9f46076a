"""What we have and what it cost, from fills and funding alone; never from what the venue says.

Law: the venue's figures are compared with this ledger, not copied into it (except once, to
begin with). Trades and funding payments are applied once each, whatever the order or number
in which they arrive. Cash in pico-USDC, exactly as the venue keeps it (reference 8.3, 8.4).
"""

from bisect import insort
from typing import NamedTuple

from lighterman.domain.events import AccountSnapshot, FillReport, FundingReport
from lighterman.domain.market import Market
from lighterman.domain.position import FLAT, Position, apply_fill
from lighterman.domain.units import PICO_PER_MICRO

IDS_REMEMBERED_MAX = 65_536
TRADES_KEPT_MAX = 256  # by how many later ones a trade may be overtaken


class _Seen:
    """Ids applied already; the oldest are forgotten when there are too many."""

    __slots__ = ("_ids",)

    def __init__(self) -> None:
        self._ids: dict[int, None] = {}

    def add(self, identity: int) -> bool:
        """Remember an id; return whether it is new."""
        if identity in self._ids:
            return False
        self._ids[identity] = None
        if len(self._ids) > IDS_REMEMBERED_MAX:
            del self._ids[next(iter(self._ids))]
        return True


class Traded(NamedTuple):
    """A trade of ours as its market's ledger needs it; positive lots are bought."""

    trade_id: int
    delta_lots: int
    price_ticks: int


class MarketLedger:
    """One market: position, and what it has earned and cost since the session began.

    Cost and realised PnL depend on the order of the trades, and the venue's order is that of
    their ids. So the last trades are kept, and one that arrives behind later ones is put in
    its place and the rest worked out again.
    """

    __slots__ = (
        "_recent",
        "_settled",
        "_settled_micro",
        "fees_pico",
        "fills",
        "funding_pico",
        "market",
        "position",
        "realised_micro",
        "volume_micro",
    )

    def __init__(self, market: Market) -> None:
        self.market = market
        self.position: Position = FLAT
        self.realised_micro = 0
        self.fees_pico = 0
        self.funding_pico = 0
        self.fills = 0
        self.volume_micro = 0
        self._recent: list[Traded] = []  # by trade id
        self._settled: Position = FLAT  # the position before the first of them
        self._settled_micro = 0  # and what was realised until then

    def open(self, position: Position) -> None:
        """Begin with a position."""
        self.position = self._settled = position

    def unrealised_micro(self, mark_ticks: int) -> int:
        """Return the PnL of closing the position at the mark."""
        return self.position.unrealised_micro(mark_ticks, self.market)

    def trade(self, trade: Traded) -> int:
        """Apply a trade; return by how much realised PnL has changed, in micro-USDC."""
        before_micro = self.realised_micro
        if not self._recent or trade > self._recent[-1]:
            self._recent.append(trade)
            self._step(trade)
        else:
            insort(self._recent, trade)
            self.position, self.realised_micro = self._settled, self._settled_micro
            for each in self._recent:
                self._step(each)
        if len(self._recent) > TRADES_KEPT_MAX:
            first = self._recent.pop(0)
            self._settled, gain_micro = self._after(self._settled, first)
            self._settled_micro += gain_micro
        return self.realised_micro - before_micro

    def _step(self, trade: Traded) -> None:
        self.position, gain_micro = self._after(self.position, trade)
        self.realised_micro += gain_micro

    def _after(self, position: Position, trade: Traded) -> tuple[Position, int]:
        return apply_fill(position, delta_lots=trade.delta_lots, price_ticks=trade.price_ticks, market=self.market)


class Ledger:
    """Cash and positions of the account over all markets.

    `slack_pico` is by how much the venue's figure of the cash may rightly differ: it may show
    six decimals of twelve, of a funding payment too, and an average entry price to the tick.
    """

    __slots__ = ("_fills_seen", "_funding_seen", "cash_pico", "is_open", "markets", "slack_pico")

    def __init__(self) -> None:
        self.markets: dict[int, MarketLedger] = {}
        self.cash_pico = 0
        self.slack_pico = PICO_PER_MICRO
        self.is_open = False
        self._fills_seen = _Seen()
        self._funding_seen = _Seen()

    def define(self, market: Market) -> MarketLedger:
        """Take a market's description; what it holds stays."""
        known = self.markets.setdefault(market.index, MarketLedger(market))
        known.market = market
        return known

    def open(self, snapshot: AccountSnapshot) -> None:
        """Begin with what the venue says the account holds."""
        self.cash_pico = snapshot.collateral_pico
        for market, size_lots, entry_quote_micro in snapshot.positions:
            if market in self.markets:
                held = self.markets[market]
                held.open(Position(size_lots, entry_quote_micro))
                self.slack_pico += held.market.notional_micro(1, abs(size_lots)) * PICO_PER_MICRO
        self.is_open = True

    def fill(self, fill: FillReport) -> bool:
        """Apply a trade; return False if it was applied before."""
        if not self._fills_seen.add(fill.trade_id << 1 | fill.is_ask):
            return False
        held = self.markets[fill.market]
        delta_lots = -fill.size_lots if fill.is_ask else fill.size_lots
        realised_micro = held.trade(Traded(fill.trade_id, delta_lots, fill.price_ticks))
        quote_micro = held.market.notional_micro(fill.price_ticks, fill.size_lots)
        fee_pico = quote_micro * fill.fee_ppm
        held.fees_pico += fee_pico
        held.fills += 1
        held.volume_micro += quote_micro
        self.cash_pico += realised_micro * PICO_PER_MICRO - fee_pico
        return True

    def fund(self, funding: FundingReport) -> bool:
        """Apply a funding payment; return False if it was applied before."""
        if not self._funding_seen.add((funding.funding_id << 16) | funding.market):
            return False
        self.markets[funding.market].funding_pico += funding.amount_pico
        self.cash_pico += funding.amount_pico
        self.slack_pico += PICO_PER_MICRO
        return True
