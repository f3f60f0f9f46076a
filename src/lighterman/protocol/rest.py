"""Replies of the REST API (protocol reference 2.1-2.5), for the server that sends and the client that reads.

Law of this file: success carries `code` 200 at the top; failure is HTTP != 2xx, or a `code`
that is present and is not 200 (2.0). Lists may be null or missing when they are empty. Objects
inside the replies stand in `objects.py`; numbers and texts are those of the wire.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from lighterman.domain.errors import RemoteProtocolError, VenueError
from lighterman.protocol import objects
from lighterman.protocol.codes import OK, Code
from lighterman.protocol.objects import Failure

API = "/api/v1/"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json; charset=utf-8"

_HTTP_OK = range(200, 300)


class Reply(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What every success has."""

    code: int = OK


R = TypeVar("R", bound=msgspec.Struct)


def read_reply(http_status: int, body: bytes, kind: type[R]) -> R:
    """Return a reply of the wanted kind.

    Raises VenueError for an error the venue stated, RemoteProtocolError when the body is not
    the venue's (a firewall's HTML, 1.2) or does not have the wanted form.
    """
    stated = objects.decode(body, _Envelope)
    if stated.code is not None and (stated.code != OK or http_status not in _HTTP_OK):
        raise VenueError(stated.code, stated.message or "")
    if http_status not in _HTTP_OK:
        raise RemoteProtocolError(f"HTTP {http_status} without an error code")
    return objects.decode(body, kind)


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    """The part of a reply that says whether it is a failure."""

    code: int | None = None
    message: str | None = None


