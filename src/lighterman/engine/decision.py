"""What one `decide` brings forth: commands allowed and stopped, questions, and the reasons."""

import msgspec

from lighterman.domain.commands import Query
from lighterman.risk.gate import Approved, Refusal
from lighterman.risk.pnl import LossState
from lighterman.strategy.quoter import Quotes


class MarketVerdict(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One market looked at: its wished quotes, or the reason why there are none."""

    market: int
    quotes: Quotes | None
    reason: str  # why the whole market is not quoted; "" where it is
    pace: str = ""  # why its orders do not follow every change; "" where they do


class Decision(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The whole answer of the engine at `now_ns`; the shell submits `approved` and nothing else."""

    now_ns: int
    approved: list[Approved]
    refused: list[Refusal]
    queries: list[Query]
    verdicts: list[MarketVerdict]
    loss: LossState | None  # to be persisted, where it has changed enough to matter

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to do and nothing to say."""
        return not (self.approved or self.refused or self.queries or self.verdicts or self.loss)
