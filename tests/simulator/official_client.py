"""Speaks to an exchange with the unmodified official client; run by the interpreter that has it installed.

    python official_client.py URL ACCOUNT_INDEX API_KEY_INDEX

The private key comes on standard input, what happened goes to standard output as one JSON object.
"""

import asyncio
import json
import sys

import lighter

MARKET = 0
POST_ONLY = lighter.SignerClient.ORDER_TIME_IN_FORCE_POST_ONLY
LIMIT = lighter.SignerClient.ORDER_TYPE_LIMIT
WAIT_S = 10.0


class Seen:
    """What the stream has told so far."""

    def __init__(self):
        self.books = []
        self.accounts = []
        self.changed = asyncio.Event()

    def on_book(self, _market, book):
        self.books.append({side: [dict(level) for level in book[side]] for side in ("asks", "bids")})
        self.changed.set()

    def on_account(self, _account, frame):
        self.accounts.append(frame)
        self.changed.set()

    async def until(self, what):
        async with asyncio.timeout(WAIT_S):
            while not what(self):
                self.changed.clear()
                await self.changed.wait()


def has_bid(price):
    return lambda seen: bool(seen.books) and any(level["price"] == price for level in seen.books[-1]["bids"])


def has_no_bid(price):
    return lambda seen: not has_bid(price)(seen)


def has_position(seen):
    return any(float(row["position"]) for frame in seen.accounts for row in (frame.get("positions") or {}).values())


async def trade(client, account, seen):
    """Create, modify, cancel, cancel all, take; every step must be seen on the stream."""
    steps = {}

    async def step(name, call, seen_when):
        _, reply, error = await call
        assert error is None, (name, error)
        steps[name] = {"code": reply.code, "tx_hash": reply.tx_hash}
        await seen.until(seen_when)

    await seen.until(lambda seen: seen.books and seen.accounts)
    await step("create", client.create_order(MARKET, 11, 1_000, 290_000, False, LIMIT, POST_ONLY), has_bid("2900.00"))
    await step("modify", client.modify_order(MARKET, 11, 2_000, 291_000, 0), has_bid("2910.00"))
    await step("cancel", client.cancel_order(MARKET, 11), has_no_bid("2910.00"))
    await step("again", client.create_order(MARKET, 12, 1_000, 292_000, False, LIMIT, POST_ONLY), has_bid("2920.00"))
    await step("cancel_all", client.cancel_all_orders(client.CANCEL_ALL_TIF_IMMEDIATE, 0), has_no_bid("2920.00"))
    await step("take", client.create_market_order(MARKET, 13, 1_000, 310_000, False), has_position)
    return steps


async def ask(url, client, account, key):
    """Read everything a market maker reads, through the client's own typed models."""
    configuration = lighter.Configuration(host=url)
    async with lighter.ApiClient(configuration) as api:
        orders, accounts, transactions = lighter.OrderApi(api), lighter.AccountApi(api), lighter.TransactionApi(api)
        token, error = client.create_auth_token_with_expiry(api_key_index=key)
        assert error is None, error
        held = (await accounts.account(by="index", value=str(account))).accounts[0]
        details = (await orders.order_book_details(market_id=MARKET)).order_book_details[0]
        active = await orders.account_active_orders(account_index=account, market_id=MARKET, authorization=token)
        ended = await orders.account_inactive_orders(account_index=account, limit=50, authorization=token)
        trades = await orders.trades(sort_by="timestamp", limit=10, account_index=account, authorization=token)
        level3 = await orders.order_book_orders(market_id=MARKET, limit=3)
        await orders.order_books()
        await orders.recent_trades(market_id=MARKET, limit=3)
        await orders.exchange_stats()
        await accounts.apikeys(account_index=account)
        await accounts.account_limits(account_index=account, authorization=token)
        await lighter.FundingApi(api).funding_rates()
        await lighter.RootApi(api).status()
        await lighter.RootApi(api).info()
        nonce = await transactions.next_nonce(account_index=account, api_key_index=key)
        return {
            "position": held.positions[0].position,
            "collateral": held.collateral,
            "decimals": [details.size_decimals, details.price_decimals],
            "active": [order.client_order_index for order in active.orders],
            "ended": {str(order.client_order_index): order.status for order in ended.orders},
            "trades": [[trade.size, trade.price] for trade in trades.trades],
            "best_ask": level3.asks[0].price,
            "nonce": nonce.nonce,
        }


async def main(url, account, key):
    client = lighter.SignerClient(url=url, account_index=account, api_private_keys={key: sys.stdin.readline().strip()})
    seen = Seen()
    stream = lighter.WsClient(
        ws_url=url.replace("http", "ws", 1) + "/stream",
        order_book_ids=[MARKET],
        account_ids=[account],
        on_order_book_update=seen.on_book,
        on_account_update=seen.on_account,
    )
    listening = asyncio.create_task(stream.run_async())
    try:
        checked = client.check_client()
        steps = await trade(client, account, seen)
        answers = await ask(url, client, account, key)
        _, _, refused = await client.create_order(MARKET, 14, 1, 290_000, False, LIMIT, POST_ONLY)
    finally:
        listening.cancel()
        await client.close()
    print(json.dumps({"check": checked, "steps": steps, "answers": answers, "refused": str(refused)}))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
