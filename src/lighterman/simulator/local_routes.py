"""The local exchange's own doors, which the venue does not have: open an account, read its ledger.

They are for this machine alone: a caller from anywhere else is told that nothing is there.
"""

import ipaddress
import re

import msgspec

from lighterman.domain.errors import RemoteProtocolError
from lighterman.protocol import objects, rest
from lighterman.simulator.calls import HttpRequest, Services
from lighterman.simulator.forms import invalid

ACCOUNTS = "/local/v1/accounts"

_LEDGER = re.compile(rf"{ACCOUNTS}/([0-9]{{1,15}})/ledger", re.ASCII)


def is_local(request: HttpRequest) -> bool:
    """Tell whether a request comes from this machine and asks for one of these doors."""
    return request.path.startswith(ACCOUNTS) and is_loopback(request.ip)


def is_loopback(ip: str) -> bool:
    """Tell whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False


def answer(services: Services, request: HttpRequest) -> msgspec.Struct | None:
    """Answer a request, None when there is no such door; raises VenueError."""
    if (request.method, request.path) == ("POST", ACCOUNTS):
        return _open_account(services, request.body)
    ledger = _LEDGER.fullmatch(request.path)
    if ledger is not None and request.method == "GET":
        return services.registry.ledger(int(ledger[1]))
    return None


def _open_account(services: Services, body: bytes) -> msgspec.Struct:
    try:
        wanted = objects.decode(body, rest.OpenAccount)
    except RemoteProtocolError as error:
        raise invalid(str(error)) from None
    return services.registry.open(wanted)
