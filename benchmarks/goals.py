"""What the product promises about its speed, and what a run has shown of it.

A goal is a ratio of two things measured in the same run, or a share. What could not be measured is not
met. Tails are those with the collector that the bot runs with (`tails.PRODUCT`). `BOUNDS` are for the
regression check: far enough from today's figures that only a change of the code, and no busy machine, gets
beyond them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Results = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """One promise: `goal` is to be reached from above ("at least") or from below; `bound` is the check's."""

    name: str
    unit: str
    is_least: bool
    goal: float
    bound: float | None
    read: Callable[[Results], float | None]

    def is_met(self, value: float | None, limit: float) -> bool:
        """Tell whether a measured value keeps to a limit."""
        if value is None:
            return False
        return value >= limit if self.is_least else value <= limit


def _signing(reference: str, ours: str) -> Callable[[Results], float | None]:
    def read(results: Results) -> float | None:
        rows = results.get("signing", {}).get("ratios", [])
        return next((row["p50"] for row in rows if (row["reference"], row["ours"]) == (reference, ours)), None)

    return read


def _end_to_end(workload: str, bot: str) -> Callable[[Results], float | None]:
    def read(results: Results) -> float | None:
        for row in results.get("end_to_end", {}).get("workloads", []):
            if row["workload"] == workload:
                ratio = row["ratios"].get(bot)
                return None if ratio is None else float(ratio["p50"])
        return None

    return read


def _load(figure: str) -> Callable[[Results], float | None]:
    def read(results: Results) -> float | None:
        rows = results.get("load", {}).get("rows", [])
        return next((row[figure] for row in rows if (row["markets"], row["updates_per_s"]) == (20, 20)), None)

    return read


def _at(*path: str) -> Callable[[Results], float | None]:
    def read(results: Results) -> float | None:
        found: Any = results
        for name in path:
            if not isinstance(found, dict) or name not in found:
                return None
            found = found[name]
        return float(found)

    return read


def _ours(figure: str) -> Callable[[Results], float | None]:
    return _at("decide", "ours", figure)


def _growth(kind: str, few: str, many: str) -> Callable[[Results], float | None]:
    def read(results: Results) -> float | None:
        rows = results.get("scaling", {}).get(kind)
        return rows[many]["cpu_us_mean"] / rows[few]["cpu_us_mean"] if rows else None

    return read


LIBRARY, CLIENT = "official library, worker thread", "official client, main thread"
MAX = ("cpu_us", "max")
GOALS = (
    Goal("signing: official library / native, prepared", "x", True, 20, 8, _signing(LIBRARY, "native, prepared")),
    Goal("signing: official client / native, prepared", "x", True, 100, 40, _signing(CLIENT, "native, prepared")),
    Goal("signing: official library / native, in full", "x", True, 3, 1.5, _signing(LIBRARY, "native, in full")),
    Goal("tick to signed order: reference / ours, native", "x", True, 15, 2, _end_to_end("tick", "ours, native")),
    Goal("tick to signed order: reference / ours, official", "x", True, 4, 1.2, _end_to_end("tick", "ours, official")),
    Goal("burst of 10 orders: reference / ours, native", "x", True, 15, 5, _end_to_end("burst", "ours, native")),
    Goal("tick to approved orders, usual message, CPU min", "us", False, 15, None, _ours("cpu_us_usual_min")),
    Goal("tick to approved orders, all, CPU mean", "us", False, 15, None, _ours("cpu_us_mean")),
    Goal("tick to approved orders: naive / ours", "x", True, 5, 3, _at("decide", "ratio_mean")),
    Goal("tick to approved orders: compiled / pure", "", False, 0.6, None, _at("decide", "compiled_share")),
    Goal("p99.9 / p50 of a tick, 300 000 objects held", "x", False, 10, 30, _at("tails", "product", "ratio")),
    Goal("slowest tick of these, best of repetitions", "us", False, 1_000, None, _at("tails", "product", "max")),
    Goal("longest pause on the path, best of repetitions", "us", False, 1_000, None, _at("pauses", "repeated", *MAX)),
    Goal("longest pause on the path, demo as it came", "us", False, 1_000, None, _at("pauses", "session", *MAX)),
    Goal("busy share of a core, 20 markets at 20 updates/s", "", False, 0.5, 0.9, _load("busy_share")),
    Goal("growth of lag in that run", "ms", False, 5, 500, _load("lag_growth_ms")),
    Goal(
        "journal, metrics and log, share of a tick",
        "",
        False,
        0.1,
        0.3,
        _at("stages", "observed", "shares", "all three"),
    ),
    Goal("20 levels a side / 5", "x", False, 4, 7, _growth("levels", "5", "20")),
    Goal("100 changed levels / 10", "x", False, 6, 10, _growth("changes", "10", "100")),
    Goal("20 markets / 1", "x", False, 2, 4, _growth("markets", "1", "20")),
)


def table(results: Results) -> list[dict[str, Any]]:
    """Return each goal with what was measured of it."""
    return [
        {
            "name": goal.name,
            "unit": goal.unit,
            "is_least": goal.is_least,
            "goal": goal.goal,
            "measured": (value := goal.read(results)),
            "verdict": "not measured" if value is None else "met" if goal.is_met(value, goal.goal) else "missed",
        }
        for goal in GOALS
    ]


def regressions(results: Results) -> list[str]:
    """Return what lies beyond its bound; what was not measured is not looked at."""
    found = []
    for goal in GOALS:
        value = goal.read(results)
        if value is not None and goal.bound is not None and not goal.is_met(value, goal.bound):
            side = "at least" if goal.is_least else "at most"
            found.append(f"{goal.name}: {value:.3g}{goal.unit}, to be {side} {goal.bound:g}{goal.unit}")
    return found
