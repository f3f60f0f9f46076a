"""Frames of the stream (protocol reference 3), for the server that sends and the client that reads.

Law of this file: a frame is known by its `type`, `subscribed/<family>` for the first and
`update/<family>` for all others; requests name channels with `/`, replies with `:`. An error
frame has no type. Unknown types and frames that are not objects are never an error (3.1).

`order_book` is the hot frame: a client gets it 20 times a second and market. Its struct holds
only what is used, and because `type` and `channel` stand in it, decoding anything as a
BookFrame tells at once what the frame is: the hot frame costs one pass, all others two.
"""

from collections.abc import Mapping, Sequence

import msgspec

from lighterman.domain.errors import RemoteProtocolError
from lighterman.protocol import objects
from lighterman.protocol.objects import Failure, Level
from lighterman.protocol.rest import SendReply

_ABSENT = msgspec.Raw(b"")

# ── what a client says ───────────────────────────────────────────────────────────────────────


class Request(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Everything a client can say: subscribe, unsubscribe, ping, pong, jsonapi/sendtx, jsonapi/sendtxbatch.

    `channel` is given for the first two (with `auth` where a token is needed), `data` (raw, empty
    when absent) for the transactions.
    """

    type: str
    channel: str | None = None
    auth: str | None = None
    data: msgspec.Raw = _ABSENT


class SendData(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """`data` of `jsonapi/sendtx`: `tx_info` is the signed JSON as an object (3.7)."""

    id: str | int | None = None
    tx_type: int
    tx_info: msgspec.Raw


class SendBatchData(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """`data` of `jsonapi/sendtxbatch`: JSON-encoded texts are sent, arrays accepted too (A-5)."""

    id: str | int | None = None
    tx_types: str | Sequence[int]
    tx_infos: str | Sequence[msgspec.Raw]


PING = b'{"type":"ping"}'
PONG = b'{"type":"pong"}'


def subscribe(channel: str, auth: str | None = None) -> bytes:
    """Return the frame that subscribes `order_book/0` and the like."""
    return msgspec.json.encode(Request(type="subscribe", channel=channel, auth=auth))


def unsubscribe(channel: str) -> bytes:
    """Return the frame that ends a subscription."""
    return msgspec.json.encode(Request(type="unsubscribe", channel=channel))


def send_transaction(request_id: str, tx_type: int, tx_info: bytes) -> bytes:
    """Return the frame that sends one signed transaction."""
    data = SendData(id=request_id, tx_type=tx_type, tx_info=msgspec.Raw(tx_info))
    return msgspec.json.encode(Request(type="jsonapi/sendtx", data=msgspec.Raw(msgspec.json.encode(data))))


def send_batch(request_id: str, tx_types: Sequence[int], tx_infos: Sequence[bytes]) -> bytes:
    """Return the frame that sends several signed transactions of one key, in order."""
    data = SendBatchData(
        id=request_id,
        tx_types=msgspec.json.encode(tx_types).decode(),
        tx_infos=msgspec.json.encode([info.decode() for info in tx_infos]).decode(),
    )
    return msgspec.json.encode(Request(type="jsonapi/sendtxbatch", data=msgspec.Raw(msgspec.json.encode(data))))


# ── what the server says: the hot frame ──────────────────────────────────────────────────────


class HeardLevel(msgspec.Struct, gc=False):
    """A level of a book as we hear it: the decoder reads both texts as the nearest floats (decision 002)."""

    price: float
    size: float


class BookBody(msgspec.Struct, gc=False):
    """Levels with absolute sizes; `begin_nonce` must equal the nonce before it, 0 in a snapshot (3.4)."""

    nonce: int
    begin_nonce: int = 0
    asks: list[HeardLevel] | None = None
    bids: list[HeardLevel] | None = None
    last_updated_at: int = 0


class BookFrame(msgspec.Struct, gc=False):
    """`order_book:<market>`, and the head of every other frame: then `order_book` is None."""

    type: str = ""
    channel: str = ""
    order_book: BookBody | None = None
    timestamp: int = 0

    @property
    def is_snapshot(self) -> bool:
        """Tell whether this is the first frame of a subscription."""
        return self.type.startswith("subscribed/")


class PublishedBook(msgspec.Struct, frozen=True, gc=False):
    """The body of an order book as the venue sends it."""

    code: int
    asks: Sequence[Level]
    bids: Sequence[Level]
    offset: int
    nonce: int
    last_updated_at: int
    begin_nonce: int


class PublishedBookFrame(msgspec.Struct, frozen=True, gc=False):
    """An `order_book` frame as the venue sends it: µs of the engine, ms of sending."""

    channel: str
    last_updated_at: int
    offset: int
    order_book: PublishedBook
    timestamp: int
    type: str


# ── what the server says: all other frames ───────────────────────────────────────────────────


class Frame(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What every other frame has."""

    type: str


class ChannelFrame(Frame, frozen=True, gc=False, kw_only=True):
    """A frame of a channel, named in its colon form."""

    channel: str = ""

    @property
    def is_snapshot(self) -> bool:
        """Tell whether this is the first frame of a subscription."""
        return self.type.startswith("subscribed/")


class Connected(Frame, frozen=True, gc=False, kw_only=True):
    """The greeting; the official client subscribes only after it."""

    session_id: str = ""


class Ping(Frame, frozen=True, gc=False, kw_only=True):
    """The server asks; answer with PONG."""


class Pong(Frame, frozen=True, gc=False, kw_only=True):
    """The server answers."""


class Shutdown(Frame, frozen=True, gc=False, kw_only=True):
    """The server will close this connection: open the next one before that."""

    close_in_ms: int = 0


class Unsubscribed(ChannelFrame, frozen=True, gc=False, kw_only=True):
    """A subscription ended, `channel` in its colon form."""


class ErrorFrame(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A refusal; the channel at the end of the text is the only correlation, and not always there (3.2)."""

    error: Failure
    id: str | int | None = None


class BestLevels(msgspec.Struct, frozen=True, gc=False):
    """The best ask and bid of a market; an empty side has empty texts."""

    s: str
    a: Level
    b: Level
    last_updated_at: int = 0


class TickerFrame(ChannelFrame, frozen=True, gc=False, kw_only=True):
    """`ticker:<market>`, on each change of the best level; `nonce` is the book's (3.5)."""

    last_updated_at: int = 0
    nonce: int = 0
    ticker: BestLevels
    timestamp: int = 0


class TradeFrame(ChannelFrame, frozen=True, gc=False, kw_only=True):
    """`trade:<market>`, oldest first; the snapshot repeats recent trades, which are not new (3.5)."""

    liquidation_trades: Sequence[objects.TradeFacts] | None = None
    nonce: int = 0
    trades: Sequence[objects.TradeFacts] | None = None


class MarketStatsFrame(ChannelFrame, frozen=True, gc=False, kw_only=True):
    """`market_stats:<market>` or `market_stats:all`; `rows` reads both."""

    market_stats: msgspec.Raw
    timestamp: int = 0

    def rows(self) -> list[objects.MarketStats]:
        """Return the markets of this frame; raises RemoteProtocolError."""
        if self.channel.endswith(("all", "ALL")):
            return list(objects.decode(bytes(self.market_stats), dict[int, objects.MarketStats]).values())
        return [objects.decode(bytes(self.market_stats), objects.MarketStats)]


class HeightFrame(ChannelFrame, frozen=True, gc=False, kw_only=True):
    """`height`: the L2 block."""

    height: int
    timestamp: int = 0


class OrdersFrame(ChannelFrame, frozen=True, gc=False, kw_only=True):
    """`account_all_orders:<a>`: all open orders first, then only those that changed (3.6)."""

    orders: objects.OrdersByMarket | None = None


class MarketOrdersFrame(ChannelFrame, frozen=True, gc=False, kw_only=True):
    """`account_orders:<market>` (the echo has no account, A-10); `nonce` is the book's."""

    account: int = 0
    nonce: int = 0
    orders: objects.OrdersByMarket | None = None


class AccountMarketFrame(ChannelFrame, frozen=True, gc=False, kw_only=True):
    """`account_market:<market>:<a>`: position and lists are null when unchanged (3.6)."""

    account: int = 0
    assets: Mapping[int, objects.AccountAsset] | None = None
    funding_history: Sequence[objects.PositionFunding] | None = None
    orders: Sequence[objects.OrderFacts] | None = None
    position: objects.PositionFacts | None = None
    trades: Sequence[objects.TradeFacts] | None = None


class TransactionsFrame(ChannelFrame, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """`account_tx:<a>`: every transaction of the account, failed ones too; the snapshot has none."""

    txs: Sequence[objects.TransactionFacts] | None = None


class AccountTradesFrame(ChannelFrame, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """`account_all_trades:<a>`: dedupe by trade_id; the snapshot carries volumes in USDC."""

    trades: objects.TradesByMarket | Sequence[objects.TradeFacts] | None = None
    daily_volume: float | None = None
    weekly_volume: float | None = None
    monthly_volume: float | None = None
    total_volume: float | None = None


class PositionsFrame(ChannelFrame, frozen=True, gc=False, kw_only=True):
    """`account_all_positions:<a>`: all first, flat ones too; then only the market that changed (A-12)."""

    positions: Mapping[int, objects.PositionFacts] | None = None
    shares: Sequence[msgspec.Raw] | None = None


class AccountFrame(ChannelFrame, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """`account_all:<a>`: partial after the first; a fill makes two frames, trades then positions (3.6)."""

    account: int = -1
    assets: Mapping[int, objects.AccountAsset] | msgspec.UnsetType | None = msgspec.UNSET
    funding_histories: Mapping[int, Sequence[objects.PositionFunding]] | msgspec.UnsetType | None = msgspec.UNSET
    positions: Mapping[int, objects.PositionFacts] | msgspec.UnsetType | None = msgspec.UNSET
    shares: Sequence[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    trades: objects.TradesByMarket | Sequence[objects.TradeFacts] | msgspec.UnsetType | None = msgspec.UNSET
    daily_trades_count: int | None = None
    weekly_trades_count: int | None = None
    monthly_trades_count: int | None = None
    total_trades_count: int | None = None
    daily_volume: float | None = None
    weekly_volume: float | None = None
    monthly_volume: float | None = None
    total_volume: float | None = None


class AssetsFrame(ChannelFrame, frozen=True, gc=False, kw_only=True):
    """`account_all_assets:<a>`: changed rows by asset index."""

    assets: Mapping[int, objects.AccountAsset] | None = None


class UserStatsFrame(ChannelFrame, frozen=True, gc=False, kw_only=True):
    """`user_stats:<a>`: the whole object after each change."""

    stats: objects.MarginStats
    timestamp: int = 0


class Unknown(ChannelFrame, frozen=True, gc=False, kw_only=True):
    """A frame this client does not know: ignored and counted."""


_PLAIN: dict[str, type[Frame] | type[SendReply]] = {
    "connected": Connected,
    "ping": Ping,
    "pong": Pong,
    "shutdown": Shutdown,
    "unsubscribed": Unsubscribed,
    "jsonapi/sendtx": SendReply,
    "jsonapi/sendtxbatch": SendReply,
}
_FAMILIES: dict[str, type[Frame]] = {
    "ticker": TickerFrame,
    "trade": TradeFrame,
    "market_stats": MarketStatsFrame,
    "height": HeightFrame,
    "account_all_orders": OrdersFrame,
    "account_orders": MarketOrdersFrame,
    "account_market": AccountMarketFrame,
    "account_tx": TransactionsFrame,
    "account_all_trades": AccountTradesFrame,
    "account_all_positions": PositionsFrame,
    "account_all": AccountFrame,
    "account_all_assets": AssetsFrame,
    "user_stats": UserStatsFrame,
}
_KINDS: dict[str, type[Frame] | type[SendReply]] = _PLAIN | {
    f"{when}/{family}": kind for family, kind in _FAMILIES.items() for when in ("subscribed", "update")
}
_BOOKS = ("update/order_book", "subscribed/order_book")
_HOT = msgspec.json.Decoder(BookFrame, strict=False)


def decode(data: bytes | str) -> BookFrame | Frame | SendReply | ErrorFrame:
    """Return the frame in its own type; Unknown when we know none for it.

    Raises RemoteProtocolError when it is not JSON or a frame of a known type has a wrong form.
    """
    try:
        head = _HOT.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _decode_odd(data, str(error))
    if head.type in _BOOKS and head.order_book is not None:
        return head
    kind = _KINDS.get(head.type)
    if kind is not None:
        return objects.decode(data, kind)
    return Unknown(type=head.type, channel=head.channel) if head.type else _decode_untyped(data)


def _decode_untyped(data: bytes | str) -> ErrorFrame | SendReply | Unknown:
    """Read a frame without a type: an error, or an answer to a transaction without its type (3.7)."""
    reply = objects.decode(data, SendReply)
    if reply.error is not None:
        return ErrorFrame(reply.error, reply.id)
    return Unknown(type="") if reply.code is None else reply


def _decode_odd(data: bytes | str, reason: str) -> Unknown:
    """Tell JSON that is not an object (ignored) from what is no frame at all (refused)."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"not JSON: {error}") from None
    if isinstance(value, dict):
        raise RemoteProtocolError(f"malformed frame: {reason}")
    return Unknown(type="")
