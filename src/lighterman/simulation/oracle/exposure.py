"""I1, I2, I7, I16: what could become of the position, and what each signed order says.

I1 counts, on each side of a market: the position, what remains of live orders of the bot's keys,
and every create and modify of theirs that flies, a modify with the larger of old and new
remaining. What foreign orders, liquidations and deleveraging did to the position is exempt until
the bot was told and had time to act, and what stood above the limit at that moment may stand, but
not grow: none of it was made with the bot's keys. Foreign resting orders are not counted at all.

The total is judged when something that adds exposure leaves, at the lowest mark of the last
seconds plus 1 %: marks move by themselves, and the bot knows them late.
"""

from lighterman.domain.book import OrderBook
from lighterman.matching.outputs import TradeDone
from lighterman.protocol.transactions import CreateOrderTx, ModifyOrderTx
from lighterman.simulation.oracle import slack
from lighterman.simulation.oracle.records import NS_PER_MS, MarketTerms, Terms
from lighterman.simulation.oracle.registry import Record
from lighterman.simulation.oracle.venue_model import LiveOrder, OwnTrade, VenueModel
from lighterman.simulation.oracle.windows import Window
from lighterman.simulation.oracle.wire_model import Sent, WireModel

BPS = 10_000
PPM = 1_000_000


class _Side:
    """What is exempt on one side of a market."""

    __slots__ = ("allowed_lots", "foreign")

    def __init__(self) -> None:
        self.allowed_lots = 0
        self.foreign: list[OwnTrade] = []


