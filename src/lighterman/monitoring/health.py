"""Whether the bot does what it is there for, and if not, everything that is in the way."""

import msgspec

from lighterman.domain.units import MICRO, PICO
from lighterman.monitoring.figures import Figures
from lighterman.monitoring.histogram import NS_PER_S
from lighterman.monitoring.samples import OPEN, Scene, breakers, notional_usd, position_lots, shown

DECISION_AGE_NS_MAX = 5_000_000_000  # the engine decides every positionCheckIntervalMs, whatever happens
# A side may be empty because the position is where it may be: that is the limit doing its work.
SOUND_BOUNDS = frozenset({"position_limit", "total_position_limit"})


class HealthReport(msgspec.Struct, frozen=True):
    """Empty `reasons` is healthy."""

    reasons: list[str]

    @property
    def is_healthy(self) -> bool:
        """Tell whether nothing is in the way."""
        return not self.reasons

    def text(self) -> str:
        """Return the body of /health: "OK", or one reason a line."""
        return "OK\n" if self.is_healthy else "".join(f"{reason}\n" for reason in self.reasons)


def assess(figures: Figures, journal_failure: str, now_ns: int) -> HealthReport:
    """Return the state of health; `journal_failure` is why recording has ended, "" while it goes on."""
    reasons: list[str] = []
    silent_ns = now_ns - (figures.decided_ns or figures.started_ns)
    if silent_ns > DECISION_AGE_NS_MAX:
        reasons.append(f"loop: no decision for {silent_ns // NS_PER_S} s")
    if figures.stop_reason:
        reasons.append(f"stopping: {figures.stop_reason}")
    if figures.loss.tripped:
        reasons.append(f"loss limit: {figures.loss.tripped}")
    if journal_failure:
        reasons.append(f"journal: {journal_failure}")
    reasons.extend(f"link {link.value}: {why}" for link, why in figures.links.items() if why)
    markets = list(figures.markets.values())
    missing = figures.markets_configured - len(markets)
    if missing:
        reasons.append(f"markets: {missing} of {figures.markets_configured} not described by the venue yet")
    for market in markets:
        for side, reason in (("bid", market.why_no_bid()), ("ask", market.why_no_ask())):
            if reason and not (market.quotes is not None and reason in SOUND_BOUNDS):
                reasons.append(f"market {market.label}: no {side}: {reason}")
    return HealthReport(reasons)


def health_fields(scene: Scene) -> dict[str, str | int | float]:
    """Return the fields of the health line that goes to the log every 30 s (seed reference 2.6)."""
    figures = scene.figures
    ledgers = list(figures.ledger.markets.values())
    return {
        "dailyPnL": shown(figures.loss.carried_pico, PICO),
        "dailyVolume": sum(shown(ledger.volume_micro, MICRO) for ledger in ledgers),
        "totalNotional": sum(abs(notional_usd(scene, market)) for market in scene.markets),
        "positionCount": sum(position_lots(scene, market) != 0 for market in scene.markets),
        "openOrders": sum(market.open_orders for market in scene.markets),
        "riskChecks": figures.checks,
        "violations": sum(list(figures.refusals.values())),
        "openBreakers": ",".join(name for (name,), state in breakers(scene) if state == OPEN),
        "uptimeHours": (scene.now_ns - figures.started_ns) / NS_PER_S / 3600,
    }
