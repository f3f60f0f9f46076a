"""The account as it truly is, rebuilt from the exchange's outputs alone.

Arithmetic is that of protocol reference 8.3 and 8.4, written a second time on purpose: where the
venue's own figures say otherwise, `faults` tells it, since then nothing else can be judged.
Positions and orders move with each trade at once; the rows that follow only confirm it.
"""

from collections.abc import Callable

from lighterman.domain.units import PICO_PER_MICRO
from lighterman.matching.outputs import FundingPaid, OrderRow, OrderStatus, TradeDone
from lighterman.simulation.oracle.records import Terms

CLIENT_INDEX_END = 1 << 48
_ACTIVE = (OrderStatus.OPEN, OrderStatus.IN_PROGRESS)


class LiveOrder:
    """An order that can trade. `is_bots`: a key of the bot created it, in its life number `life`."""

    __slots__ = (
        "client_order_index",
        "filled_lots",
        "is_ask",
        "is_bots",
        "life",
        "market",
        "order_index",
        "price_ticks",
        "reduce_only",
        "remaining_lots",
        "since_ns",
        "told_belief",
        "told_ns",
    )

    def __init__(self, row: OrderRow, life: int, now_ns: int) -> None:
        self.order_index = row.order_index
        self.client_order_index = row.client_order_index
        self.market = row.market
        self.is_ask = row.is_ask
        self.reduce_only = row.reduce_only
        self.life = life
        self.is_bots = life > 0
        self.since_ns = now_ns
        self.told_ns: int | None = None  # when a frame first named it to the bot's present life
        self.told_belief = 0
        self.price_ticks = row.price_ticks
        self.remaining_lots = row.remaining_lots
        self.filled_lots = row.filled_lots

    def __repr__(self) -> str:
        side = "ask" if self.is_ask else "bid"
        name = self.client_order_index or self.order_index
        return f"<{side} {name} {self.remaining_lots}@{self.price_ticks} market {self.market}>"


class OwnTrade:
    """One side of a trade that is the account's; `order` is 0 where none of the bot's orders made it."""

    __slots__ = ("at_ns", "delta_lots", "is_bots", "market", "order_index", "told_belief", "told_ns", "trade_id")

    def __init__(self, trade: TradeDone, *, is_ask: bool, is_bots: bool, now_ns: int) -> None:
        self.trade_id = trade.trade_id
        self.market = trade.market
        self.delta_lots = -trade.size_lots if is_ask else trade.size_lots
        self.order_index = trade.ask_order_index if is_ask else trade.bid_order_index
        self.is_bots = is_bots
        self.at_ns = now_ns
        self.told_ns: int | None = None  # when a frame first named it to the bot's present life
        self.told_belief = 0


class Holding:
    """A position and its cost (8.4)."""

    __slots__ = ("entry_micro", "size_lots")

    def __init__(self) -> None:
        self.size_lots = 0
        self.entry_micro = 0

    def signed_entry_micro(self) -> int:
        """Return the cost with the position's sign."""
        return self.entry_micro if self.size_lots > 0 else -self.entry_micro

    def trade(self, delta_lots: int, quote_micro: int) -> int:
        """Buy (+) or sell (-) for a quote; return what was realised."""
        old_lots, old_signed = self.size_lots, self.signed_entry_micro()
        new_lots = old_lots + delta_lots
        if old_lots * delta_lots >= 0:
            self.entry_micro += quote_micro
        elif old_lots * new_lots >= 0:
            self.entry_micro = self.entry_micro * abs(new_lots) // abs(old_lots)
        else:
            self.entry_micro = quote_micro // abs(delta_lots) * abs(new_lots)
        self.size_lots = new_lots
        cost = quote_micro if delta_lots > 0 else -quote_micro
        return self.signed_entry_micro() - old_signed - cost


Side = dict[int, LiveOrder]


