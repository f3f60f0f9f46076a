"""I5, I6: the book the bot has, and how old what it looks at is.

The venue's book is rebuilt from its outputs, with the digest of each of its last nonces. The nonces
that are told may be off from the exchange's own by an offset, which a restart of the venue changes;
a book of before the restart is still a true book at its old nonce.

Of the wire only the head of public frames is read: an update whose `begin_nonce` is not the nonce
before it is a gap, until the next first frame (protocol reference 3.4). Market data is as old as
the last public frame that named the market, by its arrival and by the venue's own time of
sending, whichever is older: what was stuck on the way is not fresh. What even the fastest frame of
a connection took is not seen by who hears no other (`engine/freshness.py`), and not counted.
"""

import msgspec

from lighterman.domain.book import OrderBook
from lighterman.matching.outputs import LevelChanged
from lighterman.simulation.oracle import slack
from lighterman.simulation.oracle.digests import level_digest
from lighterman.simulation.oracle.phases import Phases
from lighterman.simulation.oracle.records import NS_PER_MS, Belief, Terms
from lighterman.simulation.oracle.registry import Record
from lighterman.simulation.oracle.wire_model import Sent, WireModel

ERAS_KEPT = 8
NONCES_KEPT = 20_000
BOOK_CHANNEL = "order_book:"
EVERY_MARKET = "all"
PUBLIC = "public"
HEALTHY_LINKS = (PUBLIC, "private")


class _Body(msgspec.Struct, gc=False):
    nonce: int = 0
    begin_nonce: int = 0


class _Head(msgspec.Struct, gc=False):
    """As much of a public frame as is looked at."""

    type: str = ""
    channel: str = ""
    timestamp: int = 0
    order_book: _Body | None = None


_HEAD = msgspec.json.Decoder(_Head, strict=False)


class _Venue:
    """One market's true book."""

    __slots__ = ("book", "digest", "digests", "earlier", "nonce")

    def __init__(self) -> None:
        self.book = OrderBook()
        self.digest = 0
        self.nonce = 0  # as it is told
        self.digests: dict[int, int] = {0: 0}
        self.earlier: list[dict[int, int]] = []  # of before the last restarts: a bot that stood still knows no later

    def apply(self, change: LevelChanged, offset: int) -> None:
        """Take a level."""
        side = self.book.asks if change.is_ask else self.book.bids
        price, size = change.price_ticks, change.size_lots
        self.digest ^= level_digest(change.is_ask, price, side.get(price, 0))
        self.digest ^= level_digest(change.is_ask, price, size)
        level = ((price, size),)
        self.book.apply(() if change.is_ask else level, level if change.is_ask else (), change.nonce)
        self.nonce = change.nonce + offset
        self.digests[self.nonce] = self.digest
        self.digests.pop(self.nonce - NONCES_KEPT, None)

    def restart(self, shift: int) -> None:
        """Count nonces differently from here."""
        self.earlier = [*self.earlier[-ERAS_KEPT:], self.digests]
        self.nonce += shift
        self.digests = {self.nonce: self.digest}


class _Heard:
    """What the bot's present process has heard of a market."""

    __slots__ = ("gap_ns", "heard_ns", "nonce", "other_nonce", "sent_us")

    def __init__(self) -> None:
        self.heard_ns: int | None = None
        self.sent_us = 0
        self.nonce: int | None = None
        self.other_nonce: int | None = None  # of an older first frame: a copy of it, or a venue that restarted
        self.gap_ns: int | None = None


