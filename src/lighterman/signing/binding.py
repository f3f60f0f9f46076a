"""Functions of a Go shared library bound by parameter name, from the header that belongs to it.

The official library changed the argument lists of its exports in five releases; called by
position, the wrong version signs garbage (protocol reference 10.5). Here the header says which
parameter stands where, and a caller names every one: a name the header lacks, or a parameter
nobody names, is an error.
"""

import ctypes
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from lighterman.domain.errors import SigningError


class SignedTxResponse(ctypes.Structure):
    """What every Sign function returns (10.2); pointers are `c_void_p` so that they can be freed."""

    _fields_ = (
        ("tx_type", ctypes.c_uint8),
        ("tx_info", ctypes.c_void_p),
        ("tx_hash", ctypes.c_void_p),
        ("message_to_sign", ctypes.c_void_p),
        ("err", ctypes.c_void_p),
    )


class StrOrErr(ctypes.Structure):
    """What CreateAuthToken returns (10.2)."""

    _fields_ = (("str", ctypes.c_void_p), ("err", ctypes.c_void_p))


_TYPES: Mapping[str, Any] = {
    "char*": ctypes.c_char_p,
    "int": ctypes.c_int,
    "int16_t": ctypes.c_int16,
    "uint8_t": ctypes.c_uint8,
    "uint32_t": ctypes.c_uint32,
    "long long": ctypes.c_longlong,
    "long long int": ctypes.c_longlong,
    "long long unsigned int": ctypes.c_ulonglong,
}
_RETURN_TYPES: Mapping[str, Any] = {
    "char*": ctypes.c_void_p,
    "SignedTxResponse": SignedTxResponse,
    "StrOrErr": StrOrErr,
}
_DECLARATION = re.compile(
    r"^extern (?:__declspec\(dllexport\) )?(?P<returns>[\w ]+\*?) (?P<name>\w+)\((?P<body>.*)\);$", re.MULTILINE
)


class Declaration(msgspec.Struct, frozen=True):
    """An exported function: C types as written, parameter names without the leading `c`."""

    returns: str
    parameters: tuple[tuple[str, str], ...]  # (name, type)


def read_header(header: str) -> dict[str, Declaration]:
    """Return the functions that a cgo header declares, by name."""
    found = {}
    for match in _DECLARATION.finditer(header):
        texts = [text.strip() for text in match["body"].split(",") if text.strip()]
        found[match["name"]] = Declaration(match["returns"], tuple(_parameter(text) for text in texts))
    return found


def _parameter(text: str) -> tuple[str, str]:
    """Read `long long int cMarketIndex` as ("marketIndex", "long long int")."""
    kind, _, name = text.rpartition(" ")
    if name.startswith("c") and name[1:2].isupper():
        name = name[1].lower() + name[2:]
    return name, kind


class Function:
    """One export, called with keyword arguments that must be exactly the header's parameters."""

    __slots__ = ("_call", "_names", "name")

    def __init__(self, library: ctypes.CDLL, name: str, declarations: Mapping[str, Declaration]) -> None:
        declaration = declarations.get(name)
        if declaration is None:
            raise SigningError(f"the official library's header does not declare {name}")
        unknown = {kind for _, kind in declaration.parameters} - set(_TYPES)
        if unknown or declaration.returns not in _RETURN_TYPES:
            raise SigningError(f"{name} of the official library has a type we do not know: {declaration}")
        self.name = name
        self._names = tuple(parameter for parameter, _ in declaration.parameters)
        self._call = getattr(library, name)
        self._call.argtypes = [_TYPES[kind] for _, kind in declaration.parameters]
        self._call.restype = _RETURN_TYPES[declaration.returns]

    def __call__(self, **arguments: int | bytes) -> Any:
        """Call the function; raise SigningError, without calling, when the names do not fit."""
        if len(arguments) != len(self._names) or not arguments.keys() >= set(self._names):
            differing = sorted(arguments.keys() ^ set(self._names))
            raise SigningError(f"{self.name} of the official library differs in {', '.join(differing)}")
        return self._call(*[arguments[name] for name in self._names])
