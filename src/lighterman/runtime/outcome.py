"""What a run came to: the truth about orders, money and reasons, and the exit code it means."""

from collections.abc import Sequence

import msgspec

from lighterman.domain.clock import Clock
from lighterman.domain.commands import PlaceOrder
from lighterman.domain.events import AccountSnapshot, Event, OrderReport
from lighterman.domain.units import PICO_PER_MICRO
from lighterman.engine.decision import Decision
from lighterman.engine.engine import Engine
from lighterman.engine.exposure import equity_pico
from lighterman.engine.intake import EPOCH_SHIFT
from lighterman.monitoring.figures import Figures
from lighterman.runtime.exits import Exit
from lighterman.runtime.ledgers import Books, told
from lighterman.runtime.status import usd
from lighterman.runtime.stopping import Failure

NS_PER_MS = 1_000_000


class Opening:
    """Remembers how a session began: what the account held and was worth, and its first order and quote."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._has_placed = False
        self.books: Books | None = None
        self.equity_pico: int | None = None
        self.first_quote_ns: int | None = None

    def observe_event(self, event: Event) -> None:
        """Look for the account, and for the first live order of this session; an earlier one may have left some."""
        if self.books is None and isinstance(event, AccountSnapshot):
            self.books = told(event)
        if self.first_quote_ns is not None or not isinstance(event, OrderReport) or event.is_terminal:
            return
        if event.client_order_index >> EPOCH_SHIFT == self._engine.state.epoch:
            self.first_quote_ns = self._clock.mono_ns()

    def observe_turn(self, events: Sequence[Event], decision: Decision, _done_ns: int) -> None:
        """Look at the account once it is known, and for the first order that leaves."""
        for event in events:
            self.observe_event(event)
        if self.equity_pico is None and self._engine.state.ledger.is_open:
            self.equity_pico = equity_pico(self._engine.state)
        if not self._has_placed:
            self._has_placed = any(isinstance(approved.command, PlaceOrder) for approved in decision.approved)

    def had_no_orders(self, *, venue_is_gone: bool) -> bool:
        """Tell whether the venue showed an account without foreign orders, and none of ours was left or sent.

        Behind a private link that was lost somebody else may have placed one since, unless the venue itself is gone.
        """
        state = self._engine.state
        is_known = venue_is_gone or state.account_is_current or not state.private_down_ns
        is_shown = state.ledger.is_open and is_known
        return is_shown and not state.halt_reason and not len(state.orders) and not self._has_placed


class Outcome(msgspec.Struct, kw_only=True):
    """The summary of a session; also the JSON object that `--json` prints. Unknown is null."""

    mode: str
    stopped_by: str
    exit_code: int
    session: str = ""
    first_quote_ms: int | None = None
    markets_quoted_both_sides: int = 0
    orders_placed: int = 0
    orders_modified: int = 0
    orders_canceled: int = 0
    fills: int = 0
    open_orders_after_stop: int | None = None
    position: dict[str, str] = {}
    pnl_usd: str | None = None
    fees_usd: str | None = None
    funding_usd: str | None = None
    volume_usd: str | None = None
    ledger_match: bool | None = None
    ledger_differences: list[str] = []
    refusals: dict[str, int] = {}
    why_not_quoting: dict[str, str] = {}


def fill_in(outcome: Outcome, engine: Engine, figures: Figures, opening: Opening, now_ns: int) -> None:
    """Add to an outcome what the engine and the figures know.

    The PnL is the change of the account's value over the session, so that of a position taken
    over from an earlier one counts only what happened to it since.
    """
    state = engine.state
    fees_pico = funding_pico = volume_micro = 0
    for index, seen in figures.markets.items():
        held = state.ledger.markets[index]
        outcome.markets_quoted_both_sides += seen.quoting_total_ns(now_ns) > 0
        outcome.orders_placed += sum(seen.placed)
        outcome.orders_modified += seen.modified
        outcome.orders_canceled += seen.canceled
        outcome.fills += sum(seen.fills)
        outcome.position[seen.label] = seen.market.size_text(held.position.size_lots)
        fees_pico += held.fees_pico
        funding_pico += held.funding_pico
        volume_micro += held.volume_micro
    for (_, reason), count in sorted(figures.refusals.items()):
        outcome.refusals[reason] = outcome.refusals.get(reason, 0) + count
    outcome.fees_usd = usd(-fees_pico // PICO_PER_MICRO)
    outcome.funding_usd = usd(funding_pico // PICO_PER_MICRO)
    outcome.volume_usd = usd(volume_micro)
    worth_pico = equity_pico(state)
    if worth_pico is not None and opening.equity_pico is not None:
        outcome.pnl_usd = usd((worth_pico - opening.equity_pico) // PICO_PER_MICRO)


def why_not_quoting(figures: Figures) -> dict[str, str]:
    """Return the reason of each market that is not quoted."""
    return {market.label: market.reason for market in figures.markets.values() if market.reason}


EXITS = {
    Failure.BUG: Exit.BROKEN,
    Failure.VENUE: Exit.VENUE,
    Failure.GONE: Exit.VENUE,
    Failure.JOURNAL: Exit.FAIL_SAFE,
}


def exit_code(
    *,
    open_orders: int | None,
    failure: Failure | None,
    may_have_left: bool = True,
    refused: Exit = Exit.OK,
    is_loss_tripped: bool = False,
) -> Exit:
    """Return the code that tells the truth, gravest first: what may be left at the venue counts most.

    What nobody asked the venue counts only where this run, or one before it, may have left something. `refused` is
    the code of what kept the run from starting, where something did.
    """
    if open_orders or (open_orders is None and may_have_left):
        return Exit.ORDERS_UNKNOWN
    if failure is Failure.START:
        return refused
    if failure is not None:
        return EXITS[failure]
    return Exit.RISK_HALT if is_loss_tripped else Exit.OK
