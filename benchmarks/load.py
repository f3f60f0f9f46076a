"""What a running bot costs: CPU, memory and lag at so many markets and so many updates a second.

    python benchmarks/load.py [--seconds 20] [--json]

The real bot, as a process of its own, gets the feed of `feed.py` on every market and quotes three levels a
side with the native signer where there is one. CPU and memory are what the operating system counts for the
process: all of its threads, journal, log and metrics included. Whether it keeps up is seen from outside: a
ping follows the updates through the same socket each second, and its pong cannot come before they are read.
"""

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bots
import feed
import machine
import scrape
import wires
from venue import Lane

from lighterman.config.networks import LOCAL_CHAIN_ID
from lighterman.domain.market import Market
from lighterman.simulator.markets import all_markets

LOADS = ((1, 20), (5, 20), (20, 20), (5, 5), (5, 80))  # markets, updates of each a second
WARM_S = 3.0
PING_EVERY_S = 1.0
ANSWER_S = 10.0
QUOTING = bots.Quoting(levels=3, requote_ms=100, reprice_bps=0.2)
LOTS_MIN = bots.SIZE_LOTS


@dataclass
class Seen:
    """What was seen of one load."""

    usage: list[machine.Usage] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    lag_ms: list[float] = field(default_factory=list)
    pending: list[float] = field(default_factory=list)
    updates: int = 0
    orders: int = 0


class Load:
    """One bot under load."""

    def __init__(self, lane: Lane, process: bots.Process, markets: list[Market], rate: int, home: Path) -> None:
        self._lane = lane
        self._process = process
        self._markets = markets
        self._rate = rate
        self._home = home
        self._port: int | None = None

    def run(self, serve: Callable[[Callable[[], bool], float], bool], seconds: float) -> Seen:
        """Send updates evenly spread over time; look once a second."""
        seen, orders = Seen(), 0
        every_s = 1 / (self._rate * len(self._markets))
        began_s = next_look_s = time.perf_counter()
        while (now_s := time.perf_counter()) < began_s + WARM_S + seconds:
            self._lane.push(self._markets[seen.updates % len(self._markets)].index)
            seen.updates += 1
            if now_s >= next_look_s:
                next_look_s += PING_EVERY_S
                self._process.check()
                orders += len(self._lane.arrivals)
                self._lane.arrivals.clear()
                if now_s < began_s + WARM_S:
                    orders = 0
                else:
                    self._look(seen, serve)
            due_s = began_s + seen.updates * every_s
            serve(lambda: False, max(0.0, due_s - time.perf_counter()))
        seen.orders = orders
        return seen

    def _look(self, seen: Seen, serve: Callable[[Callable[[], bool], float], bool]) -> None:
        asked_ns = self._lane.ping()
        if not serve(lambda: self._lane.pong_ns > asked_ns, ANSWER_S):
            raise SystemExit(f"the bot has not read what was sent {ANSWER_S:g} s ago")
        seen.lag_ms.append((self._lane.pong_ns - asked_ns) / 1e6)
        seen.usage.append(machine.look(self._process.pid))
        seen.at_s.append(time.perf_counter())
        seen.pending.append(
            scrape.sums(scrape.text(self._metrics_port())).get("marketmaker_journal_pending_records", 0.0)
        )

    def _metrics_port(self) -> int:
        if self._port is None:
            (log,) = self._home.glob("*/log.jsonl")
            started = [json.loads(line) for line in log.read_text().splitlines() if '"msg":"started"' in line]
            self._port = int(started[0]["metricsPort"])
        return self._port


@contextlib.contextmanager
def loaded(count: int, rate: int, seconds: float, signer: str) -> Iterator[tuple[Load, Callable[..., bool]]]:
    """Start a bot on so many markets, with their feeds written beforehand."""
    markets = [market for market in all_markets().values() if market.min_base_lots <= LOTS_MIN][:count]
    with tempfile.TemporaryDirectory(prefix="lighterman-bench-") as name:
        reactor, home = wires.Reactor(), Path(name)
        lane = Lane(reactor, tuple(markets), chain_id=LOCAL_CHAIN_ID)
        for market in markets:
            recipe = feed.Recipe(
                market=market.index,
                price_decimals=market.price_decimals,
                size_decimals=market.size_decimals,
                seed=7 + market.index,
                every_ms=1_000 // rate,
            )
            lane.script(recipe, int((seconds + WARM_S + 5) * rate))

        def serve(done: Callable[[], bool], patience_s: float) -> bool:
            return reactor.until(done, patience_s, lane.advance)

        process = bots.ours(lane, markets, QUOTING, signer, home)
        try:
            while not serve(lambda: len(lane.arrivals) >= QUOTING.orders * count, 1.0):
                process.check()
            yield Load(lane, process, markets, rate, home), serve
        finally:
            process.stop(serve)
            reactor.close()


def measure(seconds: float, loads: tuple[tuple[int, int], ...] = LOADS, signer: str = "auto") -> dict[str, Any]:
    """Return a row for each load."""
    if not machine.can_look():
        return {"missing": "not measured: this system does not show what a process uses"}
    rows = []
    for count, rate in loads:
        with loaded(count, rate, seconds, signer) as (load, serve):
            rows.append({"markets": count, "updates_per_s": rate, **_row(load.run(serve, seconds))})
    return {"seconds": seconds, "rows": rows}


def _row(seen: Seen) -> dict[str, Any]:
    first, last = seen.usage[0], seen.usage[-1]
    elapsed_s = seen.at_s[-1] - seen.at_s[0]
    half = len(seen.lag_ms) // 2
    return {
        "busy_share": (last.cpu_s - first.cpu_s) / elapsed_s,
        "rss_mib": last.rss_bytes / 2**20,
        "rss_growth_mib": (last.rss_bytes - first.rss_bytes) / 2**20,
        "threads": last.threads,
        "files": last.files,
        "orders_per_s": seen.orders / elapsed_s,
        "lag_ms_p50": statistics.median(seen.lag_ms),
        "lag_ms_max": max(seen.lag_ms),
        "lag_growth_ms": statistics.median(seen.lag_ms[half:]) - statistics.median(seen.lag_ms[:half]),
        "journal_pending_max": max(seen.pending),
        "journal_pending_last": seen.pending[-1],
    }


def report(result: dict[str, Any]) -> None:
    """Print the rows for people."""
    if "missing" in result:
        print(result["missing"])
        return
    print(" markets updates/s   busy RSS, MiB orders/s lag p50, ms lag max, ms  journal")
    for row in result["rows"]:
        print(
            f"{row['markets']:8} {row['markets'] * row['updates_per_s']:9} {row['busy_share']:6.1%} "
            f"{row['rss_mib']:8.0f} {row['orders_per_s']:8.1f} {row['lag_ms_p50']:11.2f} {row['lag_ms_max']:11.2f} "
            f"{row['journal_pending_last']:8.0f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="what a running bot costs")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.seconds)
    if options.json:
        print(json.dumps(result))
    else:
        report(result)


if __name__ == "__main__":
    main()
