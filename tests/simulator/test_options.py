import argparse
from pathlib import Path

import pytest

from lighterman.domain.errors import ConfigError
from lighterman.simulator.options import ServeOptions, add_arguments, check_options, is_loopback_host, options_of
from lighterman.simulator.signatures import Verification

ADDRESS = ["--host", "::1", "--port", "9000", "--chain-id", "31337"]
MARKET = ["--seed", "7", "--markets", "BTC,SOL", "--scenario", "toxic", "--tape", "tapes", "--speed", "10"]
ACCOUNTS = ["--tier", "standard", "--verify", "sampled", "--no-limits"]
PROCESS = ["--allow-remote", "--watch-stdin"]


def parse(*flags):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return options_of(parser.parse_args(flags))


def test_without_flags_the_defaults_hold():
    """No flag means the defaults: loopback, a free port, chain 304, the normal market, everything verified."""
    options = parse()

    assert options == ServeOptions()
    assert (options.host, options.port, options.chain_id, options.tier) == ("127.0.0.1", 0, 304, "premium")
    assert options.verification is Verification.FULL


def test_every_flag_arrives():
    """Each flag sets its option."""
    options = parse(*ADDRESS, *MARKET, *ACCOUNTS, *PROCESS)

    assert options == ServeOptions(
        host="::1",
        port=9000,
        chain_id=31337,
        seed=7,
        symbols=("BTC", "SOL"),
        scenario="toxic",
        tape=Path("tapes"),
        speed=10.0,
        tier="standard",
        verification=Verification.SAMPLED,
        enforces_limits=False,
        allows_remote=True,
        watches_stdin=True,
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example", "localhost.evil"])
def test_other_addresses_need_insistence(host):
    """An address that is not this machine's own is refused unless remote access is allowed."""
    with pytest.raises(ConfigError, match="--allow-remote"):
        parse("--host", host)

    assert not is_loopback_host(host)
    assert parse("--host", host, "--allow-remote").host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machines_addresses_are_free(host):
    """Loopback addresses need no insistence."""
    assert parse("--host", host).host == host


def test_all_problems_are_named_at_once():
    """Every option that cannot be used is named, not only the first."""
    options = ServeOptions(host="10.0.0.1", port=70_000, chain_id=-1, tier="gold", speed=float("nan"))
    with pytest.raises(ConfigError) as caught:
        check_options(options)

    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "--host", "--port", "--chain-id", "--tier", "--speed",
    ]  # fmt: skip
