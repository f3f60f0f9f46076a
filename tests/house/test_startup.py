"""What a command costs before it does anything."""

import subprocess
import sys

COSTLY = {"aiohttp", "asyncio", "msgspec", "prometheus_client", "pyarrow", "rich", "ssl", "structlog"}


def test_help_loads_nothing_costly():
    """`--help` answers from the standard library alone; what a command needs is imported when it is chosen."""
    arguments = [sys.executable, "-X", "importtime", "-m", "lighterman", "--help"]
    result = subprocess.run(arguments, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}

    assert "lighterman" in loaded
    assert COSTLY.isdisjoint(loaded)
