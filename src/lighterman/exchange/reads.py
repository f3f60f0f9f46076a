"""Everything this client asks over REST (protocol reference 2), typed, paced, and asked again where that is safe.

Law: a read changes nothing, so it is repeated after a network failure, a few times and later
and later. A reply that is not the venue's JSON is a failure of the network, not an answer. The
venue's refusals (VenueError) are handed on; only a refused token is replaced once, and "too
many requests" is waited out.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from lighterman.domain.clock import Clock
from lighterman.domain.errors import RemoteProtocolError, TransportError, VenueError
from lighterman.exchange.ratelimit import RateLimits
from lighterman.exchange.tokens import AuthTokens
from lighterman.exchange.transport import HttpReply, Transport
from lighterman.protocol import objects, rest
from lighterman.protocol.codes import Code
from lighterman.protocol.rest import API, read_reply

TRIES_MAX = 4
RETRY_FIRST_S = 0.25
TOO_MANY_WAIT_S = 1.0
NS_PER_S = 1_000_000_000
PAGE_ROWS = 100  # the venue's most (2.2, 2.3)
PAGES_MAX = 50
CLIENT_INDEXES_MAX = 20  # of one accountOrders (2.3)
JSON_TYPE = "application/json"

R = TypeVar("R", bound=msgspec.Struct)
_TEMPORARY = (Code.INTERNAL_SERVER_ERROR, Code.PROCESS_TIMEOUT, Code.TOO_MANY_REQUESTS)


class Reads:
    """The REST reads of one account."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        limits: RateLimits,
        tokens: AuthTokens,
        *,
        account_index: int,
        timeout_ms: int,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._limits = limits
        self._tokens = tokens
        self._account_index = account_index
        self._timeout_s = timeout_ms / 1000

    # -- market and venue ----------------------------------------------------------------

    async def venue_time_s(self) -> int:
        """Return the venue's clock, in whole seconds (1.2)."""
        return (await self._get("", {}, rest.Status, path="/")).timestamp

    async def markets(self) -> Sequence[objects.MarketFacts]:
        """Return every perpetual."""
        reply = await self._get("orderBookDetails", {"filter": "perp"}, rest.OrderBookDetails)
        return reply.order_book_details or ()

    # -- account -------------------------------------------------------------------------

    async def tier(self) -> str:
        """Return the account's tier, as its limits go by (1.5)."""
        return (await self._get("accountLimits", self._mine, rest.AccountLimits, is_private=True)).user_tier

    async def keys(self) -> Sequence[rest.ApiKey]:
        """Return the registered keys, each with its next nonce."""
        return (await self._get("apikeys", self._mine, rest.ApiKeys)).api_keys or ()

    async def next_nonce(self, api_key_index: int) -> int:
        """Return the next nonce of a key."""
        return (await self._get("nextNonce", self._mine | {"api_key_index": api_key_index}, rest.NextNonce)).nonce

    async def account(self) -> objects.AccountFacts:
        """Return collateral and positions."""
        reply = await self._get("account", {"by": "index", "value": self._account_index}, rest.Accounts)
        for facts in reply.accounts or ():
            if facts.index == self._account_index:
                return facts
        raise RemoteProtocolError(f"the venue's reply does not hold account {self._account_index}")

    async def active_orders(self) -> list[objects.OrderFacts]:
        """Return all open orders of the account, everybody's who uses it."""
        return await self._all_orders("accountActiveOrders", self._mine)

    async def orders_by_client_index(self, indexes: Sequence[int]) -> list[objects.OrderFacts]:
        """Return what the venue still knows of these orders, active or ended (2.3)."""
        found: list[objects.OrderFacts] = []
        for start in range(0, len(indexes), CLIENT_INDEXES_MAX):
            wanted = ",".join(map(str, indexes[start : start + CLIENT_INDEXES_MAX]))
            try:
                found += await self._all_orders("accountOrders", self._mine | {"client_order_indexes": wanted})
            except VenueError as error:
                if error.code != Code.NOT_FOUND:
                    raise
                return await self._orders_without_index(indexes)
        return found

    async def _orders_without_index(self, indexes: Sequence[int]) -> list[objects.OrderFacts]:
        """Look through active and ended orders, where `accountOrders` does not exist."""
        wanted = dict.fromkeys(indexes)
        ended = await self._all_orders("accountInactiveOrders", self._mine | {"limit": PAGE_ROWS}, pages_max=10)
        return [row for row in ended + await self.active_orders() if row.client_order_index in wanted]

    async def _all_orders(
        self, endpoint: str, query: Mapping[str, str | int], pages_max: int = PAGES_MAX
    ) -> list[objects.OrderFacts]:
        rows: list[objects.OrderFacts] = []
        cursor: str | None = None
        for _ in range(pages_max):
            page = query if cursor is None else {**query, "cursor": cursor}
            reply = await self._get(endpoint, page, rest.Orders, is_private=True)
            rows += reply.orders or ()
            cursor = reply.next_cursor or None if isinstance(reply.next_cursor, str) else None
            if cursor is None or not reply.orders:
                break
        return rows

    async def newest_trade_id(self) -> int:
        """Return the id of the account's last trade; 0 if it has none."""
        reply = await self._trades(1, None)
        return max((row.trade_id for row in reply.trades or ()), default=0)

    async def trades_after(self, trade_id: int) -> list[objects.TradeFacts]:
        """Return the account's trades with a higher id, and some before, in no order.

        Raises RemoteProtocolError when there is no end of them.
        """
        rows: list[objects.TradeFacts] = []
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            reply = await self._trades(PAGE_ROWS, cursor)
            page = reply.trades or ()
            rows += page
            cursor = reply.next_cursor or None if isinstance(reply.next_cursor, str) else None
            if cursor is None or not page or min(row.trade_id for row in page) <= trade_id:
                return rows
        raise RemoteProtocolError(f"more than {PAGES_MAX} pages of trades after {trade_id}")

    async def _trades(self, limit: int, cursor: str | None) -> rest.Trades:
        query = self._mine | {"sort_by": "trade_id", "limit": limit} | ({} if cursor is None else {"cursor": cursor})
        return await self._get("trades", query, rest.Trades, is_private=True)

    async def fundings(self) -> Sequence[objects.PositionFunding]:
        """Return the account's last funding payments, newest first."""
        query = self._mine | {"limit": PAGE_ROWS}
        reply = await self._get("positionFunding", query, rest.PositionFundings, is_private=True)
        return reply.position_fundings or ()

    async def transaction(self, tx_hash: str) -> objects.TransactionFacts | None:
        """Return what the venue knows of a transaction, None if nothing."""
        try:
            return await self._get("tx", {"by": "hash", "value": tx_hash}, objects.TransactionFacts)
        except VenueError as error:
            if error.code != Code.TRANSACTION_NOT_FOUND:
                raise
            return None

    # -- how we ask ----------------------------------------------------------------------

    @property
    def _mine(self) -> dict[str, str | int]:
        return {"account_index": self._account_index}

    async def _get(
        self,
        endpoint: str,
        query: Mapping[str, str | int],
        kind: type[R],
        *,
        is_private: bool = False,
        path: str | None = None,
    ) -> R:
        """Ask until there is an answer; raises VenueError, RemoteProtocolError, TransportError."""
        is_token_new = False
        delay_s = RETRY_FIRST_S
        for left in reversed(range(TRIES_MAX)):
            headers = {"Authorization": await self._tokens.current()} if is_private else {}
            await self._pace(endpoint)
            try:
                reply = await self._ask(path or API + endpoint, query, headers)
                return read_reply(reply.status, reply.body, kind)
            except TransportError:
                if not left:
                    raise
            except VenueError as error:
                if error.code == Code.INVALID_AUTH and is_private and not is_token_new:
                    self._tokens.discard()
                    is_token_new = True
                elif error.code not in _TEMPORARY or not left:
                    raise
                elif error.code == Code.TOO_MANY_REQUESTS:
                    delay_s = max(delay_s, TOO_MANY_WAIT_S)
            await asyncio.sleep(delay_s)
            delay_s *= 2
        raise TransportError(f"{endpoint}: no answer")

    async def _ask(self, path: str, query: Mapping[str, str | int], headers: Mapping[str, str]) -> HttpReply:
        try:
            async with asyncio.timeout(self._timeout_s):
                reply = await self._transport.request("GET", path, query, None, headers)
        except TimeoutError:
            raise TransportError(f"GET {path}: no answer in {self._timeout_s:g} s") from None
        if not reply.content_type.startswith(JSON_TYPE):
            raise TransportError(f"GET {path}: HTTP {reply.status} with {reply.content_type[:40] or 'no type'}")
        return reply

    async def _pace(self, endpoint: str) -> None:
        """Wait until the venue's limits allow one more request."""
        await asyncio.sleep(self._limits.requests.book(self._limits.cost(endpoint), self._clock.mono_ns()) / NS_PER_S)
