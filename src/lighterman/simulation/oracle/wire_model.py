"""The bot's transactions from the moment its transport had them, rebuilt from their bytes alone.

A transaction flies until its fate is certain: executed, refused or dropped by the venue (every
copy that left), passed by a higher nonce of its key, or expired by the venue's clock. What was
lost on the way flies until it expires, since nobody could know better.
"""

import enum
from collections import deque
from collections.abc import Iterator

from lighterman.domain.errors import RemoteProtocolError
from lighterman.matching.outputs import OrderRow, TransactionDropped, TransactionExecuted
from lighterman.protocol.transactions import (
    Attribute,
    CreateOrderTx,
    ModifyOrderTx,
    Transaction,
    attribute,
    decode,
)
from lighterman.simulation.oracle.records import Terms

REMEMBERED = 8_192  # settled transactions whose bytes are still recognised


class Fate(enum.Enum):
    """What became of a transaction."""

    FLYING = "flying"
    EXECUTED = "executed"
    DEAD = "dead"


class Sent:
    """One transaction, by its bytes. `life` numbers the bot's processes; `lots` is what an order may still take."""

    __slots__ = (
        "arrivals",
        "copies",
        "dead_us",
        "fate",
        "is_create",
        "is_modify",
        "left_ns",
        "life",
        "lots",
        "namesake",
        "refusals",
        "tx",
    )

    def __init__(self, tx: Transaction, life: int, now_ns: int) -> None:
        self.tx = tx
        self.life = life
        self.left_ns = now_ns
        self.copies = 1
        self.arrivals = 0
        self.refusals = 0
        self.fate = Fate.FLYING
        self.dead_us = tx.expired_at * 1_000
        self.is_create = isinstance(tx, CreateOrderTx)
        self.is_modify = isinstance(tx, ModifyOrderTx)
        self.namesake: Sent | None = None  # the create before it with the same client order index
        self.lots = tx.base_amount if isinstance(tx, CreateOrderTx | ModifyOrderTx) else 0

    def __repr__(self) -> str:
        tx = self.tx
        return f"<{tx.tx_type.name} key {tx.api_key_index} nonce {tx.nonce} {self.fate.value}>"

    @property
    def skips_nonce(self) -> bool:
        """Tell whether it may leave out nonces (4.6)."""
        return bool(attribute(self.tx, Attribute.SKIP_NONCE))


class Key:
    """One API key: its transactions by nonce, the last nonce of this life, the venue's next one."""

    __slots__ = ("by_nonce", "flying", "is_foreign", "last_nonce", "next_nonce")

    def __init__(self) -> None:
        self.by_nonce: dict[int, list[Sent]] = {}
        self.flying: list[Sent] = []
        self.last_nonce: int | None = None
        self.next_nonce = 0
        self.is_foreign = False  # somebody else has used it


