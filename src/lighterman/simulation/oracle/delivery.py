"""Which trades and orders the bot's present process has been told of, found in the bytes of its frames.

Only names are looked for, and only while one is awaited: a trade counts as told when a frame of
`account_all_trades` or a reply first carries its id, an order when any carries one of its indexes.
Other channels repeat trades; no bot has to read them all. A frame in which a field has another name tells
nothing: it is refused whole.
"""

import re

from lighterman.simulation.oracle import slack
from lighterman.simulation.oracle.phases import Phases
from lighterman.simulation.oracle.venue_model import LiveOrder, OwnTrade

_TRADE = re.compile(rb'"trade_id":\s*(\d+)')
_REPEATS = re.compile(rb'"channel":\s*"account_(?!all_trades)')
_RENAMED = re.compile(rb'"\w+_v\d+":')  # as an interface changes, and as the fault `missing_field` writes it
_ORDER = re.compile(rb'"(?:client_)?order_index":\s*(\d+)')


class Delivery:
    """What is awaited."""

    def __init__(self, phases: Phases) -> None:
        self._phases = phases
        self._trades: dict[int, list[OwnTrade]] = {}
        self._orders: dict[int, LiveOrder] = {}

    def started(self, live: dict[int, LiveOrder]) -> None:
        """A new process has been told nothing, and is not told of old trades."""
        self._trades.clear()
        self._orders.clear()
        for order in live.values():
            order.told_ns = None
            self.await_order(order)

    def await_trade(self, own: OwnTrade) -> None:
        """A trade happened; a trade with oneself is two."""
        self._trades.setdefault(own.trade_id, []).append(own)

    def await_order(self, order: LiveOrder) -> None:
        """An order is live that the bot's present process did not make."""
        self._orders[order.client_order_index or order.order_index] = order

    def forget_order(self, order: LiveOrder) -> None:
        """An order is no more."""
        self._orders.pop(order.client_order_index or order.order_index, None)

    def on_frame(self, data: bytes, known_ns: int) -> None:
        """Look for what is awaited; what is found counts as told at `known_ns`."""
        if (self._trades or self._orders) and _RENAMED.search(data):
            return
        if self._trades and not _REPEATS.search(data):
            for found in _TRADE.findall(data):
                for own in self._trades.pop(int(found), ()):
                    own.told_ns, own.told_belief = known_ns, self._phases.beliefs
        if self._orders:
            for found in _ORDER.findall(data):
                order = self._orders.pop(int(found), None)
                if order is not None:
                    order.told_ns, order.told_belief = known_ns, self._phases.beliefs

    def is_known(self, told: OwnTrade | LiveOrder, now_ns: int) -> bool:
        """Tell whether the bot has been told long enough ago to have acted on it."""
        if told.told_ns is None:
            return False
        is_old = now_ns >= told.told_ns + slack.TOLD_NS
        return is_old and self._phases.beliefs >= told.told_belief + slack.TOLD_BELIEFS

    def mark_known(self, own: OwnTrade, now_ns: int) -> None:
        """The bot's position shows that it knows."""
        if own.told_ns is None:
            own.told_ns, own.told_belief = now_ns, self._phases.beliefs
            self._trades.pop(own.trade_id, None)
