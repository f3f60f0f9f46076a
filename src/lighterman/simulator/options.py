"""What an operator of the local exchange may choose: `lighterman exchange serve`."""

import argparse
import ipaddress
import math
from pathlib import Path

import msgspec

from lighterman.domain.errors import ConfigError
from lighterman.matching.rules import TIERS
from lighterman.simulator.app import OFFICIAL_CHAIN_ID
from lighterman.simulator.markets import DEFAULT_SYMBOLS
from lighterman.simulator.signatures import Verification

DEFAULT_HOST = "127.0.0.1"
DEFAULT_SCENARIO = "normal"
PORT_MAX = 65_535


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the server; port 0 picks a free one.

    Chain id 304 is the default here alone: official clients sign with it for a host they do not
    know (protocol reference 1.1, A-41).
    """

    host: str = DEFAULT_HOST
    port: int = 0
    chain_id: int = OFFICIAL_CHAIN_ID
    seed: int = 1
    symbols: tuple[str, ...] = DEFAULT_SYMBOLS
    scenario: str = DEFAULT_SCENARIO
    tape: Path | None = None
    speed: float = 1.0
    tier: str = "premium"
    verification: Verification = Verification.FULL
    enforces_limits: bool = True
    allows_remote: bool = False
    watches_stdin: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the server's flags to a parser; `options_of` reads them."""
    defaults = ServeOptions()
    verifications = [mode.value for mode in Verification]
    add = parser.add_argument
    add("--host", default=defaults.host, help="address to listen on (loopback unless --allow-remote)")
    add("--port", type=int, default=defaults.port, help="port for HTTP and WebSocket; 0 picks a free one")
    add("--chain-id", type=int, default=defaults.chain_id, help="chain id in every signature (official clients: 304)")
    add("--seed", type=int, default=defaults.seed, help="seed of the synthetic market")
    add("--markets", default=",".join(defaults.symbols), help="symbols of the synthetic market, with commas")
    add("--scenario", default=defaults.scenario, help="named synthetic market: calm, normal, volatile, toxic, crash")
    add("--tape", type=Path, default=None, metavar="DIR", help="replay a recorded session as the market instead")
    add("--speed", type=float, default=defaults.speed, help="how many times as fast as it happened the tape runs")
    add("--tier", choices=list(TIERS), default=defaults.tier, help="tier of accounts that name none")
    add("--verify", choices=verifications, default=defaults.verification.value, help="which signatures are verified")
    add("--no-limits", action="store_true", help="lift request, transaction and volume limits")
    add("--allow-remote", action="store_true", help="allow an address that is not this machine's own")
    add("--watch-stdin", action="store_true", help="stop when standard input is closed")


def options_of(flags: argparse.Namespace) -> ServeOptions:
    """Return the options of parsed flags; raises ConfigError with every problem found."""
    options = ServeOptions(
        host=flags.host,
        port=flags.port,
        chain_id=flags.chain_id,
        seed=flags.seed,
        symbols=tuple(symbol.strip() for symbol in flags.markets.split(",")),
        scenario=flags.scenario,
        tape=flags.tape,
        speed=flags.speed,
        tier=flags.tier,
        verification=Verification(flags.verify),
        enforces_limits=not flags.no_limits,
        allows_remote=flags.allow_remote,
        watches_stdin=flags.watch_stdin,
    )
    check_options(options)
    return options


def check_options(options: ServeOptions) -> None:
    """Raise ConfigError with every option that cannot be used."""
    problems = []
    if not is_loopback_host(options.host) and not options.allows_remote:
        problems.append(f"--host: {options.host} is not this machine's own address; --allow-remote insists on it")
    if not 0 <= options.port <= PORT_MAX:
        problems.append(f"--port: {options.port} is not within 0 and {PORT_MAX}")
    if not 0 <= options.chain_id < 2**32:
        problems.append(f"--chain-id: {options.chain_id} is not an unsigned 32-bit number")
    if options.tier not in TIERS:
        problems.append(f"--tier: {options.tier!r} is none of {', '.join(TIERS)}")
    if not (math.isfinite(options.speed) and options.speed > 0):
        problems.append(f"--speed: {options.speed} is not a positive number")
    if problems:
        raise ConfigError(problems)


def is_loopback_host(host: str) -> bool:
    """Tell whether a host to listen on is this machine's own; names other than localhost are not trusted."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
