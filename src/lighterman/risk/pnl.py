"""The daily loss limit: realised + unrealised + fees + funding since the UTC day began.

Law: once tripped it stays tripped, over restarts and over midnight, until an operator rearms
it. A breaker that reopens by itself after a loss is the seed's defect R7.

What the account lost while no session ran counts: fundings, fills before the orders went, the
move of what is held. What it gained does not: it may be a deposit, which must not hide a loss.
A withdrawal between sessions looks like a loss and counts as one; if it trips, rearming, which
forgets the day, clears it.
"""

import msgspec


class LossState(msgspec.Struct, frozen=True, array_like=True):
    """What must survive a restart: the day's PnL, and the equity from which it is counted.

    `baseline_pico` is None where that is not known yet, and in records of before it was kept.
    """

    day: int = 0
    carried_pico: int = 0
    tripped: str = ""
    baseline_pico: int | None = None


class DailyLoss:
    """Watches equity (collateral and unrealised PnL, as the bot's own ledger has them)."""

    __slots__ = ("_baseline_pico", "_carried_pico", "_day", "_equity_pico", "_limit_pico", "tripped")

    def __init__(self, daily_loss_micro_max: int, state: LossState) -> None:
        self._limit_pico = daily_loss_micro_max * 1_000_000
        self._day = state.day
        self._carried_pico = state.carried_pico  # until the equity is known
        self._baseline_pico = state.baseline_pico
        self._equity_pico: int | None = None
        self.tripped = state.tripped

    def start_day(self, day: int) -> None:
        """Begin a UTC day: its PnL starts at nought, but a trip is not forgotten.

        Days only go forward: a wall clock that is set back must not forgive a loss.
        """
        if day > self._day:
            self._day = day
            self._carried_pico = 0
            self._baseline_pico = self._equity_pico

    def observe(self, equity_pico: int) -> None:
        """Take the current equity; trips when the day's loss passes the limit."""
        if self._equity_pico is None:
            carried_on_pico = equity_pico - self._carried_pico  # as if nothing had happened meanwhile
            if self._baseline_pico is None or self._baseline_pico < carried_on_pico:
                self._baseline_pico = carried_on_pico
        self._equity_pico = equity_pico
        if not self.tripped and self.pnl_pico() < -self._limit_pico:
            self.tripped = "daily_loss"

    def pnl_pico(self) -> int:
        """Return the day's PnL in pico-USDC."""
        if self._equity_pico is None or self._baseline_pico is None:
            return self._carried_pico
        return self._equity_pico - self._baseline_pico

    def state(self) -> LossState:
        """Return what a restart needs to go on from here."""
        return LossState(self._day, self.pnl_pico(), self.tripped, self._baseline_pico)
