"""Everything that can happen to the engine: a closed union of immutable records.

Each carries `recv_ns`, the monotonic time at which it was received; that and the argument of
`Engine.decide` are the engine's only time. Prices in ticks, sizes in lots, money in pico-USDC
(the venue's own unit of collateral). `venue_us` is the venue's time in epoch microseconds.
"""

import enum

import msgspec

from lighterman.domain.book import Level
from lighterman.domain.market import Market


class Link(enum.Enum):
    """The three ways to the venue; each is healthy or not by itself."""

    PUBLIC = "public"
    PRIVATE = "private"
    TRANSACTIONS = "transactions"


class _Event(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """Base: tagged by class name, so that the journal can tell the records apart."""


class BookSnapshot(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """A whole public book: replaces what was known."""

    market: int
    bids: list[Level]
    asks: list[Level]
    nonce: int
    venue_us: int
    recv_ns: int


class BookDelta(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """Changed levels with their new absolute sizes; its sequence has been checked."""

    market: int
    bids: list[Level]
    asks: list[Level]
    nonce: int
    venue_us: int
    recv_ns: int


class BookLost(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """The public book of a market is no longer known (gap, disconnect): do not quote on it."""

    market: int
    reason: str
    recv_ns: int


class StatsReport(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """Mark and index price of a market, and the coming funding rate in ppm per hour."""

    market: int
    mark_ticks: int
    index_ticks: int
    funding_rate_ppm: int
    recv_ns: int


class MarketReport(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """The venue's description of a market, at start and whenever it is read again."""

    market: Market
    recv_ns: int


class OrderReport(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """The venue's row of one of our orders.

    `filled_lots` is cumulative; what is left is zeroed by the venue when an order ends, so it
    is not carried here. `status` is the venue's word (protocol reference 7.1).
    """

    market: int
    client_order_index: int
    order_index: int
    is_ask: bool
    price_ticks: int
    size_lots: int
    filled_lots: int
    status: str
    venue_us: int
    recv_ns: int

    @property
    def is_terminal(self) -> bool:
        """Tell whether the order can no longer trade (any unknown `canceled-*` included)."""
        return self.status == "filled" or self.status.startswith("canceled")


class FillReport(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """One trade of ours. `fee_ppm` is the rate charged to our side."""

    market: int
    trade_id: int
    order_index: int
    client_order_index: int
    is_ask: bool
    price_ticks: int
    size_lots: int
    is_maker: bool
    fee_ppm: int
    venue_us: int
    recv_ns: int


class FundingReport(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """A funding payment on a position: positive is received, negative is paid."""

    market: int
    funding_id: int
    amount_pico: int
    recv_ns: int


class PositionReport(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """The venue's view of a position, signed, in lots."""

    market: int
    size_lots: int
    recv_ns: int


class CollateralReport(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """The venue's view of our collateral in pico-USDC."""

    collateral_pico: int
    recv_ns: int


class AccountSnapshot(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """What REST says of the account: answered at `recv_ns`, asked at `asked_ns`.

    `positions` holds every market with a position as (market, size_lots, entry_quote_micro),
    `orders` every open order of the account. `entry_quote_micro` is exact only for the
    average entry price the venue shows; it seeds the ledger at start and is not compared.
    """

    collateral_pico: int
    positions: list[tuple[int, int, int]]
    orders: list[OrderReport]
    asked_ns: int
    recv_ns: int


class CommandAcked(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """The API server queued the transaction (code 200): sent, not executed."""

    command_id: int
    predicted_execution_ms: int
    recv_ns: int


class CommandRefused(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """The command certainly had no effect; `code` is the venue's, or 0 when it never left us."""

    command_id: int
    code: int
    message: str
    recv_ns: int


class CommandUnknown(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """No answer, or one that proves nothing: the command may or may not take effect."""

    command_id: int
    reason: str
    recv_ns: int


class CommandExecuted(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """The sequencer's verdict; `error` is empty when the command took effect."""

    command_id: int
    error: str
    recv_ns: int


class OrdersAbsent(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """The venue knows none of these orders, neither active nor ended; asked at `asked_ns`."""

    client_order_indexes: list[int]
    asked_ns: int
    recv_ns: int


class QuotaReport(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """The volume quota that remains (protocol reference 6.3)."""

    remaining: int
    recv_ns: int


class LinkReport(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """A way to the venue became usable or unusable."""

    link: Link
    up: bool
    reason: str
    recv_ns: int


class DayStarted(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """A UTC day began; `day` counts days since 1970. Sent at start too."""

    day: int
    recv_ns: int


class StopRequested(_Event, frozen=True, gc=False, array_like=True, tag=True):
    """Somebody wants us to stop: no new orders, cancel everything."""

    reason: str
    recv_ns: int


Event = (
    BookSnapshot
    | BookDelta
    | BookLost
    | StatsReport
    | MarketReport
    | OrderReport
    | FillReport
    | FundingReport
    | PositionReport
    | CollateralReport
    | AccountSnapshot
    | CommandAcked
    | CommandRefused
    | CommandUnknown
    | CommandExecuted
    | OrdersAbsent
    | QuotaReport
    | LinkReport
    | DayStarted
    | StopRequested
)
