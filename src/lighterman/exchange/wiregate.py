"""The last look before the socket: the signed bytes themselves, read again.

Law: this file believes nobody. It decodes what is about to leave and compares it with hard
limits that were set once; whatever should have been prevented above and was not is a bug, and
raises InvariantBroken. After `stop` no create and no modify passes any more.
"""

from collections.abc import Iterable, Mapping

from lighterman.domain.errors import InvariantBroken, RemoteProtocolError, invariant
from lighterman.domain.market import Market
from lighterman.protocol import transactions
from lighterman.protocol.signing import SignedTx
from lighterman.protocol.transactions import (
    Attribute,
    CancelAllMode,
    CancelAllOrdersTx,
    CancelOrderTx,
    CreateOrderTx,
    ModifyOrderTx,
    OrderType,
    TimeInForce,
    Transaction,
)

ALLOWED = CreateOrderTx | CancelOrderTx | CancelAllOrdersTx | ModifyOrderTx  # types 14-17; never money or leverage
FILLS_REMEMBERED_MAX = 4096
ATTRIBUTES_ALLOWED = (Attribute.SELF_TRADE_BEHAVIOR, Attribute.SELF_TRADE_EQUALITY)


class WireGate:
    """The hard limits of one run. The chain id is in the hash alone: each key's first hash is computed again."""

    __slots__ = (
        "_account_index",
        "_chain_id",
        "_filled_lots",
        "_keys_proved",
        "_markets",
        "_order_value_micro_max",
        "is_stopped",
    )

    def __init__(
        self, *, account_index: int, api_key_indexes: Iterable[int], chain_id: int, order_value_micro_max: int
    ) -> None:
        self._account_index = account_index
        self._chain_id = chain_id
        self._order_value_micro_max = order_value_micro_max
        self._keys_proved = dict.fromkeys(api_key_indexes, False)
        self._markets: dict[int, Market] = {}
        self._filled_lots: dict[int, int] = {}  # by client order index, the latest last
        self.is_stopped = False

    def stop(self) -> None:
        """Close for everything that could add an order; there is no way back."""
        self.is_stopped = True

    def allow(self, markets: Mapping[int, Market]) -> None:
        """Name the markets in which orders may be made."""
        self._markets = dict(markets)

    def filled(self, client_order_index: int, size_lots: int) -> None:
        """Take note of a fill: a modify names the total size, and what has filled is no new risk (4.8)."""
        self._filled_lots[client_order_index] = self._filled_lots.pop(client_order_index, 0) + size_lots
        if len(self._filled_lots) > FILLS_REMEMBERED_MAX:
            del self._filled_lots[next(iter(self._filled_lots))]

    def check(self, signed: SignedTx) -> None:
        """Raise InvariantBroken unless the transaction may leave."""
        try:
            tx = transactions.decode(signed.tx_type, signed.tx_info)
        except RemoteProtocolError as error:
            raise InvariantBroken(f"wire gate: {error}") from None
        self._check_sender(tx, signed)
        if tx.l2_tx_attributes:
            attributes = transactions.attributes(tx)
            if not all(key in ATTRIBUTES_ALLOWED for key in attributes):
                raise InvariantBroken(f"wire gate: attributes {attributes}")
        match tx:
            case CreateOrderTx():
                is_post_only = (tx.order_type, tx.time_in_force) == (OrderType.LIMIT, TimeInForce.POST_ONLY)
                invariant(is_post_only, "wire gate: an order that is not post-only")
                self._check_order(tx.market_index, tx.price, tx.base_amount)
            case ModifyOrderTx():
                self._check_order(tx.market_index, tx.price, tx.base_amount - self._filled_lots.get(tx.index, 0))
            case CancelAllOrdersTx():
                invariant(tx.time_in_force == CancelAllMode.IMMEDIATE, "wire gate: a cancel-all that is not immediate")
            case CancelOrderTx():
                pass
            case _:
                raise InvariantBroken(f"wire gate: transaction type {signed.tx_type}")

    def _check_sender(self, tx: Transaction, signed: SignedTx) -> None:
        if tx.account_index != self._account_index or tx.api_key_index not in self._keys_proved:
            raise InvariantBroken(f"wire gate: account {tx.account_index}, api key {tx.api_key_index}")
        fault = transactions.check(tx)
        if fault is not None:
            raise InvariantBroken(f"wire gate: {fault}")
        if not self._keys_proved[tx.api_key_index]:
            right = transactions.transaction_hash(tx, self._chain_id).hex()
            invariant(signed.tx_hash == right, "wire gate: signed for another chain, or hashed wrongly")
            self._keys_proved[tx.api_key_index] = True

    def _check_order(self, market_index: int, price_ticks: int, size_lots: int) -> None:
        invariant(not self.is_stopped, "wire gate: an order after the stop")
        market = self._markets.get(market_index)
        if market is None:
            raise InvariantBroken(f"wire gate: market {market_index}")
        value_micro = market.notional_micro(price_ticks, size_lots)
        if value_micro > self._order_value_micro_max:
            raise InvariantBroken(f"wire gate: an order worth {value_micro} micro-USDC")
