"""The regression check: a quick run's ratios against bounds far from them (`goals.py`). Exit code 1 beyond one.

    python benchmarks/check.py [--only NAMES]

Times are not looked at, so the machine may be slow and busy: only what has become several times slower
than what it is compared with, in the same run, fails. Whatever fails is measured once more before it counts.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import goals
import run


def regressions(only: list[str]) -> list[str]:
    """Return what lies beyond its bound in two runs."""
    found = goals.regressions(run.measure(quick=True, only=only))
    if not found:
        return []
    print("\n".join(["beyond its bound; once more:", *found]), file=sys.stderr)
    again = goals.regressions(run.measure(quick=True, only=only))
    named = {line.rpartition(": ")[0] for line in found}
    return [line for line in again if line.rpartition(": ")[0] in named]


def main() -> int:
    """Check and say."""
    parser = argparse.ArgumentParser(description="hold a quick run of the benchmarks against generous bounds")
    parser.add_argument("--only", default="", metavar="NAMES", help=f"with commas: {', '.join(run.PARTS)}")
    options = parser.parse_args()
    found = regressions([name for name in options.only.split(",") if name])
    print("\n".join(found) if found else "every ratio keeps to its bound")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
