"""Parameters of a REST call: query texts and form bodies, urlencoded or multipart, read strictly.

A missing or malformed parameter raises VenueError 20001 with its name; an unknown one is ignored,
as the venue does. When a name is given twice the last one counts.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from lighterman.domain.errors import VenueError
from lighterman.protocol.codes import Code

FIELDS_MAX = 64

_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_PART_NAME = re.compile(rb'content-disposition:[^\r\n]*\bname="([^"\r\n]{1,64})"', re.IGNORECASE)
_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)


def invalid(name: str) -> VenueError:
    """Return the refusal of one parameter."""
    return VenueError(Code.INVALID_PARAM, f"{Code.INVALID_PARAM.text}: {name}")


class Form:
    """Texts by name, and typed ways to read them."""

    __slots__ = ("_texts",)

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        value = self._texts.get(name, default)
        if value is None:
            raise invalid(name)
        return value

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Return an integer within [low, high]; without a default it must be there."""
        text = self._texts.get(name)
        if text is None and default is not None:
            return default
        if text is None or _INTEGER.fullmatch(text) is None or not low <= int(text) <= high:
            raise invalid(name)
        return int(text)

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Return one of the allowed texts."""
        value = self.text(name, default)
        if value not in allowed:
            raise invalid(name)
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean that is false when absent."""
        return self.choice(name, ("true", "false", "1", "0"), "false") in {"true", "1"}


def parse_query(query: str) -> dict[str, str]:
    """Return the parameters of a query text or an urlencoded body."""
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError:
        raise invalid("too many fields") from None


def parse_body(content_type: str, body: bytes) -> dict[str, str]:
    """Return the fields of a POST body."""
    try:
        if not content_type.lower().startswith("multipart/form-data"):
            return parse_query(body.decode("ascii"))
        boundary = _BOUNDARY.search(content_type)
        if boundary is None:
            raise invalid("boundary")
        return _parse_multipart(body, b"--" + boundary[1].encode("ascii"))
    except UnicodeError:
        raise invalid("body encoding") from None


def _parse_multipart(body: bytes, delimiter: bytes) -> dict[str, str]:
    """Split a multipart body (RFC 7578) into its texts; parts without a name are ignored."""
    fields: dict[str, str] = {}
    for part in body.split(delimiter, FIELDS_MAX + 1)[1:]:
        head, gap, content = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(head)
        if gap and name is not None:
            fields[name[1].decode()] = content.removesuffix(b"\r\n").decode()
    return fields
