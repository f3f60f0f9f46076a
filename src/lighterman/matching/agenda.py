"""What the exchange has to do later, in the order in which it will do it.

At one moment the clock goes before the transactions: dead man's switches, expiries, premium
samples, funding, then transactions in order of arrival. So an order that expires at t does not
trade with a transaction executed at t.
"""

import enum
import heapq

import msgspec

from lighterman.matching.accounts import Account, Key
from lighterman.matching.orders import Order
from lighterman.matching.requests import Request

STALE_MIN = 1_024  # expiries of ended orders are only swept when they are many


class Duty(enum.IntEnum):
    """Kinds of entries; at the same moment the smaller goes first."""

    DEAD_MANS_SWITCH = 0
    EXPIRY = 1
    PREMIUM_SAMPLE = 2
    FUNDING = 3
    TRANSACTION = 4


class Queued(msgspec.Struct, frozen=True, gc=False):
    """An admitted transaction on its way to the sequencer."""

    request: Request
    account: Account
    key: Key


Item = Queued | Order | Account | None
Entry = tuple[int, Duty, int, Item]  # (due_us, duty, arrival, item)


class Agenda:
    """A heap of entries; an order that ends before it expires leaves a stale one, swept in bulk."""

    __slots__ = ("_arrivals", "_heap", "_stale")

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._arrivals = 0
        self._stale = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due_us: int, duty: Duty, item: Item) -> None:
        """Enter something to do at `due_us`."""
        self._arrivals += 1
        heapq.heappush(self._heap, (due_us, duty, self._arrivals, item))

    def next_due_us(self) -> int:
        """Return when the first entry is due; there always is one (funding)."""
        return self._heap[0][0]

    def pop(self) -> tuple[int, Duty, Item]:
        """Remove and return the first entry."""
        due_us, duty, _, item = heapq.heappop(self._heap)
        if isinstance(item, Order) and item.has_ended():
            self._stale -= 1
        return due_us, duty, item

    def forget_expiry(self) -> None:
        """Note that an order with an entry has ended; sweep when most entries are such."""
        self._stale += 1
        if self._stale > STALE_MIN and self._stale * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if not (isinstance(entry[3], Order) and entry[3].has_ended())]
            heapq.heapify(self._heap)
            self._stale = 0
