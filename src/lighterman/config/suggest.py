"""What the operator probably meant by a key that does not exist."""

import difflib
import re
from collections.abc import Sequence

from lighterman.config.keys import Key

_UNIT = re.compile(r"(bps|bp|pct|percent|usd|usdc|ms|millis|milliseconds|s|sec|secs|seconds|minutes|bytes|mb)$")
_CUTOFF = 0.75


def suggest_key(section: str, name: str, keys: Sequence[Key]) -> str:
    """Return a sentence for an unknown key of a section, or "" where nothing comes near.

    Four cases, the surest first: 1. the right name, written otherwise (case, underscores);
    2. the right name in the wrong section; 3. the right name with another unit, or none;
    4. a name that looks alike, in this section and then in all.
    """
    here = {key.name: key for key in keys if key.section == section}
    elsewhere = {key.name: key for key in keys if key.section != section}
    for names, sentence in ((here, "did you mean {0}"), (elsewhere, "did you mean {1}")):
        for known, key in names.items():
            if _plain(known) == _plain(name):
                return sentence.format(known, key.path)
    for names, sentence in ((here, "did you mean {0} ({2})"), (elsewhere, "did you mean {1} ({2})")):
        for known, key in names.items():
            if key.unit and _unitless(known) == _unitless(name):
                return sentence.format(known, key.path, f"in {key.unit}")
    for names, sentence in ((here, "did you mean {0}"), (elsewhere, "did you mean {1}")):
        close = difflib.get_close_matches(name[:64], names, n=1, cutoff=_CUTOFF)
        if close:
            return sentence.format(close[0], names[close[0]].path)
    return ""


def suggest_section(name: str, keys: Sequence[Key]) -> str:
    """Return a sentence for an unknown name at the top of the file, or ""."""
    sections = dict.fromkeys(key.section.removesuffix("[]") for key in keys)
    for section in sections:
        if _plain(section) == _plain(name):
            return f"did you mean {section}"
    for key in keys:
        if _plain(key.name) == _plain(name):
            return f"did you mean {key.path}"
    close = difflib.get_close_matches(name[:64], sections, n=1, cutoff=_CUTOFF)
    return f"did you mean {close[0]}" if close else ""


def _plain(name: str) -> str:
    """Return a name without regard to case and word marks: min_spread_bps is minSpreadBps."""
    return name.replace("_", "").replace("-", "").lower()


def _unitless(name: str) -> str:
    """Return a plain name without the unit at its end: minSpread is minSpreadBps."""
    return _UNIT.sub("", _plain(name))