class Exposure:
    """Judges orders as they leave and the worst case after each event."""

    def __init__(self, terms: Terms, venue: VenueModel, wire: WireModel, record: Record) -> None:
        self._limits = terms.limits
        self._markets: dict[int, MarketTerms] = {each.market.index: each for each in terms.markets}
        self._venue = venue
        self._wire = wire
        self._record = record
        span_ns = terms.limits.data_age_ms_max * NS_PER_MS + slack.MARK_NS
        self.marks = {index: Window(span_ns) for index in self._markets}
        self._twice_mids = {index: Window(span_ns) for index in self._markets}
        self._sides = {(index, is_ask): _Side() for index in self._markets for is_ask in (False, True)}
        self._collar_bps = terms.limits.price_collar_bps + slack.COLLAR_BPS

    # What moves

    def on_mid(self, market: int, book: OrderBook, now_ns: int) -> None:
        """The touch of a market may have moved; a one-sided book has no middle."""
        bid, ask = book.best_bid(), book.best_ask()
        self._twice_mids[market].add(bid[0] + ask[0] if bid is not None and ask is not None else 0, now_ns)

    def on_foreign_trade(self, own: OwnTrade) -> None:
        """The position moved without an order of the bot."""
        side = self._sides.get((own.market, own.delta_lots < 0))
        if side is not None:
            side.foreign.append(own)

    def on_trade(self, trade: TradeDone, account_index: int, now_ns: int) -> None:
        """Judge that a trade has two owners."""
        self._record.judged["I7"] += 1
        if trade.ask_account_index == trade.bid_account_index == account_index:
            self._record.breach("I7", f"trade {trade.trade_id}: the account traded with itself", now_ns)

    def on_reduced(self, own: OwnTrade, order: LiveOrder, after_lots: int, now_ns: int) -> None:
        """Judge a fill of an order that may only reduce."""
        self._record.judged["I16"] += 1
        before_lots = after_lots - own.delta_lots
        if abs(after_lots) > abs(before_lots) or before_lots * after_lots < 0:
            self._record.breach("I16", f"{order!r} moved the position from {before_lots} to {after_lots}", now_ns)

    # I1

    def judge_market(self, market: int, now_ns: int) -> None:
        """Judge both sides of a market as they are."""
        terms = self._markets.get(market)
        if terms is None:
            return
        for is_ask in (False, True):
            self._judge_side(terms, is_ask, now_ns)

    def _judge_side(self, terms: MarketTerms, is_ask: bool, now_ns: int) -> None:
        self._record.judged["I1"] += 1
        market, limit = terms.market.index, terms.position_max_lots
        side = self._sides[market, is_ask]
        worst = self._worst(market, is_ask, now_ns)
        if side.foreign:
            settled = [own for own in side.foreign if self._is_settled(own, now_ns)]
            side.foreign = [own for own in side.foreign if not self._is_settled(own, now_ns)]
            pending = sum(abs(own.delta_lots) for own in side.foreign)
            if settled:
                side.allowed_lots = max(side.allowed_lots, worst - pending - limit)
            worst -= pending
        excess = worst - limit
        if excess <= 0:
            side.allowed_lots = 0
        elif excess <= side.allowed_lots:
            side.allowed_lots = excess
        else:
            name = "short" if is_ask else "long"
            position = self._venue.position(market)
            orders = self._venue.bots_lots[market, is_ask]
            text = f"market {market}: {name} {worst} > {limit} (position {position}, orders {orders}, the rest flies)"
            self._record.breach("I1", text, now_ns)
            side.allowed_lots = excess  # told once

    def _is_settled(self, own: OwnTrade, now_ns: int) -> bool:
        return own.told_ns is not None and now_ns >= own.told_ns + slack.TOLD_NS

    def _worst(self, market: int, is_ask: bool, now_ns: int) -> int:
        """Return the greatest position on a side that everything at the venue and in the air could make."""
        venue, wire = self._venue, self._wire
        position = venue.position(market)
        total = (-position if is_ask else position) + venue.bots_lots[market, is_ask]
        wished = self._modified(market, now_ns) if wire.flying_modifies else {}
        for client_order_index, lots in wished.items():
            order = venue.find(market, client_order_index)
            if order is not None and order.is_bots and order.is_ask == is_ask:
                total += max(0, lots - order.filled_lots - order.remaining_lots)
        for create, lots in wire.creates_of(market, is_ask, now_ns) if wire.flying_creates else ():
            total += max(lots, wished.get(create.client_order_index, 0))
        return total

    def _modified(self, market: int, now_ns: int) -> dict[int, int]:
        """Return the largest total size that is on its way to each order."""
        wished: dict[int, int] = {}
        for modify in self._wire.modifies_of(market, now_ns):
            wished[modify.index] = max(wished.get(modify.index, 0), modify.base_amount)
        return wished

    def judge_total(self, now_ns: int) -> None:
        """Judge the sum over all markets."""
        self._record.judged["I1"] += 1
        total = 0
        for index, terms in self._markets.items():
            marks = [mark for mark in self.marks[index].values(now_ns) if mark > 0]
            if not marks:
                continue
            lots = max(0, *(self._known_worst(index, is_ask, now_ns) for is_ask in (False, True)))
            total += terms.market.notional_micro(min(marks), lots)
        limit = self._limits.total_position_micro_max
        if total * PPM > limit * slack.TOTAL_NOTIONAL_PPM:
            self._record.breach("I1", f"all markets: {total} micro > {limit}", now_ns)

    def _known_worst(self, market: int, is_ask: bool, now_ns: int) -> int:
        pending = sum(abs(own.delta_lots) for own in self._sides[market, is_ask].foreign)
        return self._worst(market, is_ask, now_ns) - pending

    # What a signed order says

    def judge_order(self, sent: Sent, now_ns: int) -> None:
        """Judge a create or modify at the moment it leaves."""
        tx = sent.tx
        if not isinstance(tx, CreateOrderTx | ModifyOrderTx):
            return
        terms = self._markets.get(tx.market_index)
        if terms is None:
            self._record.breach("I2", f"{sent!r}: market {tx.market_index} is not enabled", now_ns)
            return
        self._judge_value(sent, terms, tx, now_ns)
        self._judge_crossing(sent, tx, now_ns)
        self.judge_market(tx.market_index, now_ns)
        order = self._venue.find(tx.market_index, tx.index) if isinstance(tx, ModifyOrderTx) else None
        if order is None or tx.base_amount - order.filled_lots > order.remaining_lots:
            self.judge_total(now_ns)

    def _judge_value(self, sent: Sent, terms: MarketTerms, tx: CreateOrderTx | ModifyOrderTx, now_ns: int) -> None:
        """I2: a modify names the total size (4.8), and that is what its value is made of."""
        self._record.judged["I2"] += 1
        value = terms.market.notional_micro(tx.price, tx.base_amount)
        if value > self._limits.order_value_micro_max:
            text = f"{sent!r}: {value} micro > {self._limits.order_value_micro_max}"
            self._record.breach("I2", text, now_ns)
        for name, scale, window in (("mark", 1, self.marks), ("mid", 2, self._twice_mids)):
            values = [value for value in window[tx.market_index].values(now_ns) if value > 0]
            if not values:
                self._record.breach("I2", f"{sent!r}: there is no {name}", now_ns)
            elif not self._is_inside(tx.price * scale, values):
                text = f"{sent!r}: price {tx.price} is outside the collar of {name} {min(values)} to {max(values)}"
                self._record.breach("I2", f"{text} (x {scale})", now_ns)

    def _is_inside(self, price: int, values: list[int]) -> bool:
        low, high = min(values) * (BPS - self._collar_bps), max(values) * (BPS + self._collar_bps)
        return low <= price * BPS <= high

    def _judge_crossing(self, sent: Sent, tx: CreateOrderTx | ModifyOrderTx, now_ns: int) -> None:
        """I7: nothing leaves that would cross what is live or flies, a pending cancel included."""
        self._record.judged["I7"] += 1
        side = self._side_of(tx)
        if side is None:
            return
        for price in self._prices(tx.market_index, not side, now_ns):
            if (tx.price <= price) if side else (tx.price >= price):
                text = f"{sent!r}: {'ask' if side else 'bid'} at {tx.price} crosses an own order at {price}"
                self._record.breach("I7", text, now_ns)
                return

    def _side_of(self, tx: CreateOrderTx | ModifyOrderTx) -> bool | None:
        """Return whether an order is an ask; None for one that is gone."""
        if isinstance(tx, CreateOrderTx):
            return bool(tx.is_ask)
        order = self._venue.find(tx.market_index, tx.index)
        if order is not None:
            return order.is_ask
        create = self._wire.flying_creates.get(tx.index)
        return bool(create.tx.is_ask) if create is not None and isinstance(create.tx, CreateOrderTx) else None

    def _prices(self, market: int, is_ask: bool, now_ns: int) -> list[int]:
        """Return every price at which an order of the bot stands or may come to stand on a side."""
        prices = [order.price_ticks for order in self._venue.sides[market, is_ask].values() if order.is_bots]
        if self._wire.flying_creates:
            prices += [create.price for create, _ in self._wire.creates_of(market, is_ask, now_ns)]
        if self._wire.flying_modifies:
            moves = self._wire.modifies_of(market, now_ns)
            prices += [modify.price for modify in moves if self._side_of(modify) == is_ask]
        return prices

    def judge_book(self, order: LiveOrder, now_ns: int) -> None:
        """I7: judge an order that has come into the book or moved there."""
        self._record.judged["I7"] += 1
        for other in self._venue.sides[order.market, not order.is_ask].values():
            bid, ask = (other, order) if order.is_ask else (order, other)
            if bid.price_ticks >= ask.price_ticks:
                self._record.breach("I7", f"{bid!r} and {ask!r} are live at once", now_ns)
