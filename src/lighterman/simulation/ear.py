"""What can be heard on the wire: every frame and reply that reaches the bot, every transaction that leaves it.

Law: it listens at the door of the transport, changes nothing, and knows bytes alone. The oracle's
word for "the bot has sent it" is that the transport was handed it.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from lighterman.exchange.transport import HttpReply, NotSent, Stream, Transport
from lighterman.protocol.rest import API

PUBLIC, PRIVATE, TRANSACTIONS, REST = "public", "private", "transactions", "rest"
KINDS = (PUBLIC, PRIVATE, TRANSACTIONS, REST)
SENDS = (API + "sendTx", API + "sendTxBatch")


class Ear(Protocol):
    """Who listens."""

    def transaction_left(self, tx_type: int, tx_info: bytes) -> None:
        """The bot has handed a transaction to its transport."""
        ...

    def transaction_refused(self, tx_type: int, tx_info: bytes) -> None:
        """The transport is certain that it could not send it."""
        ...

    def frame_reached_bot(self, kind: str, data: bytes) -> None:
        """A frame, or the body of a reply, is handed to the bot."""
        ...


class OverheardTransport:
    """A transport with an ear at its door."""

    def __init__(self, inner: Transport, ear: Ear) -> None:
        self._inner = inner
        self._ear = ear

    async def open_stream(self, url: str, on_text: Callable[[bytes], None], on_close: Callable[[str], None]) -> Stream:
        """Open a WebSocket (see `Transport`)."""
        overheard = _OverheardStream(self._ear, on_text)
        overheard.inner = await self._inner.open_stream(url, overheard.on_text, on_close)
        return overheard

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        form: Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> HttpReply:
        """Ask over HTTP (see `Transport`)."""
        sent = transactions_of(form) if path in SENDS and form is not None else []
        for tx_type, tx_info in sent:
            self._ear.transaction_left(tx_type, tx_info)
        try:
            reply = await self._inner.request(method, path, query, form, headers)
        except NotSent:
            for tx_type, tx_info in sent:
                self._ear.transaction_refused(tx_type, tx_info)
            raise
        self._ear.frame_reached_bot(REST, reply.body)
        return reply


class _OverheardStream:
    """One WebSocket with an ear at it."""

    inner: Stream

    def __init__(self, ear: Ear, on_text: Callable[[bytes], None]) -> None:
        self._ear = ear
        self._on_text = on_text
        self._kind = TRANSACTIONS

    def send(self, data: bytes) -> None:
        """Send a frame."""
        if self._kind == TRANSACTIONS:
            self._kind = kind_of(data)
        self.inner.send(data)
        for tx_type, tx_info in transactions_in(data):
            self._ear.transaction_left(tx_type, tx_info)

    def close(self) -> None:
        """End it."""
        self.inner.close()

    def on_text(self, data: bytes) -> None:
        """Hear a frame, then hand it on."""
        self._ear.frame_reached_bot(self._kind, data)
        self._on_text(data)


class _Sent(msgspec.Struct, frozen=True, gc=False):
    """The part of a `jsonapi` frame that holds transactions: one as JSON, or a batch as texts (3.7)."""

    tx_type: int = 0
    tx_info: msgspec.Raw = msgspec.Raw()
    tx_types: str = ""
    tx_infos: str = ""


class _Frame(msgspec.Struct, frozen=True, gc=False):
    data: _Sent


def kind_of(data: bytes) -> str:
    """Return what a connection carries, by a frame that the client says on it."""
    if b'"order_book/' in data or b'"market_stats/' in data or b'"ticker/' in data:
        return PUBLIC
    return PRIVATE if b'"account_' in data else TRANSACTIONS


def transactions_in(frame: bytes) -> list[tuple[int, bytes]]:
    """Return the transactions in a frame of the client's: type and signed text of each."""
    if b"jsonapi/" not in frame:
        return []
    sent = msgspec.json.decode(frame, type=_Frame).data
    if not sent.tx_types:
        return [(sent.tx_type, bytes(sent.tx_info))]
    return _batch(sent.tx_types, sent.tx_infos)


def transactions_of(form: Mapping[str, str]) -> list[tuple[int, bytes]]:
    """Return the transactions in a posted form."""
    if "tx_types" not in form:
        return [(int(form["tx_type"]), form["tx_info"].encode())]
    return _batch(form["tx_types"], form["tx_infos"])


def _batch(types: str, infos: str) -> list[tuple[int, bytes]]:
    texts = msgspec.json.decode(infos, type=list[str])
    return [(kind, text.encode()) for kind, text in zip(msgspec.json.decode(types, type=list[int]), texts, strict=True)]
