"""Venue, account and keys by mode."""

import pytest

from helpers.settings_files import API_KEY, CANCEL_KEY, ETHEREUM_KEY, SEED, TESTNET, bent, problems, settings
from lighterman.config.networks import LOCAL_CHAIN_ID, Mode
from lighterman.domain.secret import Secret

MAINNET = bent(
    bent(TESTNET, "lighter.baseURL", "https://mainnet.zklighter.elliot.ai"),
    "lighter.wsURL",
    "wss://mainnet.zklighter.elliot.ai/stream",
)


def _without(document: dict, name: str) -> dict:
    lighter = {key: value for key, value in document["lighter"].items() if key != name}
    return document | {"lighter": lighter}


def test_a_real_network_gets_what_was_configured():
    """On testnet addresses, indices and both keys arrive as given."""
    venue = settings(TESTNET, Mode.TESTNET).venue

    assert (300, 7, 4, 5, "standard") == (
        venue.chain_id,
        venue.account_index,
        venue.api_key_index,
        venue.cancel_api_key_index,
        venue.tier,
    )
    assert isinstance(venue.api_key, Secret)
    assert isinstance(venue.cancel_api_key, Secret)
    assert (API_KEY, CANCEL_KEY) == (venue.api_key.reveal(), venue.cancel_api_key.reveal())
    assert "c0ffee" not in repr(venue)


@pytest.mark.parametrize("index", range(4))
def test_reserved_keys_are_refused(index):
    """Key indices 0 to 3 get a precise answer on a real network, and a replacement in mode local."""
    line = f"lighter.apiKeyIndex: is reserved by the venue for its own apps, was {index}; use 4..254"

    assert [line] == problems(bent(TESTNET, "lighter.apiKeyIndex", index), Mode.TESTNET)
    local = settings(bent(SEED, "lighter.apiKeyIndex", index))
    assert 4 == local.venue.api_key_index
    assert f"lighter.apiKeyIndex: {index} is reserved (use 4..254); mode local uses 4" in local.notices


@pytest.mark.parametrize("index", [0, 1])
def test_the_venues_accounts_are_refused(index):
    """Accounts 0 and 1 are the treasury's and the insurance fund's."""
    line = f"lighter.accountIndex: is the venue's own account, was {index}; 2 or more"

    assert [line] == problems(bent(TESTNET, "lighter.accountIndex", index), Mode.TESTNET)
    assert settings(bent(SEED, "lighter.accountIndex", index)).venue.account_index > 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("accountIndex", "lighter.accountIndex: is missing; the index of your account"),
        ("apiKeyPrivateKey", "lighter.apiKeyPrivateKey: is missing; env:NAME, or file:PATH"),
        ("cancelApiKeyIndex", "lighter.cancelApiKeyIndex: is missing; both keys of the second API key, or none"),
        ("cancelApiKeyPrivateKey", "lighter.cancelApiKeyPrivateKey: is missing; both keys of the second API key"),
    ],
)
def test_a_real_network_needs_an_identity(name, line):
    """Outside mode local the account and its key have no default, and a second key comes whole."""
    (found,) = problems(_without(TESTNET, name), Mode.TESTNET)

    assert found.startswith(line)


def test_one_key_may_do_both():
    """Without a second key the first one cancels too, and the price of that is said."""
    single = _without(_without(TESTNET, "cancelApiKeyIndex"), "cancelApiKeyPrivateKey")

    found = settings(single, Mode.TESTNET)

    assert 4 == found.venue.cancel_api_key_index
    assert found.venue.cancel_api_key is None
    assert any(notice.startswith("lighter.cancelApiKeyIndex: not given") for notice in found.notices)


def test_two_keys_differ():
    """A second key that is the first one again is a mistake."""
    assert ["lighter.cancelApiKeyIndex: equals apiKeyIndex, was 4; another key"] == problems(
        bent(TESTNET, "lighter.cancelApiKeyIndex", 4), Mode.TESTNET
    )


def test_local_needs_nothing():
    """Mode local runs without a word about venue, account or keys, under a chain id of its own."""
    venue = settings({name: value for name, value in SEED.items() if name != "lighter"}).venue

    assert ("", "", LOCAL_CHAIN_ID) == (venue.base_url, venue.stream_url, venue.chain_id)
    assert venue.account_index > 1
    assert 4 <= venue.api_key_index < venue.cancel_api_key_index
    assert (None, None, "premium") == (venue.api_key, venue.cancel_api_key, venue.tier)


def test_local_keys_never_coincide():
    """The key that mode local adds for cancels is not the one configured for orders."""
    venue = settings(bent(SEED, "lighter.apiKeyIndex", 5)).venue

    assert (5, 6) == (venue.api_key_index, venue.cancel_api_key_index)


@pytest.mark.parametrize("key", [API_KEY, CANCEL_KEY, ETHEREUM_KEY], ids=["bare", "0x", "ethereum"])
@pytest.mark.parametrize("name", ["apiKeyPrivateKey", "cancelApiKeyPrivateKey"])
def test_local_refuses_a_real_key(key, name):
    """A key in a file for mode local is refused, and not repeated."""
    (line,) = problems(bent(SEED, f"lighter.{name}", key))

    assert line.startswith(f"lighter.{name}: ")
    assert key[2:] not in line


def test_local_leaves_references_unread():
    """A reference to a key is not followed in mode local, and it is said."""
    found = settings(bent(SEED, "lighter.apiKeyPrivateKey", "env:KEY"))

    assert found.venue.api_key is None
    assert "lighter.apiKeyPrivateKey: not read in mode local, which makes a key for the occasion" in found.notices


def test_a_key_in_the_file_is_warned_of():
    """On testnet a key in the file is taken with a warning, on mainnet never."""
    found = settings(bent(TESTNET, "lighter.apiKeyPrivateKey", API_KEY), Mode.TESTNET)

    assert any(notice.startswith("lighter.apiKeyPrivateKey: stands in the file") for notice in found.notices)
    assert API_KEY.encode() not in found.document
    (line,) = problems(bent(MAINNET, "lighter.apiKeyPrivateKey", API_KEY), Mode.MAINNET)
    assert line.startswith("lighter.apiKeyPrivateKey: must not stand in the file on mainnet")


@pytest.mark.parametrize(
    ("document", "mode"), [(MAINNET, Mode.TESTNET), (TESTNET, Mode.MAINNET)], ids=["testnet", "mainnet"]
)
def test_a_file_of_another_network_is_refused(document, mode):
    """Mode, host and chain id must be of one network (reliability reference O3)."""
    (line,) = problems(document, mode)

    assert line.startswith("lighter.baseURL: belongs to ")


@pytest.mark.parametrize(("tier", "budget"), [("standard", 60), ("plus", 8000), ("premium", 4000)])
def test_the_tier_sets_the_message_budget(tier, budget):
    """Without a figure of its own the message budget is the tier's."""
    assert budget == settings(bent(SEED, "lighter.tier", tier)).engine.limits.messages_per_minute