class VenueModel:
    """Live orders by order index and by side, positions, cash. `life_of` names the life that made an order."""

    def __init__(self, terms: Terms, life_of: Callable[[OrderRow], int]) -> None:
        self.account_index = terms.account_index
        self.cash_pico = terms.collateral_pico
        self.cash_changed_ns = 0
        self.holdings = {each.market.index: Holding() for each in terms.markets}
        self.live: Side = {}
        self.by_client: Side = {}
        self.sides: dict[tuple[int, bool], Side] = {}
        self.bots_lots: dict[tuple[int, bool], int] = {}  # what remains of the bot's orders, by market and side
        self.faults: list[str] = []
        self._life_of = life_of
        for market in self.holdings:
            for is_ask in (False, True):
                self._open_side(market, is_ask)

    def position(self, market: int) -> int:
        """Return the signed position in lots."""
        holding = self.holdings.get(market)
        return holding.size_lots if holding else 0

    def find(self, market: int, index: int) -> LiveOrder | None:
        """Return the live order a cancel or modify would mean (4.3)."""
        order = self.by_client.get(index) if index < CLIENT_INDEX_END else self.live.get(index)
        return order if order is not None and order.market == market else None

    # What the exchange tells

    def on_row(self, row: OrderRow, now_ns: int) -> LiveOrder | None:
        """Take an order's row; return the order if it is new here."""
        order = self.live.get(row.order_index)
        if row.status not in _ACTIVE:
            if order is not None:
                self._remove(order)
            return None
        if order is not None:
            self._count(order, row.remaining_lots - order.remaining_lots)
            order.price_ticks = row.price_ticks
            order.remaining_lots = row.remaining_lots
            order.filled_lots = row.filled_lots
            return None
        order = LiveOrder(row, self._life_of(row), now_ns)
        self.live[order.order_index] = order
        if order.client_order_index:
            self.by_client[order.client_order_index] = order
        self._open_side(order.market, order.is_ask)[order.order_index] = order
        self._count(order, order.remaining_lots)
        return order

    def on_trade(self, trade: TradeDone, *, is_ask: bool, is_bots: bool, now_ns: int) -> OwnTrade:
        """Apply the account's side of a trade."""
        own = OwnTrade(trade, is_ask=is_ask, is_bots=is_bots, now_ns=now_ns)
        is_maker = trade.is_maker_ask == is_ask
        holding = self.holdings.setdefault(trade.market, Holding())
        before = trade.maker_size_before_lots if is_maker else trade.taker_size_before_lots
        if holding.size_lots != before:
            self.faults.append(f"trade {trade.trade_id} begins at {before} lots, not {holding.size_lots}")
        realised_micro = holding.trade(own.delta_lots, trade.quote_micro)
        stated_micro = trade.ask_realised_micro if is_ask else trade.bid_realised_micro
        if realised_micro != stated_micro:
            self.faults.append(f"trade {trade.trade_id} realises {stated_micro} micro, not {realised_micro}")
        fee_ppm = trade.maker_fee_ppm if is_maker else trade.taker_fee_ppm
        self.cash_pico += realised_micro * PICO_PER_MICRO - trade.quote_micro * fee_ppm
        self.cash_changed_ns = now_ns
        order = self.live.get(own.order_index)
        if order is not None:
            lots = min(trade.size_lots, order.remaining_lots)
            self._count(order, -lots)
            order.remaining_lots -= lots
            order.filled_lots += trade.size_lots
        return own

    def on_funding(self, paid: FundingPaid, now_ns: int) -> None:
        """Apply a funding payment."""
        if paid.size_lots != self.position(paid.market):
            self.faults.append(f"funding on {paid.size_lots} lots, not {self.position(paid.market)}")
        self.cash_pico += paid.amount_pico
        self.cash_changed_ns = now_ns

    def deposited(self, amount_pico: int, now_ns: int) -> None:
        """Money came (or, negative, went)."""
        self.cash_pico += amount_pico
        self.cash_changed_ns = now_ns

    # Bookkeeping

    def _open_side(self, market: int, is_ask: bool) -> Side:
        self.bots_lots.setdefault((market, is_ask), 0)
        return self.sides.setdefault((market, is_ask), {})

    def _remove(self, order: LiveOrder) -> None:
        self._count(order, -order.remaining_lots)
        del self.live[order.order_index]
        del self.sides[order.market, order.is_ask][order.order_index]
        if self.by_client.get(order.client_order_index) is order:
            del self.by_client[order.client_order_index]

    def _count(self, order: LiveOrder, lots: int) -> None:
        if order.is_bots:
            self.bots_lots[order.market, order.is_ask] += lots
