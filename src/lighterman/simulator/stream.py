"""The server's side of the stream: what a client may say, and what it is answered.

Protocol reference 3 and 12.3. A message is JSON with a `type`; each is answered in order, and a
fault is an error frame, never an exception. Transactions are not counted among the messages.
Silence of two minutes ends a connection, a token's end ends the channels it opened.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from lighterman.domain.errors import RemoteProtocolError, VenueError
from lighterman.matching.exchange import Exchange
from lighterman.protocol import messages, objects
from lighterman.protocol.codes import OK, Code
from lighterman.protocol.objects import Failure
from lighterman.protocol.rest import SendReply
from lighterman.simulator.admission import Admission, Receipt
from lighterman.simulator.channels import Channel, parse_channel
from lighterman.simulator.limits import LimitRules, Windows
from lighterman.simulator.publication import Publication
from lighterman.simulator.sessions import Session, Subscription
from lighterman.simulator.tokens import SECOND_US, Gatekeeper

NORMAL_CLOSE = 1000
NO_PONG_CLOSE = 1008

T = TypeVar("T")

_SENDS = {"jsonapi/sendtx": False, "jsonapi/sendtxbatch": True}


class StreamRules(msgspec.Struct, frozen=True, kw_only=True):
    """The switches of the stream; `ping_us` None sends no pings (A-30)."""

    silence_us: int = 120 * SECOND_US
    ping_us: int | None = None
    accepts_text_tx_info: bool = True  # else a `tx_info` that is a text is refused 30007 (3.7)


class Stream:
    """All connections."""

    def __init__(
        self,
        exchange: Exchange,
        publication: Publication,
        admission: Admission,
        gatekeeper: Gatekeeper,
        rules: StreamRules,
        limits: LimitRules,
    ) -> None:
        self._exchange = exchange
        self._publication = publication
        self._admission = admission
        self._gatekeeper = gatekeeper
        self._rules = rules
        self._limits = limits
        self._connects = Windows()
        self._sessions: dict[Session, None] = {}
        self._ready: dict[Session, None] = {}
        self._connected_count = 0

    def connect(self, ip: str, now_us: int, *, is_read_only: bool = False) -> Session:
        """Open a connection and greet it; raises VenueError 23003 when there are too many."""
        if self._limits.enforced:
            open_from_ip = sum(session.ip == ip for session in self._sessions)
            may_connect = self._connects[ip].take(1, self._limits.connects_per_minute, now_us)
            if open_from_ip >= self._limits.connections_per_ip or not may_connect:
                raise VenueError(Code.TOO_MANY_CONNECTIONS, Code.TOO_MANY_CONNECTIONS.text)
        self._connected_count += 1
        session_id = f"00000000-0000-4000-8000-{self._connected_count:012x}"
        session = Session(session_id, ip, is_read_only=is_read_only, now_us=now_us, ready=self._ready)
        self._sessions[session] = None
        session.push(msgspec.json.encode(messages.Connected(session_id=session_id, type="connected")))
        return session

    def disconnect(self, session: Session) -> None:
        """Forget a connection that has ended."""
        for subscription in session.subscriptions.values():
            self._publication.hub.remove(session, subscription.channel)
        session.subscriptions.clear()
        self._sessions.pop(session, None)
        self._ready.pop(session, None)

    def take_ready(self) -> list[Session]:
        """Return the connections that have something to send or are to be closed."""
        ready = list(self._ready)
        self._ready.clear()
        return ready

    def receive(self, session: Session, data: bytes | str, now_us: int) -> None:
        """Answer one message of a client."""
        session.last_heard_us = now_us
        try:
            request = _read(data)
            is_batch = _SENDS.get(request.type)
            if is_batch is not None:
                self._send(session, request, is_batch=is_batch, now_us=now_us)
            else:
                self._count_message(session, now_us)
                self._answer(session, request, now_us)
        except VenueError as error:
            session.reply(_error(error))

    def keep_alive(self, now_us: int) -> None:
        """Close what is silent, ping if so switched, and end channels whose token has ended."""
        for session in tuple(self._sessions):
            if now_us - session.last_heard_us >= self._rules.silence_us:
                session.close(NORMAL_CLOSE, "read tcp: i/o timeout")
            elif self._rules.ping_us is not None:
                self._ping(session, self._rules.ping_us, now_us)
            self._end_expired(session, now_us)

    def _answer(self, session: Session, request: messages.Request, now_us: int) -> None:
        match request.type:
            case "ping":
                session.reply(messages.PONG)
            case "pong":
                pass
            case "subscribe":
                self._subscribe(session, request, now_us)
            case "unsubscribe":
                self._unsubscribe(session, request)
            case _:
                raise VenueError(Code.WS_INVALID_TYPE, Code.WS_INVALID_TYPE.text)

    def _subscribe(self, session: Session, request: messages.Request, now_us: int) -> None:
        channel = self._channel(request)
        if channel.key in session.subscriptions:
            raise _about(Code.WS_ALREADY_SUBSCRIBED, channel)
        if channel.account is not None and self._exchange.account(channel.account) is None:
            raise VenueError(Code.WS_INVALID_CHANNEL, Code.WS_INVALID_CHANNEL.text)
        deadline_us = self._authorise(channel, request.auth, now_us)
        self._check_subscription_limits(session, channel)
        session.subscriptions[channel.key] = Subscription(channel, deadline_us)
        self._publication.subscribe(session, channel, now_us)

    def _unsubscribe(self, session: Session, request: messages.Request) -> None:
        channel = self._channel(request)
        if channel.key not in session.subscriptions:
            raise _about(Code.WS_NOT_SUBSCRIBED, channel)
        self._drop(session, channel)
        session.reply(msgspec.json.encode(messages.Unsubscribed(type="unsubscribed", channel=channel.echo)))

    def _channel(self, request: messages.Request) -> Channel:
        channel = parse_channel(request.channel or "", self._exchange.markets)
        if channel is None:
            raise VenueError(Code.WS_INVALID_CHANNEL, Code.WS_INVALID_CHANNEL.text)
        return channel

    def _authorise(self, channel: Channel, token: str | None, now_us: int) -> int | None:
        """Return when the token of an account's channel ends, None without one; raises 20001, 20013."""
        if channel.account is None:
            return None
        if not token:
            if channel.needs_token:
                raise VenueError(
                    Code.INVALID_PARAM, f"{Code.INVALID_PARAM.text}: auth field is required: {channel.key}"
                )
            return None
        try:
            caller = self._gatekeeper.authenticate(token, now_us)
        except VenueError as error:
            raise VenueError(error.code, f"{error.message}: {channel.key}") from None
        if not self._gatekeeper.may_see(caller, channel.account):
            reason = "auth string is not from given account"
            raise VenueError(Code.INVALID_AUTH, f"{Code.INVALID_AUTH.text}: {reason}: {channel.key}")
        return caller.deadline_s * SECOND_US

    def _check_subscription_limits(self, session: Session, channel: Channel) -> None:
        limits = self._limits
        if not limits.enforced:
            return
        of_ip = sum(len(each.subscriptions) for each in self._sessions if each.ip == session.ip)
        if len(session.subscriptions) >= limits.subscriptions_per_connection or of_ip >= limits.subscriptions_per_ip:
            raise VenueError(Code.TOO_MANY_SUBSCRIPTIONS, Code.TOO_MANY_SUBSCRIPTIONS.text)
        accounts = session.accounts()
        if channel.account is not None and len(accounts | {channel.account}) > limits.accounts_per_connection:
            raise VenueError(Code.TOO_MANY_ACCOUNTS, Code.TOO_MANY_ACCOUNTS.text)

    def _count_message(self, session: Session, now_us: int) -> None:
        if not self._limits.enforced:
            return
        if not session.messages.take(1, self._limits.messages_per_minute, now_us):
            raise VenueError(Code.WS_TOO_MANY_MESSAGES, Code.WS_TOO_MANY_MESSAGES.text)
        if session.unsent_replies >= self._limits.inflight_max:
            raise VenueError(Code.WS_TOO_MANY_INFLIGHT, Code.WS_TOO_MANY_INFLIGHT.text)

    def _send(self, session: Session, request: messages.Request, *, is_batch: bool, now_us: int) -> None:
        """Queue transactions; the answer repeats `id` and `type` (3.7)."""
        request_id: str | int | None = None
        try:
            request_id, tx_types, tx_infos = self._read_batch(request) if is_batch else self._read_single(request)
            receipt = self._queue(session, tx_types, tx_infos, now_us)
        except VenueError as error:
            session.push(_error(error, request_id))
            return
        reply = SendReply(
            code=OK,
            id=request_id,
            message=receipt.message or None,
            predicted_execution_time_ms=receipt.predicted_ms,
            tx_hash=receipt.tx_hashes if is_batch else receipt.tx_hashes[0],
            volume_quota_remaining=receipt.quota_remaining,
            type=request.type,
        )
        session.push(msgspec.json.encode(reply))

    def _queue(
        self, session: Session, tx_types: Sequence[int], tx_infos: Sequence[bytes | str], now_us: int
    ) -> Receipt:
        if session.is_read_only:
            raise VenueError(Code.WS_NOT_SUPPORTED, Code.WS_NOT_SUPPORTED.text)
        return self._admission.send(tx_types, tx_infos, now_us)

    def _read_single(self, request: messages.Request) -> tuple[str | int | None, Sequence[int], Sequence[bytes | str]]:
        data = _read_data(request, messages.SendData)
        info = bytes(data.tx_info)
        if info[:1] == b'"':
            if not self._rules.accepts_text_tx_info:
                raise VenueError(Code.WS_INVALID_DATA, Code.WS_INVALID_DATA.text)
            return data.id, [data.tx_type], [_decode(info, str)]
        return data.id, [data.tx_type], [info]

    def _read_batch(self, request: messages.Request) -> tuple[str | int | None, Sequence[int], Sequence[bytes | str]]:
        """Read JSON-encoded texts or arrays, of texts or objects (A-5)."""
        data = _read_data(request, messages.SendBatchData)
        tx_types = _decode(data.tx_types, list[int]) if isinstance(data.tx_types, str) else data.tx_types
        raws = _decode(data.tx_infos, list[msgspec.Raw]) if isinstance(data.tx_infos, str) else data.tx_infos
        infos = [bytes(raw) for raw in raws]
        return data.id, tx_types, [_decode(info, str) if info[:1] == b'"' else info for info in infos]

    def _ping(self, session: Session, every_us: int, now_us: int) -> None:
        """Ping at intervals; close when nothing was heard since the ping before."""
        if now_us - session.last_pinged_us >= every_us:
            if session.last_heard_us < session.last_pinged_us:
                session.close(NO_PONG_CLOSE, "no pong")
            session.last_pinged_us = now_us
            session.push(messages.PING)

    def _end_expired(self, session: Session, now_us: int) -> None:
        for subscription in tuple(session.subscriptions.values()):
            if subscription.deadline_us is not None and subscription.deadline_us <= now_us:
                self._drop(session, subscription.channel)
                reason = f"{Code.INVALID_AUTH.text}: token expired: {subscription.channel.key}"
                session.push(_error(VenueError(Code.INVALID_AUTH, reason)))

    def _drop(self, session: Session, channel: Channel) -> None:
        del session.subscriptions[channel.key]
        self._publication.hub.remove(session, channel)


def _read(data: bytes | str) -> messages.Request:
    """Read a message; what is no JSON is 30000, what is no request 30001."""
    try:
        return objects.decode(data, messages.Request)
    except RemoteProtocolError:
        code = Code.WS_INVALID_TYPE if _is_json(data) else Code.WS_INVALID_JSON
        raise VenueError(code, code.text) from None


def _is_json(data: bytes | str) -> bool:
    try:
        msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _read_data(request: messages.Request, kind: type[T]) -> T:
    return _decode(bytes(request.data), kind)


def _decode(data: bytes | str, kind: type[T]) -> T:
    try:
        return objects.decode(data, kind)
    except RemoteProtocolError:
        raise VenueError(Code.WS_INVALID_DATA, Code.WS_INVALID_DATA.text) from None


def _about(code: Code, channel: Channel) -> VenueError:
    return VenueError(code, f"{code.text} : {channel.key}")


def _error(error: VenueError, request_id: str | int | None = None) -> bytes:
    return msgspec.json.encode(messages.ErrorFrame(Failure(error.code, error.message), request_id))
