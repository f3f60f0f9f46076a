"""One file becomes one Settings, or all its problems."""

import json
import traceback
from pathlib import Path

import pytest

from helpers.settings_files import API_KEY, CANCEL_KEY, ENVIRON, SEED, TESTNET, bent, settings
from lighterman.config.networks import Mode
from lighterman.config.settings import load
from lighterman.domain.errors import ConfigError


def written(folder: Path, document: object) -> Path:
    """Write a settings file and return where it is."""
    path = folder / "config.json"
    path.write_text(json.dumps(document))
    return path


def test_the_seeds_file_loads(tmp_path):
    """The seed's own format is read as it is, every key with its meaning (seed reference 2.2; defects F1, F2, L1)."""
    loaded = load(written(tmp_path, SEED), Mode.LOCAL, {})
    eth, btc = loaded.engine.markets
    limits = loaded.engine.limits

    assert ("ETH-USDC", "ETH", "BTC-USDC", "BTC") == (eth.label, eth.symbol, btc.label, btc.symbol)
    assert ("0.02", 8.0, 80.0, 2, 1.25, 0.4) == (
        eth.quote.order_size,
        eth.quote.half_spread_min_bps,
        eth.quote.half_spread_max_bps,
        eth.quote.levels,
        eth.quote.size_multiplier,
        eth.quote.skew_factor,
    )
    assert ("1.5", "0.05") == (eth.limits.position_max, btc.limits.position_max)
    assert (9_000_000_000, 800_000_000, 90_000_000) == (
        limits.total_position_micro_max,
        limits.order_value_micro_max,
        limits.daily_loss_micro_max,
    )
    assert (250, 100, 1000) == (
        loaded.engine.position_check_interval_ms,
        loaded.engine.requote_interval_ms,
        loaded.engine.orders_tracked_max,
    )
    assert (9090, 7) == (loaded.monitoring.port, loaded.engine.account_index)
    assert ("info", "stdout", "stderr") == (loaded.logs.level, loaded.logs.output_path, loaded.logs.error_output_path)
    assert [(18, 6, "0.01"), (8, 6, "0.1")] == [
        (market.base_decimals, market.quote_decimals, market.tick_size) for market in loaded.declared
    ]


@pytest.mark.parametrize(
    ("name", "mode", "symbols"),
    [
        ("config.json", Mode.LOCAL, ["ETH", "BTC", "SOL"]),
        ("../src/lighterman/config/demo.json", Mode.LOCAL, ["ETH", "BTC", "SOL"]),
        ("config.testnet.json", Mode.TESTNET, ["ETH"]),
        ("config.testnet.json", Mode.LOCAL, ["ETH"]),
    ],
    ids=["local", "demo", "testnet", "testnet-locally"],
)
def test_the_files_we_ship_load(repository, name, mode, symbols):
    """The configurations of the tree are valid in the mode they are for."""
    environ = {"LIGHTER_TESTNET_API_KEY": API_KEY, "LIGHTER_TESTNET_CANCEL_API_KEY": CANCEL_KEY}

    loaded = load(repository / "configs" / name, mode, environ)

    assert symbols == [market.symbol for market in loaded.engine.markets]


def test_the_mainnet_example_lacks_only_the_keys(repository):
    """The example for mainnet is complete but for the key files that only its user has."""
    with pytest.raises(ConfigError) as raised:
        load(repository / "configs" / "config.mainnet.example.json", Mode.MAINNET, {})

    assert ["lighter.apiKeyPrivateKey", "lighter.cancelApiKeyPrivateKey"] == [
        line.partition(":")[0] for line in raised.value.problems
    ]
    assert all("cannot be opened" in line for line in raised.value.problems)


@pytest.mark.parametrize("name", ["absent.json", ".", "a\0b"], ids=["absent", "folder", "nul"])
def test_an_unreadable_file_is_one_problem(tmp_path, name):
    """A file that cannot be read is a ConfigError like any other."""
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / name, Mode.LOCAL, {})

    assert raised.value.problems[0].startswith("file: cannot be read: ")


