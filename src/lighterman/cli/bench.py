"""`lighterman bench`: runs the benchmark of the source checkout it belongs to."""

import argparse
import runpy
import sys
from pathlib import Path

import lighterman
from lighterman.runtime.exits import Exit

SCRIPT = Path(lighterman.__file__).resolve().parents[2] / "benchmarks" / "decide.py"


def bench(options: argparse.Namespace) -> int:
    """Run `benchmarks/decide.py`, which is no part of the installed package."""
    if not SCRIPT.is_file():
        print(f"bench: {SCRIPT} is not there; benchmarks run in a source checkout: make bench", file=sys.stderr)
        return Exit.USAGE
    sys.argv = [str(SCRIPT), "--rounds", str(options.rounds), *(["--json"] if options.json else [])]
    try:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0) if isinstance(end.code, int | None) else _say(end.code)
    return Exit.OK


def _say(message: str) -> int:
    print(f"bench: {message}", file=sys.stderr)
    return Exit.USAGE
