"""A bot as most are written: websockets, json, Decimal, and the official client's signer on the main thread.

It is the reference of the end-to-end benchmark, runs in the environment of the official client, and
imports nothing that it does not need: what a signature costs there grows with the process's memory map
(protocol reference 10.4). It is kind to itself: no risk checks, no metrics, no journal, no log, no
reconciliation, orders over the socket instead of REST. One JSON object on standard input says where
the exchange is and what to quote; the end of standard input ends it.
"""

import asyncio
import json
import sys
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import lighter
import websockets

CREATE, MODIFY = 14, 17

Slot = tuple[str, int]  # side and level
Order = tuple[Slot, int, Decimal, Decimal]  # slot, kind, price, size


class ReferenceBot:
    """One market's maker, five levels a side or fewer, at fixed distances from the middle."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.key = told["api_key_index"]
        self.client = lighter.SignerClient(
            url=told["url"], account_index=told["account_index"], api_private_keys={self.key: told["private_key"]}
        )
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}
        self.resting: dict[Slot, Decimal] = {}
        self.request = 0
        self.tick, self.lot = Decimal(told["tick"]), Decimal(told["lot"])
        self.half = Decimal(told["half_spread_bps"]) / 10_000
        self.step = Decimal(told["level_step"])
        self.sizes = [Decimal(size) for size in told["sizes"]]

    async def run(self) -> None:
        """Trade until the exchange goes away."""
        async with websockets.connect(self.told["stream_url"], compression=None, max_size=None) as socket:
            await socket.send(json.dumps({"type": "subscribe", "channel": f"order_book/{self.told['market']}"}))
            async for text in socket:
                frame = json.loads(text)
                if frame.get("type", "").endswith("/order_book"):
                    self.take(frame)
                    orders = self.wanted()
                    if orders:
                        await socket.send(self.signed(orders))

    def take(self, frame: dict[str, Any]) -> None:
        """Keep the book."""
        book = frame["order_book"]
        if frame["type"].startswith("subscribed"):
            self.bids.clear()
            self.asks.clear()
        for side, levels in ((self.bids, book["bids"]), (self.asks, book["asks"])):
            for level in levels:
                price, size = Decimal(level["price"]), Decimal(level["size"])
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)

    def wanted(self) -> list[Order]:
        """Return what has to be created or modified."""
        best_bid, best_ask = max(self.bids), min(self.asks)
        middle = (best_bid + best_ask) / 2
        orders = []
        for side in self.told["sides"]:
            for level, size in enumerate(self.sizes):
                distance = self.half * (1 + self.step * level)
                if side == "bid":
                    price = (middle * (1 - distance)).quantize(self.tick, ROUND_FLOOR)
                else:
                    price = (middle * (1 + distance)).quantize(self.tick, ROUND_CEILING)
                slot = (side, level)
                if self.resting.get(slot) != price:
                    orders.append((slot, MODIFY if slot in self.resting else CREATE, price, size))
                    self.resting[slot] = price
        return orders

    def signed(self, orders: list[Order]) -> str:
        """Return the frame that sends these orders."""
        signed = [self.sign(*order) for order in orders]
        self.request += 1
        if len(signed) == 1:
            ((kind, info),) = signed
            data = {"id": str(self.request), "tx_type": kind, "tx_info": json.loads(info)}
            return json.dumps({"type": "jsonapi/sendtx", "data": data})
        kinds, infos = zip(*signed, strict=True)
        data = {"id": str(self.request), "tx_types": json.dumps(kinds), "tx_infos": json.dumps(infos)}
        return json.dumps({"type": "jsonapi/sendtxbatch", "data": data})

    def sign(self, slot: Slot, kind: int, price: Decimal, size: Decimal) -> tuple[int, str]:
        """Sign one order with the official client."""
        side, level = slot
        order = 1 + level + 100 * (side == "ask")
        market, lots, ticks = self.told["market"], int(size / self.lot), int(price / self.tick)
        key, nonce = self.client.nonce_manager.next_nonce()
        if kind == CREATE:
            kind, info, _, error = self.client.sign_create_order(
                market, order, lots, ticks, int(side == "ask"), self.client.ORDER_TYPE_LIMIT,
                self.client.ORDER_TIME_IN_FORCE_POST_ONLY, nonce=nonce, api_key_index=key,
            )  # fmt: skip
        else:
            kind, info, _, error = self.client.sign_modify_order(
                market, order, lots, ticks, nonce=nonce, api_key_index=key
            )
        if error:
            raise SystemExit(error)
        return int(kind), str(info)


async def main() -> None:
    """Trade until standard input ends."""
    bot = ReferenceBot(json.loads(sys.stdin.readline()))
    trading = asyncio.create_task(bot.run())
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await asyncio.wait({trading, ended}, return_when=asyncio.FIRST_COMPLETED)
    if trading.done():
        trading.result()
    trading.cancel()
    await bot.client.close()


asyncio.run(main())
