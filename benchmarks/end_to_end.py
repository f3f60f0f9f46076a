"""Tick to signed order, seen from the exchange: an update goes out, and the clock runs until signed bytes are back.

    python benchmarks/end_to_end.py [--ticks 300] [--bursts 60] [--json]

One process is the exchange (venue.py); every bot is a process of its own and has a lane of its own. The
bots take turns, a few updates each, so that a busy machine slows all of them. All get the same updates, each
of which moves the middle, and have to answer with the same orders at the same prices: they are compared
before anything is timed and after everything was, and where they differ nothing is reported.

    tick    one market, one order stands, one modify answers each update
    spaced  the same, with each bot's updates about 50 ms apart, as the venue sends them: caches are cold
    burst   five levels on both sides, ten modifies in one frame answer each update

The time ends when the bytes have been read; what the exchange then does (it verifies every signature) is
not part of it. Wall time, because waiting for another thread is part of an answer.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bots
import feed
import wires
from venue import Arrival, Lane

from lighterman.config.networks import LOCAL_CHAIN_ID
from lighterman.protocol.crypto.fastest import IS_NATIVE
from lighterman.signing.official import VERSION, find_package
from lighterman.simulator.app import OFFICIAL_CHAIN_ID
from lighterman.simulator.markets import markets_named

(MARKET,) = markets_named(["ETH"])
MOVING = feed.Recipe(step_share=1.0, changes_mean=7.0, nearest=1)  # every update moves the middle; 9.7 levels change
WARM_UPDATES = 30
ROUNDS = 5  # equal parts of a run; the median of a bot's best one counts, so that other work of the machine does not
SHORT_TURN = 10  # updates of one bot before it is the next one's turn, where caches are to be shared by all
DROPPED_SHARE = 4  # of each long turn the first of so many parts is not timed (performance reference 2.7)
ANSWER_S = 5.0
SETTLE_S = 0.2
PAUSE_S = 0.002  # between an answer and the next update: what the exchange says of the order is digested
SPACED_S = 0.0125
AWAKE_MS = 5  # busy polling: longer than a pause, so that the bot sleeps only while others have their turns
EQUAL_SHARE_MIN = 0.999  # floats round a price that lies on a tick otherwise than decimals do
COMPILED_PYTHON = "LIGHTERMAN_COMPILED_PYTHON"  # an interpreter in whose environment the compiled build is installed


Answers = dict[str, list[list[Arrival]]]  # by bot, and by update


@dataclass(frozen=True)
class Workload:
    """What is asked for: its name, what is quoted, and how many updates are timed, `turn` of them one after the other.

    The first `dropped` of each turn are answered, too, but not timed.
    """

    name: str
    quoting: bots.Quoting
    updates: int
    turn: int = SHORT_TURN
    dropped: int = 0
    pause_s: float = PAUSE_S

    @property
    def all_updates(self) -> int:
        """Return how many updates each bot gets."""
        return WARM_UPDATES + self.updates + self.dropped * -(-self.updates // self.turn)


class Ring:
    """The bots that take turns, and their exchange."""

    def __init__(self, reactor: wires.Reactor, quoting: bots.Quoting, updates: int) -> None:
        self._reactor = reactor
        self._quoting = quoting
        self._updates = updates
        self.lanes: dict[str, Lane] = {}
        self.processes: dict[str, bots.Process] = {}

    def add(self, name: str, chain_id: int, start: Callable[[Lane], bots.Process]) -> None:
        """Open a lane and start its bot."""
        held = bots.SIZE_LOTS * self._quoting.levels if self._quoting.is_full else 0
        lane = Lane(self._reactor, (MARKET,), chain_id=chain_id, position_lots=held)
        lane.script(MOVING, self._updates)
        self.lanes[name], self.processes[name] = lane, start(lane)

    def serve(self, done: Callable[[], bool], patience_s: float) -> bool:
        """Let the exchange live until something is so."""
        return self._reactor.until(done, patience_s, self._advance)

    def rest(self, seconds: float) -> None:
        """Let everybody digest what was said."""
        self.serve(lambda: False, seconds)

    def wait_for_quotes(self) -> None:
        """Wait until every bot has its orders in the book."""
        for name, lane in self.lanes.items():
            while not self.serve(lambda lane=lane: len(lane.arrivals) >= self._quoting.orders, 0.5):  # type: ignore[misc]
                self.processes[name].check()
                if lane.refusals:
                    raise SystemExit(f"{name} was refused: {lane.refusals[-1].decode()}")
        self.rest(SETTLE_S)

    def stop(self) -> None:
        """Stop every bot."""
        for process in self.processes.values():
            process.stop(self.serve)

    def _advance(self) -> None:
        for lane in self.lanes.values():
            lane.advance()


def contenders(quoting: bots.Quoting, folder: Path) -> dict[str, tuple[int, Callable[[Lane], bots.Process]] | str]:
    """Return every bot, or why it is not here."""
    sdk = sdk_python()
    compiled = os.environ.get(COMPILED_PYTHON)

    def our(
        signer: str, quoting: bots.Quoting = quoting, python: str = sys.executable
    ) -> tuple[int, Callable[[Lane], bots.Process]]:
        return LOCAL_CHAIN_ID, lambda lane: bots.ours(lane, (MARKET,), quoting, signer, folder, python)

    no_extension = "not measured: the extension is not built (no C compiler)"
    return {
        "reference": (OFFICIAL_CHAIN_ID, lambda lane: bots.reference(lane, MARKET, quoting, sdk, folder))
        if sdk
        else "not measured: the official client is not installed (make deps)",
        "ours, official": our("official")
        if find_package() is not None
        else "not measured: the official library is not installed (make install-official)",
        "ours, native": our("native") if IS_NATIVE else no_extension,
        "ours, native, compiled": our("native", python=compiled) if compiled else "not built",
        "ours, native, awake": our("native", replace(quoting, busy_poll_ms=AWAKE_MS)) if IS_NATIVE else no_extension,
    }


def sdk_python() -> Path | None:
    """Return the interpreter of the official client's environment, where there is one."""
    named = os.environ.get("LIGHTERMAN_SDK_PYTHON")
    python = Path(named) if named else Path(__file__).parents[1] / ".venv-sdk" / "bin" / "python"
    return python if python.exists() else None


