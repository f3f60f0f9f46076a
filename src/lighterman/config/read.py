"""Reads a settings file by a table of keys, and tells everything that is wrong with it at once.

Law: a value is either exactly what its row of the table allows or a problem; nothing is
guessed, converted from another type or left out in silence. This file knows no room but
`domain`, so that other programs of the house can read their own files with their own table.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from lighterman.config.keys import REFERENCES, Key, Kind, Value
from lighterman.config.strict import Json, NoNumber, Repeating, StrictError, parse
from lighterman.config.suggest import suggest_key, suggest_section
from lighterman.domain.errors import UnitError
from lighterman.domain.secret import REDACTED, Secret, redact
from lighterman.domain.units import MICRO_DECIMALS, parse_fixed

SHOWN_MAX = 60
TEXT_MAX = 512
ROWS_MAX = 64
_DECIMAL_PLACES = 12
_PLAIN_TEXT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]+")


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong; `str()` is the line the operator reads."""

    path: str
    wrong: str
    was: str = ""
    allowed: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """Return `path: what is wrong, was VALUE; what is allowed; did you mean X`."""
        line = f"{self.path}: {self.wrong}" + (f", was {self.was}" if self.was else "")
        return "; ".join(part for part in (line, self.allowed, self.hint) if part)


class Reading(msgspec.Struct):
    """What a file says.

    `values` holds every key of the table that is not a problem, by its full path such as
    "markets[0].minSpreadBps", defaults included; `given` names those the file itself states;
    `document` is the file as it was understood, defaults included and secrets left out.
    """

    values: dict[str, Value] = {}
    given: set[str] = set()
    rows: dict[str, int] = {}  # how many elements a list section has, by section ("markets[]")
    problems: list[Problem] = []
    document: dict[str, object] = {}

    def fields(self, group: str, keys: Sequence[Key], row: int | None = None) -> dict[str, Value]:
        """Return the values of a group by field name, e.g. all that go into "limits"."""
        found: dict[str, Value] = {}
        for key in keys:
            into, _, field = key.into.partition(".")
            path = key.path.replace("[]", f"[{row}]")
            if into == group and path in self.values and (path != key.path) == (row is not None):
                found[field] = self.values[path]
        return found


def read(data: bytes, keys: Sequence[Key]) -> Reading:
    """Return what the file says by the table, with all problems in it."""
    reading = Reading()
    try:
        document = parse(data)
    except StrictError as error:
        reading.problems.append(Problem("file", str(error)))
        return reading
    if not isinstance(document, dict):
        reading.problems.append(Problem("file", "must be one JSON object", show(document)))
        return reading
    _note_repetition(reading, "file", document)
    sections = dict.fromkeys(key.section for key in keys)
    for name in document:
        if name not in sections and f"{name}[]" not in sections:
            hint = suggest_section(name, keys)
            reading.problems.append(Problem(_shown_name(name), "unknown key", hint=hint))
    for section in sections:
        rows = [key for key in keys if key.section == section]
        if section.endswith("[]"):
            _read_list(reading, section, document.get(section[:-2], []), rows, keys)
        else:
            reading.document[section] = _read_section(reading, section, document.get(section, {}), rows, keys)
    return reading


def _read_list(reading: Reading, section: str, value: Json, rows: Sequence[Key], keys: Sequence[Key]) -> None:
    """Read a section that is a list of objects; at least one is needed."""
    name = section.removesuffix("[]")
    if not isinstance(value, list):
        reading.problems.append(Problem(name, "must be a list", show(value), f"1 to {ROWS_MAX} objects"))
        return
    if not 1 <= len(value) <= ROWS_MAX:
        wrong = f"has {len(value)} elements" if value else "is missing or empty"
        reading.problems.append(Problem(name, wrong, allowed=f"1 to {ROWS_MAX} objects"))
        value = value[:ROWS_MAX]
    reading.rows[section] = len(value)
    reading.document[name] = [
        _read_section(reading, f"{name}[{index}]", element, rows, keys) for index, element in enumerate(value)
    ]


def _read_section(
    reading: Reading, path: str, value: Json, rows: Sequence[Key], keys: Sequence[Key]
) -> dict[str, object]:
    """Read one object: its known keys into `values`, everything else into `problems`; return it as understood."""
    understood: dict[str, object] = {}
    if not isinstance(value, dict):
        reading.problems.append(Problem(path, "must be an object", show(value)))
        return understood
    _note_repetition(reading, path, value)
    section = rows[0].section
    known = {key.name for key in rows}
    for name in value:
        if name not in known:
            hint = suggest_key(section, name, keys)
            reading.problems.append(Problem(f"{path}.{_shown_name(name)}", "unknown key", hint=hint))
    for key in rows:
        full = f"{path}.{key.name}"
        written = value.get(key.name, key.default)
        if key.name in value:
            reading.given.add(full)
        elif key.required:
            reading.problems.append(Problem(full, "is missing and has no default", allowed=key.allowed()))
            continue
        elif written is None:
            reading.values[full] = None
            continue
        outcome = _convert(key, full, written)
        if isinstance(outcome, Problem):
            reading.problems.append(outcome)
        else:
            reading.values[full] = outcome
            understood[key.name] = _shown_setting(key, written)
    return understood


