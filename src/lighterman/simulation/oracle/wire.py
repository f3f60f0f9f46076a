"""I8, I9, I13: names, nonces and the pace of what leaves.

I8 in detail. A client order index names one order for ever. The same order (market, side, price,
size) may be signed anew under its name within a life when its transaction is dead in truth and no
order has come of it.

I9 in detail. The first transaction of a life sets the count of its key: a new process reads the
next nonce from the venue, and what its predecessor left in the air is not held against it. From
then on each transaction has the next nonce. The same bytes may leave again at any time. Going
back to a nonce with other bytes is legal only if each earlier transaction of this life with that
nonce is dead in truth: refused or dropped in all copies, or expired by the venue's clock
(protocol reference 4.7: refused and dropped ones have not used their nonce). Skipping one is legal
only on a key that somebody else has used, since only then can the bot know. A transaction
with SkipNonce is not judged.

I13 in detail. The bot's budget is counted from the start of each process, which cannot know what
its predecessor sent; the venue's limit is counted over all of them. The window is the minute less
the time from approval to departure.
"""

import math

from lighterman.matching.outputs import OrderRow
from lighterman.protocol.transactions import CreateOrderTx
from lighterman.simulation.oracle import slack
from lighterman.simulation.oracle.records import NS_PER_S, Terms
from lighterman.simulation.oracle.registry import Record
from lighterman.simulation.oracle.windows import Budget
from lighterman.simulation.oracle.wire_model import Fate, Sent, WireModel

INTENT = ("market_index", "is_ask", "price", "base_amount")


class Wire:
    """Judges each transaction as it leaves, and each order as it appears."""

    def __init__(self, terms: Terms, wire: WireModel, record: Record) -> None:
        limits = terms.limits
        self._wire = wire
        self._record = record
        self._orders: dict[int, int] = {}  # client order index -> order index
        self._all_max = limits.messages_per_minute
        self._adding_max = math.ceil(limits.messages_per_minute * (1 - limits.cancel_reserve_fraction))
        self._venue_max = terms.venue_messages_per_minute
        self._all = Budget(slack.MINUTE_NS)
        self._adding = Budget(slack.MINUTE_NS)
        self._venue = Budget(60 * NS_PER_S)

    def started(self) -> None:
        """A new process has a budget of its own."""
        self._all.clear()
        self._adding.clear()

    def judge(self, sent: Sent, is_copy: bool, now_ns: int) -> None:
        """Judge a transaction that leaves."""
        self._judge_pace(sent, now_ns)
        if not is_copy:
            self._judge_name(sent, now_ns)
            self._judge_nonce(sent, now_ns)

    def _judge_name(self, sent: Sent, now_ns: int) -> None:
        if not isinstance(sent.tx, CreateOrderTx):
            return
        self._record.judged["I8"] += 1
        index = sent.tx.client_order_index
        before = sent.namesake
        if index == 0:
            self._record.breach("I8", f"{sent!r}: an order without a name", now_ns)
        elif before is not None and not self._may_follow(sent, before, now_ns):
            self._record.breach("I8", f"{sent!r}: client order index {index} was that of {before!r}", now_ns)

    def _may_follow(self, sent: Sent, before: Sent, now_ns: int) -> bool:
        """Tell whether the same order was only signed anew, its first transaction having come to nothing."""
        tx, old = sent.tx, before.tx
        if not isinstance(tx, CreateOrderTx) or not isinstance(old, CreateOrderTx) or sent.life != before.life:
            return False
        is_same = all(getattr(tx, name) == getattr(old, name) for name in INTENT)
        return is_same and tx.client_order_index not in self._orders and not self._wire.is_flying(before, now_ns)

    def _judge_nonce(self, sent: Sent, now_ns: int) -> None:
        if sent.skips_nonce:
            return
        self._record.judged["I9"] += 1
        key, nonce = self._wire.keys[sent.tx.api_key_index], sent.tx.nonce
        if key.last_nonce is not None and nonce > key.last_nonce + 1 and not key.is_foreign:
            self._record.breach("I9", f"{sent!r}: the nonce before was {key.last_nonce}", now_ns)
        for other in key.by_nonce[nonce]:
            if other is sent or other.life != sent.life:
                continue
            if other.fate is Fate.EXECUTED or self._wire.is_flying(other, now_ns):
                self._record.breach("I9", f"{sent!r}: its nonce is that of {other!r}, with other bytes", now_ns)
                break
        key.last_nonce = nonce

    def _judge_pace(self, sent: Sent, now_ns: int) -> None:
        self._record.judged["I13"] += 1
        count = self._all.count(now_ns)
        if count > self._all_max:
            self._record.breach("I13", f"{count} transactions in a minute > {self._all_max}", now_ns)
        if sent.is_create or sent.is_modify:
            count = self._adding.count(now_ns)
            if count > self._adding_max:
                self._record.breach("I13", f"{count} creates and modifies in a minute > {self._adding_max}", now_ns)
        if self._venue_max:
            count = self._venue.count(now_ns)
            if count > self._venue_max:
                self._record.breach("I13", f"{count} transactions in a minute > the venue's {self._venue_max}", now_ns)

    def on_row(self, row: OrderRow, now_ns: int) -> None:
        """Judge that a create of the bot makes one order."""
        if row.client_order_index not in self._wire.creates:
            return
        self._record.judged["I8"] += 1
        known = self._orders.setdefault(row.client_order_index, row.order_index)
        if known != row.order_index:
            text = f"client order index {row.client_order_index} is order {known} and order {row.order_index}"
            self._record.breach("I8", text, now_ns)
