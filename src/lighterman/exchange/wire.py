"""Signed transactions to the venue and its answers back: over the socket, or over REST when that is down.

Law: every send ends in exactly one Answer, and what proves nothing is UNKNOWN (protocol
reference 2.8). An answer is matched by the id we chose, else by the transaction's hash; one
that says neither is believed only when a single request is open. Nothing is sent twice from here:
only who signed may send the same bytes again, which is safe because a nonce runs once (21104).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from lighterman.domain.clock import Clock
from lighterman.domain.errors import RemoteProtocolError, TransportError
from lighterman.exchange.link import Heard
from lighterman.exchange.ratelimit import RateLimits
from lighterman.exchange.transport import HttpReply, NotSent, Transport
from lighterman.protocol import messages, objects
from lighterman.protocol.codes import OK, Outcome, classify
from lighterman.protocol.messages import ErrorFrame
from lighterman.protocol.rest import API, SendReply
from lighterman.protocol.signing import SignedTx
from lighterman.protocol.stream import BookGap

BATCH_MAX = 15  # 3.3, A-4
TRANSACTION_CODES = range(21_000, 22_000)
NOT_CONNECTED_YET = "not connected yet"


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What is known after a send. `code` is the venue's, 0 where it said none."""

    outcome: Outcome
    code: int = 0
    message: str = ""
    predicted_execution_ms: int = 0
    volume_quota: int | None = None


class Request(msgspec.Struct, frozen=True):
    """A send over the socket that awaits its answer, which `TransactionWire.answer` tells."""

    request_id: str
    hashes: list[str]
    answer: asyncio.Future[Answer]


class TransactionWire:
    """The owner of the transactions link. `speak` sends a frame over it; `on_change` hears of up and down."""

    def __init__(
        self, transport: Transport, clock: Clock, limits: RateLimits, on_change: Callable[[], None], timeout_ms: int
    ) -> None:
        self.down_because = NOT_CONNECTED_YET
        self.speak: Callable[[bytes], None] | None = None
        self._transport = transport
        self._clock = clock
        self._limits = limits
        self._on_change = on_change
        self._timeout_s = timeout_ms / 1000
        self._count = 0
        self._open: dict[str, Request] = {}

    @property
    def is_up(self) -> bool:
        """Tell whether the socket can be used."""
        return self.speak is not None and not self.down_because

    async def send(self, batch: Sequence[SignedTx], *, by_rest: bool = False) -> Answer:
        """Send a batch of one key, in nonce order, and wait for what is said to it."""
        if self.is_up and not by_rest:
            return await self.answer(self.begin(batch))
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._send_by_rest(batch)
        except TimeoutError:
            return self._no_answer()

    def begin(self, batch: Sequence[SignedTx]) -> Request:
        """Give a batch to the socket at once; `answer` must follow."""
        self._count += 1
        request_id = str(self._count)
        if len(batch) == 1:
            frame = messages.send_transaction(request_id, batch[0].tx_type, batch[0].tx_info)
        else:
            frame = messages.send_batch(request_id, [tx.tx_type for tx in batch], [tx.tx_info for tx in batch])
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._open[request_id] = request = Request(request_id, [tx.tx_hash for tx in batch], answer)
        try:
            self._say(frame)
        except TransportError as error:
            answer.set_result(Answer(Outcome.REFUSED, message=f"not sent: {error}"))
        return request

    async def answer(self, request: Request) -> Answer:
        """Wait for what is said to a batch."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await request.answer
        except TimeoutError:
            return self._no_answer()
        finally:
            del self._open[request.request_id]

    def _say(self, frame: bytes) -> None:
        if self.speak is None:
            raise TransportError(NOT_CONNECTED_YET)
        self.speak(frame)

    def _no_answer(self) -> Answer:
        return Answer(Outcome.UNKNOWN, message=f"no answer in {self._timeout_s:g} s")

    async def _send_by_rest(self, batch: Sequence[SignedTx]) -> Answer:
        if len(batch) == 1:
            endpoint, form = "sendTx", {"tx_type": str(batch[0].tx_type), "tx_info": batch[0].tx_info.decode()}
        else:
            types, infos = [tx.tx_type for tx in batch], [tx.tx_info.decode() for tx in batch]
            form = {"tx_types": _text(types), "tx_infos": _text(infos)}
            endpoint = "sendTxBatch"
        self._limits.requests.book(self._limits.cost(endpoint), self._clock.mono_ns())
        try:
            reply = await self._post(API + endpoint, form)
            said = objects.decode(reply.body, SendReply)
        except NotSent as error:
            return Answer(Outcome.REFUSED, message=f"not sent: {error}")
        except (TransportError, RemoteProtocolError) as error:
            return Answer(Outcome.UNKNOWN, message=str(error))
        return _answer(said, [tx.tx_hash for tx in batch], reply.status)

    async def _post(self, path: str, form: Mapping[str, str]) -> HttpReply:
        return await self._transport.request("POST", path, {}, form, {})

    # -- what the link tells -----------------------------------------------------------------

    def heard(self, frame: Heard, recv_ns: int) -> None:  # noqa: ARG002  (a link owner's signature)
        """Take an answer."""
        if not isinstance(frame, (SendReply, ErrorFrame)):
            return
        request = self._open.get(str(frame.id)) if frame.id is not None else self._request_without_id(frame)
        if request is not None and not request.answer.done():
            request.answer.set_result(_answer(frame, request.hashes, OK))

    def _request_without_id(self, frame: SendReply | ErrorFrame) -> Request | None:
        """Return the request an answer without id belongs to, None where that cannot be told (3.7)."""
        told = _hashes(frame)
        for request in self._open.values():
            if told and request.hashes == told:
                return request
        code = frame.error.code if isinstance(frame, ErrorFrame) else frame.code
        is_about_transactions = code is not None and (code == OK or code in TRANSACTION_CODES)
        return next(iter(self._open.values())) if len(self._open) == 1 and is_about_transactions else None

    def lost(self, gap: BookGap, recv_ns: int) -> None:
        """Do nothing: there are no books here."""

    async def become_ready(self) -> None:
        """Send over the socket from now on."""
        self.down_because = ""
        self._on_change()

    def went_down(self, reason: str) -> None:
        """Of what was sent and not answered nobody knows; from now on send over REST."""
        self.down_because = reason or "closed"
        for request in self._open.values():
            if not request.answer.done():
                request.answer.set_result(Answer(Outcome.UNKNOWN, message=reason))
        self._on_change()


def _answer(said: SendReply | ErrorFrame, hashes: list[str], http_status: int) -> Answer:
    """Tell what an answer proves; one that names other transactions than ours proves nothing."""
    stated = said.error if isinstance(said, ErrorFrame) else said.stated
    if stated is None:
        return Answer(Outcome.UNKNOWN, message="an answer without a code")
    outcome = classify(stated.code, stated.message, http_status)
    if isinstance(said, ErrorFrame) or outcome is not Outcome.ACCEPTED:
        return Answer(outcome, stated.code, stated.message)
    if (told := _hashes(said)) and told != hashes:
        return Answer(Outcome.UNKNOWN, stated.code, f"the venue hashed another transaction: {told[0][:16]}")
    return Answer(outcome, OK, stated.message, said.predicted_execution_time_ms, said.volume_quota_remaining)


def _hashes(said: SendReply | ErrorFrame) -> list[str]:
    if isinstance(said, ErrorFrame) or said.tx_hash is None:
        return []
    return [said.tx_hash] if isinstance(said.tx_hash, str) else list(said.tx_hash)


def _text(value: list[int] | list[str]) -> str:
    return msgspec.json.encode(value).decode()