def _note_repetition(reading: Reading, path: str, value: Mapping[str, Json]) -> None:
    if isinstance(value, Repeating):
        reading.problems.extend(
            Problem(path, f"the key {_shown_name(name)} occurs more than once") for name in value.repeated
        )


def _convert(key: Key, path: str, value: Json | float) -> Value | Problem:
    """Return what a value becomes, or what is wrong with it."""
    match key.kind:
        case Kind.FLAG:
            if isinstance(value, bool):
                return value
        case Kind.CHOICE:
            if isinstance(value, str) and value in key.choices:
                return value
        case Kind.SECRET:
            if isinstance(value, str) and not isinstance(value, NoNumber) and len(value) <= TEXT_MAX:
                return Secret(value)
            return Problem(path, "must be text", allowed=key.allowed())  # what it was is not shown
        case Kind.TEXT:
            if isinstance(value, str) and not isinstance(value, NoNumber) and _is_plain(value):
                return value
        case Kind.DECIMAL:
            return _decimal_text(key, path, value)
        case Kind.WHOLE | Kind.NUMBER | Kind.PERCENT | Kind.MONEY:
            return _number(key, path, value)
    return Problem(path, "is not usable", show(value), key.allowed(), _choice_hint(key, value))


def _number(key: Key, path: str, value: Json | float) -> Value | Problem:
    """Return a JSON number as its kind wants it: float, fraction, whole number or micro-USDC."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        hint = "write it without quotes" if isinstance(value, str) and not isinstance(value, NoNumber) else ""
        return Problem(path, "must be a number", show(value), key.allowed(), hint)
    if key.kind is Kind.WHOLE and not isinstance(value, int):
        return Problem(path, "must be a whole number, written without point or exponent", show(value), key.allowed())
    if not _in_range(key, value):
        return Problem(path, "is out of range", show(value), key.allowed())
    if isinstance(value, int) and key.kind is Kind.WHOLE:
        return value
    if key.kind is Kind.MONEY:
        try:
            return parse_fixed(format(Decimal(value), "f"), MICRO_DECIMALS)
        except UnitError:
            return Problem(path, "is finer than a millionth of a USD", show(value), key.allowed())
    return float(value / 100 if key.kind is Kind.PERCENT else value)


def _decimal_text(key: Key, path: str, value: Json | float) -> Value | Problem:
    """Return a size or price unchanged, once it is known to be a plain positive decimal text."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        hint = f'write "{value:f}"' if isinstance(value, Decimal) else f'write "{value}"'
        return Problem(path, "must be text in quotes, so that no digit is lost", show(value), key.allowed(), hint)
    if not isinstance(value, str):
        return Problem(path, "must be text in quotes", show(value), key.allowed())
    try:
        units = parse_fixed(value, _DECIMAL_PLACES)
    except UnitError:
        return Problem(path, "is not a plain decimal number", show(value), key.allowed())
    if not _in_range(key, Decimal(units) / 10**_DECIMAL_PLACES):
        return Problem(path, "is out of range", show(value), key.allowed())
    return value


def _in_range(key: Key, value: float | Decimal) -> bool:
    """Tell whether a number lies within its row's bounds, compared as decimal numbers are written."""
    exact = Decimal(str(value))
    if key.low is not None:
        low = Decimal(str(key.low))
        if exact < low or (key.above and exact == low):
            return False
    return key.high is None or exact <= Decimal(str(key.high))


def _is_plain(text: str) -> bool:
    return len(text) <= TEXT_MAX and _PLAIN_TEXT.fullmatch(text) is not None and text == text.strip()


def _choice_hint(key: Key, value: Json | float) -> str:
    """Say which choice was meant, where only its case is wrong."""
    if isinstance(value, str) and value.lower() in key.choices:
        return f"did you mean {value.lower()}"
    return ""


def _shown_setting(key: Key, written: Json | float) -> object:
    """Return an accepted value as the document keeps it: a number a number, a secret only its reference."""
    if key.kind is Kind.SECRET and not str(written).startswith(REFERENCES):
        return REDACTED
    return float(written) if isinstance(written, Decimal) else written


def _shown_name(name: str) -> str:
    """Return a key's name fit to be shown."""
    return _shorten(_harmless(name))


def show(value: Json | float) -> str:
    """Return a value fit to be shown to a person: short, printable ASCII, and without a secret in it."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, str) and not isinstance(value, NoNumber):
        return _shorten(f'"{_harmless(value)}"')
    if isinstance(value, NoNumber | Decimal):
        return _shorten(_harmless(str(value)))
    return _shorten(json.dumps(value))


def _harmless(text: str) -> str:
    return redact(text).encode("unicode_escape").decode("ascii")


def _shorten(text: str) -> str:
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "..."
