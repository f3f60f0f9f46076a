"""Does anything on the way from socket to order ever take long? A demo session, each callback timed by its CPU.

    python benchmarks/pauses.py [--minutes 10] [--awake] [--json]

The session is `lighterman demo` in this process, unchanged but for a clock around what the event loop calls on
the path: bytes that a stream hands over, a turn, a timer that wakes one, bystanders that are told of it, idle time
given to the signer. CPU of the thread, collections of garbage included, so that other work of the machine does not
count. What happens before the first quotes is shown apart: there connections are made, and much runs for the first
time.

A processor that has slept, or worked for others, is slow at first, and the guest of a shared one pays for its
neighbours in CPU time, too. So beside the session stand two controls. One is the same arithmetic again and again,
on the same thread, after every tenth turn: what it takes at most, beside what it takes at least, is the machine's
doing. The other is a session of the same length in virtual time, repeated: bot, exchange and network do exactly the
same each time, so that each callback counts with its cheapest repetition, and what remains is our own. (In it,
signatures are worthless and cost about as much, and garbage is not collected.)

With `--awake` there is one session alone, of a bot that never sleeps (`performance.busyPollMs`): as it is run where a
core can be spared. `run.py` has the compiled build do it.
"""

import argparse
import asyncio
import contextlib
import gc
import io
import json
import platform
import resource
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec.structs import replace

from lighterman.cli.main import main as lighterman
from lighterman.cli.run import DEMO_SETTINGS
from lighterman.exchange.websocket import WebSocket
from lighterman.runtime.loop import TradingLoop
from lighterman.signing.fake import FakeSigner
from lighterman.signing.inplace import InPlaceSigner
from lighterman.simulation import bot
from lighterman.simulation.forks import in_child
from lighterman.simulation.plan import Options, Plan
from lighterman.simulation.verdict import run_plan

PATH = (
    (WebSocket, "data_received"),
    (TradingLoop, "_turn"),
    (TradingLoop, "_wake"),
    (TradingLoop, "_show"),
    (InPlaceSigner, "_rest"),
)
PAUSE_NS_MAX = 1_000_000
START_S_MAX = 10.0  # what counts as the start, at most a third of the session
LONGEST = 5
REPETITIONS = 3
AWAKE_MS = 1_000  # after each turn; there are some forty in a second
CONTROL_EVERY = 10  # turns
CONTROL_STEPS = 2_000  # some 50 us
CPU_S_MAX = 600
GRAVES: list[object] = []
REPEATED = Options(
    symbols=["ETH", "BTC", "SOL"], levels=3, tempo_ms=[50, 50, 50], tier="premium", start_us=10**15, wire=True
)
SEED = 1

Callback = tuple[int, float, str]  # CPU nanoseconds, seconds since the first one by the loop's clock, what it was


class Stopwatch:
    """Writes down every callback of the path, from `__enter__` to `__exit__`."""

    def __init__(self) -> None:
        self._took_ns, self._at_s, self._what = array("q"), array("d"), array("B")  # whose memory is not the bot's
        self.control_ns = array("q")
        self.interrupted = 0  # callbacks in which another thread or process was given the processor
        self.faulted = 0  # callbacks that touched memory for the first time
        self._began_s: float | None = None
        self._is_inside = False  # a timer wakes a turn: only the outermost counts
        self._turns = 0

    def __enter__(self) -> Self:
        self._bare = [(owner, name, getattr(owner, name)) for owner, name in PATH]
        for number, (owner, name, function) in enumerate(self._bare):
            setattr(owner, name, self._timed(number, function))
        return self

    def __exit__(self, *_: object) -> None:
        for owner, name, function in self._bare:
            setattr(owner, name, function)

    @property
    def callbacks(self) -> list[Callback]:
        """Return all there were."""
        names = [f"{owner.__name__}.{name}" for owner, name in PATH]
        rows = zip(self._took_ns, self._at_s, self._what, strict=True)
        return [(took_ns, at_s, names[number]) for took_ns, at_s, number in rows]

    def _timed(self, number: int, function: Callable[..., Any]) -> Callable[..., Any]:
        is_show = PATH[number] == (TradingLoop, "_show")

        def timed(*arguments: Any) -> Any:
            if self._is_inside:
                return function(*arguments)
            self._is_inside = True
            at_s = asyncio.get_running_loop().time()
            if self._began_s is None:
                self._began_s = at_s
            before = _usage()
            began_ns = time.thread_time_ns()
            try:
                return function(*arguments)
            finally:
                self._took_ns.append(time.thread_time_ns() - began_ns)
                self._at_s.append(at_s - self._began_s)
                self._what.append(number)
                after = _usage()
                self.interrupted += after.ru_nivcsw > before.ru_nivcsw
                self.faulted += after.ru_minflt > before.ru_minflt
                self._is_inside = False
                if is_show:
                    self._control()

        return timed

    def _control(self) -> None:
        self._turns += 1
        if self._turns % CONTROL_EVERY == 0:
            began_ns = time.thread_time_ns()
            total = 0
            for number in range(CONTROL_STEPS):
                total += number * number
            self.control_ns.append(time.thread_time_ns() - began_ns)


def _usage() -> resource.struct_rusage:
    return resource.getrusage(resource.RUSAGE_THREAD)


