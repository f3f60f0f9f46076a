"""`lighterman tape`: recorded markets."""

import argparse
import sys

from lighterman.domain.errors import ConfigError
from lighterman.runtime.exits import Exit


def convert(options: argparse.Namespace) -> int:
    """Turn a recording into a tape of our own format."""
    from lighterman.simulator.tapes.convert import convert as run  # noqa: PLC0415  (heavy, and only for this)

    try:
        summary = run(options.source, options.destination, kind=options.kind, hours=options.hours)
    except ConfigError as error:
        print(f"tape convert: {error}", file=sys.stderr)
        return Exit.CONFIG
    print(summary)
    return Exit.OK
