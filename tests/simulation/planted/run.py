"""The command `lighterman` with a bug in it: `python run.py NAME WORDS...`, say `sim --seed 3` or `sim shrink FILE`.

The bug is planted before anything of the package is imported, so processes that are forked have it too.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from simulation.planted.catalogue import find
from simulation.planted.plant import install


def _main() -> int:
    parser = argparse.ArgumentParser(description="Plant a bug in this process, and run the command line.")
    parser.add_argument("name", help="of a bug in the catalogue")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="what lighterman is to do")
    options = parser.parse_args()
    install(find(options.name))
    main = import_module("lighterman.cli").main
    code: int = main(options.words)
    return code


if __name__ == "__main__":
    sys.exit(_main())