@contextlib.contextmanager
def ring(quoting: bots.Quoting, updates: int, only: Sequence[str] = ()) -> Iterator[tuple[Ring, dict[str, str]]]:
    """Start every bot there is; the second value says which are missing, and why."""
    with tempfile.TemporaryDirectory(prefix="lighterman-bench-") as name:
        reactor = wires.Reactor()
        started, missing = Ring(reactor, quoting, updates), {}
        try:
            for contender, how in contenders(quoting, Path(name)).items():
                if isinstance(how, str):
                    missing[contender] = how
                elif not only or contender in only:
                    started.add(contender, *how)
            started.wait_for_quotes()
            yield started, missing
        finally:
            started.stop()
            reactor.close()


def equal_share(answers: Answers) -> float:
    """Return the share of orders on which all bots agree: kind, side by price, price and size."""
    total = equal = 0
    for answered in zip(*answers.values(), strict=True):
        ladders = [sorted((each.tx_type, each.price_ticks, each.size_lots) for each in ladder) for ladder in answered]
        total += max(map(len, ladders))
        equal += sum(len(set(orders)) == 1 for orders in zip(*ladders, strict=False))
    return equal / total if total else 0.0


def run(workload: Workload, only: Sequence[str] = ()) -> dict[str, Any]:
    """Return the figures of a workload: how long the last order of each answer took, per bot."""
    with ring(workload.quoting, workload.all_updates, only) as (bench, missing):
        answers: Answers = {name: [] for name in bench.lanes}
        took: dict[str, list[int]] = {name: [] for name in bench.lanes}
        for name in bench.lanes:
            _turn(bench, workload, name, WARM_UPDATES, answers)
        _check_equal(answers, "before anything is timed")
        for done in range(0, workload.updates, workload.turn):
            for name in bench.lanes:
                _turn(bench, workload, name, workload.dropped, answers)
                took[name] += _turn(bench, workload, name, min(workload.turn, workload.updates - done), answers)
        _check_equal(answers, "after everything was timed")
        refused = {name: len(lane.refusals) for name, lane in bench.lanes.items()}
        if any(refused.values()):
            raise SystemExit(f"{workload.name}: the exchange refused orders: {refused}")
    figures = {name: _figures(each) for name, each in took.items()}
    return {
        "workload": workload.name,
        "updates": workload.updates,
        "orders_per_update": workload.quoting.orders,
        "orders_equal": equal_share(answers),
        "figures": figures,
        "missing": missing,
        "ratios": ratios(figures),
    }


