"""The same decision, written the obvious way: json, Decimal, dicts, max() and min().

This is how most bots do it, and it is the denominator of the benchmark's ratio. It does the
same work as the product's engine on the same bytes: book, fair price, imbalance, volatility,
skew, ladder, comparison with what rests, limits. The benchmark checks that both reach the same
orders before it times either.
"""

import json
import statistics
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import log, sqrt

BPS = Decimal(10_000)


class NaiveMaker:
    """One market's maker; `settings` are the benchmark's, with decimal texts for money."""

    def __init__(self, settings: dict) -> None:
        self.settings = settings
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}
        self.nonce = 0
        self.resting: dict[tuple[str, int], dict] = {}
        self.position = Decimal(0)
        self.mark = Decimal(settings["mark"])
        self.mids: list[float] = []
        self.sampled_at_ns = -(10**12)
        self.next_id = 0

    def on_message(self, message: bytes, now_ns: int) -> list[dict]:
        """Take one frame; return the orders to create or modify."""
        frame = json.loads(message)
        book = frame["order_book"]
        if frame["type"].startswith("subscribed"):
            self.bids.clear()
            self.asks.clear()
        elif book["begin_nonce"] != self.nonce:
            raise ValueError("gap")
        self.nonce = book["nonce"]
        for side, levels in ((self.bids, book["bids"]), (self.asks, book["asks"])):
            for level in levels:
                price, size = Decimal(level["price"]), Decimal(level["size"])
                if size == 0:
                    side.pop(price, None)
                else:
                    side[price] = size
        return self.decide(now_ns)

    def decide(self, now_ns: int) -> list[dict]:
        """Return what has to change, checked against every limit."""
        bids, asks = self._without_own("bid", self.bids), self._without_own("ask", self.asks)
        best_bid, best_ask = max(bids), min(asks)
        if best_bid >= best_ask:
            return []
        middle = (best_bid + best_ask) / 2
        self._sample(float(middle), now_ns)
        actions = []
        for side, level, price, size in self._ladder(bids, asks, best_bid, best_ask, middle):
            order = self.resting.get((side, level))
            if order is not None:
                tolerance = price * Decimal(str(self.settings["reprice_threshold_bps"])) / BPS
                near = abs(order["price"] - price) <= tolerance
                slack = size * Decimal(str(self.settings["resize_threshold_fraction"]))
                if near and abs(order["size"] - size) <= slack:
                    continue
            if self._allowed(side, price, size, order, middle):
                self.next_id += 1
                actions.append({"id": self.next_id, "side": side, "level": level, "price": price, "size": size})
        for action in actions:
            self.resting[action["side"], action["level"]] = {"price": action["price"], "size": action["size"]}
        return actions

    def _without_own(self, side: str, levels: dict) -> dict:
        others = dict(levels)
        for (own_side, _), order in self.resting.items():
            if own_side == side and order["price"] in others:
                others[order["price"]] -= order["size"]
                if others[order["price"]] <= 0:
                    del others[order["price"]]
        return others

    def _sample(self, middle: float, now_ns: int) -> None:
        if now_ns - self.sampled_at_ns >= self.settings["volatility_sample_s"] * 1e9:
            self.mids.append(middle)
            self.mids = self.mids[-(self.settings["volatility_window"] + 1) :]
            self.sampled_at_ns = now_ns

    def _volatility_bps(self) -> float | None:
        if len(self.mids) <= self.settings["volatility_samples_min"]:
            return None
        returns = [log(later / earlier) for earlier, later in zip(self.mids, self.mids[1:], strict=False)]
        return statistics.pstdev(returns) * sqrt(self.settings["volatility_horizon_s"]) * 10_000

    def _ladder(self, bids: dict, asks: dict, best_bid: Decimal, best_ask: Decimal, middle: Decimal) -> list[tuple]:
        settings = self.settings
        depth = settings["imbalance_levels"]
        bid_size = sum(bids[price] for price in sorted(bids, reverse=True)[:depth])
        ask_size = sum(asks[price] for price in sorted(asks)[:depth])
        imbalance = abs((bid_size - ask_size) / (bid_size + ask_size))
        volatility = self._volatility_bps()
        half = Decimal(str(settings["half_spread_max_bps"]))
        if volatility is not None:
            wanted = Decimal(str(settings["half_spread_min_bps"])) + Decimal(str(volatility))
            half = min(half, wanted + Decimal(str(settings["imbalance_factor_bps"])) * imbalance)
        maximum = Decimal(settings["position_max"])
        skew = max(Decimal(-1), min(Decimal(1), self.position / maximum))
        shift = half * skew * Decimal(str(settings["skew_factor"]))
        tick = Decimal(settings["tick"])
        ladder = []
        for side, spread in (("bid", half + shift), ("ask", half - shift)):
            room = maximum - self.position if side == "bid" else maximum + self.position
            for level in range(settings["levels"]):
                distance = spread * (1 + Decimal(str(settings["level_step"])) * level) / BPS
                size = Decimal(settings["order_size"]) * Decimal(str(settings["size_multiplier"])) ** level
                size = min(size.quantize(Decimal(settings["lot"]), ROUND_FLOOR), room)
                room -= size
                if side == "bid":
                    price = min((middle * (1 - distance)).quantize(tick, ROUND_FLOOR), best_ask - tick)
                else:
                    price = max((middle * (1 + distance)).quantize(tick, ROUND_CEILING), best_bid + tick)
                if size >= Decimal(settings["minimum_size"]) and size * price >= Decimal(settings["minimum_value"]):
                    ladder.append((side, level, price, size))
        return ladder

    def _allowed(self, side: str, price: Decimal, size: Decimal, order: dict | None, middle: Decimal) -> bool:
        settings = self.settings
        if price * size > Decimal(settings["order_value_max"]):
            return False
        collar = Decimal(str(settings["price_collar_bps"])) / BPS
        if abs(price / self.mark - 1) > collar or abs(price / middle - 1) > collar:
            return False
        resting = {"bid": Decimal(0), "ask": Decimal(0)}
        for (own_side, _), own in self.resting.items():
            resting[own_side] += own["size"]
            if own_side != side and (own["price"] <= price if side == "bid" else own["price"] >= price):
                return False
        added = size - (order["size"] if order else 0)
        sign = 1 if side == "bid" else -1
        worst = abs(sign * self.position + resting[side] + max(added, Decimal(0)))
        if worst > Decimal(settings["position_max"]):
            return False
        return worst * self.mark <= Decimal(settings["total_position_max"])
