"""I14: after the day's loss nothing that adds risk leaves, in this process or a later one.

The day's result is the account's value at mark (cash and unrealised profit) less what it was when
the day (UTC, by the venue's clock) began or, where no process of the bot knew its account then, when
the first one in it did; deposits do not count.
The bot sees marks late and its day begins at another tick: the loss counts when it has been 5 %
beyond the limit for as long as a mark may take. It stays counted for the day when it lasted ten
seconds before a running bot without a fault; a shorter one may have gone unseen. Reducing orders
are free: those against the position, no larger than it.
"""

from lighterman.domain.units import PICO_PER_MICRO
from lighterman.protocol.transactions import CreateOrderTx, ModifyOrderTx
from lighterman.simulation.oracle import slack
from lighterman.simulation.oracle.phases import Phases
from lighterman.simulation.oracle.records import NS_PER_S, Terms
from lighterman.simulation.oracle.registry import Record
from lighterman.simulation.oracle.venue_model import VenueModel
from lighterman.simulation.oracle.wire_model import Sent, WireModel

NAME = "I14"
DAY_US = 86_400_000_000
PPM = 1_000_000


class Loss:
    """Follows the account's value through the day."""

    def __init__(self, terms: Terms, venue: VenueModel, wire: WireModel, phases: Phases, record: Record) -> None:
        self._markets = {each.market.index: each.market for each in terms.markets}
        self._marks: dict[int, int] = {}
        self._limit_pico = terms.limits.daily_loss_micro_max * PICO_PER_MICRO * slack.LOSS_PPM // PPM
        self._venue = venue
        self._wire = wire
        self._phases = phases
        self._record = record
        self._day = -1
        self._base_pico: int | None = None
        self._below_ns: int | None = None
        self._is_read = True  # the account, by the process that counts anew
        self._reader = 0  # the last process that knew its account
        self._tripped_day = -1
        self._traded_ns: dict[int, int] = {}

    def mark_told(self, market: int, mark_ticks: int, now_ns: int) -> None:
        """A mark changed; an absent one leaves the last."""
        if mark_ticks > 0:
            self._marks[market] = mark_ticks
            self.look(now_ns)

    def deposited(self, amount_pico: int) -> None:
        """Money came or went: no profit, no loss."""
        if self._base_pico is not None:
            self._base_pico += amount_pico

    def rearmed(self) -> None:
        """A person has looked at the loss, and begins the count anew."""
        self._base_pico = self._below_ns = None
        self._tripped_day = -1
        self._is_read = False

    def account_read(self, now_ns: int) -> None:
        """The bot knows its account: a count that begins anew begins here, as the bot's does."""
        self._reader = self._phases.life
        if not self._is_read:
            self._is_read = True
            self.look(now_ns)

    def traded(self, market: int, now_ns: int) -> None:
        """The position changed."""
        self._traded_ns[market] = now_ns
        self.look(now_ns)

    def look(self, now_ns: int) -> None:
        """Work out the day's result."""
        day = self._wire.venue_us(now_ns) // DAY_US
        value_pico = self._value_pico()
        if value_pico is None or not self._phases.life or not self._is_read:
            return
        if 0 <= self._day != day and not (self._phases.is_alive and self._reader == self._phases.life):
            self._day, self._base_pico, self._below_ns = day, None, None
            self._is_read = False
            return
        if self._base_pico is None or day != self._day:
            self._day, self._base_pico, self._below_ns = day, value_pico, None
        self._trip(now_ns)
        if value_pico - self._base_pico >= -self._limit_pico:
            self._below_ns = None
        elif self._below_ns is None:
            self._below_ns = now_ns

    def _value_pico(self) -> int | None:
        """Return the account's value, or None where a mark is not known."""
        unrealised_micro = 0
        for index, holding in self._venue.holdings.items():
            if holding.size_lots:
                mark = self._marks.get(index)
                if mark is None or index not in self._markets:
                    return None
                value = self._markets[index].notional_micro(mark, holding.size_lots)
                unrealised_micro += value - holding.signed_entry_micro()
        return self._venue.cash_pico + unrealised_micro * PICO_PER_MICRO

    def _trip(self, now_ns: int) -> None:
        below_ns = self._below_ns
        if below_ns is None or now_ns < below_ns + slack.LOSS_SEEN_NS:
            return
        was_there = self._phases.is_alive and self._phases.started_ns <= below_ns
        if was_there and self._phases.is_calm_since(below_ns):
            self._tripped_day = self._day

    def judge_sent(self, sent: Sent, now_ns: int) -> None:
        """Judge what leaves."""
        if not isinstance(sent.tx, CreateOrderTx | ModifyOrderTx):
            return
        self._record.judged[NAME] += 1
        if self._below_ns is None and self._tripped_day < 0:
            return
        self.look(now_ns)
        is_lost = self._below_ns is not None and now_ns >= self._below_ns + slack.LOSS_NS
        if (is_lost or self._tripped_day == self._day) and self._adds(sent.tx, now_ns):
            self._record.breach(NAME, f"{sent!r} left after the day's loss", now_ns)

    def _adds(self, tx: CreateOrderTx | ModifyOrderTx, now_ns: int) -> bool:
        """Tell whether an order adds risk; unclear within a second of a trade, and where its side is unknown."""
        market = tx.market_index
        if now_ns < self._traded_ns.get(market, -NS_PER_S) + NS_PER_S:
            return False
        position, lots = self._venue.position(market), tx.base_amount
        if isinstance(tx, CreateOrderTx):
            is_ask = bool(tx.is_ask)
        else:
            order = self._venue.find(market, tx.index)
            if order is None:
                return False
            is_ask, lots = order.is_ask, lots - order.filled_lots
        return lots > (position if is_ask else -position)
