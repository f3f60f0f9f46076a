"""Fetches private keys from where the settings say they are; they are never in the settings.

Law: nothing here repeats a secret, not even in part. A file is opened without following a
link, must belong to us and be readable by nobody else, and lies in a folder that others may
not write to. An Ethereum key is refused in any form: this program has no use for one.
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from lighterman.config.keys import REFERENCES
from lighterman.config.networks import Mode
from lighterman.config.read import Problem
from lighterman.domain.secret import REDACTED, Secret

KEY_FILE_BYTES_MAX = 4096
PLACEHOLDERS = frozenset({"", "0x...", "0x…", "YOUR_PRIVATE_KEY", REDACTED})
ALLOWED = "env:NAME, or file:PATH of a file only you can read (mode 0600 or 0400)"

_API_KEY = re.compile(r"(?:0[xX])?[0-9a-fA-F]{80}")
_ETHEREUM_KEY = re.compile(r"(?:0[xX])?[0-9a-fA-F]{64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def resolve(
    path: str, given: Secret, mode: Mode, *, environ: Mapping[str, str], folder: Path, is_private: bool
) -> Secret | Problem:
    """Return the key that a reference in the settings stands for (modes testnet and mainnet).

    `folder` is where relative paths begin; `is_private` tells whether only we can read the
    settings file itself, without which no key may stand in it.
    """
    text = given.reveal()
    if text in PLACEHOLDERS:
        return Problem(path, "is a placeholder, not a key", allowed=ALLOWED)
    if text.startswith("env:"):
        name = text.removeprefix("env:")
        if not _VARIABLE.fullmatch(name):
            return Problem(path, "names no environment variable after env:", allowed=ALLOWED)
        if name not in environ:
            return Problem(path, f"environment variable {name} is not set")
        return _checked(path, environ[name], f"environment variable {name}")
    if text.startswith("file:"):
        return _from_file(path, folder / text.removeprefix("file:"))
    key = _checked(path, text, "the text")
    if isinstance(key, Problem):
        return key
    if mode is Mode.MAINNET:
        return Problem(path, "must not stand in the file on mainnet", allowed=ALLOWED)
    if not is_private:
        return Problem(path, "must not stand in a file that others can read", allowed=ALLOWED)
    return key


def is_inline(given: Secret) -> bool:
    """Tell whether the key itself stands in the settings."""
    return not given.reveal().startswith(REFERENCES)


def check_local(path: str, given: Secret) -> Problem | None:
    """Refuse a real key where keys are made for the occasion; references are left unread."""
    text = given.reveal()
    if text in PLACEHOLDERS or not is_inline(given):
        return None
    checked = _checked(path, text, "the text")
    if isinstance(checked, Problem):
        return checked
    return Problem(path, "a key has no business in mode local, which makes its own", allowed="leave it out")


def is_private_file(status: os.stat_result) -> bool:
    """Tell whether a file is ours and readable by nobody else."""
    return status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _from_file(path: str, file: Path) -> Secret | Problem:
    """Read a key file, after having looked at what it is."""
    shown = repr(str(file))
    try:
        folder_mode = file.parent.stat().st_mode
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        return Problem(path, f"file {shown} cannot be opened: {getattr(error, 'strerror', None) or 'not a path'}")
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return Problem(path, f"{shown} is not a regular file")
        if not is_private_file(status):
            mode = f"{stat.S_IMODE(status.st_mode):04o}, owner {status.st_uid}"
            return Problem(path, f"file {shown} is not ours alone", mode, f"chmod 0600, owner {os.geteuid()}")
        if folder_mode & stat.S_IWOTH and not folder_mode & stat.S_ISVTX:
            return Problem(path, f"the folder of {shown} may be written to by anybody")
        data = os.read(handle, KEY_FILE_BYTES_MAX)
    finally:
        os.close(handle)
    return _checked(path, data.decode("ascii", "replace"), f"file {shown}")


def _checked(path: str, text: str, source: str) -> Secret | Problem:
    """Return the key if it has the form of one; the text itself is not repeated."""
    text = text.strip()
    if _API_KEY.fullmatch(text):
        return Secret(text)
    if _ETHEREUM_KEY.fullmatch(text):
        return Problem(path, f"{source} holds an Ethereum key, which is never asked for", allowed="a Lighter API key")
    form = "80 hexadecimal digits, 0x in front or not"
    return Problem(path, f"{source} holds no Lighter API key", f"{len(text)} characters", form)