def _turn(bench: Ring, workload: Workload, name: str, updates: int, answers: Answers) -> list[int]:
    """Let one bot answer some updates; return how long each took."""
    took, lane, orders = [], bench.lanes[name], workload.quoting.orders
    for _ in range(updates):
        times = lane.tick(orders, ANSWER_S)
        if len(times) < orders:
            bench.processes[name].check()
            raise SystemExit(f"{name} answered an update with {len(times)} orders of {orders} in {ANSWER_S:g} s")
        answers[name].append(list(lane.arrivals))
        took.append(max(times))
        bench.rest(workload.pause_s)
    return took


def ratios(figures: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return how many times as long the reference takes; nothing where it was not measured."""
    if "reference" not in figures:
        return {}
    slow = figures["reference"]
    return {
        name: {kind: slow[f"wall_us_{kind}"] / fast[f"wall_us_{kind}"] for kind in ("min", "p50", "p99")}
        for name, fast in figures.items()
        if name != "reference"
    }


def _check_equal(answers: Answers, when: str) -> None:
    share = equal_share(answers)
    if share < EQUAL_SHARE_MIN:
        counts = {name: sum(map(len, each)) for name, each in answers.items()}
        raise SystemExit(f"the bots agree on only {share:.2%} of their orders, {when}: {counts}")


def _figures(took: list[int]) -> dict[str, float]:
    """Return the best, the median of the best round, and the tail of all (performance reference 10.1)."""
    ordered = sorted(took)
    length = -(-len(took) // ROUNDS)
    medians = [statistics.median(took[start : start + length]) for start in range(0, len(took), length)]
    return {
        "wall_us_min": ordered[0] / 1000,
        "wall_us_p50": min(medians) / 1000,
        "wall_us_p99": ordered[len(ordered) * 99 // 100] / 1000,
    }


def measure(ticks: int, bursts: int) -> dict[str, Any]:
    """Run all workloads; `ticks` are timed in each round of `tick`: of 500 or more, bots would save messages."""
    began = time.perf_counter()
    workloads = [
        Workload(
            "tick", bots.Quoting(levels=1, is_full=True), ROUNDS * ticks, turn=ticks, dropped=ticks // DROPPED_SHARE
        ),
        Workload("turns", bots.Quoting(levels=1, is_full=True), 2 * ticks),
        Workload("spaced", bots.Quoting(levels=1, is_full=True), ticks // 2, turn=1, pause_s=SPACED_S),
        Workload("burst", bots.Quoting(levels=5), bursts),
    ]
    results = [run(workload) for workload in workloads if workload.updates]
    return {
        "machine": f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, "
        f"official client and library {VERSION}",
        "took_s": time.perf_counter() - began,
        "workloads": results,
    }


def report(result: dict[str, Any]) -> None:
    """Print figures and ratios for people."""
    print(result["machine"])
    for workload in result["workloads"]:
        print(
            f"\n{workload['workload']}: {workload['orders_per_update']} orders an update, "
            f"{workload['updates']} updates, {workload['orders_equal']:.2%} of orders equal"
        )
        print(f"{'wall us until the last order':30} {'best':>9} {'median':>9} {'p99':>9}   reference / it (median)")
        for name, figure in workload["figures"].items():
            ratio = workload["ratios"].get(name)
            told = f"{ratio['p50']:6.1f}x" if ratio else ""
            print(f"{name:30} " + " ".join(f"{value:9.0f}" for value in figure.values()) + f"   {told}")
        for name, why in workload["missing"].items():
            print(f"{name:30} {why}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="time ticks to signed orders from the exchange's side")
    parser.add_argument("--ticks", type=int, default=300)
    parser.add_argument("--bursts", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.ticks, options.bursts)
    if options.json:
        print(json.dumps(result))
    else:
        report(result)


if __name__ == "__main__":
    main()
