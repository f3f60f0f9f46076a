"""One API key at work: commands in, transactions signed, gated and sent in nonce order, outcomes told.

Law: one request of a key is open at a time, so that a refusal can always give its nonces back,
and all that was asked for meanwhile goes out in the next batch. What nothing has to be waited for
leaves within `submit`, so that a tick's orders are on the socket when it returns. An outcome that is not known
freezes the key: creates and modifies are refused until `nonces.py` has settled the doubt, and
cancels wait (or go over another key). Meanwhile the same bytes are sent again, over the other way
first: they run at most once (reference N7), so that a lost transaction is late instead of lost,
and a lost answer is told. Never after their end, and no order after the stop. A create that
waited too long is stale and never sent.

A key may have been another process's a moment ago, killed with a transaction on its way. Until
the venue has accepted one of ours, which buries whatever waited for the same nonce, or has been
asked when all of that is dead, an unexpected nonce is our predecessor's: we count on behind it.
From then on it is a stranger's, and two writers of one key stop.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NoReturn

import msgspec

from lighterman.domain.clock import Clock
from lighterman.domain.commands import CancelAll, CancelOrder, Command
from lighterman.domain.errors import (
    InvariantBroken,
    LocalProtocolError,
    RemoteProtocolError,
    SigningError,
    TransportError,
    VenueError,
)
from lighterman.domain.events import (
    CommandAcked,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    QuotaReport,
    StopRequested,
)
from lighterman.exchange.params import ClientParams
from lighterman.exchange.port import Sink
from lighterman.exchange.ratelimit import RateLimits
from lighterman.exchange.reads import Reads
from lighterman.exchange.venuetime import VenueTime
from lighterman.exchange.wire import BATCH_MAX, Answer, Request, TransactionWire
from lighterman.exchange.wiregate import WireGate
from lighterman.protocol.codes import Code, Outcome
from lighterman.protocol.nonces import NonceKeeper
from lighterman.protocol.objects import TransactionFacts
from lighterman.protocol.signing import AsyncSigner, SignedTx
from lighterman.protocol.transactions import Attribute, Attributes, Transaction
from lighterman.protocol.translate import FAILED, Envelope, transaction, verdict

QUEUE_MAX = 1_000
NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
STALE_NS = 400_000_000  # a create that has waited for so long was wished for another market
SETTLE_FIRST_S = 0.5  # `nextNonce` may lag right after a send (4.7)
SETTLE_LAST_S = 2.0
DEAD_MARGIN_MS = 2_000  # the venue's clock is known to about a second: its ExpiredAt is believed this much later
RESENDS_MAX = 3  # of one batch
PAUSE_FIRST_S = 0.5
PAUSE_LAST_S = 8.0
SENT_REMEMBERED_MAX = 4_096

# What no other transaction of this key can survive either (protocol reference 2.8, "fatal").
FATAL = (
    Code.RESTRICTED_JURISDICTION,
    Code.ACCOUNT_NOT_FOUND,
    Code.INVALID_ACCOUNT_INDEX,
    Code.INVALID_ACCOUNT,
    Code.INVALID_PUBLIC_KEY,
    Code.API_KEY_NOT_FOUND,
    Code.INVALID_API_KEY_INDEX,
    Code.INVALID_SIGNATURE,
    Code.TX_NOT_ALLOWED_FOR_ACCOUNT,
    21136,  # "update the sdk"
)

_REMOVING = (CancelOrder, CancelAll)


class _Waiting(msgspec.Struct, frozen=True, gc=False):
    """A command that has not left yet; `is_alone` after a batch with it was refused."""

    command: Command
    since_ns: int
    is_alone: bool = False


class _Sent(msgspec.Struct, frozen=True, gc=False):
    """A command that has left and of which the sequencer has not spoken."""

    command_id: int
    nonce: int
    tx_hash: str
    dead_ns: int


class _Flight(msgspec.Struct, frozen=True):
    """A batch that has been signed. At `dead_ns` the venue has long ceased to take it, at `end_ns` it does."""

    batch: list[_Waiting]
    nonces: range
    signed: Sequence[SignedTx]
    end_ns: int
    dead_ns: int

    @property
    def only_removes(self) -> bool:
        """Tell whether no order can come of it."""
        return all(_only_removes(waiting.command) for waiting in self.batch)


class SenderTools(msgspec.Struct, frozen=True):
    """What senders share. `ask` has a transaction looked up by its hash; `on_change` hears of freezing."""

    wire: TransactionWire
    gate: WireGate
    reads: Reads
    limits: RateLimits
    clock: Clock
    venue_time: VenueTime
    params: ClientParams
    emit: Sink
    ask: "Callable[[str, KeySender], None]"
    on_change: Callable[[], None]


class KeySender:
    """The only writer of one key's nonces."""

    def __init__(self, api_key_index: int, signer: AsyncSigner, next_nonce: int, tools: SenderTools) -> None:
        self.api_key_index = api_key_index
        self._signer = signer
        self._tools = tools
        self._nonces = NonceKeeper(next_nonce)
        self._queue: deque[_Waiting] = deque()
        self._woken = asyncio.Event()
        self._is_idle = False  # `run` waits for something to do
        self._departed: tuple[_Flight, Request] | None = None  # left within `submit`, to be landed by `run`
        self._bug: InvariantBroken | None = None  # met there, to be raised by `run`
        self._sent: dict[str, _Sent] = {}  # by hash, oldest first
        self._pause_s = 0.0  # the last pause; it doubles until something is accepted
        self._is_paused = False
        self._doubtful: _Flight | None = None  # to be sent again
        self._alone_ns = self._dead_ns(tools.clock.mono_ns())  # what a predecessor left in the air is dead
        self._is_alone = False  # and that has been seen
        self._is_foreign_told = False

    @property
    def frozen_because(self) -> str:
        """Say why nothing can be sent until a doubt is settled; "" where it can."""
        reason = self._nonces.frozen_because
        return f"key {self.api_key_index} frozen: {reason}" if reason else ""

    def submit(self, commands: Iterable[Command]) -> None:
        """Queue commands, or refuse them at once; send them at once where nothing has to be waited for."""
        now_ns = self._tools.clock.mono_ns()
        for command in commands:
            reason = self._why_not(command)
            if reason:
                self._refuse(command.command_id, 0, reason)
            elif isinstance(command, CancelAll):
                self._queue.appendleft(_Waiting(command, now_ns))
            elif not isinstance(command, CancelOrder) or not self._replaces(command):
                self._queue.append(_Waiting(command, now_ns))
        if self._is_idle and self._queue and self._need_not_wait(now_ns):
            self._is_idle = False
            try:
                self._departed = self._send_at_once(now_ns)
            except InvariantBroken as error:
                self._bug = error
        self._woken.set()

    def _need_not_wait(self, now_ns: int) -> bool:
        tools = self._tools
        is_ready = self._signer.signs_in_place and tools.wire.is_up and not self._nonces.is_frozen
        return is_ready and tools.limits.transactions.available(now_ns) > 0

    def _replaces(self, command: CancelOrder) -> bool:
        """Put a cancel in the place of one that waits for the same order; return False if none does."""
        for place, waiting in enumerate(self._queue):
            other = waiting.command
            if isinstance(other, CancelOrder) and other.client_order_index == command.client_order_index:
                self._queue[place] = _Waiting(command, waiting.since_ns, waiting.is_alone)
                self._refuse(other.command_id, 0, "asked for again")
                return True
        return False

    def _why_not(self, command: Command) -> str:
        """Return why a command must not even wait; cancels may always wait."""
        if len(self._queue) >= QUEUE_MAX:
            return "too many commands wait"
        if _only_removes(command):
            return ""
        if self._tools.gate.is_stopped:
            return "stopped"
        return self.frozen_because or ("the venue asked to slow down" if self._is_paused else "")

    async def run(self) -> NoReturn:
        """Send what is queued and settle what is in doubt, for ever; raises InvariantBroken."""
        while True:
            if self._bug is not None:
                raise self._bug
            if self._departed is not None:
                (flight, request), self._departed = self._departed, None
                await self._land(flight, self._tools.wire.answer(request))
            elif self._nonces.is_frozen:
                await self._settle()
            elif self._queue:
                await self._send_batch()
            else:
                self._woken.clear()
                self._is_idle = True
                await self._woken.wait()
                self._is_idle = False

    # -- sending -------------------------------------------------------------------------

    def _send_at_once(self, now_ns: int) -> tuple[_Flight, Request] | None:
        """Do what `_send_batch` does, where it has to wait for the answer alone."""
        batch, _ = self._pay(self._take_batch())  # there is room: `_need_not_wait`
        if not batch:
            return None
        nonces = self._nonces.take(len(batch), now_ns)
        try:
            signed = self._signer.sign_now(self._unsigned(batch, nonces))
        except (SigningError, LocalProtocolError) as error:
            self._not_signed(batch, nonces, error)
            return None
        flight = self._take_off(batch, nonces, signed, now_ns)
        return None if flight is None else (flight, self._tools.wire.begin(signed))

    async def _send_batch(self) -> None:
        batch, delay_ns = self._pay(self._take_batch())
        if not batch:
            return
        await asyncio.sleep(delay_ns / NS_PER_S)
        if self._nonces.is_frozen:  # a stranger's nonce was told while we waited
            self._put_back(batch)
            return
        now_ns = self._tools.clock.mono_ns()
        nonces = self._nonces.take(len(batch), now_ns)
        try:
            signed = await self._signer.sign(self._unsigned(batch, nonces))
        except (SigningError, LocalProtocolError) as error:
            self._not_signed(batch, nonces, error)
            return
        if self._nonces.is_frozen or self._has_grown_stale(batch):
            self._nonces.refused(nonces)
            self._put_back(batch)  # where what is stale, or may not wait for the doubt, is refused
            return
        flight = self._take_off(batch, nonces, signed, now_ns)
        if flight is not None:
            await self._land(flight, self._tools.wire.send(signed))

    def _has_grown_stale(self, batch: Sequence[_Waiting]) -> bool:
        """Tell whether we stood still while a batch was signed, so that it holds creates wished for long ago."""
        stale_ns = self._tools.clock.mono_ns() - STALE_NS
        return any(waiting.since_ns < stale_ns and not _only_removes(waiting.command) for waiting in batch)

    def _not_signed(self, batch: list[_Waiting], nonces: range, error: Exception) -> None:
        self._nonces.refused(nonces)
        for waiting in batch:
            self._refuse(waiting.command.command_id, 0, f"not signed: {error}")

    def _take_off(
        self, batch: list[_Waiting], nonces: range, signed: Sequence[SignedTx], now_ns: int
    ) -> _Flight | None:
        """Look at the signed bytes for the last time; None where the stop came while they were signed."""
        if self._tools.gate.is_stopped and not all(_only_removes(waiting.command) for waiting in batch):
            self._nonces.refused(nonces)
            self._put_back(batch)
            return None
        for tx in signed:
            self._tools.gate.check(tx)
        end_ns = now_ns + self._tools.params.transaction_lifetime_ms * NS_PER_MS
        flight = _Flight(batch, nonces, signed, end_ns, self._dead_ns(now_ns))
        self._nonces.leaves(nonces, flight.dead_ns)
        for waiting, nonce, tx in zip(batch, nonces, signed, strict=True):
            self._remember(_Sent(waiting.command.command_id, nonce, tx.tx_hash, flight.dead_ns))
        return flight

    async def _land(self, flight: _Flight, answering: Awaitable[Answer]) -> None:
        """Wait for what is said to a batch that has left."""
        answer = await answering
        self._take_answer(answer, flight)
        if answer.outcome is Outcome.RATE_LIMITED:
            await self._pause()
        else:
            self._pause_s = 0.0

    def _dead_ns(self, signed_ns: int) -> int:
        return signed_ns + (self._tools.params.transaction_lifetime_ms + DEAD_MARGIN_MS) * NS_PER_MS

    def _take_batch(self) -> list[_Waiting]:
        """Take what goes out next, in order; what may not go any more is refused."""
        stale_ns = self._tools.clock.mono_ns() - STALE_NS
        batch: list[_Waiting] = []
        while self._queue and len(batch) < BATCH_MAX:
            waiting = self._queue[0]
            if waiting.is_alone and batch:
                break
            self._queue.popleft()
            is_harmless = _only_removes(waiting.command)
            if not is_harmless and self._tools.gate.is_stopped:
                self._refuse(waiting.command.command_id, 0, "stopped")
            elif not is_harmless and waiting.since_ns < stale_ns:
                self._refuse(waiting.command.command_id, 0, "waited too long to be sent")
            else:
                batch.append(waiting)
                if waiting.is_alone:
                    break
        return batch

    def _pay(self, batch: list[_Waiting]) -> tuple[list[_Waiting], int]:
        """Stay within the venue's limit and the operator's; return what may leave, and in how many nanoseconds.

        Creates leave together or are refused, since half a ladder may be one side of it, and leave a
        reserve for cancels. Of those as many go as may; where none may, one waits until it may.
        """
        limits, now_ns = self._tools.limits, self._tools.clock.mono_ns()
        bucket, allowance = limits.transactions, limits.allowance
        creates = [waiting for waiting in batch if not _only_removes(waiting.command)]
        if not creates:
            count = min(len(batch), max(1, bucket.available(now_ns)))
            self._put_back(batch[count:])
            allowance.count(0, count, now_ns)
            return batch[:count], bucket.book(count, now_ns) if batch else 0
        removing = len(batch) - len(creates)
        has_room = allowance.has_room(len(creates), removing, now_ns)
        if has_room and bucket.take(len(batch), now_ns, reserve=limits.cancel_reserve):
            allowance.count(len(creates), removing, now_ns)
            return batch, 0
        for waiting in creates:
            limit = "the venue's transaction limit" if has_room else "the message limit: some were sent again"
            self._refuse(waiting.command.command_id, 0, limit)
        self._put_back([waiting for waiting in batch if _only_removes(waiting.command)])
        return [], 0

    def _unsigned(self, batch: list[_Waiting], nonces: range) -> list[Transaction]:
        params, now_ms = self._tools.params, self._tools.venue_time.now_ms()
        attributes: Attributes | None = None
        if params.self_trade_behavior is not None:
            attributes = {str(Attribute.SELF_TRADE_BEHAVIOR.value): params.self_trade_behavior}
        envelope = Envelope(
            account_index=params.account_index,
            api_key_index=self.api_key_index,
            expired_at_ms=now_ms + params.transaction_lifetime_ms,
            order_expiry_ms=now_ms + params.order_lifetime_ms,
            attributes=attributes,
        )
        return [transaction(waiting.command, nonce, envelope) for waiting, nonce in zip(batch, nonces, strict=True)]

    def _put_back(self, batch: Sequence[_Waiting]) -> None:
        self._queue.extendleft(reversed(batch))

    def _remember(self, sent: _Sent) -> None:
        self._sent[sent.tx_hash] = sent
        if len(self._sent) > SENT_REMEMBERED_MAX:
            del self._sent[next(iter(self._sent))]

    # -- what was said to it -----------------------------------------------------------------

    def _take_answer(self, answer: Answer, flight: _Flight) -> None:
        """Tell the outcome of a batch: the venue says one for all of it (A-21).

        1. accepted: all are queued;
        2. unknown: the key freezes;
        3. refused, several: nobody says which one was at fault, so each goes again alone;
        4. refused, alone or for a reason that holds for all: that is its outcome.
        """
        tools, now_ns = self._tools, self._tools.clock.mono_ns()
        batch, nonces = flight.batch, flight.nonces
        ids = [waiting.command.command_id for waiting in batch]
        if answer.volume_quota is not None:
            tools.emit(QuotaReport(answer.volume_quota, now_ns))
        if answer.outcome is Outcome.ACCEPTED:
            self._nonces.accepted(nonces)
            self._is_alone = True
            for command_id in ids:
                tools.emit(CommandAcked(command_id, answer.predicted_execution_ms, now_ns))
            return
        reason = f"{answer.code} {answer.message.strip()}".removeprefix("0 ")
        if answer.outcome is Outcome.UNKNOWN:
            if answer.code == Code.INVALID_NONCE:
                self._nonces.denied(nonces)
            else:
                self._nonces.unknown(nonces, reason)
                self._doubtful = flight
            for command_id in ids:
                tools.emit(CommandUnknown(command_id, reason, now_ns))
            return
        self._nonces.refused(nonces)
        for tx in flight.signed:
            self._sent.pop(tx.tx_hash, None)
        is_for_all = answer.outcome is Outcome.RATE_LIMITED or answer.code == 0 or answer.code in FATAL
        if len(batch) > 1 and not is_for_all:
            self._put_back([_Waiting(waiting.command, waiting.since_ns, is_alone=True) for waiting in batch])
            return
        for command_id in ids:
            self._refuse(command_id, answer.code, answer.message.strip())
        if answer.code in FATAL:
            tools.emit(StopRequested(f"the venue refuses key {self.api_key_index}: {reason}", now_ns))

    async def _pause(self) -> None:
        """The venue is asked too much: say nothing for a while, longer each time in a row."""
        self._pause_s = min(max(PAUSE_FIRST_S, self._pause_s * 2), PAUSE_LAST_S)
        self._is_paused = True
        await asyncio.sleep(self._pause_s)
        self._is_paused = False

    def _refuse(self, command_id: int, code: int, message: str) -> None:
        self._tools.emit(CommandRefused(command_id, code, message, self._tools.clock.mono_ns()))

    # -- doubts --------------------------------------------------------------------------

    async def _settle(self) -> None:
        """Send again, and ask for the next nonce, until it is known what became of every one given out (4.7)."""
        self._tools.on_change()
        self._refuse_creates(self.frozen_because)
        resends, by_rest = 0, True
        delay_s = SETTLE_FIRST_S
        while self._nonces.is_frozen:
            if self._doubtful is not None and resends < RESENDS_MAX and self._may_resend(self._doubtful):
                resends += await self._resend(self._doubtful, by_rest=by_rest)
                by_rest = not by_rest
            if self._nonces.is_frozen:
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, SETTLE_LAST_S)
                await self._read_next_nonce()
        self._doubtful = None
        self._tools.on_change()

    def _may_resend(self, flight: _Flight) -> bool:
        """Tell whether a batch of which nothing is known may be sent again, and pay for it."""
        limits, now_ns = self._tools.limits, self._tools.clock.mono_ns()
        if flight.signed[0].tx_hash not in self._sent or now_ns >= flight.end_ns:
            return False
        if self._tools.gate.is_stopped and not flight.only_removes:
            return False
        removing = sum(_only_removes(waiting.command) for waiting in flight.batch)
        asking = len(flight.batch) - removing
        reserve = limits.cancel_reserve if asking else 0
        if not limits.allowance.has_room(asking, removing, now_ns):
            return False
        if not limits.transactions.take(len(flight.batch), now_ns, reserve=reserve):
            return False
        limits.allowance.count(asking, removing, now_ns)
        return True

    async def _resend(self, flight: _Flight, *, by_rest: bool) -> bool:
        """Send the same bytes again; return whether they may have left.

        Accepted: all are queued. 21104: they have run, or cannot yet; the next nonce will tell.
        Another refusal is of this copy alone: the first one may be on its way still.
        """
        for tx in flight.signed:
            self._tools.gate.check(tx)
        answer = await self._tools.wire.send(flight.signed, by_rest=by_rest)
        if answer.outcome is Outcome.ACCEPTED:
            self._take_answer(answer, flight)
        elif answer.outcome is Outcome.RATE_LIMITED:
            await self._pause()
        elif answer.code == Code.INVALID_NONCE or (answer.outcome is Outcome.REFUSED and answer.code):
            self._doubtful = None
        return answer.outcome is not Outcome.REFUSED or answer.code != 0

    async def _read_next_nonce(self) -> None:
        tools = self._tools
        try:
            venue_next = await tools.reads.next_nonce(self.api_key_index)
        except (TransportError, VenueError, RemoteProtocolError):
            return
        now_ns = tools.clock.mono_ns()
        settled = self._nonces.settle(venue_next, now_ns)
        hash_of = {sent.nonce: sent.tx_hash for sent in self._sent.values()}
        for nonce in settled.unused:
            if nonce in hash_of:
                self._refuse(self._sent.pop(hash_of[nonce]).command_id, 0, "never reached the venue in time")
        for nonce in settled.used:
            if nonce in hash_of:
                tools.ask(hash_of[nonce], self)
        if settled.is_foreign:
            self._take_unexpected(f"the venue's next nonce is {venue_next}")
        self._is_alone = self._is_alone or now_ns >= self._alone_ns

    def _refuse_creates(self, reason: str) -> None:
        waiting, self._queue = self._queue, deque()
        for each in waiting:
            if _only_removes(each.command):
                self._queue.append(each)
            else:
                self._refuse(each.command.command_id, 0, reason)

    def transaction_told(self, facts: TransactionFacts, recv_ns: int) -> None:
        """Take the sequencer's word on a transaction of the account; one that it dropped has not used its nonce."""
        if facts.api_key_index != self.api_key_index:
            return
        error = verdict(facts)
        if error is None:
            return
        is_ours = facts.nonce < 0 or facts.status == FAILED or self._nonces.executed(facts.nonce)
        sent = self._sent.pop(facts.hash, None)
        if sent is not None:
            self._tools.emit(CommandExecuted(sent.command_id, error, recv_ns))
        elif facts.status != FAILED and (not is_ours or facts.nonce in [other.nonce for other in self._sent.values()]):
            self._take_unexpected(f"transaction {facts.hash[:16]} with nonce {facts.nonce}")
            self._woken.set()

    def transaction_absent(self, tx_hash: str) -> bool:
        """The venue knows no such transaction; return whether it need not be asked about again."""
        sent = self._sent.get(tx_hash)
        if sent is not None and self._tools.clock.mono_ns() >= sent.dead_ns:
            del self._sent[tx_hash]
            self._refuse(sent.command_id, 0, "the venue never ran it")
        return tx_hash not in self._sent

    def stream_was_silent(self) -> None:
        """Executions may have been missed: ask about everything that has left and is not known to have run."""
        for sent in self._sent.values():
            self._tools.ask(sent.tx_hash, self)

    def _take_unexpected(self, what: str) -> None:
        """A nonce was used that is not ours: ask about all that is. Two writers end in an outage (4.7, 13: 45)."""
        self.stream_was_silent()
        if self._is_alone and not self._is_foreign_told:
            self._is_foreign_told = True
            reason = f"another program uses key {self.api_key_index}: {what}"
            self._tools.emit(StopRequested(reason, self._tools.clock.mono_ns()))


def _only_removes(command: Command) -> bool:
    return isinstance(command, _REMOVING)
