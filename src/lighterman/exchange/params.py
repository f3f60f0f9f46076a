"""What the client is told besides its keys: where the venue is, what may be done there, how long to wait."""

import sys

import msgspec

from lighterman.domain.errors import LocalProtocolError

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
ORDER_LIFETIME_MS_MIN = 6 * MINUTE_MS  # the venue's 5 minutes, and a margin for latency and clocks (4.3)
ORDER_LIFETIME_MS_MAX = 30 * DAY_MS
MARKETS_AGAIN_MS = 60 * MINUTE_MS  # fees, minimums and status change (13: 43)
TRANSACTION_LIFETIME_MS_MAX = 599_000  # that of the official library (4.3)


class ClientParams(msgspec.Struct, frozen=True, kw_only=True):
    """The client's settings; `symbols` are the venue's (`ETH`), or with the quote behind (`ETH-USDC`)."""

    stream_url: str
    chain_id: int
    account_index: int
    symbols: list[str]
    order_value_micro_max: int
    messages_per_minute: int = sys.maxsize  # the operator's limit for what leaves, whatever is sent again included
    asking_per_minute: int = sys.maxsize  # and for what asks for orders: the rest is kept for cancels
    order_lifetime_ms: int = 28 * DAY_MS
    transaction_lifetime_ms: int = 10_000  # ExpiredAt of what we sign; bounds how long an outcome stays unknown
    self_trade_behavior: int | None = None  # attribute 6 (4.6); None leaves the venue's default
    answer_timeout_ms: int = 5_000  # a transaction unanswered for so long is unknown
    request_timeout_ms: int = 10_000
    clock_skew_ms_max: int = 2_000
    quiet_ms: int = 0  # after the start nothing is quoted for so long: what an earlier session sent may still run
    markets_again_ms: int = MARKETS_AGAIN_MS  # how often the venue's markets are read anew

    def __post_init__(self) -> None:
        """Raise LocalProtocolError for times the venue would refuse."""
        if not ORDER_LIFETIME_MS_MIN <= self.order_lifetime_ms <= ORDER_LIFETIME_MS_MAX:
            raise LocalProtocolError(f"order_lifetime_ms {self.order_lifetime_ms} is not 6 minutes to 30 days")
        if not 0 < self.transaction_lifetime_ms <= TRANSACTION_LIFETIME_MS_MAX:
            raise LocalProtocolError(f"transaction_lifetime_ms {self.transaction_lifetime_ms} is not up to 599 seconds")
