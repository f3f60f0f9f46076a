"""One WebSocket connection to Lighter, seen from the client: bytes in, frames out, no socket, no clock.

Law: 1. A book frame leaves this file only in sequence: `begin_nonce` is the nonce before it
(protocol reference 3.4); what is not is dropped (too early, too old) or ends the book (a gap),
and the channel is subscribed anew. 2. Nothing that arrives raises: malformed frames are
counted, and cost the channel they belong to, or the connection where that cannot be told and
orders may be missed. 3. The client never speaks faster than the venue allows (3.3).

A channel moves along STREAM_TRANSITIONS and nowhere else:

    WANTED     to be subscribed as soon as pace allows
    REQUESTED  subscribe sent, first frame awaited; until then book updates are dropped
    LIVE       first frame seen
    RENEWING   live, and to be subscribed anew because its token ages
    STALE      lost: to be unsubscribed and subscribed as soon as pace allows
"""

import enum
from collections import deque
from collections.abc import Sequence

import msgspec

from lighterman.domain.errors import RemoteProtocolError, invariant
from lighterman.protocol import messages
from lighterman.protocol.codes import Code
from lighterman.protocol.messages import BookFrame, ChannelFrame, ErrorFrame, Frame
from lighterman.protocol.rest import SendReply

NS_PER_S = 1_000_000_000
GREETING_WAIT_NS = 3 * NS_PER_S  # then subscribe anyway (3.1)
PING_INTERVAL_NS = 25 * NS_PER_S  # the venue drops who says nothing for 120 s (3.1)
SILENCE_NS = 5 * NS_PER_S // 2  # ask for a sign of life when nothing at all has come for so long
PING_TIMEOUT_NS = 7 * NS_PER_S // 2  # with the silence before it: how long a dead connection looks alive
TOO_FAST_WAIT_NS = 10 * NS_PER_S
SNAPSHOT_TIMEOUT_NS = 10 * NS_PER_S
QUIET_NS = 60 * NS_PER_S  # a book that does not move for so long is fetched anew
AGE_MAX_NS = 23 * 3600 * NS_PER_S  # the venue may close after 24 h
SETTLED_NS = 60 * NS_PER_S  # a channel that lived so long is forgiven its earlier losses
RETRY_FIRST_NS = NS_PER_S // 4
RETRY_LAST_NS = 5 * NS_PER_S  # what is well again is quoted on within 30 s
REQUESTED_MAX = 16  # unsubscribe and subscribe each, and a ping: below 35 unanswered of the venue's 50 (3.3)
REQUESTS_PER_MINUTE_MAX = 60  # two links that subscribe, and pings on all: below 150 of the venue's 200 (3.3)
OLD_IN_A_ROW_MAX = 5  # one frame told twice is an echo; so many and nothing new, and the book went back
MINUTE_NS = 60 * NS_PER_S
BOOK_UPDATE = "update/order_book"


class ChannelState(enum.Enum):
    """Where a subscription stands."""

    WANTED = "wanted"
    REQUESTED = "requested"
    LIVE = "live"
    RENEWING = "renewing"
    STALE = "stale"


class ChannelEvent(enum.Enum):
    """What can happen to a subscription."""

    REQUEST = "request"  # our subscribe left
    SNAPSHOT = "snapshot"  # its first frame came
    RENEW = "renew"  # its token ages
    LOSE = "lose"  # a gap, a malformed frame, no answer


_S, _E = ChannelState, ChannelEvent
STREAM_TRANSITIONS: dict[ChannelState, dict[ChannelEvent, ChannelState]] = {
    _S.WANTED: {_E.REQUEST: _S.REQUESTED},
    _S.REQUESTED: {_E.SNAPSHOT: _S.LIVE, _E.LOSE: _S.STALE},
    _S.LIVE: {_E.SNAPSHOT: _S.LIVE, _E.RENEW: _S.RENEWING, _E.LOSE: _S.STALE},
    _S.RENEWING: {_E.SNAPSHOT: _S.RENEWING, _E.REQUEST: _S.REQUESTED, _E.LOSE: _S.STALE},
    _S.STALE: {_E.REQUEST: _S.REQUESTED},
}
_IS_LIVE = (_S.LIVE, _S.RENEWING)
_IS_DUE = (_S.WANTED, _S.RENEWING, _S.STALE)


class BookGap(msgspec.Struct, frozen=True, gc=False):
    """The book of a channel is no longer known; it has been asked for anew."""

    channel: str
    reason: str


