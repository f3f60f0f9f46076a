"""The command line: what it offers, what it refuses with 2, and how durations, ports and addresses are read."""

import argparse
import contextlib
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.processes import finished
from lighterman import __version__
from lighterman.cli.main import NS_PER_UNIT, duration_ns, local_url, parse, port

COMMANDS = ("demo", "run", "check", "exchange", "replay", "tape", "sim", "bench")


async def test_help_names_every_command(tmp_path):
    """`--help` ends with 0 and shows every command."""
    ended = await finished("--help", cwd=tmp_path)

    assert (0, "") == (ended.code, ended.err)
    assert [] == [command for command in COMMANDS if f"\n    {command} " not in ended.out]
    assert [] == list(tmp_path.iterdir())


async def test_version(tmp_path):
    """`--version` ends with 0 and says it."""
    ended = await finished("--version", cwd=tmp_path)

    assert (0, f"lighterman {__version__}\n", "") == ended


async def test_no_command_is_a_usage_error(tmp_path):
    """Without a command the help goes to stderr, and the exit code is 2."""
    ended = await finished(cwd=tmp_path)

    assert (2, "") == (ended.code, ended.out)
    assert "usage: lighterman" in ended.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["dem"], "invalid choice"),
        (["demo", "--jsn"], "unrecognized arguments"),
        (["run"], "--config"),
        (["run", "-c", "x", "--mode", "paper"], "invalid choice"),
        (["run", "-c", "x", "--exchange", "https://mainnet.zklighter.elliot.ai"], "no exchange on this machine"),
        (["run", "-c", "x", "--exchange", "http://127.0.0.1:1", "--seed", "2"], "--seed is for an exchange"),
        (["demo", "--for", "5"], "no duration"),
        (["demo", "--for", "0s"], "no duration"),
        (["demo", "--metrics-port", "65536"], "no port"),
        (["demo", "--scenario", "boom"], "invalid choice"),
        (["demo", "--tier", "gold"], "invalid choice"),
        (["demo", "--seed", "one"], "invalid int"),
        (["exchange"], "VERB"),
        (["exchange", "serve", "--verify", "sometimes"], "invalid choice"),
        (["replay"], "SESSION"),
        (["check"], "--config"),
        (["tape", "convert"], "SOURCE"),
        (["bench", "--rounds", "many"], "invalid int"),
    ],
)
def test_usage_errors(capsys, words, why):
    """What is not understood ends with 2 and says what it was, before anything is imported or opened."""
    with pytest.raises(SystemExit) as ended:
        parse(words)

    said = capsys.readouterr()
    assert (2, "") == (ended.value.code, said.out)
    assert why in said.err


def test_every_command_leads_somewhere():
    """Every command's function exists where it is said to be, and only the asked one has its options read."""
    endings = {
        "demo": [], "run": ["-c", "x"], "check": ["-c", "x"], "exchange": ["serve"], "replay": ["last"],
        "tape": ["convert", "a", "b"], "sim": ["--seed", "1"], "bench": [],
    }  # fmt: skip
    assert set(COMMANDS) == set(endings)
    for command, ending in endings.items():
        words = [command, *ending]
        module, function = parse(words).handler
        assert callable(getattr(import_module(f"lighterman.cli.{module}"), function))


@given(st.integers(1, 10**6), st.sampled_from(sorted(NS_PER_UNIT)))
def test_durations_are_read_in_their_unit(number, unit):
    """A whole number with a unit is that many of it, exactly."""
    assert duration_ns(f"{number}{unit}") == number * NS_PER_UNIT[unit]


@given(st.text(max_size=8))
def test_other_texts_are_no_durations(text):
    """A text is a positive duration, or is refused as none; nothing else happens."""
    with contextlib.suppress(argparse.ArgumentTypeError):
        assert duration_ns(text) > 0


def test_broken_durations():
    """Fractions are allowed, signs and missing units are not."""
    assert 5_400_000_000_000 == duration_ns("1.5h")
    for text in ("-5s", "+5s", "s", ".s", "5", "1e3s", "5 s", "0.0ms", "nans", "infs"):
        with pytest.raises(argparse.ArgumentTypeError):
            duration_ns(text)


@given(st.text(max_size=30) | st.integers(-10, 10**6).map(str))
def test_ports_are_ports(text):
    """A text is a port from 0 to 65535, or is refused as none."""
    with contextlib.suppress(argparse.ArgumentTypeError):
        assert 0 <= port(text) <= 65_535


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_local_addresses(text, url):
    """The address of an exchange on this machine is taken, without a slash at its end."""
    assert url == local_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "127.0.0.1:8000", "http://127.0.0.1", "https://127.0.0.1:8000", "http://10.0.0.1:8000", "http://[::1",
        "http://127.0.0.1:99999", "http://127.0.0.1:8000/api", "http://127.0.0.1:8000?x", "http://me@127.0.0.1:8000",
        "http://127.0.0.1.evil.example:8000", "ftp://127.0.0.1:8000", "http://127.0.0.1:0",
    ],
)  # fmt: skip
def test_other_addresses_are_refused(text):
    """What leads off this machine, or is not plainly an address, is refused: our keys are shown to nobody else."""
    with pytest.raises(argparse.ArgumentTypeError, match="no exchange on this machine"):
        local_url(text)
