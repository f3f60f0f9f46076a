"""A call of the REST API between the door and the routes: what was asked, by whom, and of what."""

import enum
from collections.abc import Callable, Mapping

import msgspec

from lighterman.domain.errors import VenueError
from lighterman.matching.exchange import Exchange
from lighterman.matching.rules import Rules
from lighterman.matching.views import AccountView
from lighterman.protocol.codes import Code
from lighterman.simulator.admission import Admission
from lighterman.simulator.forms import Form
from lighterman.simulator.history import History
from lighterman.simulator.limits import LimitRules
from lighterman.simulator.registry import Registry
from lighterman.simulator.tokens import Caller, Gatekeeper, bad_token

ACCOUNT_INDEX_MAX = 2**48 - 2
WEIGHT = 300  # of whatever has no weight of its own (protocol reference 6.1)


class Services(msgspec.Struct, frozen=True):
    """What the routes work with."""

    exchange: Exchange
    rules: Rules
    limits: LimitRules
    admission: Admission
    gatekeeper: Gatekeeper
    registry: Registry
    history: History
    opened_us: int


class HttpRequest(msgspec.Struct, frozen=True):
    """A request: `query` without its question mark, header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    ip: str


class Access(enum.Enum):
    """Which token a route needs: none, one that reads, or one made by an api key."""

    OPEN = enum.auto()
    READ = enum.auto()
    WRITE = enum.auto()


class Call(msgspec.Struct, frozen=True):
    """One call; `caller` is None without a token."""

    form: Form
    caller: Caller | None
    now_us: int

    def account_index(self, name: str = "account_index", default: int | None = None) -> int:
        """Return the account a parameter names."""
        return self.form.integer(name, 0, ACCOUNT_INDEX_MAX, default)


class Route(msgspec.Struct, frozen=True):
    """How a path is answered; `weight` 0 is not counted (what is sent is counted by admission)."""

    answer: Callable[[Services, Call], msgspec.Struct]
    access: Access = Access.OPEN
    weight: int = WEIGHT


def refuse(code: Code) -> VenueError:
    """Return a refusal in the venue's words."""
    return VenueError(code, code.text)


def view_of(services: Services, account_index: int) -> AccountView:
    """Return an account that exists; raises VenueError 21100."""
    view = services.exchange.account(account_index)
    if view is None:
        raise refuse(Code.ACCOUNT_NOT_FOUND)
    return view


def own_view(services: Services, call: Call, name: str = "account_index", default: int | None = None) -> AccountView:
    """Return the account a call names, which its token must open; raises VenueError 20001, 20013, 21100."""
    if call.caller is None:
        raise VenueError(
            Code.INVALID_PARAM, f"{Code.INVALID_PARAM.text}: auth query param and Authorization header are empty"
        )
    index = call.account_index(name, default)
    if not services.gatekeeper.may_see(call.caller, index):
        raise bad_token("auth string is not from given account")
    return view_of(services, index)
