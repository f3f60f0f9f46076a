"""Secrets that cannot be shown by accident, and the eraser for those that turn up in text.

Law: a secret leaves its box only by `reveal()`, and whatever text goes to a person or a file
passes `redact` first. Python cannot wipe memory; what it can do is never write a secret down.
"""

import re
from typing import NoReturn, final

REDACTED = "[redacted]"

# What a Lighter credential looks like: an API key is 80 hex digits (protocol reference 1.4), an
# Ethereum key 64, a signature 160 in hex or 108 in base64 (5.7); an auth token ends in one of
# these. 64 is the shortest, so any longer run is caught too. An 80-digit transaction hash or
# public key is lost with them: a log without it can be lived with.
_CREDENTIAL = re.compile(r"(?:0[xX])?[0-9a-fA-F]{64,}|[A-Za-z0-9+/]{86,}={0,2}")
_NAMED = re.compile(
    r"(?i)\b(\w*private_?key|auth|authorization|token|signature|sig)(\"?\s*[=:]\s*\"?)(?:bearer\s+)?[^\s\"&,}]+"
)


@final
class Secret:
    """A text that only `reveal()` shows; it has no copy, no pickle, and no equality but identity."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return f"<Secret {REDACTED}>"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is neither pickled nor copied")

    def reveal(self) -> str:
        """Return the text itself: hand it on at once, keep it nowhere."""
        return self._text


def redact(text: str) -> str:
    """Return the text with everything that looks like a key, a signature or a token taken out."""
    return _CREDENTIAL.sub(REDACTED, _NAMED.sub(rf"\1\2{REDACTED}", text))