class WireModel:
    """All transactions of the bot, and those of them that still fly."""

    def __init__(self, terms: Terms) -> None:
        self.life = 0
        self.keys = {index: Key() for index in terms.api_key_indexes}
        self.creates: dict[int, Sent] = {}  # by client order index, the last that left; for ever
        self.flying_creates: dict[int, Sent] = {}  # by client order index
        self.flying_modifies: dict[bytes, Sent] = {}
        self._began_us = terms.began_us
        self._by_raw: dict[bytes, Sent] = {}
        self._remembered: deque[tuple[bytes, Sent]] = deque()
        self._early: dict[bytes, int] = {}  # refusals that were told before the departure
        self._oldest_ns = -1  # what left until then may be forgotten

    def venue_us(self, now_ns: int) -> int:
        """Return the venue's wall."""
        return self._began_us + now_ns // 1_000

    def life_of(self, row: OrderRow) -> int:
        """Return in which life the bot created an order, 0 if it did not."""
        create = self.creates.get(row.client_order_index)
        return create.life if create is not None else 0

    # What happens

    def left(self, tx_type: int, tx_info: bytes, now_ns: int) -> tuple[Sent | None, bool]:
        """Take what the transport was given; return it (None: unreadable), and whether it is a copy."""
        known = self._by_raw.get(tx_info)
        if known is not None:
            known.copies += 1
            if known.fate is Fate.DEAD and self.keys[known.tx.api_key_index].next_nonce <= known.tx.nonce:
                known.fate = Fate.FLYING
                self._take_off(tx_info, known)
            return known, True
        try:
            sent = Sent(decode(tx_type, tx_info), self.life, now_ns)
        except RemoteProtocolError:
            return None, False
        self._by_raw[tx_info] = sent
        key = self.keys.setdefault(sent.tx.api_key_index, Key())
        key.by_nonce.setdefault(sent.tx.nonce, []).append(sent)
        self._take_off(tx_info, sent)
        self._remembered.append((tx_info, sent))
        sent.refusals = self._early.pop(tx_info, 0)
        if sent.refusals >= sent.copies:
            self._land(sent, Fate.DEAD)
        self._forget()
        return sent, False

    def arrived(self, tx_type: int, tx_info: bytes, sent_ns: int) -> Sent | None:
        """Return what is at the venue's door, None when the bot never sent it: then its key has another user."""
        sent = self._by_raw.get(tx_info)
        if sent is not None:
            sent.arrivals += 1
            return sent
        if sent_ns <= self._oldest_ns:
            return None
        try:
            tx = decode(tx_type, tx_info)
        except RemoteProtocolError:
            return None
        self.key_used(tx.api_key_index)
        return None

    def key_used(self, api_key_index: int) -> None:
        """Take note of a nonce that somebody else has used."""
        if api_key_index in self.keys:
            self.keys[api_key_index].is_foreign = True

    def refused(self, tx_info: bytes) -> Sent | None:
        """The venue's door refused one copy; return it when that was the last."""
        sent = self._by_raw.get(tx_info)
        if sent is None:
            self._early[tx_info] = self._early.get(tx_info, 0) + 1
            return None
        sent.refusals += 1
        if sent.fate is not Fate.FLYING or sent.refusals < sent.copies:
            return None
        self._land(sent, Fate.DEAD)
        return sent

    def executed(self, output: TransactionExecuted) -> Sent | None:
        """A nonce was used: this transaction is done, and whatever stood at or before it can never be."""
        key = self.keys.setdefault(output.api_key_index, Key())
        key.next_nonce = max(key.next_nonce, output.nonce + 1)
        found = None
        for sent in key.by_nonce.get(output.nonce, ()):
            has_come = sent.arrivals > 0 and sent.refusals < sent.copies
            is_it = found is None and has_come and sent.tx.tx_type == output.tx_type
            found = sent if is_it else found
            self._land(sent, Fate.EXECUTED if is_it else Fate.DEAD)
        key.is_foreign = key.is_foreign or found is None
        for sent in key.flying:
            if sent.tx.nonce <= output.nonce:
                self._land(sent, Fate.DEAD)
        key.flying = [sent for sent in key.flying if sent.fate is Fate.FLYING]
        return found

    def dropped(self, output: TransactionDropped) -> None:
        """A queued transaction could not be included: one copy less, its nonce is free."""
        key = self.keys.setdefault(output.api_key_index, Key())
        for sent in key.by_nonce.get(output.nonce, ()):
            if sent.fate is Fate.FLYING and sent.tx.tx_type == output.tx_type:
                sent.refusals += 1
                if sent.refusals >= sent.copies:
                    self._land(sent, Fate.DEAD)
                return

    def began(self, row: OrderRow) -> None:
        """An order of ours is in the book: its create flies no more."""
        create = self.flying_creates.get(row.client_order_index)
        if create is not None:
            self._land(create, Fate.EXECUTED)

    def traded(self, client_order_index: int, lots: int) -> None:
        """A create traded on its way into the book: so much less is to come of it."""
        create = self.flying_creates.get(client_order_index)
        if create is not None:
            create.lots = max(0, create.lots - lots)

    def started(self) -> None:
        """A new process begins: it counts its nonces from what the venue tells it."""
        self.life += 1
        for key in self.keys.values():
            key.last_nonce = None
            key.is_foreign = False

    # What flies

    def is_flying(self, sent: Sent, now_ns: int) -> bool:
        """Tell whether it could still be executed."""
        return sent.fate is Fate.FLYING and self.venue_us(now_ns) < sent.dead_us

    def creates_of(self, market: int, is_ask: bool, now_ns: int) -> Iterator[tuple[CreateOrderTx, int]]:
        """Yield the creates of a side that fly, each with what may still come of it."""
        for sent in self._live(self.flying_creates, now_ns):
            tx = sent.tx
            if isinstance(tx, CreateOrderTx) and tx.market_index == market and bool(tx.is_ask) == is_ask:
                yield tx, sent.lots

    def modifies_of(self, market: int, now_ns: int) -> Iterator[ModifyOrderTx]:
        """Yield the modifies of a market that fly."""
        for sent in self._live(self.flying_modifies, now_ns):
            tx = sent.tx
            if isinstance(tx, ModifyOrderTx) and tx.market_index == market:
                yield tx

    def _live(self, flying: "dict[int, Sent] | dict[bytes, Sent]", now_ns: int) -> Iterator[Sent]:
        venue_us = self.venue_us(now_ns)
        for sent in list(flying.values()):
            if venue_us < sent.dead_us:
                yield sent
            else:
                self._land(sent, Fate.DEAD)

    def _take_off(self, raw: bytes, sent: Sent) -> None:
        tx = sent.tx
        self.keys[tx.api_key_index].flying.append(sent)
        if isinstance(tx, CreateOrderTx):
            before = self.creates.get(tx.client_order_index)
            sent.namesake = before if before is not sent else sent.namesake
            self.creates[tx.client_order_index] = sent
            self.flying_creates[tx.client_order_index] = sent
        elif isinstance(tx, ModifyOrderTx):
            self.flying_modifies[raw] = sent

    def _land(self, sent: Sent, fate: Fate) -> None:
        if sent.fate is not Fate.FLYING:
            return
        sent.fate = fate
        tx = sent.tx
        if isinstance(tx, CreateOrderTx):
            if self.flying_creates.get(tx.client_order_index) is sent:
                del self.flying_creates[tx.client_order_index]
        elif isinstance(tx, ModifyOrderTx):
            for raw, other in self.flying_modifies.items():
                if other is sent:
                    del self.flying_modifies[raw]
                    return

    def _forget(self) -> None:
        """Bound the memory: what was settled long ago is forgotten, but not its client order index."""
        while len(self._remembered) > REMEMBERED:
            raw, sent = self._remembered.popleft()
            self._oldest_ns = sent.left_ns
            self._land(sent, Fate.DEAD)
            self._by_raw.pop(raw, None)
            at = self.keys[sent.tx.api_key_index].by_nonce
            at.get(sent.tx.nonce, []).remove(sent)
            if not at.get(sent.tx.nonce):
                del at[sent.tx.nonce]
