"""`python -m lighterman` is the `lighterman` command."""

import sys

from lighterman.cli import main

sys.exit(main())
