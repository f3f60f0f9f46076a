"""Real replies and frames of the venue, as protocol reference 2.7 and 3 quote them."""

from pathlib import Path

import msgspec

_FOLDER = Path(__file__).parent.parent / "protocol" / "golden"


def golden(name):
    return (_FOLDER / f"{name}.json").read_bytes()


def golden_object(name):
    return msgspec.json.decode(golden(name))


def shape(value):
    """Return the keys and JSON types of a value: what two objects of one shape share."""
    match value:
        case dict():
            return {key: shape(item) for key, item in value.items()}
        case list():
            return [shape(value[0])] if value else []
        case bool() | None:
            return type(value).__name__
        case int() | float():
            return "number"
        case _:
            return "text"