class Books:
    """Judges the bot's books against the venue's, and what leaves against the age of what was heard."""

    def __init__(self, terms: Terms, wire: WireModel, phases: Phases, record: Record) -> None:
        self._venues = {each.market.index: _Venue() for each in terms.markets}
        self._heard = {index: _Heard() for index in self._venues}
        self._wire = wire
        self._phases = phases
        self._record = record
        self._offset = 0
        self._age_max_ns = terms.limits.data_age_ms_max * NS_PER_MS + slack.LEAVE_NS
        self._private_ns = 0
        self._links_down: dict[str, int] = {}
        self._fastest_us: int | None = None  # the shortest way of a public frame, since the link was last lost

    # The venue

    def on_level(self, change: LevelChanged, now_ns: int) -> OrderBook | None:
        """Take a level of the venue's book; return the book."""
        venue = self._venues.get(change.market)
        if venue is None:
            return None
        venue.apply(change, self._offset)
        if venue.book.is_crossed():
            self._record.breach("I5", f"market {change.market}: the venue's book is crossed: {venue.book!r}", now_ns)
        return venue.book

    def restarted(self, offset: int) -> None:
        """The venue restarted: from here it tells its own nonces plus an offset."""
        for venue in self._venues.values():
            venue.restart(offset - self._offset)
        self._offset = offset

    # The bot

    def started(self, now_ns: int) -> None:
        """A new process has heard nothing."""
        self._heard = {index: _Heard() for index in self._venues}
        self._private_ns = now_ns
        self._links_down = {}
        self._fastest_us = None

    def on_private(self, now_ns: int) -> None:
        """The private stream gave a sign of life."""
        self._private_ns = now_ns

    def on_public(self, data: bytes, now_ns: int) -> None:
        """A public frame reached the bot."""
        try:
            head = _HEAD.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        _, _, name = head.channel.partition(":")
        if head.timestamp:
            way_us = self._wire.venue_us(now_ns) - head.timestamp * 1_000
            self._fastest_us = way_us if self._fastest_us is None else min(self._fastest_us, way_us)
        if name == EVERY_MARKET:
            for heard in self._heard.values():
                _hear(heard, head.timestamp, now_ns)
            return
        heard_of = self._heard.get(int(name)) if name.isdecimal() and name.isascii() else None
        if heard_of is None:
            return
        _hear(heard_of, head.timestamp, now_ns)
        if head.order_book is not None and head.channel.startswith(BOOK_CHANNEL):
            _follow(heard_of, head.order_book, now_ns, is_first=head.type.startswith("subscribed/"))

    def on_belief(self, belief: Belief, now_ns: int) -> None:
        """Judge each book the bot says it has."""
        if PUBLIC in belief.links_down and PUBLIC not in self._links_down:
            self._fastest_us = None
        self._links_down = {name: self._links_down.get(name, now_ns) for name in belief.links_down}
        for market, (nonce, digest) in belief.books.items():
            venue = self._venues.get(market)
            if venue is None or (nonce, digest) == (0, 0):
                continue
            known = [era[nonce] for era in (venue.digests, *venue.earlier) if nonce in era]
            if not known and nonce <= venue.nonce:
                continue  # too long ago to say
            self._record.judged["I5"] += 1
            if digest not in known:
                text = f"market {market}: the bot's book at nonce {nonce} is not the venue's, now at {venue.nonce}"
                self._record.breach("I5", text, now_ns)

    def judge_sent(self, sent: Sent, market: int, now_ns: int) -> None:
        """Judge what an order that leaves now can have been based on."""
        heard = self._heard.get(market)
        if heard is None:
            return
        self._record.judged["I5"] += 1
        self._record.judged["I6"] += 1
        if heard.gap_ns is not None and now_ns > heard.gap_ns + slack.LEAVE_NS:
            self._record.breach("I5", f"{sent!r} left over a gap in the book of market {market}", now_ns)
        if heard.heard_ns is None:
            self._record.breach("I6", f"{sent!r} left before any data of market {market}", now_ns)
            return
        age_ns = now_ns - heard.heard_ns
        lag_us = self._wire.venue_us(now_ns) - heard.sent_us - (self._fastest_us or 0) if heard.sent_us else 0
        lag_ns = lag_us * 1_000
        if max(age_ns, lag_ns) > self._age_max_ns:
            text = f"{sent!r}: data of market {market} is {age_ns} ns old, {lag_ns} ns by the venue's time"
            self._record.breach("I6", text, now_ns)
        if now_ns - self._private_ns > slack.PRIVATE_SILENCE_NS:
            self._record.breach("I6", f"{sent!r}: nothing private for {now_ns - self._private_ns} ns", now_ns)
        for name in HEALTHY_LINKS:
            if now_ns > self._links_down.get(name, now_ns) + slack.LEAVE_NS:
                self._record.breach("I6", f"{sent!r}: the {name} link is down, as the bot knows", now_ns)


def _hear(heard: _Heard, sent_ms: int, now_ns: int) -> None:
    heard.heard_ns = now_ns
    heard.sent_us = max(heard.sent_us, sent_ms * 1_000)


def _follow(heard: _Heard, body: _Body, now_ns: int, *, is_first: bool) -> None:
    """Follow the sequence of a book: a first frame begins it, an old update changes nothing."""
    if is_first:
        if heard.nonce is not None and body.nonce < heard.nonce and heard.gap_ns is None:
            heard.other_nonce = body.nonce
            return
        heard.nonce, heard.other_nonce, heard.gap_ns = body.nonce, None, None
    elif heard.nonce is None:
        return
    elif body.begin_nonce in (heard.nonce, heard.other_nonce):
        heard.nonce, heard.other_nonce = body.nonce, None
    elif body.nonce > heard.nonce and heard.gap_ns is None:
        heard.gap_ns = now_ns
