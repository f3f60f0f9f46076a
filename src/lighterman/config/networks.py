"""The networks there are, and the rule that mode, host and chain id must agree.

A transaction signed with mainnet's chain id is valid on mainnet wherever it is sent, so the
chain id is never inferred from a stranger's address, and a local exchange never gets one of
a real network (protocol reference 1.1; reliability reference O3).
"""

import enum
from urllib.parse import SplitResult, urlsplit

import msgspec

from lighterman.config.read import Problem, show
from lighterman.domain.hosts import is_loopback

LOCAL_CHAIN_ID = 131_072_304  # nobody's: what is signed for a local exchange is worth nothing elsewhere
STREAM_PATH = "/stream"
SEED_STREAM_PATH = "/ws"


class Mode(enum.Enum):
    """Who is at the other end."""

    LOCAL = "local"
    TESTNET = "testnet"
    MAINNET = "mainnet"


class Network(msgspec.Struct, frozen=True):
    """One row of protocol reference 1.1."""

    mode: Mode
    host: str
    chain_id: int


NETWORKS = (
    Network(Mode.MAINNET, "mainnet.zklighter.elliot.ai", 304),
    Network(Mode.TESTNET, "testnet.zklighter.elliot.ai", 300),
    Network(Mode.MAINNET, "api.rh.lighter.xyz", 466_324),
    Network(Mode.TESTNET, "api.rh-testnet.lighter.xyz", 300),
)


class Address(msgspec.Struct, frozen=True):
    """Where the venue is. Both URLs are empty where a local exchange has to be started first."""

    base_url: str
    stream_url: str
    chain_id: int


def locate(
    mode: Mode, base_url: str | None, stream_url: str | None, chain_id: int | None, notices: list[str]
) -> Address | list[Problem]:
    """Return the address that the three keys and the mode agree on, or what disagrees."""
    if mode is Mode.LOCAL:
        return _locate_local(base_url, stream_url, chain_id, notices)
    home = next(network for network in NETWORKS if network.mode is mode)
    problems: list[Problem] = []
    base = _split("lighter.baseURL", base_url or f"https://{home.host}", "https", problems)
    if base is None:
        return problems
    network = next((network for network in NETWORKS if network.host == base.hostname), None)
    if network is None or network.mode is not mode or base.port not in (None, 443):
        whose = f"belongs to {network.mode.value}" if network else "is not a Lighter host"
        hosts = " or ".join(f"https://{network.host}" for network in NETWORKS if network.mode is mode)
        wrong = f"{whose}, the mode is {mode.value}"
        problems.append(Problem("lighter.baseURL", wrong, show(base_url), f"{mode.value}: {hosts}"))
        return problems
    stream = _stream(base, stream_url, "wss", notices, problems)
    if chain_id is not None and chain_id != network.chain_id:
        problems.append(
            Problem("lighter.chainId", f"is not that of {network.host}", show(chain_id), f"{network.chain_id}")
        )
    return problems or Address(f"https://{network.host}", stream, network.chain_id)


def _locate_local(
    base_url: str | None, stream_url: str | None, chain_id: int | None, notices: list[str]
) -> Address | list[Problem]:
    """Use a local exchange that runs already if its address is given, else leave it open."""
    if _is_foreign(base_url) or (base_url is None and stream_url is not None):
        notices.append("lighter.baseURL, wsURL, chainId: not used in mode local, which starts its own exchange")
        return Address("", "", LOCAL_CHAIN_ID)
    problems: list[Problem] = []
    if chain_id in {network.chain_id for network in NETWORKS}:
        wrong = "belongs to a real network, the mode is local"
        problems.append(Problem("lighter.chainId", wrong, show(chain_id), f"leave it out, or {LOCAL_CHAIN_ID}"))
    chain_id = LOCAL_CHAIN_ID if chain_id is None else chain_id
    if base_url is None:
        return problems or Address("", "", chain_id)
    base = _split("lighter.baseURL", base_url, "http", problems)
    if base is None:
        return problems
    stream = _stream(base, None if _is_foreign(stream_url) else stream_url, "ws", notices, problems)
    return problems or Address(f"http://{base.netloc}", stream, chain_id)


def _is_foreign(url: str | None) -> bool:
    """Tell whether a URL names a host that is not this machine."""
    try:
        host = urlsplit(url or "").hostname
    except ValueError:
        return False  # its form is somebody else's problem
    return bool(host) and not is_loopback(host or "")


def _split(path: str, url: str, scheme: str, problems: list[Problem]) -> SplitResult | None:
    """Return a URL's parts if it is plain and of the scheme, else note why it is not."""
    allowed = f"{scheme}://HOST{STREAM_PATH}" if scheme.startswith("ws") else f"{scheme}://HOST"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        problems.append(Problem(path, "is not a URL", show(url), allowed))
        return None
    paths = (STREAM_PATH, SEED_STREAM_PATH) if scheme.startswith("ws") else ("", "/")
    if parts.scheme != scheme or not host:
        wrong = f"must begin with {scheme}://"
    elif parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        wrong = "must hold nothing but scheme, host and path"
    elif parts.path.rstrip("/") not in {path.rstrip("/") for path in paths}:
        wrong = "has a path the venue does not know"
    else:
        return parts
    problems.append(Problem(path, wrong, show(url), allowed))
    return None


def _stream(base: SplitResult, url: str | None, scheme: str, notices: list[str], problems: list[Problem]) -> str:
    """Return the stream's URL on the host of `base`; notes what is wrong with a given one."""
    if url is None:
        return f"{scheme}://{base.netloc}{STREAM_PATH}"
    parts = _split("lighter.wsURL", url, scheme, problems)
    if parts is None:
        return ""
    if parts.netloc != base.netloc:
        problems.append(
            Problem("lighter.wsURL", "is on another host than baseURL", show(url), f"{scheme}://{base.netloc}")
        )
    if parts.path.rstrip("/") == SEED_STREAM_PATH:
        notices.append(f"lighter.wsURL: the venue's path is {STREAM_PATH}; {SEED_STREAM_PATH} was replaced")
    return f"{scheme}://{base.netloc}{STREAM_PATH}"
