"""The twelve stylised facts of market-making reference 8.4, by the definitions of its 4.2.

Prices in USD, sizes in base units, times in seconds; results in basis points, USD and 1/s.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from statistics import fmean, pstdev

from helpers.market_lab import Print, Quote, Recording

BP = 1e4
GRID_S = 0.1
GAP_S_MAX = 10.0

Bands = dict[str, tuple[float, float]]

_SAME: Bands = {
    "best size USD": (5e3, 4e5),
    "size USD p50": (80, 1_200),
    "size USD p99": (1e4, 2e5),
    "IC of imbalance 1 s": (0.15, 0.40),
    "sign AC1": (0.45, 0.85),
    "CV of times": (1.8, 4.0),
    "OFI R2 10 s": (0.35, 0.9),
}
_WILD: Bands = _SAME | {
    "spread bp": (0.2, 3),
    "best size USD": (2e3, 4e5),
    "sigma 1 s": (0.9, 4),
    "sigma 60 s": (0.9, 4.5),
    "kurtosis 1 s": (5, 120),
    "trades/s": (1.5, 20),
    "impact 1 s": (0.5, 4),
    "impact 30 s": (0.3, 5),
    "IC of imbalance 1 s": (0.10, 0.40),
}
BANDS: dict[str, Bands] = {
    "normal": _SAME
    | {
        "spread bp": (0.05, 0.8),
        "sigma 1 s": (0.3, 1.0),
        "sigma 60 s": (0.4, 1.2),
        "kurtosis 1 s": (8, 120),
        "trades/s": (0.8, 6),
        "impact 1 s": (0.2, 1.6),
        "impact 30 s": (0.1, 1.6),
    },
    "calm": _SAME
    | {
        "spread bp": (0.05, 0.8),
        "sigma 1 s": (0.1, 0.5),
        "sigma 60 s": (0.15, 0.7),
        "kurtosis 1 s": (8, 150),
        "trades/s": (0.3, 4),
        "impact 1 s": (0.05, 0.8),
        "impact 30 s": (0.05, 1.2),
    },
    "toxic": _SAME
    | {
        "best size USD": (3e3, 4e5),
        "spread bp": (0.05, 1.0),
        "sigma 1 s": (0.3, 1.0),
        "sigma 60 s": (0.4, 1.5),
        "kurtosis 1 s": (8, 120),
        "trades/s": (1, 8),
        "impact 1 s": (0.3, 2),
        "impact 30 s": (0.2, 2.5),
    },
    "volatile": _WILD,
    "crash": _WILD,
}
# The twelve facts; two of them are pairs that must both hold.
FACTS: dict[str, tuple[str, ...]] = {
    "1 spread": ("spread bp",),
    "2 best size": ("best size USD",),
    "3 sigma 1 s": ("sigma 1 s",),
    "4 sigma 60 s": ("sigma 60 s",),
    "5 kurtosis": ("kurtosis 1 s",),
    "6 trades": ("trades/s",),
    "7 sizes": ("size USD p50", "size USD p99"),
    "8 impact": ("impact 1 s", "impact 30 s"),
    "9 imbalance": ("IC of imbalance 1 s",),
    "10 signs": ("sign AC1",),
    "11 clustering": ("CV of times",),
    "12 order flow": ("OFI R2 10 s",),
}


def measure(seen: Recording) -> dict[str, float]:
    """Return every figure of a recording, and beside them the markouts of a maker at the touch."""
    quotes, prints = seen.quotes, seen.prints
    grid = _on_grid(quotes)
    logs = [math.log(quote.mid) for quote in grid]
    seconds = quotes[-1].at_s - quotes[0].at_s
    values = sorted(print_.price * print_.size for print_ in prints)
    gaps = [after.at_s - before.at_s for before, after in itertools.pairwise(prints)]
    signs = [float(print_.sign) for print_ in prints]
    moves_1s = _moves(logs, 1.0)
    return {
        "spread bp": _weighted(quotes, lambda quote: (quote.ask - quote.bid) / quote.mid * BP),
        "best size USD": _weighted(quotes, lambda quote: (quote.bid_size + quote.ask_size) / 2 * quote.mid),
        "sigma 1 s": pstdev(moves_1s) * BP,
        "sigma 60 s": pstdev(_moves(logs, 60.0)) * BP / math.sqrt(60.0),
        "kurtosis 1 s": _kurtosis(moves_1s),
        "trades/s": len(prints) / seconds,
        "size USD p50": values[len(values) // 2],
        "size USD p99": values[len(values) * 99 // 100],
        "impact 1 s": _impact(prints, grid, 1.0),
        "impact 30 s": _impact(prints, grid, 30.0),
        "IC of imbalance 1 s": _correlation([_imbalance(quote) for quote in grid[: len(moves_1s)]], moves_1s),
        "sign AC1": _correlation(signs[:-1], signs[1:]),
        "CV of times": pstdev(gaps) / fmean(gaps),
        "OFI R2 10 s": _flow_r2(quotes, 10.0),
        "touch markout 5 s": _markout(prints, grid, 5.0),
    }


def in_band(figures: dict[str, float], preset: str) -> dict[str, bool]:
    """Return which of the twelve facts lie in the preset's bands."""
    bands = BANDS[preset]
    return {
        fact: all(bands[name][0] <= figures[name] <= bands[name][1] for name in names) for fact, names in FACTS.items()
    }


