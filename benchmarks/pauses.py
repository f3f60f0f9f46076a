"""Does anything on the way from socket to order ever take long? A demo session, each callback timed by its CPU.

    python benchmarks/pauses.py [--minutes 10] [--json]

The session is `lighterman demo` in this process, unchanged but for a clock around what the event loop calls on
the path: bytes that a stream hands over, a turn, a timer that wakes one, idle time given to the signer. CPU of the
thread, collections of garbage included, so that other work of the machine does not count. What happens before
the first quotes is shown apart: there connections are made, and much runs for the first time.
"""

import argparse
import contextlib
import io
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from lighterman.cli.main import main as lighterman
from lighterman.exchange.websocket import WebSocket
from lighterman.runtime.loop import TradingLoop
from lighterman.signing.inplace import InPlaceSigner

PATH = ((WebSocket, "data_received"), (TradingLoop, "_turn"), (TradingLoop, "_wake"), (InPlaceSigner, "_rest"))
PAUSE_NS_MAX = 1_000_000
START_NS_MAX = 10_000_000_000  # what counts as the start, at most a third of the session
LONGEST = 5

Callback = tuple[int, int, str]  # CPU nanoseconds, when it began, what it was


class Stopwatch:
    """Times every callback of the path; keeps each one's CPU time, and the longest with their names."""

    def __init__(self, start_ns: int) -> None:
        self.began_ns = time.perf_counter_ns()
        self._start_ns = start_ns
        self.took_ns: list[int] = []
        self.longest: list[Callback] = []
        self.starting: list[Callback] = []
        self._depth = 0  # a timer wakes a turn: only the outermost counts

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with the clock around it."""

        def timed(*arguments: Any) -> Any:
            if self._depth:
                return function(*arguments)
            self._depth = 1
            at_ns, began_ns = time.perf_counter_ns(), time.thread_time_ns()
            try:
                return function(*arguments)
            finally:
                self._keep((time.thread_time_ns() - began_ns, at_ns - self.began_ns, name))
                self._depth = 0

        return timed

    def _keep(self, callback: Callback) -> None:
        if callback[1] < self._start_ns:
            kept = self.starting
        else:
            kept = self.longest
            self.took_ns.append(callback[0])
        if len(kept) < LONGEST or callback[0] > kept[-1][0]:
            kept.append(callback)
            kept.sort(reverse=True)
            del kept[LONGEST:]


def measure(minutes: float) -> dict[str, Any]:
    """Run a session and return what its callbacks took."""
    watch = Stopwatch(min(START_NS_MAX, int(minutes * 20e9)))
    for owner, name in PATH:
        setattr(owner, name, watch.around(f"{owner.__name__}.{name}", getattr(owner, name)))
    said = io.StringIO()
    with tempfile.TemporaryDirectory(prefix="lighterman-pauses-") as home, contextlib.redirect_stdout(said):
        length = f"{minutes * 60:g}s"
        code = lighterman(["demo", "--headless", "--json", "--for", length, "--directory", f"{home}/runs"])
    result = json.loads(said.getvalue())
    took = sorted(watch.took_ns)
    return {
        "machine": f"Python {platform.python_version()}, {platform.machine()}",
        "minutes": minutes,
        "exit_code": code,
        "ledger_match": result.get("ledger_match"),
        "callbacks": len(took),
        "above_1_ms": sum(each > PAUSE_NS_MAX for each in took),
        "cpu_us": {
            "p50": took[len(took) // 2] / 1000,
            "p99": took[len(took) * 99 // 100] / 1000,
            "p99.9": took[len(took) * 999 // 1000] / 1000,
            "max": took[-1] / 1000,
        },
        "longest": [_told(each) for each in watch.longest],
        "longest_of_the_start": [_told(each) for each in watch.starting],
    }


def _told(callback: Callback) -> dict[str, Any]:
    return {"cpu_us": callback[0] / 1000, "at_s": callback[1] / 1e9, "what": callback[2]}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="does anything on the path ever take long?")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.minutes)
    if options.json:
        print(json.dumps(found))
    else:
        figures = ", ".join(f"{name} {value:.0f}" for name, value in found["cpu_us"].items())
        print(f"{found['callbacks']} callbacks in {found['minutes']:g} minutes, CPU us: {figures}")
        print(f"above 1 ms: {found['above_1_ms']}")
        for title in ("longest", "longest_of_the_start"):
            print(title.replace("_", " "))
            for each in found[title]:
                print(f"  {each['cpu_us']:8.0f} us at {each['at_s']:6.1f} s  {each['what']}")
    return 0 if found["exit_code"] == 0 and not found["above_1_ms"] else 1


if __name__ == "__main__":
    sys.exit(main())
