"""All benchmarks: `make bench`. A table for people, one JSON object, and docs/benchmarks.md.

    python benchmarks/run.py [--quick] [--only NAMES] [--json] [--out FILE] [--docs FILE] [--soak FILE]

Each part is a script of its own and runs in a fresh process, so that none of them pays for what another
has imported; the parts can be run alone, too. Within a part everything that is compared runs in turn.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import document
import goals

COMPILED_PYTHON = "LIGHTERMAN_COMPILED_PYTHON"  # an interpreter in whose environment the compiled build is installed
TURNS = 5  # of each build, one after the other
HERE = Path(__file__).parent
PARTS: dict[str, tuple[list[str], list[str]]] = {  # part -> options of a full run, and of a quick one
    "signing": (["--rounds", "41"], ["--rounds", "3"]),
    "decide": (["--rounds", "15"], ["--rounds", "2"]),
    "stages": (["--rounds", "9"], ["--rounds", "2"]),
    "scaling": (["--rounds", "7"], ["--rounds", "2"]),
    "tails": (["--ticks", "40000"], ["--ticks", "4000", "--repetitions", "2"]),
    "end_to_end": (["--ticks", "300", "--bursts", "60"], ["--ticks", "40", "--bursts", "6"]),
    "load": (["--seconds", "20"], ["--seconds", "3"]),
    "pauses": (["--minutes", "10"], ["--minutes", "0.1"]),
}


def measure(*, quick: bool, only: list[str]) -> dict[str, Any]:
    """Run the parts; return their results by name, with what the machine was."""
    results: dict[str, Any] = {"machine": machine(quick=quick)}
    for name, options in PARTS.items():
        if not only or name in only:
            print(f"benchmarks/{name}.py", file=sys.stderr, flush=True)
            results[name] = part(name, options[quick])
            compiled = os.environ.get(COMPILED_PYTHON)
            if name == "decide" and compiled:
                results[name] |= in_turns(options[True], compiled)
            if name == "pauses" and compiled:
                results[name] |= part(name, [*options[quick], "--awake"], compiled)
    return results


def in_turns(options: list[str], compiled: str) -> dict[str, Any]:
    """Return the compiled build's figures and its share of the plain one's mean, each from the best of its turns."""
    turns: dict[str, list[dict[str, float]]] = {sys.executable: [], compiled: []}
    for _ in range(TURNS):
        for python, figures in turns.items():
            figures.append(part("decide", options, python)["ours"])
    plain, ours = (min(figures, key=lambda each: each["cpu_us_mean"]) for figures in turns.values())
    return {"compiled": ours, "compiled_share": ours["cpu_us_mean"] / plain["cpu_us_mean"]}


def part(name: str, options: list[str], python: str = sys.executable) -> Any:
    """Run one part; raises SystemExit when it did not end well."""
    command = [python, str(HERE / f"{name}.py"), *options, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603  (ours)
    if done.returncode:
        raise SystemExit(f"benchmarks/{name}.py ended with {done.returncode}")
    return json.loads(done.stdout)


def machine(*, quick: bool) -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "optimised": "PGO" if "--enable-optimizations" in arguments else "no PGO",
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "quick": quick,
    }


def processor() -> str:
    """Return the processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description="run all benchmarks")
    parser.add_argument("--quick", action="store_true", help="a short run: figures for a look, not for a paper")
    parser.add_argument("--only", default="", metavar="NAMES", help=f"with commas: {', '.join(PARTS)}")
    parser.add_argument("--json", action="store_true", help="print the JSON object instead of the table")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON object there")
    parser.add_argument("--docs", type=Path, metavar="FILE", help="write the page there, after a full run")
    parser.add_argument("--soak", type=Path, metavar="FILE", help="show the verdict of a `make soak`, its last line")
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="take a JSON object, and run nothing")
    options = parser.parse_args()
    only = [name for name in options.only.split(",") if name]
    if unknown := set(only) - set(PARTS):
        parser.error(f"--only: no {', '.join(sorted(unknown))}")
    if options.source:
        results = json.loads(options.source.read_text(encoding="utf-8"))
    else:
        results = measure(quick=options.quick, only=only)
    if options.soak and options.soak.exists():
        results["soak"] = json.loads(options.soak.read_text(encoding="utf-8").splitlines()[-1])
    results["goals"] = goals.table(results)
    text = json.dumps(results, indent=1)
    print(text if options.json else document.render(results))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text + "\n", encoding="utf-8")
    if options.docs and not (results["machine"]["quick"] or only):
        options.docs.write_text(document.render(results), encoding="utf-8")


if __name__ == "__main__":
    main()
