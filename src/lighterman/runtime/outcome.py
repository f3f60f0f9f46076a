"""What a run came to: the truth about orders, money and reasons, and the exit code it means."""

import msgspec

from lighterman.domain.clock import Clock
from lighterman.domain.events import Event, OrderReport
from lighterman.domain.units import PICO_PER_MICRO
from lighterman.engine.decision import Decision
from lighterman.engine.engine import Engine
from lighterman.engine.exposure import equity_pico
from lighterman.engine.intake import EPOCH_SHIFT
from lighterman.monitoring.figures import Figures
from lighterman.protocol.rest import Ledger
from lighterman.runtime.exits import Exit
from lighterman.runtime.status import usd
from lighterman.runtime.stopping import Failure

NS_PER_MS = 1_000_000


class Beginning:
    """Remembers how a session began: when an order of its own first rested, and what the account was worth."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.first_quote_ns: int | None = None
        self.equity_pico: int | None = None

    def observe_event(self, event: Event) -> None:
        """Look for the first row of a live order of this session; an earlier one may have left some."""
        if self.first_quote_ns is not None or not isinstance(event, OrderReport) or event.is_terminal:
            return
        if event.client_order_index >> EPOCH_SHIFT == self._engine.state.epoch:
            self.first_quote_ns = self._clock.mono_ns()

    def observe_decision(self, decision: Decision) -> None:  # noqa: ARG002  (an observer's signature)
        """Look at the account once it is known, before anything was traded."""
        if self.equity_pico is None and self._engine.state.ledger.is_open:
            self.equity_pico = equity_pico(self._engine.state)


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


def fill_in(outcome: Outcome, engine: Engine, figures: Figures, beginning: Beginning, now_ns: int) -> None:
    """Add to an outcome what the engine and the figures know.

    The PnL is the change of the account's value over the session, so that of a position taken
    over from an earlier one counts only what happened to it since.
    """
    state = engine.state
    fees_pico = funding_pico = volume_micro = 0
    for index, told in figures.markets.items():
        held = state.ledger.markets[index]
        outcome.markets_quoted_both_sides += told.quoting_total_ns(now_ns) > 0
        outcome.orders_placed += sum(told.placed)
        outcome.orders_modified += told.modified
        outcome.orders_canceled += told.canceled
        outcome.fills += sum(told.fills)
        outcome.position[told.label] = told.market.size_text(held.position.size_lots)
        fees_pico += held.fees_pico
        funding_pico += held.funding_pico
        volume_micro += held.volume_micro
        if told.reason not in ("", "stopping"):
            outcome.why_not_quoting[told.label] = told.reason
    for (_, reason), count in sorted(figures.refusals.items()):
        outcome.refusals[reason] = outcome.refusals.get(reason, 0) + count
    outcome.fees_usd = usd(-fees_pico // PICO_PER_MICRO)
    outcome.funding_usd = usd(funding_pico // PICO_PER_MICRO)
    outcome.volume_usd = usd(volume_micro)
    worth_pico = equity_pico(state)
    if worth_pico is not None and beginning.equity_pico is not None:
        outcome.pnl_usd = usd((worth_pico - beginning.equity_pico) // PICO_PER_MICRO)


def differences(engine: Engine, before: Ledger, after: Ledger) -> list[str]:
    """Return where the bot's ledger and the exchange's differ, over the session; none is a match.

    Cash, fees and funding to the pico-USDC, realised PnL to the micro-USDC, positions to the
    lot and their cost to the micro-USDC.
    """
    ledger = engine.state.ledger
    found = []

    def compare(name: str, ours: object, theirs: object) -> None:
        if ours != theirs:
            found.append(f"{name}: {ours} here, {theirs} at the exchange")

    compare("cash_pico", ledger.cash_pico, after.collateral_pico)
    held = list(ledger.markets.values())
    compare("fees_pico", sum(market.fees_pico for market in held), after.fees_pico - before.fees_pico)
    compare("funding_pico", sum(market.funding_pico for market in held), after.funding_pico - before.funding_pico)
    realised = after.realised_micro - before.realised_micro
    compare("realised_micro", sum(market.realised_micro for market in held), realised)
    for index, market in ledger.markets.items():
        ours = (market.position.size_lots, market.position.entry_quote_micro)
        compare(f"position of {market.market.symbol}", ours, tuple(after.positions.get(index, (0, 0))))
    return found


EXITS = {
    Failure.BUG: Exit.BROKEN,
    Failure.VENUE: Exit.VENUE,
    Failure.GONE: Exit.VENUE,
    Failure.JOURNAL: Exit.FAIL_SAFE,
}


def exit_code(*, open_orders: int | None, failure: Failure | None, loss_tripped: bool) -> Exit:
    """Return the code that tells the truth, gravest first: what may be left at the venue counts most."""
    if open_orders != 0:
        return Exit.ORDERS_UNKNOWN
    if failure is not None:
        return EXITS[failure]
    return Exit.RISK_HALT if loss_tripped else Exit.OK
