"""Does anything grow? A demo session is watched from outside: files, threads, memory, queues, slow decisions.

    python benchmarks/soak.py [--minutes 30] [--every 10] [--out FILE]

Every look is one line of JSON on standard output (or in FILE); the last line is the verdict: the slope of
each figure after the warm-up, per hour, and whether it is growth. A slope counts as growth when the line
through the looks rises by more than its figure may in the whole watch, so that a minute's unrest is none.
While caches and histories still fill, memory always grows: a watch of less than ten minutes after the
warm-up shows slopes and says "short" instead. The bot and its local exchange are watched apart; the
verdict is on the bot.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

sys.path.insert(0, str(Path(__file__).parent))

import machine
import scrape

WARM_SHARE = 1 / 3  # of the watch: caches fill, histories reach their bounds
TELLING_S = 600.0  # a shorter watch does not tell growth from filling
START_S, STOP_S = 60.0, 60.0
DECIDE, SLOW_S = "marketmaker_decide_duration_seconds", 0.001
RISES_MAX = {  # figure -> how much its line may rise between the first look that counts and the last
    "files": 1.0,
    "threads": 1.0,
    "rss_mib": 4.0,
    "journal_pending": 500.0,
    "tasks": 5.0,
}


class Watch:
    """A demo session and the looks at it."""

    def __init__(self, home: Path, minutes: float) -> None:
        self._said = home / "said"
        command = [sys.executable, "-m", "lighterman", "demo", "--headless", "--json", "--for", f"{minutes * 60:g}s"]
        with self._said.open("w") as errors:
            self.process = subprocess.Popen(  # noqa: S603  (ours)
                [*command, "--directory", str(home / "runs")], stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self.port = self._metrics_port()

    def look(self, at_s: float) -> dict[str, Any]:
        """Return what is to be seen now."""
        usage = machine.look(self.process.pid)
        served = scrape.text(self.port)
        metrics = scrape.sums(served)
        decisions = metrics.get(f"{DECIDE}_count", 0.0)
        exchange = machine.children(self.process.pid)
        return {
            "at_s": round(at_s, 1),
            "cpu_s": usage.cpu_s,
            "rss_mib": usage.rss_bytes / 2**20,
            "threads": usage.threads,
            "files": usage.files,
            "tasks": metrics.get("marketmaker_goroutines", 0.0),
            "journal_pending": metrics.get("marketmaker_journal_pending_records", 0.0),
            "journal_dropped": metrics.get("marketmaker_journal_dropped_records_total", 0.0),
            "log_dropped": metrics.get("marketmaker_log_lines_dropped_total", 0.0),
            "decisions": decisions,
            "decisions_above_1_ms": decisions - scrape.within(served, DECIDE, SLOW_S),
            "exchange": asdict(machine.look(exchange[0])) if exchange else None,
        }

    def finish(self) -> dict[str, Any]:
        """Wait for the end of the session and return its result."""
        out, _ = self.process.communicate(timeout=STOP_S)
        return dict(json.loads(out)) if out.strip() else {}

    def stop(self) -> None:
        """End the session early."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(STOP_S)

    def _metrics_port(self) -> int:
        end_s = time.monotonic() + START_S
        while time.monotonic() < end_s and self.process.poll() is None:
            for line in self._said.read_text(errors="replace").splitlines():
                if '"msg":"started"' in line:
                    return int(json.loads(line)["metricsPort"])
            time.sleep(0.1)
        raise SystemExit(f"the session did not start: {self._said.read_text(errors='replace')[-2_000:]}")


def slope(points: list[tuple[float, float]]) -> float:
    """Return the slope of the straight line that fits best."""
    count = len(points)
    if count < 2:
        return 0.0
    middle_x, middle_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0


def verdict(looks: list[dict[str, Any]], result: dict[str, Any]) -> dict[str, Any]:
    """Return slopes, and whether anything grew or was lost."""
    began_s, ended_s = looks[0]["at_s"], looks[-1]["at_s"]
    counted = [look for look in looks if look["at_s"] >= began_s + WARM_SHARE * (ended_s - began_s)]
    watched_s = counted[-1]["at_s"] - counted[0]["at_s"]
    slopes = {name: slope([(look["at_s"], float(look[name])) for look in counted]) for name in RISES_MAX}
    grown = {name: per_s * watched_s for name, per_s in slopes.items() if per_s * watched_s > RISES_MAX[name]}
    lost = {name: looks[-1][name] for name in ("journal_dropped", "log_dropped") if looks[-1][name]}
    growth = "grows" if grown else "flat"
    return {
        "verdict": "loses records" if lost else growth if watched_s >= TELLING_S else "short",
        "looks": len(counted),
        "watched_s": watched_s,
        "slopes_per_hour": {name: per_s * 3_600 for name, per_s in slopes.items()},
        "grown": grown,
        "lost": lost,
        "busy_share": (counted[-1]["cpu_s"] - counted[0]["cpu_s"]) / watched_s if watched_s else 0.0,
        "decisions": looks[-1]["decisions"],
        "decisions_above_1_ms": looks[-1]["decisions_above_1_ms"],
        "exit_code": result.get("exit_code"),
        "ledger_match": result.get("ledger_match"),
    }


def watch(minutes: float, every_s: float, out: TextIO) -> dict[str, Any]:
    """Watch a session; write the looks and the verdict as JSON lines; return the verdict."""
    looks: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="lighterman-soak-") as name:
        seen = Watch(Path(name), minutes)
        try:
            began_s = time.monotonic()
            last_s = minutes * 60 - every_s  # the session is still there then
            while (now_s := time.monotonic() - began_s) < last_s and seen.process.poll() is None:
                looks.append(seen.look(now_s))
                _write(out, looks[-1])
                time.sleep(every_s)
            found = verdict(looks, seen.finish())
        finally:
            seen.stop()
    _write(out, found)
    return found


def _write(out: TextIO, line: dict[str, Any]) -> None:
    out.write(json.dumps(line) + "\n")
    out.flush()


def main() -> int:
    """Watch."""
    parser = argparse.ArgumentParser(description="does anything grow?")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=10, metavar="SECONDS")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if not machine.can_look():
        print("this system does not show what a process uses", file=sys.stderr)
        return 2
    if options.out is None:
        found = watch(options.minutes, options.every, sys.stdout)
    else:
        with options.out.open("w", encoding="utf-8") as out:
            found = watch(options.minutes, options.every, out)
    return 0 if found["verdict"] in {"flat", "short"} and found["exit_code"] == 0 else 1


if __name__ == "__main__":
    raise SystemExit(main())