def test_a_huge_file_is_refused(tmp_path):
    """No more than a MiB is read of whatever the path names."""
    (tmp_path / "huge.json").write_bytes(b" " * (1 << 21))

    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "huge.json", Mode.LOCAL, {})

    assert ["file: is larger than 1048576 bytes"] == raised.value.problems


def test_a_key_in_the_file_needs_a_private_file(tmp_path):
    """A key written into the file is taken only if nobody else can read the file."""
    path = written(tmp_path, bent(TESTNET, "lighter.apiKeyPrivateKey", API_KEY))
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others can read"):
        load(path, Mode.TESTNET, ENVIRON)

    path.chmod(0o600)
    assert load(path, Mode.TESTNET, ENVIRON).venue.api_key is not None


def test_a_relative_key_file_lies_beside_the_settings(tmp_path):
    """file:NAME is looked for in the folder of the settings file."""
    tmp_path.chmod(0o700)
    (tmp_path / "key").write_text(API_KEY)
    (tmp_path / "key").chmod(0o600)
    path = written(tmp_path, bent(TESTNET, "lighter.apiKeyPrivateKey", "file:key"))

    found = load(path, Mode.TESTNET, ENVIRON).venue.api_key

    assert found is not None
    assert API_KEY == found.reveal()


def test_a_disabled_market_is_left_out():
    """A market that is switched off is neither quoted nor compared with the venue."""
    loaded = settings(bent(SEED, "markets[0].enabled", False))

    assert ["BTC"] == [market.symbol for market in loaded.engine.markets] == [m.symbol for m in loaded.declared]


def test_the_document_loads_again_and_equally():
    """What a session keeps of its settings can be loaded, and gives the same engine and hash."""
    first = settings(SEED)
    again = settings(first.document)

    assert first.engine == again.engine
    assert first.document == again.document
    assert first.config_hash == again.config_hash


def test_the_hash_changes_with_the_settings_alone():
    """Spelling does not change the hash of a configuration, any value does."""
    first = settings(SEED)

    assert first.config_hash == settings(json.dumps(SEED, indent=7).encode()).config_hash
    assert first.config_hash != settings(bent(SEED, "risk.dailyLossLimitUSD", 91)).config_hash


def test_keys_are_shown_nowhere():
    """No representation of loaded settings, nor a traceback through them, shows a key (reliability G16)."""
    loaded = settings(bent(TESTNET, "lighter.apiKeyPrivateKey", API_KEY), Mode.TESTNET)
    error = RuntimeError(f"{loaded!r} {loaded} {loaded.document!r} {loaded.notices}")
    shown = "".join(traceback.format_exception(error))

    assert "c0ffee" not in shown.lower()
    assert "deadbeef" not in shown.lower()


def test_an_error_carries_every_problem():
    """All problems of a file are in one error, one line each."""
    with pytest.raises(ConfigError) as raised:
        settings(b'{"lighter": {"apiKeyPrivatKey": "x"}, "risk": {"maxOrderValueUSD": -1}, "market": []}')

    assert [
        "market: unknown key; did you mean markets",
        "lighter.apiKeyPrivatKey: unknown key; did you mean apiKeyPrivateKey",
        "markets: is missing or empty; 1 to 64 objects",
        "risk.maxTotalPositionUSD: is missing and has no default; amount of USD above 0 up to 1000000000000 (USD)",
        "risk.maxOrderValueUSD: is out of range, was -1; amount of USD above 0 up to 1000000000000 (USD)",
        "risk.dailyLossLimitUSD: is missing and has no default; amount of USD above 0 up to 1000000000000 (USD)",
    ] == raised.value.problems
    assert "\n".join(raised.value.problems) == str(raised.value)
