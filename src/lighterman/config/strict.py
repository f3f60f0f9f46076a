"""Strict JSON: what it says is what is read, or it is refused.

Numbers stay exact (int or Decimal, never float). A repeated key, NaN, Infinity or a number
beyond any use does not stop the reading: it is marked where it stands, so that all problems
of a file can be told at once.
"""

import json
import re
from decimal import Decimal, InvalidOperation

BYTES_MAX = 1 << 20
DEPTH_MAX = 16  # four times what the schema needs
DIGITS_MAX = 30
MARK = "\ufeff"

Json = None | bool | int | Decimal | str | list["Json"] | dict[str, "Json"]

_BRACKET_OR_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)


class NoNumber(str):
    """The text of something that stands where a number may stand but is not usable as one."""

    __slots__ = ()


class Repeating(dict[str, "Json"]):
    """An object in which keys occur more than once; `repeated` names them."""

    repeated: list[str]


class StrictError(ValueError):
    """The bytes are not JSON that can be read at all; the message says why and where."""


def parse(data: bytes) -> Json:
    """Return the value the bytes stand for; raises StrictError."""
    if len(data) > BYTES_MAX:
        raise StrictError(f"is larger than {BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrictError(f"is not UTF-8 (byte {error.start})") from None
    if text.startswith(MARK):
        raise StrictError("begins with a byte order mark; save it as plain UTF-8")
    _check_depth(text)
    try:
        value: Json = json.loads(
            text, object_pairs_hook=_object, parse_int=_whole, parse_float=_decimal, parse_constant=NoNumber
        )
    except json.JSONDecodeError as error:
        raise StrictError(f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    return value


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser recurses into it."""
    depth = 0
    for found in _BRACKET_OR_TEXT.finditer(text):
        if found[0] in "[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise StrictError(f"is nested more than {DEPTH_MAX} deep")
        elif found[0] in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Keep an object's keys, and note the ones that came twice."""
    values = dict(pairs)
    if len(values) == len(pairs):
        return values
    names = [name for name, _ in pairs]
    marked = Repeating(values)
    marked.repeated = sorted({name for name in names if names.count(name) > 1})
    return marked


def _whole(text: str) -> int | NoNumber:
    return int(text) if len(text) <= DIGITS_MAX else NoNumber(text)


def _decimal(text: str) -> Decimal | NoNumber:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return NoNumber(text)
    return value if len(text) <= DIGITS_MAX and abs(value.adjusted()) <= DIGITS_MAX else NoNumber(text)
