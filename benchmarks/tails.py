"""The slowest ticks: garbage collection in a process that holds much, and a scrape of the metrics beside it.

    python benchmarks/tails.py [--ticks 40000] [--repetitions 3] [--json]

The recipe is the project's own (performance reference 2.9): 300 000 containers are held, every tick leaves
something that survives it and every fourth a reference cycle, and of several repetitions of the same ticks
the best of each tick counts, so that what remains is ours and not the machine's. CPU time of the thread;
for scrapes, which hold up a tick by taking the interpreter away from it, wall time as well. What the bot's
own collector does stands between two ticks, as in the bot: the longest of it is shown apart.
"""

import argparse
import gc
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import decide
import feed

from lighterman.clock import SystemClock, cpu_ns
from lighterman.monitoring.figures import Figures
from lighterman.monitoring.metrics import Exposition
from lighterman.monitoring.samples import Outside
from lighterman.risk.pnl import LossState
from lighterman.runtime.collector import QuietCollector

HELD = 75_000  # times four containers
SCRAPE_EVERY_S = 0.05

AfterTurn = Callable[[int], None]  # what is done when a tick is over; it hears the time
Held = list[dict[str, list[object]]]


def held() -> Held:
    """Return a heap of 300 000 containers."""
    return [{"kept": [(number,), []]} for number in range(HELD)]


def nothing(_: int) -> None:
    """Leave it to the interpreter when garbage is collected."""


@contextmanager
def as_python_comes() -> Iterator[AfterTurn]:
    """Leave the collector alone."""
    yield nothing


@contextmanager
def frozen() -> Iterator[AfterTurn]:
    """Collect and freeze what is there when warm, and collect less often from then on."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 1_000)
    try:
        yield nothing
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def between_turns() -> Iterator[AfterTurn]:
    """Collect as the bot does."""
    collector = QuietCollector(SystemClock())
    collector.begin()
    try:
        yield collector.after_turn
    finally:
        collector.end()


PRODUCT = "between turns"  # what the bot runs with
POLICIES = {"as Python comes": as_python_comes, "frozen when warm": frozen, PRODUCT: between_turns}


class Ticks:
    """One run over the feed; CPU and wall time of each tick, and the longest time between two."""

    def __init__(self, frames: list[bytes]) -> None:
        self._frames = frames
        self.pause_us = 0.0
        self.figures = Figures(decide.OurMaker().params, LossState(), SystemClock())

    def run(self, after_turn: AfterTurn) -> list[tuple[int, int]]:
        """Return (cpu, wall) of each update."""
        self.pause_us = 0.0
        maker, clock, survivors, took = decide.OurMaker(), SystemClock(), [], []
        for number, message in enumerate(self._frames):
            now_ns = decide.START_NS + decide.FRAME_NS * (number + 1)
            if number % decide.STATS_EVERY == 0:
                maker.stats(now_ns)
            wall, cpu = clock.mono_ns(), cpu_ns()
            approved = maker.on_message(message, now_ns)
            survivors.append((number, {"at": now_ns}))
            if number % 4 == 0:
                self._leave_cycle()
            cpu, wall = cpu_ns() - cpu, clock.mono_ns() - wall
            maker.answer(approved, now_ns)
            took.append((cpu, wall))
            over = cpu_ns()
            after_turn(now_ns)
            self.pause_us = max(self.pause_us, (cpu_ns() - over) / 1000)
        return took[1:]

    @staticmethod
    def _leave_cycle() -> None:
        one: list[object] = []
        other = [one]
        one.append(other)


@contextmanager
def scraped(figures: Figures) -> Iterator[None]:
    """Render the metrics on another thread, again and again."""
    exposition = Exposition(figures, Outside, SystemClock())
    stop = threading.Event()

    def scrape() -> None:
        while not stop.wait(SCRAPE_EVERY_S):
            exposition.render()

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def best_of(run: Callable[[], list[tuple[int, int]]], repetitions: int) -> dict[str, float]:
    """Return the shape of each tick's best CPU time, and the worst of all as they came."""
    runs = [[cpu for cpu, _ in run()] for _ in range(repetitions)]
    return shape([min(tick) for tick in zip(*runs, strict=True)]) | {"worst": max(map(max, runs)) / 1000}


def shape(samples: list[int]) -> dict[str, float]:
    """Return the percentiles that matter, in microseconds, and their ratio."""
    ordered = sorted(samples)
    shares = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
    at = {name: ordered[int(len(ordered) * share)] / 1000 for name, share in shares.items()}
    return {**at, "max": ordered[-1] / 1000, "ratio": at["p999"] / at["p50"]}


def measure(ticks: int, repetitions: int) -> dict[str, Any]:
    """Return a row for each policy, and one with scrapes beside it."""
    frames, kept = list(feed.frames(ticks)), held()
    run = Ticks(frames)
    rows = {}
    for name, policy in POLICIES.items():
        with policy() as after_turn:
            rows[name] = best_of(partial(run.run, after_turn), repetitions) | {"pause": run.pause_us}
    with between_turns() as after_turn:
        alone = run.run(after_turn)
        with scraped(run.figures):
            beside = run.run(after_turn)
    scrapes = {
        name: {"cpu": shape([cpu for cpu, _ in took]), "wall": shape([wall for _, wall in took])}
        for name, took in (("no scrapes", alone), (f"a scrape every {SCRAPE_EVERY_S * 1000:.0f} ms", beside))
    }
    return {
        "ticks": ticks,
        "containers": 4 * len(kept),
        "collector": rows,
        "product": rows[PRODUCT],
        "scrapes": scrapes,
    }


def report(result: dict[str, Any]) -> None:
    """Print the rows for people."""
    print(f"{result['containers']} containers held, {result['ticks']} ticks; microseconds")
    print(f"{'':34} {'p50':>8} {'p99':>8} {'p99.9':>8} {'max':>9} {'p99.9/p50':>10}")
    rows = list(result["collector"].items())
    rows += [(f"{name}, {kind}", row[kind]) for name, row in result["scrapes"].items() for kind in ("cpu", "wall")]
    for name, row in rows:
        print(
            f"{name:34} {row['p50']:8.1f} {row['p99']:8.1f} {row['p999']:8.1f} {row['max']:9.1f} {row['ratio']:9.1f}x"
        )
    print(f"longest collection between two ticks, {PRODUCT}: {result['product']['pause']:.0f} us")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="the slowest ticks")
    parser.add_argument("--ticks", type=int, default=40_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.ticks, options.repetitions)
    if options.json:
        print(json.dumps(result))
    else:
        report(result)


if __name__ == "__main__":
    main()
