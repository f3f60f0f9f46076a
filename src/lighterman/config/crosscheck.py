"""Checks that need more than one key at a time.

Each looks only at values that were readable by themselves, so that one mistake is told once.
What needs the venue's description of a market is `declared.py`'s and `lighterman check`'s job.
"""

import re
from collections import defaultdict
from decimal import Decimal

from lighterman.config.keys import Value
from lighterman.config.read import Problem, Reading, show
from lighterman.domain.hosts import is_loopback
from lighterman.engine.pace import rests_ns
from lighterman.engine.params import EngineParams
from lighterman.risk.budget import MessageBudget

MESSAGES_PER_MINUTE = {"standard": 60, "plus": 8000, "premium": 4000}  # protocol reference 1.5
PREMIUM_MESSAGES_MAX = 40_000  # with the most staked
BEST_REST_S_MAX = 20  # orders that are moved less often than these are hardly quotes
OTHER_REST_S_MAX = 120
NS_PER_S = 1_000_000_000

_SYMBOL = re.compile(r"([A-Za-z0-9]{1,20})(?:-(?:USDC|USD|PERP))?")


def crosscheck(reading: Reading) -> None:
    """Add to the reading what is wrong between its values."""
    rows = range(reading.rows.get("markets[]", 0))
    for row in rows:
        _check_market(reading, f"markets[{row}]")
    _check_symbols(reading)
    if rows and not any(reading.values.get(f"markets[{row}].enabled", True) for row in rows):
        reading.problems.append(Problem("markets", "none is enabled", allowed="at least one"))
    _check_messages(reading)
    _check_ages(reading)


def venue_symbol(label: str) -> str:
    """Return the base part of a market's name ("ETH-USDC" is the venue's "ETH"), or "" if it has none."""
    found = _SYMBOL.fullmatch(label)
    return found[1] if found else ""


def notices(reading: Reading) -> list[str]:
    """Say of every key that is accepted without its seed meaning what becomes of it instead."""
    found: list[str] = []
    names = {path.partition("].")[2] for path in reading.given}
    declared = [name for name in ("baseDecimals", "quoteDecimals", "tickSize") if name in names]
    if declared:
        found.append(f"markets[].{', '.join(declared)}: compared with the venue's own description, which counts")
    if "performance.orderPoolSize" in reading.given:
        found.append("performance.orderPoolSize: no pool is needed; bounds the orders tracked at once")
    if "performance.websocketBufferSize" in reading.given:
        found.append(
            "performance.websocketBufferSize: without effect; all that has arrived is taken in before each decision"
        )
    host = reading.values.get("monitoring.host")
    if isinstance(host, str) and not is_loopback(host):
        found.append(f"monitoring.host: {host} shows positions and PnL beyond this machine")
    order, total = reading.values.get("risk.maxOrderValueUSD"), reading.values.get("risk.maxTotalPositionUSD")
    if isinstance(order, int) and isinstance(total, int) and order > total:
        found.append("risk.maxOrderValueUSD: is above maxTotalPositionUSD, so it limits nothing; were they mixed up?")
    return found