def report(figures: dict[str, float], preset: str) -> str:
    """Return which facts hold, one a line."""
    found = in_band(figures, preset)
    lines = [f"\n{preset}: {sum(found.values())} of {len(found)} facts in band"]
    for fact, holds in found.items():
        values = ", ".join(f"{figures[name]:.4g} in {BANDS[preset][name]}" for name in FACTS[fact])
        lines.append(f"  {'yes' if holds else 'NO '} {fact}: {values}")
    return "\n".join([*lines, f"      markout of a maker at the touch, 5 s: {figures['touch markout 5 s']:.3g} bp\n"])


def _on_grid(quotes: Sequence[Quote]) -> list[Quote]:
    """Return the last quote at each 100 ms from one second after the start."""
    found, position = [], 0
    first = quotes[0].at_s + 1.0
    for step in range(int((quotes[-1].at_s - first) / GRID_S)):
        at_s = first + step * GRID_S
        while position + 1 < len(quotes) and quotes[position + 1].at_s <= at_s:
            position += 1
        found.append(quotes[position])
    return found


def _moves(logs: Sequence[float], horizon_s: float) -> list[float]:
    ahead = round(horizon_s / GRID_S)
    return [after - before for before, after in zip(logs, logs[ahead:], strict=False)]


def _weighted(quotes: Sequence[Quote], value) -> float:
    total = weight = 0.0
    for before, after in itertools.pairwise(quotes):
        lasted = min(after.at_s - before.at_s, GAP_S_MAX)
        total += value(before) * lasted
        weight += lasted
    return total / weight


def _kurtosis(moves: Sequence[float]) -> float:
    mean = fmean(moves)
    variance = fmean((move - mean) ** 2 for move in moves)
    return fmean((move - mean) ** 4 for move in moves) / variance**2


def _mids_after(prints: Iterable[Print], grid: Sequence[Quote], horizon_s: float) -> Iterable[tuple[Print, float]]:
    """Yield each print with the mid `horizon_s` later, where the recording reaches that far."""
    first = grid[0].at_s
    for print_ in prints:
        step = round((print_.at_s + horizon_s - first) / GRID_S)
        if 0 <= step < len(grid):
            yield print_, grid[step].mid


def _impact(prints: Sequence[Print], grid: Sequence[Quote], horizon_s: float) -> float:
    pairs = _mids_after(prints, grid, horizon_s)
    return fmean((later - print_.mid) * print_.sign / print_.mid * BP for print_, later in pairs)


def _markout(prints: Sequence[Print], grid: Sequence[Quote], horizon_s: float) -> float:
    pairs = _mids_after(prints, grid, horizon_s)
    return fmean((print_.price - later) * print_.sign / print_.mid * BP for print_, later in pairs)


def _imbalance(quote: Quote) -> float:
    return (quote.bid_size - quote.ask_size) / (quote.bid_size + quote.ask_size)


def _correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    mean_x, mean_y = fmean(xs), fmean(ys)
    covariance = fmean((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return covariance / (pstdev(xs) * pstdev(ys))


def _flow_r2(quotes: Sequence[Quote], window_s: float) -> float:
    """Return R2 of the mid's change on the order-flow imbalance of the same window."""
    flows, moves = [], []
    flow, opened = 0.0, quotes[0]
    for before, after in itertools.pairwise(quotes):
        flow += _order_flow(before, after)
        if after.at_s - opened.at_s >= window_s:
            flows.append(flow)
            moves.append(after.mid - opened.mid)
            flow, opened = 0.0, after
    return _correlation(flows, moves) ** 2


def _order_flow(before: Quote, after: Quote) -> float:
    """Return e_n of Cont, Kukanov and Stoikov: what one change of the best levels adds to the flow."""
    bid = (after.bid_size if after.bid >= before.bid else 0.0) - (before.bid_size if after.bid <= before.bid else 0.0)
    ask = (after.ask_size if after.ask <= before.ask else 0.0) - (before.ask_size if after.ask >= before.ask else 0.0)
    return bid - ask
