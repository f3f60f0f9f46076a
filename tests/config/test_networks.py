"""Mode, host and chain id agree, or nothing starts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighterman.config.networks import LOCAL_CHAIN_ID, NETWORKS, Address, Mode, locate


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.host)
def test_a_network_fits_its_own_mode(network):
    """Each known host is accepted with its own chain id, in its own mode."""
    expected = Address(f"https://{network.host}", f"wss://{network.host}/stream", network.chain_id)

    assert expected == locate(network.mode, expected.base_url, None, None, [])
    assert expected == locate(network.mode, expected.base_url + "/", expected.stream_url, network.chain_id, [])


@pytest.mark.parametrize(("mode", "chain_id"), [(Mode.TESTNET, 300), (Mode.MAINNET, 304)], ids=["testnet", "mainnet"])
def test_a_mode_has_a_host(mode, chain_id):
    """Without a URL the mode's own host is taken."""
    address = locate(mode, None, None, None, [])

    assert isinstance(address, Address)
    assert (f"https://{mode.value}.zklighter.elliot.ai", chain_id) == (address.base_url, address.chain_id)


@given(st.sampled_from([Mode.TESTNET, Mode.MAINNET]), st.integers(1, 2**32), st.sampled_from(NETWORKS))
def test_no_chain_id_but_the_hosts_own(mode, chain_id, network):
    """Outside mode local an address is found only where mode, host and chain id are of one network."""
    found = locate(mode, f"https://{network.host}", None, chain_id, [])

    assert isinstance(found, Address) == ((mode, chain_id) == (network.mode, network.chain_id))


@pytest.mark.parametrize(
    "url",
    [
        "http://mainnet.zklighter.elliot.ai",
        "https://mainnet.zklighter.elliot.ai.evil.example",
        "https://evil.example/mainnet.zklighter.elliot.ai",
        "https://mainnet.zklighter.elliot.ai@evil.example",
        "https://user:secret@mainnet.zklighter.elliot.ai",
        "https://mainnet.zklighter.elliot.ai:8443",
        "https://mainnet.zklighter.elliot.ai/api/v1",
        "https://mainnet.zklighter.elliot.ai?x=1",
        "https://127.0.0.1",
        "https://testnet.zklighter.elliot.ai",
        "https://[::1",
        "https://mainnet.zklighter.elliot.ai:port",
        "mainnet.zklighter.elliot.ai",
        "https://",
        "ftp://mainnet.zklighter.elliot.ai",
    ],
)
def test_mainnet_is_one_address(url):
    """Anything but exactly a mainnet host over https is refused."""
    found = locate(Mode.MAINNET, url, None, None, [])

    assert isinstance(found, list)
    (problem,) = found
    assert str(problem).startswith("lighter.baseURL: ")


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("ws://testnet.zklighter.elliot.ai/stream", "must begin with wss://"),
        ("wss://mainnet.zklighter.elliot.ai/stream", "is on another host than baseURL"),
        ("wss://testnet.zklighter.elliot.ai/other", "has a path the venue does not know"),
        ("wss://testnet.zklighter.elliot.ai/stream?token=1", "must hold nothing but"),
    ],
    ids=["plain", "host", "path", "query"],
)
def test_the_stream_is_on_the_same_host(url, wrong):
    """A stream URL of another host, scheme or path is refused."""
    found = locate(Mode.TESTNET, None, url, None, [])

    assert isinstance(found, list)
    (problem,) = found
    assert str(problem).startswith(f"lighter.wsURL: {wrong}")


def test_the_seeds_stream_path_is_mapped():
    """A trailing /ws becomes /stream, and it is said (defect C7)."""
    notices: list[str] = []

    address = locate(Mode.MAINNET, None, "wss://mainnet.zklighter.elliot.ai/ws", None, notices)

    assert isinstance(address, Address)
    assert "wss://mainnet.zklighter.elliot.ai/stream" == address.stream_url
    assert ["lighter.wsURL: the venue's path is /stream; /ws was replaced"] == notices


def test_local_leaves_a_real_host_alone():
    """In mode local a real host is not used, and it is said."""
    notices: list[str] = []

    address = locate(Mode.LOCAL, "https://mainnet.zklighter.elliot.ai", "wss://x.example/ws", None, notices)

    assert Address("", "", LOCAL_CHAIN_ID) == address
    assert 1 == len(notices)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:1", "[::1]:9"])
def test_local_uses_an_exchange_that_runs_already(host):
    """In mode local a loopback address is taken as it is."""
    expected = Address(f"http://{host}", f"ws://{host}/stream", 77)

    assert expected == locate(Mode.LOCAL, f"http://{host}", None, 77, [])
    assert expected == locate(Mode.LOCAL, f"http://{host}/", f"ws://{host}/ws", 77, [])


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.host)
def test_local_never_signs_for_a_real_chain(network):
    """Mode local refuses the chain id of every real network (reliability reference O3)."""
    found = locate(Mode.LOCAL, None, None, network.chain_id, [])

    assert isinstance(found, list)
    assert LOCAL_CHAIN_ID not in {known.chain_id for known in NETWORKS}


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:1", "http://127.0.0.1:99999", "http://", "127.0.0.1:80", "http://[::1"]
)
def test_local_address_is_plain(url):
    """A local address that is not a plain http URL is refused."""
    assert isinstance(locate(Mode.LOCAL, url, None, None, []), list)


@given(st.sampled_from(Mode), st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_answered(mode, base, stream):
    """Arbitrary texts for both URLs give an address or problems, nothing else."""
    for prefix in ("", "http://", "https://"):
        assert isinstance(locate(mode, prefix + base, stream, None, []), Address | list)
