"""`lighterman exchange`: the local exchange alone."""

import argparse
import asyncio
import sys

from lighterman.domain.errors import ConfigError
from lighterman.runtime.exits import Exit
from lighterman.simulator.options import options_of
from lighterman.simulator.server import run


def serve(flags: argparse.Namespace) -> int:
    """Serve until a signal comes; the first line on stdout says where."""
    try:
        asyncio.run(run(options_of(flags)))
    except ConfigError as error:
        for problem in error.problems:
            print(f"exchange serve: {problem}", file=sys.stderr)
        return Exit.CONFIG
    except OSError as error:
        print(f"exchange serve: {flags.host}:{flags.port}: {error.strerror or error}", file=sys.stderr)
        return Exit.PREFLIGHT
    return Exit.OK
