"""The daily loss limit: realised + unrealised + fees + funding since the UTC day began.

Law: once tripped it stays tripped, over restarts and over midnight, until an operator rearms
it. A breaker that reopens by itself after a loss is the seed's defect R7.
"""

import msgspec


class LossState(msgspec.Struct, frozen=True, array_like=True):
    """What must survive a restart. `carried_pico` is the day's PnL of earlier sessions."""

    day: int = 0
    carried_pico: int = 0
    tripped: str = ""


class DailyLoss:
    """Watches equity (collateral and unrealised PnL, as the bot's own ledger has them)."""

    __slots__ = ("_baseline_pico", "_carried_pico", "_day", "_equity_pico", "_limit_pico", "tripped")

    def __init__(self, daily_loss_micro_max: int, state: LossState) -> None:
        self._limit_pico = daily_loss_micro_max * 1_000_000
        self._day = state.day
        self._carried_pico = state.carried_pico
        self._baseline_pico: int | None = None
        self._equity_pico = 0
        self.tripped = state.tripped

    def start_day(self, day: int) -> None:
        """Begin a UTC day: its PnL starts at nought, but a trip is not forgotten.

        Days only go forward: a wall clock that is set back must not forgive a loss.
        """
        if day > self._day:
            self._day = day
            self._carried_pico = 0
            self._baseline_pico = self._equity_pico if self._baseline_pico is not None else None

    def observe(self, equity_pico: int) -> None:
        """Take the current equity; trips when the day's loss passes the limit."""
        if self._baseline_pico is None:
            self._baseline_pico = equity_pico
        self._equity_pico = equity_pico
        if not self.tripped and self.pnl_pico() < -self._limit_pico:
            self.tripped = "daily_loss"

    def pnl_pico(self) -> int:
        """Return the day's PnL in pico-USDC."""
        if self._baseline_pico is None:
            return self._carried_pico
        return self._carried_pico + self._equity_pico - self._baseline_pico

    def state(self) -> LossState:
        """Return what a restart needs to go on from here."""
        return LossState(self._day, self.pnl_pico(), self.tripped)