class StreamCounters(msgspec.Struct):
    """What was dropped and why, since the session began."""

    malformed: int = 0
    unknown: int = 0
    early: int = 0
    old: int = 0
    gaps: int = 0
    regressions: int = 0
    errors: int = 0


class _Channel:
    """One subscription: `name` as we say it (slash), the key of the table as the venue does (colon)."""

    __slots__ = ("changed_ns", "has_book", "is_book", "losses", "name", "nonce", "not_before_ns", "old", "state")

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_book = name.startswith("order_book/")
        self.state = ChannelState.WANTED
        self.nonce = -1  # of the last book frame let through; outlives the connection, to see it go back
        self.has_book = False  # what was let through still stands
        self.changed_ns = 0  # when it was requested, became live, or last moved
        self.losses = 0
        self.not_before_ns = 0
        self.old = 0  # frames from before `nonce`, in a row

    def move(self, event: ChannelEvent, now_ns: int) -> None:
        """Follow the table."""
        invariant(event in STREAM_TRANSITIONS[self.state], f"{self.name} cannot {event.value} while {self.state.value}")
        self.state = STREAM_TRANSITIONS[self.state][event]
        self.changed_ns = now_ns


class StreamSession:
    """Subscriptions and keep-alive of one connection after the other; `on_open` begins the next.

    `channels` are named as the venue's requests name them (`order_book/0`). `token` must be set
    before `on_open` where a channel is an account's. After each `receive` and `poll` the caller
    looks at `gaps`; `failure` says why the connection has to go. What `receive` does not hand
    on may want an answer at once: then `poll`.
    """

    def __init__(self, channels: Sequence[str]) -> None:
        self.token = ""
        self.gaps: list[BookGap] = []
        self.counters = StreamCounters()
        self.failure = ""
        self._channels = {name.replace("/", ":"): _Channel(name) for name in channels}
        self._is_private = any(_needs_token(name) for name in channels)
        self._sent_ns: deque[int] = deque()
        self._begin(0)

    def __repr__(self) -> str:
        states = ", ".join(f"{key} {channel.state.value}" for key, channel in self._channels.items())
        return f"<StreamSession {self.failure or 'open'} [{states}]>"

    def on_open(self, now_ns: int) -> list[bytes]:
        """A connection has been made: everything is to be subscribed anew. Returns what to send."""
        self._begin(now_ns)
        for channel in self._channels.values():
            channel.state = ChannelState.WANTED
            channel.has_book = False
            channel.not_before_ns = 0
        return self.poll(now_ns)

    def _begin(self, now_ns: int) -> None:
        self.failure = ""
        self._opened_ns = self._received_ns = self._spoke_ns = now_ns
        self._greeted = False
        self._ping_ns: int | None = None
        self._pong_due = False
        self._quiet_until_ns = 0
        self.gaps.clear()

    @property
    def is_ready(self) -> bool:
        """Tell whether the first data of every channel has come (with no channel: the greeting)."""
        return self._greeted and all(channel.state in _IS_LIVE for channel in self._channels.values())

    # -- what we hear --------------------------------------------------------------------

    @property
    def received_ns(self) -> int:
        """Return when anything was last heard."""
        return self._received_ns

    def receive(self, data: bytes, now_ns: int) -> Sequence[BookFrame | Frame | SendReply | ErrorFrame]:
        """Return the frames that are for the caller: data of channels, and answers to transactions."""
        self._received_ns = now_ns
        try:
            if not data.isascii():
                data.decode()  # the JSON decoder does not look at the text of what it skips
            frame = messages.decode(data)
        except (RemoteProtocolError, UnicodeDecodeError) as error:
            self._malformed(data, str(error), now_ns)
            return ()
        if isinstance(frame, BookFrame):
            return (frame,) if self._in_sequence(frame, now_ns) else ()
        if isinstance(frame, SendReply):
            return (frame,)
        if isinstance(frame, ErrorFrame):
            return self._on_error(frame, now_ns)
        return self._on_frame(frame, data, now_ns)

    def _in_sequence(self, frame: BookFrame, now_ns: int) -> bool:
        """Tell whether a book frame follows the last one; four cases, the common one first.

        1. An update is taken where it begins at the nonce we are at,
        2. dropped where there is no book yet or we are past it (many in a row: the venue went back),
        3. and a gap in all other cases.
        4. A first frame where one is awaited is taken, whatever its nonce; on a live channel
           only if it is newer than what is known.
        """
        channel, body = self._channels.get(frame.channel), frame.order_book
        if channel is None or not channel.is_book or body is None:
            self.counters.unknown += 1
            return False
        is_update = frame.type == BOOK_UPDATE
        if is_update and channel.has_book and body.begin_nonce == channel.nonce <= body.nonce:
            channel.nonce = body.nonce
            channel.changed_ns = now_ns
            channel.old = 0
            return True
        if not is_update:
            return self._take_snapshot(channel, body.nonce, now_ns)
        if not channel.has_book:
            self.counters.early += 1
        elif body.nonce <= channel.nonce:
            self._drop_old(channel, body.nonce, now_ns)
        else:
            self.counters.gaps += 1
            self.lose(frame.channel, f"gap: {body.begin_nonce} does not follow {channel.nonce}", now_ns)
        return False

    def _take_snapshot(self, channel: _Channel, nonce: int, now_ns: int) -> bool:
        if channel.state not in _IS_LIVE and channel.state is not _S.REQUESTED:
            self.counters.early += 1
            return False
        if nonce < channel.nonce:
            if channel.state in _IS_LIVE:
                self._drop_old(channel, nonce, now_ns)
                return False
            self.counters.regressions += 1
            reason = f"book nonce went back from {channel.nonce} to {nonce}: the venue restarted, or its server lags"
            self.gaps.append(BookGap(channel.name.replace("/", ":"), reason))
        channel.move(_E.SNAPSHOT, now_ns)
        channel.nonce = nonce
        channel.has_book = True
        channel.old = 0
        return True

    def _drop_old(self, channel: _Channel, nonce: int, now_ns: int) -> None:
        self.counters.old += 1
        channel.old += 1
        if channel.old > OLD_IN_A_ROW_MAX:
            self.lose(channel.name.replace("/", ":"), f"book nonce went back from {channel.nonce} to {nonce}", now_ns)

    def _on_frame(self, frame: Frame, data: bytes, now_ns: int) -> Sequence[Frame]:
        match frame:
            case messages.Connected():
                self._greeted = True
            case messages.Ping():
                self._pong_due = True
            case messages.Pong() | messages.Unsubscribed():
                pass  # any frame is a sign of life, and a first frame is what a channel waits for
            case messages.Shutdown():
                self._fail("the venue announces its shutdown")
            case messages.Unknown():
                self._on_unknown(frame, data, now_ns)
            case ChannelFrame():
                return self._on_channel(frame, now_ns)
        return ()

    def _on_unknown(self, frame: messages.Unknown, data: bytes, now_ns: int) -> None:
        """Ignore what we do not know (3.1), unless it stands in the place of what we need."""
        if frame.channel.replace("/", ":") in self._channels:
            self._malformed(data, f"unexpected {frame.type[:40]!r}", now_ns)
        else:
            self.counters.unknown += 1

    def _on_channel(self, frame: ChannelFrame, now_ns: int) -> Sequence[Frame]:
        channel = self._channels.get(frame.channel.replace("/", ":"))
        if channel is None or channel.is_book:
            self.counters.unknown += 1
            return ()
        if frame.is_snapshot and _E.SNAPSHOT in STREAM_TRANSITIONS[channel.state]:
            channel.move(_E.SNAPSHOT, now_ns)
        return (frame,)

    def _on_error(self, frame: ErrorFrame, now_ns: int) -> Sequence[ErrorFrame]:
        """Sort an error: to a transaction it goes to the caller, else it is about us (3.2)."""
        code = frame.error.code
        if not self._channels:
            return (frame,)
        self.counters.errors += 1
        if code in (Code.INVALID_AUTH, Code.INVALID_PARAM) and self._is_private:
            self._fail(f"token refused: {frame.error.message[:80]}")
        elif code in _TOO_FAST:
            self._quiet_until_ns = now_ns + TOO_FAST_WAIT_NS
        return ()  # 30003 is harmless; others name nothing, and the missing first frame will tell

    def _malformed(self, data: bytes, reason: str, now_ns: int) -> None:
        """Count a malformed frame; it costs its book, or the connection where orders may be missed."""
        self.counters.malformed += 1
        try:
            channel = _HEAD.decode(data).channel.replace("/", ":")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            channel = ""
        self.reject(channel, reason, now_ns)

    # -- what the caller finds ---------------------------------------------------------------

    def reject(self, channel: str, reason: str, now_ns: int) -> None:
        """A frame of a channel cannot be used: a book is fetched anew, an account's frame ends the connection."""
        known = self._channels.get(channel)
        if known is not None and known.is_book:
            self.lose(channel, f"malformed frame: {reason[:80]}", now_ns)
        elif self._is_private:
            self._fail(f"malformed frame on a private stream: {reason[:80]}")

    def lose(self, channel: str, reason: str, now_ns: int) -> None:
        """A channel's data is no longer good: subscribe it anew, later and later if that does not help."""
        known = self._channels.get(channel)
        if known is None or _E.LOSE not in STREAM_TRANSITIONS[known.state]:
            return
        if known.state in _IS_LIVE and known.losses and now_ns - known.not_before_ns > SETTLED_NS:
            known.losses = 0
        known.move(_E.LOSE, now_ns)
        delay_ns = min(RETRY_FIRST_NS << known.losses, RETRY_LAST_NS) if known.losses else 0
        known.not_before_ns = now_ns + delay_ns
        known.losses = min(known.losses + 1, 16)
        if known.has_book:
            known.has_book = False
            self.gaps.append(BookGap(channel, reason))

    def renew(self, token: str, now_ns: int) -> None:
        """Use a new token: account channels are unsubscribed and subscribed anew (a plain subscribe is 30003)."""
        self.token = token
        for channel in self._channels.values():
            if channel.state is ChannelState.LIVE and _needs_token(channel.name):
                channel.move(_E.RENEW, now_ns)

    def _fail(self, reason: str) -> None:
        self.failure = self.failure or reason

    # -- what we say -------------------------------------------------------------------------

    def poll(self, now_ns: int) -> list[bytes]:
        """Return what to send now, and notice what should have happened by now."""
        self._watch(now_ns)
        frames: list[bytes] = []
        if self._pong_due:
            self._pong_due = False
            frames.append(messages.PONG)
        if self._greeted or now_ns - self._opened_ns >= GREETING_WAIT_NS:
            self._greeted = True
            self._request(frames, now_ns)
        if self._ping_ns is None and self._wants_ping(now_ns):
            self._ping_ns = now_ns
            frames.append(messages.PING)
        if frames:
            self._spoke_ns = now_ns
            self._sent_ns.extend([now_ns] * len(frames))
        return frames

    def _wants_ping(self, now_ns: int) -> bool:
        return now_ns - self._spoke_ns >= PING_INTERVAL_NS or now_ns - self._received_ns >= SILENCE_NS

    def _watch(self, now_ns: int) -> None:
        """Notice silence, age, unanswered subscriptions and books that stand still."""
        if self._ping_ns is not None:
            if self._received_ns > self._ping_ns:
                self._ping_ns = None
            elif now_ns - self._ping_ns >= PING_TIMEOUT_NS:
                self._fail("ping unanswered")
        if now_ns - self._opened_ns >= AGE_MAX_NS:
            self._fail("connection is 23 hours old")
        for key, channel in self._channels.items():
            age_ns = now_ns - channel.changed_ns
            if channel.state is ChannelState.REQUESTED and age_ns >= SNAPSHOT_TIMEOUT_NS:
                self.lose(key, "no first frame", now_ns)
            elif channel.is_book and channel.state is ChannelState.LIVE and age_ns >= QUIET_NS:
                self.lose(key, "nothing for a minute", now_ns)

    def _request(self, frames: list[bytes], now_ns: int) -> None:
        """Subscribe what is due, as far as the venue's limits allow."""
        while self._sent_ns and now_ns - self._sent_ns[0] >= MINUTE_NS:
            self._sent_ns.popleft()
        room = REQUESTS_PER_MINUTE_MAX - len(self._sent_ns) - len(frames)
        waiting = sum(channel.state is ChannelState.REQUESTED for channel in self._channels.values())
        if now_ns < self._quiet_until_ns:
            return
        for channel in self._channels.values():
            if channel.state not in _IS_DUE or now_ns < channel.not_before_ns:
                continue
            if waiting >= REQUESTED_MAX or room < 2:
                return
            if channel.state is not ChannelState.WANTED:
                frames.append(messages.unsubscribe(channel.name))
                room -= 1
            frames.append(messages.subscribe(channel.name, self.token if _needs_token(channel.name) else None))
            room -= 1
            waiting += 1
            channel.move(_E.REQUEST, now_ns)


class _Head(msgspec.Struct, gc=False):
    """As much of a malformed frame as tells whose it was."""

    channel: str = ""


_HEAD = msgspec.json.Decoder(_Head)
_TOO_FAST = (
    Code.TOO_MANY_SUBSCRIPTIONS,
    Code.TOO_MANY_ACCOUNTS,
    Code.TOO_MANY_CONNECTIONS,
    Code.WS_TOO_MANY_MESSAGES,
    Code.WS_TOO_MANY_INFLIGHT,
)


def _needs_token(channel: str) -> bool:
    """Account channels get the token, those too that do not ask for it (3.6, A-11)."""
    return channel.startswith(("account_", "user_stats/"))
