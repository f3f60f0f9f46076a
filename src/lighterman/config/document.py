"""Writes docs/configuration.md from the table of keys; run with `python -m lighterman.config.document`."""

import sys
from collections.abc import Sequence

from lighterman.config.keys import KEYS, Key, Kind

_HEAD = """\
# Configuration

<!-- Made by `python -m lighterman.config.document` from src/lighterman/config/keys.py. Do not edit. -->

One JSON file (UTF-8, at most 1 MiB, no comments), in the format of the program this one descends from: its files load
as they are. A key that is not in these tables, a key given twice, a value of another type or out of its range: each is
an error, all are reported at once, and nothing starts. `lighterman check -c FILE` does only that.

Sizes and prices are decimal texts in quotes, because a JSON number may lose digits. Money limits have no default: an
unset limit is a refusal to start. Spreads are half-spreads, distances from the fair price to one side.

The mode (`--mode local`, `testnet` or `mainnet`) is chosen at the start, not in the file. In mode `local` the exchange
is our own, keys are made for the occasion, references to keys are left unread, and a real key in the file is refused.
"""

_TITLES = {
    "lighter": "The venue, the account and its keys.",
    "markets[]": "A list with one object per market; markets do not see each other.",
    "risk": "Limits over all markets.",
    "performance": "Timing, bounds and the port of the metrics.",
    "logging": "Log lines are JSON objects.",
    "journal": "The record of a session.",
    "monitoring": "Who may look on.",
}


def document(keys: Sequence[Key]) -> str:
    """Return the page: one table per section, one line per key."""
    parts = [_HEAD]
    for section, title in _TITLES.items():
        parts.append(f"\n## `{section}`\n\n{title}\n\n| key | values | default | meaning |\n|---|---|---|---|\n")
        parts.extend(_line(key) for key in keys if key.section == section)
    return "".join(parts)


def _line(key: Key) -> str:
    """Return one key's line of its table."""
    if key.required:
        default = "**required**"
    elif key.default is None:
        default = key.otherwise
    elif key.kind is Kind.FLAG:
        default = f"`{str(key.default).lower()}`"
    else:
        default = f"`{key.default}`"
    return f"| `{key.name}` | {key.allowed()} | {default} | {key.meaning} |\n"


if __name__ == "__main__":
    sys.stdout.write(document(KEYS))
