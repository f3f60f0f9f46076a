"""From intention to permission: the only maker of `Approved`, and so the only way to the wire.

Law: intents are judged as a set, each against the state as it will be if all earlier ones
and everything resting or in flight fill. A cancel never needs permission, only a message.
Nothing here may be overridden; a refusal carries its reason to status, log and metric.
"""

import msgspec

from lighterman.domain.commands import CancelAll, CancelOrder, Command, PlaceOrder
from lighterman.domain.market import Market
from lighterman.domain.units import BPS
from lighterman.risk.budget import MessageBudget
from lighterman.risk.limits import AccountLimits

SELF_CROSS = "self_cross"
_CANCELS = (CancelOrder, CancelAll)


class Intent(msgspec.Struct, frozen=True, gc=False):
    """A command with what risk must know of it.

    `size_lots` is the size that is signed: of a modify the TOTAL, what was filled included.
    `added_lots` is by how much it can raise what may still fill on its side: the whole size
    of a create, the growth of a modify, zero for cancels.
    """

    command: Command
    market: int
    is_ask: bool = False
    price_ticks: int = 0
    size_lots: int = 0
    added_lots: int = 0


class Approved(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A command that risk has allowed. Made in this file and nowhere else."""

    command: Command


class Refusal(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A command that risk has stopped, and why."""

    command: Command
    market: int
    reason: str


class Exposure(msgspec.Struct):
    """One market at its worst: everything live, in flight or unknown is assumed to fill."""

    market: Market
    position_lots: int
    position_max_lots: int
    buy_lots: int
    sell_lots: int
    highest_bid_ticks: int  # of our own orders, pending ones included; 0: none
    lowest_ask_ticks: int  # likewise; 0: none
    mark_ticks: int
    mid_ticks: float
    closed_reason: str  # why nothing new may be sent in this market; "" where it may

    def worst_lots(self) -> int:
        """Return the largest absolute position that could come of it."""
        return max(abs(self.position_lots + self.buy_lots), abs(self.position_lots - self.sell_lots))

    def worst_notional_micro(self) -> int:
        """Return the value of that position at the mark."""
        return self.market.notional_micro(self.mark_ticks, self.worst_lots())


def cancel_everything(command_id: int) -> Approved:
    """Return the one command that needs no review: nobody has to ask before cancelling all."""
    return Approved(CancelAll(command_id))


class Gate:
    """Reviews intents; holds the message budget and nothing else."""

    __slots__ = ("_budget", "_collar", "_limits")

    def __init__(self, limits: AccountLimits, budget: MessageBudget) -> None:
        self._limits = limits
        self._collar = limits.price_collar_bps / BPS
        self._budget = budget

    def review(
        self,
        intents: list[Intent],
        exposures: dict[int, Exposure],
        total_notional_micro: int,
        orders_free: int,
        now_ns: int,
    ) -> tuple[list[Approved], list[Refusal]]:
        """Return what may be sent and what may not.

        `exposures` holds every market named by an intent and is updated as intents pass;
        `total_notional_micro` is the worst-case value of all markets together, `orders_free`
        how many more orders may be tracked.
        """
        approved: list[Approved] = []
        refused: list[Refusal] = []
        self._budget.refill(now_ns)
        for intent in intents:
            command = intent.command
            if isinstance(command, _CANCELS):
                reason = self._budget.take_for_cancel()
                if isinstance(command, CancelAll):
                    reason = ""  # the last resort goes out even when the budget is spent
            else:
                exposure = exposures[intent.market]
                is_new = isinstance(command, PlaceOrder)
                reason = "too_many_orders" if is_new and orders_free < 1 else ""
                reason = reason or self._check(intent, exposure, total_notional_micro)
                reason = reason or self._budget.take_for_risk(now_ns)
                if not reason:
                    total_notional_micro += _commit(intent, exposure)
                    orders_free -= is_new
            if reason:
                refused.append(Refusal(command, intent.market, reason))
            else:
                approved.append(Approved(command))
        return approved, refused

    def _check(self, intent: Intent, exposure: Exposure, total_notional_micro: int) -> str:
        """Return the name of the first limit the intent would break, or ""."""
        if exposure.closed_reason:
            return exposure.closed_reason
        limits, price = self._limits, intent.price_ticks
        value_micro_max = min(limits.order_value_micro_max, exposure.market.order_quote_limit_micro)
        if exposure.market.notional_micro(price, intent.size_lots) > value_micro_max:
            return "order_value_limit"
        collar, mark, mid = self._collar, exposure.mark_ticks, exposure.mid_ticks
        if abs(price - mark) > mark * collar or abs(price - mid) > mid * collar:
            return "price_collar"
        if intent.is_ask:
            if price <= exposure.highest_bid_ticks:
                return SELF_CROSS
            after_lots = exposure.sell_lots + intent.added_lots - exposure.position_lots
        else:
            if 0 < exposure.lowest_ask_ticks <= price:
                return SELF_CROSS
            after_lots = exposure.buy_lots + intent.added_lots + exposure.position_lots
        if not intent.added_lots:  # no worst case becomes worse
            return ""
        if after_lots > exposure.position_max_lots:
            return "position_limit"
        growth_lots = max(0, after_lots - exposure.worst_lots())
        if growth_lots:
            added_micro = exposure.market.notional_micro(exposure.mark_ticks, growth_lots)
            if total_notional_micro + added_micro > limits.total_position_micro_max:
                return "total_position_limit"
        return ""


def _commit(intent: Intent, exposure: Exposure) -> int:
    """Count an approved intent as if it were resting already; return by how much the worst case grew, in micro-USDC."""
    before_micro = exposure.worst_notional_micro() if intent.added_lots else 0
    if intent.is_ask:
        exposure.sell_lots += intent.added_lots
        if not exposure.lowest_ask_ticks or intent.price_ticks < exposure.lowest_ask_ticks:
            exposure.lowest_ask_ticks = intent.price_ticks
    else:
        exposure.buy_lots += intent.added_lots
        exposure.highest_bid_ticks = max(exposure.highest_bid_ticks, intent.price_ticks)
    return exposure.worst_notional_micro() - before_micro if intent.added_lots else 0