class Status(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`GET /` (1.2): `status` and `network_id` as the venue has them, time in seconds.

    `notice` is ours: the local exchange says there that it is SIMULATED.
    """

    status: int
    network_id: int
    timestamp: int
    notice: str = ""


class Info(msgspec.Struct, frozen=True, gc=False):
    """`GET /info` (1.2)."""

    contract_address: str


# ── market data ──────────────────────────────────────────────────────────────────────────────


class OrderBooks(Reply, frozen=True, gc=False, kw_only=True):
    """`GET orderBooks`."""

    order_books: Sequence[objects.MarketListing] | None = None


class OrderBookDetails(Reply, frozen=True, gc=False, kw_only=True):
    """`GET orderBookDetails`: perpetuals, and spot markets apart (this product trades none)."""

    order_book_details: Sequence[objects.MarketFacts] | None = None
    spot_order_book_details: Sequence[msgspec.Raw] | None = None


class OrderBookOrders(Reply, frozen=True, gc=False, kw_only=True):
    """`GET orderBookOrders`: order by order, best first; totals count the returned rows."""

    total_asks: int = 0
    asks: Sequence[objects.SimpleOrder] | None = None
    total_bids: int = 0
    bids: Sequence[objects.SimpleOrder] | None = None


class Trades(Reply, frozen=True, gc=False, kw_only=True):
    """`GET trades` and `GET recentTrades`: newest first, but sort by trade_id all the same (A-38)."""

    next_cursor: str | msgspec.UnsetType | None = msgspec.UNSET
    trades: Sequence[objects.TradeFacts] | None = None


class Candle(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One candle; fields that are zero are omitted (2.1). V is quote volume, i the last trade id."""

    t: int
    o: float = 0
    h: float = 0
    l: float = 0  # noqa: E741  (the venue's name)
    c: float = 0
    v: float = 0
    V: float = 0
    i: int = 0


class Candles(Reply, frozen=True, gc=False, kw_only=True):
    """`GET candles`: t in ms, oldest first, null when there is none."""

    r: str
    c: Sequence[Candle] | None = None


class Funding(msgspec.Struct, frozen=True, gc=False):
    """A round of a market's funding: rate in percent per hour without sign, value in USDC per base unit."""

    timestamp: int
    value: str
    rate: str
    direction: str


class Fundings(Reply, frozen=True, gc=False, kw_only=True):
    """`GET fundings`, oldest first."""

    resolution: str = "1h"
    fundings: Sequence[Funding] | None = None


class FundingRate(msgspec.Struct, frozen=True, gc=False):
    """The coming funding of a market on an exchange, as a fraction per 8 hours."""

    market_id: int
    exchange: str
    symbol: str
    rate: float


class FundingRates(Reply, frozen=True, gc=False, kw_only=True):
    """`GET funding-rates`."""

    funding_rates: Sequence[FundingRate] | None = None


class MarketDay(msgspec.Struct, frozen=True, gc=False):
    """A market's row in `exchangeStats` (2.7.9)."""

    symbol: str
    last_trade_price: float
    daily_trades_count: int
    daily_base_token_volume: float
    daily_quote_token_volume: float
    daily_price_change: float


class ExchangeStats(Reply, frozen=True, gc=False, kw_only=True):
    """`GET exchangeStats` (2.7.9)."""

    total: int
    order_book_stats: Sequence[MarketDay]
    daily_usd_volume: float
    daily_trades_count: int


class CurrentHeight(Reply, frozen=True, gc=False, kw_only=True):
    """`GET currentHeight`."""

    height: int


# ── account ──────────────────────────────────────────────────────────────────────────────────


class Accounts(Reply, frozen=True, gc=False, kw_only=True):
    """`GET account`: one account by index, master and subs by L1 address."""

    total: int = 0
    accounts: Sequence[objects.AccountFacts] | None = None


class AccountsByAddress(Reply, frozen=True, gc=False, kw_only=True):
    """`GET accountsByL1Address`: master first."""

    l1_address: str
    sub_accounts: Sequence[objects.AccountSummary]


class ApiKey(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A registered key: 80 lower-case hex digits, and the next nonce."""

    account_index: int
    api_key_index: int
    nonce: int
    public_key: str
    transaction_time: int = 0


class ApiKeys(Reply, frozen=True, gc=False, kw_only=True):
    """`GET apikeys`."""

    api_keys: Sequence[ApiKey] | None = None


class NextNonce(Reply, frozen=True, gc=False, kw_only=True):
    """`GET nextNonce`."""

    nonce: int


class AccountLimits(Reply, frozen=True, gc=False, kw_only=True):
    """`GET accountLimits`: tier and fees (ppm); the only place that tells the tier (1.5)."""

    max_llp_percentage: int = 25
    max_llp_amount: str = "0"
    user_tier: str
    user_tier_name: str = ""
    user_tier_last_update: int = 0
    can_create_public_pool: bool = False
    current_maker_fee_tick: int
    current_taker_fee_tick: int
    effective_lit_stakes: str = "0"
    leased_lit: str = "0"


class PositionFundings(Reply, frozen=True, gc=False, kw_only=True):
    """`GET positionFunding`, newest first."""

    next_cursor: str | msgspec.UnsetType | None = msgspec.UNSET
    position_fundings: Sequence[objects.PositionFunding] | None = None


class PnlRow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One row of `GET pnl`: cumulative figures in USDC at a time in seconds."""

    timestamp: int
    trade_pnl: float
    trade_spot_pnl: float = 0
    inflow: float
    outflow: float = 0
    spot_inflow: float = 0
    spot_outflow: float = 0
    pool_pnl: float = 0
    pool_inflow: float = 0
    pool_outflow: float = 0
    pool_total_shares: float = 0
    staking_pnl: float = 0
    staking_inflow: float = 0
    staking_outflow: float = 0
    staked_lit: float = 0
    volume: float


class Pnl(Reply, frozen=True, gc=False, kw_only=True):
    """`GET pnl`; the last row is live."""

    resolution: str
    pnl: Sequence[PnlRow]


class LiquidationTrade(msgspec.Struct, frozen=True, gc=False):
    """The trade of a liquidation; `transaction_time` in µs."""

    price: str
    size: str
    taker_fee: str
    maker_fee: str
    transaction_time: int


class Liquidation(msgspec.Struct, frozen=True, gc=False):
    """A liquidation of an account (2.2)."""

    id: int
    market_id: int
    type: str
    trade: LiquidationTrade
    info: Mapping[str, str]
    executed_at: int


class Liquidations(Reply, frozen=True, gc=False, kw_only=True):
    """`GET liquidations`, newest first."""

    next_cursor: str | msgspec.UnsetType | None = msgspec.UNSET
    liquidations: Sequence[Liquidation] = ()


# ── orders and transactions ──────────────────────────────────────────────────────────────────


class Orders(Reply, frozen=True, gc=False, kw_only=True):
    """`GET accountActiveOrders`, `accountInactiveOrders`, `accountOrders`: newest first."""

    next_cursor: str | msgspec.UnsetType | None = msgspec.UNSET
    orders: Sequence[objects.OrderFacts] | None = None


class SendReply(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The answer to a transaction: `POST sendTx` and `sendTxBatch`, and `jsonapi/*` on the stream (2.4, 3.7).

    All forms seen in one struct: `code` with a message, or an `error` object; `tx_hash` is a text
    for one transaction and a list for a batch; `type` and `id` exist on the stream only.
    `predicted_execution_time_ms` is epoch ms.
    """

    code: int | None = None
    message: str | None = None
    error: Failure | None = None
    id: str | int | None = None
    predicted_execution_time_ms: int = 0
    tx_hash: str | Sequence[str] | None = None
    volume_quota_remaining: int | None = None
    type: str = ""

    @property
    def stated(self) -> Failure | None:
        """Return the code and text of the answer, whichever form they came in; None without a code."""
        if self.error is not None:
            return self.error
        return None if self.code is None else Failure(self.code, self.message or "")


class TransactionReply(objects.EnrichedTransaction, frozen=True, gc=False, kw_only=True):
    """`GET tx`: the transaction itself with a `code` at the top."""

    code: int = OK


class AccountTransactions(Reply, frozen=True, gc=False, kw_only=True):
    """`GET accountTxs`: ascending sequence index."""

    txs: Sequence[objects.TransactionFacts] | None = None


# ── tier, maker-only keys, read-only tokens ──────────────────────────────────────────────────


class Done(Reply, frozen=True, gc=False, kw_only=True):
    """The answer of a call that only does something."""

    message: str = ""


class MakerOnlyKeys(Reply, frozen=True, gc=False, kw_only=True):
    """`GET getMakerOnlyApiKeys`."""

    api_key_indexes: Sequence[int] = ()


class ApiToken(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A read-only token; `api_token` itself is shown once, when it is made (2.5)."""

    token_id: int
    name: str
    account_index: int
    expiry: int
    sub_account_access: bool
    revoked: bool
    scopes: str
    api_token: str = ""


class ApiTokens(Reply, frozen=True, gc=False, kw_only=True):
    """`GET tokens`."""

    api_tokens: Sequence[ApiToken] | None = None


class CreatedToken(ApiToken, frozen=True, gc=False, kw_only=True):
    """`POST tokens/create`."""

    code: int


# ── the local exchange's own doors (not the venue's) ─────────────────────────────────────────


class OpenAccount(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """`POST /local/v1/accounts`: opens an account or adds a key; loopback only, idempotent."""

    account_index: int
    api_key_index: int
    public_key: str
    collateral_usdc: str = "10000"
    tier: str | None = None


class OpenedAccount(Reply, frozen=True, gc=False, kw_only=True):
    """The answer: whether the account and the key are new, the key's next nonce, and the chain id to sign with."""

    account_index: int
    api_key_index: int
    created: bool
    nonce: int
    tier: str
    chain_id: int


class Ledger(Reply, frozen=True, gc=False, kw_only=True):
    """`GET /local/v1/accounts/{index}/ledger`: the exchange's own integers, for reconciliation.

    Positions are (signed lots, cost in micro-USDC) by market; fees are what was paid, funding
    is positive when received, realised PnL excludes both.
    """

    account_index: int
    collateral_pico: int
    deposits_pico: int
    fees_pico: int
    funding_pico: int
    realised_micro: int
    positions: Mapping[int, tuple[int, int]]
    open_orders: int


NOT_FOUND = Failure(Code.NOT_FOUND, Code.NOT_FOUND.text)
