"""A second matcher, written from the rules with lists and sorting; it shares no code with the real one.

Protocol reference 9.2 (without margin), 9.3, 9.4, 4.8, 4.10. Slow and small on purpose: an order is a
dict, the best maker is found by sorting the whole side, time is a number.
"""

from typing import Any

BruteOrder = dict[str, Any]


class BruteMatcher:
    """One market. `trades`, `ended` and `resting()` are what the real one must agree with."""

    def __init__(
        self, *, min_base: int, min_quote: int, quote_limit: int, owners: dict[int, int], dms_lag: int
    ) -> None:
        self.min_base, self.min_quote, self.quote_limit = min_base, min_quote, quote_limit
        self.owners = owners  # account -> master
        self.dms_lag = dms_lag
        self.now = 0
        self.turn = 0
        self.book: list[BruteOrder] = []
        self.positions = dict.fromkeys(owners, 0)
        self.switches = dict.fromkeys(owners, 0)
        self.trades: list[tuple[int, int, int, int, bool]] = []  # ask account, bid account, price, size, maker is ask
        self.ended: list[tuple[int, int, str, int]] = []  # account, client, status, filled

    def resting(self) -> list[tuple[int, int, bool, int, int]]:
        """Return (account, client, is_ask, price, remaining), bids then asks, in order of priority."""
        rows = self.side(is_ask=False) + self.side(is_ask=True)
        return [(o["account"], o["client"], o["is_ask"], o["price"], o["remaining"]) for o in rows]

    def side(self, *, is_ask: bool) -> list[BruteOrder]:
        orders = [o for o in self.book if o["is_ask"] == is_ask]
        return sorted(orders, key=lambda o: (o["price"] if is_ask else -o["price"], o["turn"]))

    def wait(self, until: int) -> None:
        """Let time pass: switches fire and orders expire, each at its moment."""
        while True:
            dues = [(at + self.dms_lag, 0, account) for account, at in self.switches.items() if at]
            dues += [(o["expiry"], 1, o["born"]) for o in self.book if o["expiry"]]
            if not dues or min(dues)[0] > until:
                break
            at, kind, which = min(dues)
            self.now = max(self.now, at)
            if kind == 0:
                self.cancel_all(which)
            else:
                self.finish(next(o for o in self.book if o["born"] == which), "canceled-expired")
        self.now = max(self.now, until)

    def find(self, account: int, client: int) -> BruteOrder | None:
        named = (o for o in self.book if client and (o["account"], o["client"]) == (account, client))
        return next(named, None)

    def amounts_are_bad(self, price: int, size: int, *, ioc: bool) -> bool:
        too_small = size < self.min_base or price * size < self.min_quote
        return size < 1 or price < 1 or price * size > self.quote_limit or (too_small and not ioc)

    def can_reduce(self, o: BruteOrder) -> bool:
        position = self.positions[o["account"]]
        return position > 0 if o["is_ask"] else position < 0

    def create(self, o: BruteOrder) -> None:
        o = o | {"filled": 0, "version": 0, "credit": 0, "remaining": o["size"]}
        if self.amounts_are_bad(o["price"], o["size"], ioc=o["tif"] == "ioc"):
            return
        if self.find(o["account"], o["client"]):
            return
        if o["reduce_only"] and not self.can_reduce(o):
            return
        if o["expiry"] and o["expiry"] <= self.now:
            return
        self.turn += 1
        o["born"] = o["turn"] = self.turn
        self.match(o)

    def modify(self, account: int, client: int, price: int, size: int, version: int | None) -> None:
        o = self.find(account, client)
        if o is None or (version is not None and version != o["version"]):
            return
        if self.amounts_are_bad(price, size, ioc=False):
            return
        self.book.remove(o)
        o["version"] += 1
        o["price"], o["size"], o["remaining"] = price, size, size - o["filled"]
        if o["remaining"] <= 0:
            self.finish(o, "filled")
            return
        self.turn += 1
        o["turn"] = self.turn
        self.match(o)

    def cancel(self, account: int, client: int) -> None:
        o = self.find(account, client)
        if o is not None:
            self.finish(o, "canceled")

    def cancel_all(self, account: int) -> None:
        self.switches[account] = 0
        for o in sorted((o for o in self.book if o["account"] == account), key=lambda o: o["born"]):
            self.finish(o, "canceled")

    def finish(self, o: BruteOrder, status: str) -> None:
        if o in self.book:
            self.book.remove(o)
        self.ended.append((o["account"], o["client"], status, o["filled"]))

    def match(self, taker: BruteOrder) -> None:
        while True:
            if taker["reduce_only"] and not self.can_reduce(taker):
                return self.finish(taker, "canceled-reduce-only")
            makers = self.side(is_ask=not taker["is_ask"])
            sign = -1 if taker["is_ask"] else 1  # of what a higher price costs the taker
            if not makers or (taker["kind"] == "limit" and (makers[0]["price"] - taker["price"]) * sign > 0):
                if taker["tif"] == "ioc":
                    return self.finish(taker, "canceled-not-enough-liquidity")
                self.book.append(taker)
                return None
            status = self.meet(taker, makers[0], sign)
            if status:
                return self.finish(taker, status)

    def meet(self, taker: BruteOrder, maker: BruteOrder, sign: int) -> str:
        """Do steps 3 to 9 with one maker, and trade; return why the taker ends, or nothing."""
        same_account = taker["account"] == maker["account"]
        same_master = taker["same_master"] and self.owners[taker["account"]] == self.owners[maker["account"]]
        if same_account or same_master:
            return "canceled-post-only" if taker["tif"] == "post-only" else self.meet_self(taker, maker)
        if 0 < self.switches[maker["account"]] <= self.now:
            self.finish(maker, "canceled")
            return ""
        if taker["tif"] == "post-only":
            return "canceled-post-only"
        if maker["reduce_only"] and not self.can_reduce(maker):
            self.finish(maker, "canceled-reduce-only")
            return ""
        wanted = min(taker["remaining"], maker["remaining"])
        for o in (taker, maker):
            if o["reduce_only"]:
                wanted = min(wanted, abs(self.positions[o["account"]]))
        size, gap = wanted, (maker["price"] - taker["price"]) * sign
        if taker["kind"] == "market" and gap > 0:
            size = min(wanted, taker["credit"] // gap)
        if not size:
            return "canceled-too-much-slippage"
        self.trade(taker, maker, size)
        taker["credit"] -= gap * size
        return self.after_trade(taker, maker, is_clipped=size < wanted)

    def after_trade(self, taker: BruteOrder, maker: BruteOrder, *, is_clipped: bool) -> str:
        """Do the rest of step 10: end the maker if it is done, return why the taker ends, or nothing."""
        if not maker["remaining"]:
            self.finish(maker, "filled")
        elif maker["reduce_only"] and not self.can_reduce(maker):
            self.finish(maker, "canceled-reduce-only")
        if not taker["remaining"]:
            return "filled"
        if taker["reduce_only"] and not self.can_reduce(taker):
            return "canceled-reduce-only"
        return "canceled-too-much-slippage" if is_clipped else ""

    def meet_self(self, taker: BruteOrder, maker: BruteOrder) -> str:
        mode = taker["self_trade"]
        if mode == "reduce both":
            overlap = min(taker["remaining"], maker["remaining"])
            taker["remaining"] -= overlap
            maker["remaining"] -= overlap
            if not maker["remaining"]:
                self.finish(maker, "canceled-self-trade")
            return "" if taker["remaining"] else "canceled-self-trade"
        if mode in ("expire maker", "cancel both"):
            self.finish(maker, "canceled-self-trade")
        return "" if mode == "expire maker" else "canceled-self-trade"

    def trade(self, taker: BruteOrder, maker: BruteOrder, size: int) -> None:
        for o in (taker, maker):
            o["filled"] += size
            o["remaining"] -= size
            self.positions[o["account"]] += -size if o["is_ask"] else size
        ask, bid = (maker, taker) if maker["is_ask"] else (taker, maker)
        self.trades.append((ask["account"], bid["account"], maker["price"], size, maker["is_ask"]))