def pace_notices(params: EngineParams) -> list[str]:
    """Say so where the message budget is too small for the ladders, however calm the market."""
    limits = params.limits
    budget = MessageBudget(limits.messages_per_minute, limits.cancel_reserve_fraction)
    sides, slots = 2 * len(params.markets), 2 * sum(market.quote.levels for market in params.markets)
    best_s, other_s = (rest_ns // NS_PER_S for rest_ns in rests_ns(budget.message_ns, sides, slots))
    if best_s <= BEST_REST_S_MAX and other_s <= OTHER_REST_S_MAX:
        return []
    behind = f" and those behind them every {other_s} s" if other_s else ""
    notice = (
        f"risk.messagesPerMinute: {limits.messages_per_minute} are too few for {slots} orders: when prices move, the "
        f"best of each side are moved every {best_s} s{behind}; fewer markets or orderLevels would follow sooner"
    )
    return [notice]


def _check_market(reading: Reading, path: str) -> None:
    """Check one market's spreads, samples and sizes against each other."""
    values = reading.values
    low, high = values.get(f"{path}.minSpreadBps"), values.get(f"{path}.maxSpreadBps")
    edge = values.get(f"{path}.minEdgeBps")
    if isinstance(low, float) and isinstance(high, float) and low >= high:
        wrong, allowed = "leaves no room above minSpreadBps", f"more than {low:g}"
        reading.problems.append(Problem(f"{path}.maxSpreadBps", wrong, f"{high:g}", allowed))
    if isinstance(low, float) and isinstance(edge, float) and low < edge:
        allowed = f"at least minEdgeBps, which is {edge:g}"
        reading.problems.append(Problem(f"{path}.minSpreadBps", "is below the floor", f"{low:g}", allowed))
    window, needed = values.get(f"{path}.volatilityWindow"), values.get(f"{path}.volatilityMinSamples")
    if isinstance(window, int) and isinstance(needed, int) and needed > window:
        wrong, allowed = "can never be reached", f"at most volatilityWindow, which is {window}"
        reading.problems.append(Problem(f"{path}.volatilityMinSamples", wrong, f"{needed}", allowed))
    size, levels = values.get(f"{path}.minOrderSize"), values.get(f"{path}.orderLevels")
    multiplier, cap = values.get(f"{path}.orderSizeMultiplier"), values.get(f"{path}.maxPosition")
    if isinstance(size, str) and isinstance(levels, int) and isinstance(multiplier, float) and isinstance(cap, str):
        ladder = sum(Decimal(size) * Decimal(repr(multiplier)) ** level for level in range(levels))
        if ladder > Decimal(cap):
            wrong = f"is less than one side of the ladder, {float(ladder):.8g} over {levels} levels"
            allowed = "more, or smaller minOrderSize, orderSizeMultiplier or orderLevels"
            reading.problems.append(Problem(f"{path}.maxPosition", wrong, show(cap), allowed))


def _check_ages(reading: Reading) -> None:
    """Refuse to look at the orders of a moving market more seldom than its data may be old."""
    interval_ms, age_ms = (reading.values.get(key) for key in ("performance.updateIntervalMs", "risk.staleDataMs"))
    if isinstance(interval_ms, int) and isinstance(age_ms, int) and interval_ms > age_ms:
        wrong = "would leave quotes standing on data that is too old"
        allowed = f"at most staleDataMs, which is {age_ms}"
        reading.problems.append(Problem("performance.updateIntervalMs", wrong, f"{interval_ms}", allowed))


def _check_symbols(reading: Reading) -> None:
    """Refuse a market named twice, and a name that is no perpetual market's."""
    seen: defaultdict[str, list[int]] = defaultdict(list)
    for row in range(reading.rows.get("markets[]", 0)):
        label: Value = reading.values.get(f"markets[{row}].symbol")
        if not isinstance(label, str):
            continue
        symbol = venue_symbol(label)
        if symbol:
            seen[symbol].append(row)
        else:
            allowed = "a perpetual market's base, alone or followed by -USDC"
            reading.problems.append(Problem(f"markets[{row}].symbol", "is not a market's name", show(label), allowed))
    for symbol, rows in seen.items():
        for row in rows[1:]:
            reading.problems.append(
                Problem(f"markets[{row}].symbol", f"is the market {symbol} again, which markets[{rows[0]}] is already")
            )


def _check_messages(reading: Reading) -> None:
    """Refuse a message budget above what the stated tier can have."""
    tier, budget = reading.values.get("lighter.tier"), reading.values.get("risk.messagesPerMinute")
    if isinstance(tier, str) and isinstance(budget, int):
        limit = PREMIUM_MESSAGES_MAX if tier == "premium" else MESSAGES_PER_MINUTE[tier]
        if budget > limit:
            wrong = f"is more than the tier {tier} has"
            reading.problems.append(Problem("risk.messagesPerMinute", wrong, f"{budget}", f"at most {limit}"))
