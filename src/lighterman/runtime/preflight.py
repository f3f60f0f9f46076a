"""The settings held against what the venue says of its markets, before the engine sees either."""

from collections.abc import Callable

from lighterman.config.declared import DeclaredMarket, compare
from lighterman.domain.errors import PreflightError, UnitError
from lighterman.domain.events import Event, MarketReport
from lighterman.domain.market import Market
from lighterman.engine.params import EngineParams, MarketParams
from lighterman.strategy.params import bind


class MarketPreflight:
    """A sink that lets everything pass, but looks at each market's first description.

    What does not fit is a PreflightError, raised into the venue's `start`. A later description
    passes unread: a market that changes while we trade is the engine's to halt.
    """

    def __init__(
        self,
        params: EngineParams,
        declared: list[DeclaredMarket],
        sink: Callable[[Event], None],
        note: Callable[[str], None],
    ) -> None:
        self._params = {market.symbol: market for market in params.markets}
        self._declared = {market.symbol: market for market in declared}
        self._sink = sink
        self._note = note
        self._seen: dict[int, None] = {}

    def __call__(self, event: Event) -> None:
        """Check, then pass on."""
        if isinstance(event, MarketReport) and event.market.index not in self._seen:
            self._seen[event.market.index] = None
            self._check(event.market)
        self._sink(event)

    def _check(self, market: Market) -> None:
        declared = self._declared.get(market.symbol)
        comparison = compare(declared, market) if declared is not None else None
        problems = comparison.problems if comparison is not None else []
        problems = problems + misfits(self._params[market.symbol], market)
        if problems:
            raise PreflightError("; ".join(problems))
        for notice in comparison.notices if comparison is not None else []:
            self._note(notice)


def misfits(params: MarketParams, market: Market) -> list[str]:
    """Return what in a market's settings the venue's units or minimums do not allow."""
    problems = []
    if not market.scales_are_exact:
        problems.append(f"{params.label}: a tick times a lot is no whole micro-USDC; such a market cannot be traded")
    for name, check in (
        ("minOrderSize", lambda: bind(params.quote, market, market.order_quote_limit_micro)),
        ("maxPosition", lambda: params.limits.position_max_lots(market)),
    ):
        try:
            check()
        except UnitError as error:
            problems.append(f"{params.label}: {name}: {str(error).removeprefix(name).lstrip()}")
    return problems
