"""Private keys are fetched from where they are safe, and never repeated."""

import os
from pathlib import Path

import pytest

from helpers.settings_files import API_KEY, CANCEL_KEY, ETHEREUM_KEY
from lighterman.config.networks import Mode
from lighterman.config.read import Problem
from lighterman.config.secrets import PLACEHOLDERS, check_local, is_inline, resolve
from lighterman.domain.secret import Secret


def fetch(text, mode=Mode.TESTNET, *, environ=None, folder=None, private=True):
    """Resolve a reference; returns the key's text or the problem's line, never containing a key."""
    found = resolve("key", Secret(text), mode, environ=environ or {}, folder=folder or Path(), is_private=private)
    if isinstance(found, Secret):
        return found.reveal()
    assert not any(key[2:] in str(found) for key in (API_KEY, CANCEL_KEY, ETHEREUM_KEY))
    return str(found)


@pytest.mark.parametrize("mode", [Mode.TESTNET, Mode.MAINNET], ids=["testnet", "mainnet"])
@pytest.mark.parametrize("key", [API_KEY, CANCEL_KEY], ids=["bare", "0x"])
def test_environment_holds_keys(mode, key):
    """env:NAME is read from the environment, with surrounding space taken off."""
    assert key == fetch("env:LIGHTER_KEY", mode, environ={"LIGHTER_KEY": f" {key}\n"})


@pytest.mark.parametrize(
    ("text", "environ", "line"),
    [
        ("env:NOT_THERE", {}, "key: environment variable NOT_THERE is not set"),
        ("env:", {}, "key: names no environment variable after env:; env:NAME"),
        ("env:a b", {"a b": API_KEY}, "key: names no environment variable after env:"),
        ("env:K", {"K": "c0ffee"}, "key: environment variable K holds no Lighter API key, was 6 characters; 80 hex"),
        ("env:K", {"K": ETHEREUM_KEY}, "key: environment variable K holds an Ethereum key, which is never asked for"),
        ("env:K", {"K": "z" * 80}, "key: environment variable K holds no Lighter API key, was 80 characters"),
        ("env:K", {"K": ""}, "key: environment variable K holds no Lighter API key, was 0 characters"),
        ("what is this", {}, "key: the text holds no Lighter API key, was 12 characters"),
        (ETHEREUM_KEY, {}, "key: the text holds an Ethereum key"),
    ],
)
def test_wrong_references_are_named(text, environ, line):
    """Each way of naming a key wrongly has its own answer."""
    assert fetch(text, environ=environ).startswith(line)


@pytest.mark.parametrize("text", sorted(PLACEHOLDERS))
def test_placeholders_are_refused(text):
    """What the seed's examples have in place of a key is not taken for one."""
    assert fetch(text).startswith("key: is a placeholder, not a key")
    assert check_local("key", Secret(text)) is None


def test_key_in_the_settings_only_where_it_is_safe():
    """A key in the file itself is taken on testnet, from a file nobody else can read, and nowhere else."""
    assert API_KEY == fetch(API_KEY)
    assert "others can read" in fetch(API_KEY, private=False)
    assert "mainnet" in fetch(API_KEY, Mode.MAINNET)
    assert is_inline(Secret(API_KEY))
    assert not is_inline(Secret("env:KEY"))


def test_local_takes_no_key():
    """In mode local a real key is refused, and a reference to one is left unread."""
    assert "no business in mode local" in str(check_local("key", Secret(API_KEY)))
    assert "Ethereum" in str(check_local("key", Secret(ETHEREUM_KEY)))
    assert "holds no Lighter API key" in str(check_local("key", Secret("junk")))
    assert check_local("key", Secret("env:NOT_THERE")) is None
    assert check_local("key", Secret("file:/not/there")) is None


@pytest.fixture
def key_file(tmp_path):
    """Return a proper key file."""
    tmp_path.chmod(0o700)
    file = tmp_path / "key"
    file.write_text(API_KEY + "\n")
    file.chmod(0o600)
    return file


def test_files_hold_keys(key_file):
    """file:PATH is read where only we can, relative to the settings or absolute, 0600 or 0400."""
    assert API_KEY == fetch("file:key", folder=key_file.parent)
    key_file.chmod(0o400)
    assert API_KEY == fetch(f"file:{key_file}", Mode.MAINNET, folder=key_file.parent.parent)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o777], ids=oct)
def test_files_of_others_are_refused(key_file, mode):
    """A key file that anybody else can read is refused, and its mode told."""
    key_file.chmod(mode)

    assert f"is not ours alone, was {mode:04o}, owner {os.geteuid()}; chmod 0600" in fetch(
        "file:key", folder=key_file.parent
    )


def test_files_of_another_owner_are_refused(key_file, monkeypatch):
    """A key file of another user is refused."""
    monkeypatch.setattr(os, "geteuid", lambda: key_file.stat().st_uid + 1)

    assert "is not ours alone" in fetch("file:key", folder=key_file.parent)


def test_links_are_not_followed(key_file):
    """A link in place of the key file is refused."""
    (key_file.parent / "link").symlink_to(key_file)

    assert "cannot be opened" in fetch("file:link", folder=key_file.parent)


def test_open_folders_are_refused(key_file):
    """A folder into which anybody may write holds no key, unless it keeps files to their owners."""
    key_file.parent.chmod(0o777)
    assert "may be written to by anybody" in fetch("file:key", folder=key_file.parent)
    key_file.parent.chmod(0o1777)
    assert API_KEY == fetch("file:key", folder=key_file.parent)


@pytest.mark.parametrize(
    "name", ["absent", ".", "key/below", "\0", "pipe"], ids=["absent", "folder", "below", "nul", "pipe"]
)
def test_what_is_no_file_is_refused(key_file, name):
    """A missing file, a folder, a pipe and an impossible path are each refused without waiting."""
    os.mkfifo(key_file.parent / "pipe", 0o600)

    found = fetch(f"file:{name}", folder=key_file.parent)

    assert "cannot be opened" in found or "not a regular file" in found


def test_files_without_a_key_are_refused(key_file):
    """A file holding something else is refused by its length alone."""
    for content in (b"", b"\xff" * 100, API_KEY.encode() * 2, b"x" * 100_000, f"{API_KEY}\n{CANCEL_KEY}".encode()):
        key_file.write_bytes(content)
        assert "holds no Lighter API key" in fetch("file:key", folder=key_file.parent)


def test_a_problem_is_a_problem():
    """What cannot be used comes back as a problem with its path, not as an exception."""
    found = resolve("a.b", Secret("x"), Mode.TESTNET, environ={}, folder=Path(), is_private=True)

    assert isinstance(found, Problem)
    assert "a.b" == found.path
