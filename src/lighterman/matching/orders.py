"""An order while it lives: the one mutable record of this room besides accounts and books."""

from lighterman.matching.outputs import OrderRow, OrderStatus
from lighterman.matching.requests import NewOrder

CLIENT_INDEX_END = 1 << 48  # smaller indexes are client order indexes (protocol reference 4.3)


class Order:
    """An order from its creation to its end.

    `remaining_lots` is kept beside `filled_lots` because a self-trade may reduce an order
    without filling it. `slippage_credit` is what a market order has saved against its
    worst average price so far, in ticks x lots (protocol reference 9.3).
    """

    __slots__ = (
        "account_index",
        "client_order_index",
        "created_us",
        "expiry_ms",
        "filled_lots",
        "filled_quote_micro",
        "is_ask",
        "kind",
        "market",
        "order_index",
        "price_ticks",
        "queue_nonce",
        "reduce_only",
        "remaining_lots",
        "same_master",
        "self_trade",
        "size_lots",
        "slippage_credit",
        "status",
        "time_in_force",
        "tx_hash",
        "updated_us",
        "version",
    )

    def __init__(self, request: NewOrder, order_index: int, queue_nonce: int, now_us: int) -> None:
        self.account_index = request.account_index
        self.market = request.market
        self.order_index = order_index
        self.client_order_index = request.client_order_index
        self.queue_nonce = queue_nonce
        self.is_ask = request.is_ask
        self.price_ticks = request.price_ticks
        self.size_lots = request.size_lots
        self.remaining_lots = request.size_lots
        self.filled_lots = 0
        self.filled_quote_micro = 0
        self.slippage_credit = 0
        self.kind = request.kind
        self.time_in_force = request.time_in_force
        self.reduce_only = request.reduce_only
        self.expiry_ms = request.expiry_ms
        self.self_trade = request.self_trade
        self.same_master = request.same_master
        self.status = OrderStatus.IN_PROGRESS
        self.version = 0
        self.tx_hash = request.tx_hash
        self.created_us = now_us
        self.updated_us = now_us

    def __repr__(self) -> str:
        side = "ask" if self.is_ask else "bid"
        return f"<Order {self.order_index} {side} {self.remaining_lots}@{self.price_ticks} {self.status}>"

    def has_ended(self) -> bool:
        """Tell whether the order can no longer trade."""
        return self.status is not OrderStatus.OPEN and self.status is not OrderStatus.IN_PROGRESS

    def crosses(self, price_ticks: int) -> bool:
        """Tell whether this order would trade at a price of the other side."""
        return price_ticks >= self.price_ticks if self.is_ask else price_ticks <= self.price_ticks

    def row(self, block_us: int) -> OrderRow:
        """Return the order as it stands."""
        return OrderRow(
            order_index=self.order_index,
            client_order_index=self.client_order_index,
            market=self.market,
            account_index=self.account_index,
            is_ask=self.is_ask,
            price_ticks=self.price_ticks,
            size_lots=self.size_lots,
            remaining_lots=0 if self.has_ended() else self.remaining_lots,
            filled_lots=self.filled_lots,
            filled_quote_micro=self.filled_quote_micro,
            kind=self.kind,
            time_in_force=self.time_in_force,
            reduce_only=self.reduce_only,
            expiry_ms=self.expiry_ms,
            status=self.status,
            queue_nonce=self.queue_nonce,
            order_version=self.version,
            created_us=self.created_us,
            updated_us=self.updated_us,
            block_height=self.updated_us // block_us,
        )