def session(minutes: float, *, is_awake: bool = False) -> dict[str, Any]:
    """Run a demo session and return what its callbacks took, those of the start apart."""
    said = io.StringIO()
    with tempfile.TemporaryDirectory(prefix="lighterman-pauses-") as home, contextlib.redirect_stdout(said):
        words = ["run", "--config", _awake(Path(home)), "--mode", "local"] if is_awake else ["demo"]
        options = ["--metrics-port", "0", "--json", "--for", f"{minutes * 60:g}s", "--directory", f"{home}/runs"]
        with Stopwatch() as watch:
            code = lighterman([*words, *options])
    control = sorted(watch.control_ns)
    return {
        "exit_code": code,
        "ledger_match": json.loads(said.getvalue()).get("ledger_match"),
        "interrupted": watch.interrupted,
        "faulted": watch.faulted,
        **_figures(watch.callbacks, minutes),
        "control_us": {"min": control[0] / 1000, "p50": control[len(control) // 2] / 1000, "max": control[-1] / 1000},
    }


def _awake(home: Path) -> str:
    """Write down the demo's settings, awake."""
    settings = json.loads(files("lighterman.config").joinpath(DEMO_SETTINGS).read_bytes())
    path = home / DEMO_SETTINGS
    path.write_text(json.dumps(settings | {"performance": {"busyPollMs": AWAKE_MS}}), encoding="utf-8")
    return str(path)


def repeated(minutes: float) -> dict[str, Any]:
    """Run the same session several times; each callback counts with its cheapest repetition."""
    fault_free_ms = max(1_000, int(minutes * 60_000) - REPEATED.warm_up_ms)
    plan = Plan(seed=SEED, options=replace(REPEATED, faults_ms=fault_free_ms), faults=[])
    runs = [msgspec.json.decode(in_child(lambda: _timed(plan), CPU_S_MAX).words()) for _ in range(REPETITIONS)]
    if any([name for _, _, name in each] != [name for _, _, name in runs[0]] for each in runs):
        raise SystemExit("the repetitions were not the same: nothing can be said of them")
    best = [tuple(min(callback)) for callback in zip(*runs, strict=True)]
    return {"repetitions": REPETITIONS, **_figures(best, minutes)}


def _timed(plan: Plan) -> bytes:
    """Return the callbacks of one run, in which nothing must have gone wrong. For a child: it leaves a world behind."""
    gc.disable()
    bot.FakeSigner = _sign_in_place  # type: ignore[assignment, attr-defined]
    with Stopwatch() as watch:
        verdict = run_plan(plan, GRAVES)
    if not verdict.ok:
        raise SystemExit(f"the session in virtual time broke an invariant: {verdict.violations[0]}")
    return msgspec.json.encode(watch.callbacks)


def _sign_in_place(account_index: int, api_key_index: int, chain_id: int, _: object) -> FakeSigner:
    return FakeSigner(account_index, api_key_index, chain_id)


def _figures(callbacks: list[Callback], minutes: float) -> dict[str, Any]:
    start_s = min(START_S_MAX, minutes * 20)
    later = [callback for callback in callbacks if callback[1] >= start_s]
    took = sorted(callback[0] for callback in later)
    return {
        "callbacks": len(took),
        "above_1_ms": sum(each > PAUSE_NS_MAX for each in took),
        "cpu_us": {
            "p50": took[len(took) // 2] / 1000,
            "p99": took[len(took) * 99 // 100] / 1000,
            "p99.9": took[len(took) * 999 // 1000] / 1000,
            "max": took[-1] / 1000,
        },
        "longest": _longest(later),
        "longest_of_the_start": _longest([callback for callback in callbacks if callback[1] < start_s]),
    }


def _longest(callbacks: list[Callback]) -> list[dict[str, Any]]:
    longest = sorted(callbacks, reverse=True)[:LONGEST]
    return [{"cpu_us": took_ns / 1000, "at_s": at_s, "what": name} for took_ns, at_s, name in longest]


def measure(minutes: float) -> dict[str, Any]:
    """Return the figures of both sessions."""
    return {
        "machine": f"Python {platform.python_version()}, {platform.machine()}",
        "minutes": minutes,
        "repeated": repeated(minutes),  # first: children are forked before there are threads
        "session": session(minutes),
    }


def _print(title: str, found: dict[str, Any]) -> None:
    figures = ", ".join(f"{name} {value:.0f}" for name, value in found["cpu_us"].items())
    print(f"{title}: {found['callbacks']} callbacks, CPU us: {figures}; above 1 ms: {found['above_1_ms']}")
    for each in found["longest"]:
        print(f"  {each['cpu_us']:8.0f} us at {each['at_s']:6.1f} s  {each['what']}")


def _print_session(title: str, live: dict[str, Any]) -> None:
    _print(title, live)
    control = live["control_us"]
    print(f"  the longest of the start: {live['longest_of_the_start'][0]['cpu_us']:.0f} us")
    print(f"  the start included, {live['interrupted']} were interrupted, {live['faulted']} touched new memory")
    print(f"  the control: {control['min']:.0f} us at least, {control['max']:.0f} us at most")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="does anything on the path ever take long?")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--awake", action="store_true", help="only a session of a bot that never sleeps")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    length = f"{options.minutes:g} minutes"
    if options.awake:
        awake = session(options.minutes, is_awake=True)
        if options.json:
            print(json.dumps({"awake": awake}))
        else:
            _print_session(f"a session of {length}, awake", awake)
        return int(awake["exit_code"])
    found = measure(options.minutes)
    live, same = found["session"], found["repeated"]
    if options.json:
        print(json.dumps(found))
    else:
        _print_session(f"a session of {length}", live)
        _print(f"the same length in virtual time, best of {REPETITIONS}", same)
    return 0 if live["exit_code"] == 0 and not same["above_1_ms"] else 1


if __name__ == "__main__":
    sys.exit(main())
