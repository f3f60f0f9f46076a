"""The HTTP side of the exchange: bytes in, bytes out, time given.

Law of this file (protocol reference 2.0, 12.1): everything is answered in JSON, success and
error; a refusal is HTTP 400 with code and text, 401 for a bad token, 404 for an unknown path,
429 for too many requests. Who sends a token is limited by its account's tier, who sends none by
address; transactions are limited where they are admitted.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from lighterman.domain.errors import VenueError
from lighterman.protocol import rest
from lighterman.protocol.codes import Code
from lighterman.protocol.objects import Failure
from lighterman.simulator import account_routes, local_routes, market_routes, transaction_routes
from lighterman.simulator.calls import Access, Call, HttpRequest, Route, Services
from lighterman.simulator.forms import Form, parse_body, parse_query
from lighterman.simulator.limits import Windows
from lighterman.simulator.tokens import Caller, bad_token

NOTICE = "SIMULATED: a local exchange of lighterman, not Lighter; nothing here is worth anything"
CONTRACT = "0x0000000000000000000000000000000000000000"
NETWORK_ID = 1
SECOND_US = 1_000_000

HTTP_OK = 200
HTTP_BAD_REQUEST = 400
HTTP_NOT_FOUND = 404
_HTTP_OF: Mapping[int, int] = MappingProxyType({Code.INVALID_AUTH: 401, Code.TOO_MANY_REQUESTS: 429})


class HttpResponse(msgspec.Struct, frozen=True):
    """An answer; its body is JSON."""

    status: int
    body: bytes


def failure(error: VenueError) -> HttpResponse:
    """Return a refusal as the venue writes it."""
    body = msgspec.json.encode(Failure(error.code, error.message))
    return HttpResponse(_HTTP_OF.get(error.code, HTTP_BAD_REQUEST), body)


class Door:
    """Answers HTTP requests."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._by_ip = Windows()
        self._by_owner = Windows()

    def handle(self, request: HttpRequest, now_us: int) -> HttpResponse:
        """Answer one request; time has been brought up to `now_us` before."""
        try:
            answer = self._answer(request, now_us)
        except VenueError as error:
            return failure(error)
        if answer is None:
            return HttpResponse(HTTP_NOT_FOUND, msgspec.json.encode(rest.NOT_FOUND))
        return HttpResponse(HTTP_OK, msgspec.json.encode(answer))

    def _answer(self, request: HttpRequest, now_us: int) -> msgspec.Struct | None:
        """Return the answer, None where there is nothing of that name; raises VenueError."""
        if local_routes.is_local(request):
            return local_routes.answer(self._services, request)
        route = _ROUTES.get((request.method, request.path))
        if route is None:
            return None
        texts = parse_query(request.query)
        if request.method == "POST":
            texts |= parse_body(request.headers.get("content-type", ""), request.body)
        caller = self._caller(route, request.headers.get("authorization") or texts.get("auth", ""), now_us)
        self._count(route, caller, request.ip, now_us)
        return route.answer(self._services, Call(Form(texts), caller, now_us))

    def _caller(self, route: Route, token: str, now_us: int) -> Caller | None:
        """Return who holds the token; where none is needed a bad one is as good as none."""
        if not token:
            return None
        try:
            caller = self._services.gatekeeper.authenticate(token, now_us)
        except VenueError:
            if route.access is Access.OPEN:
                return None
            raise
        if route.access is Access.WRITE and caller.is_read_only:
            raise bad_token("a read-only token")
        return caller

    def _count(self, route: Route, caller: Caller | None, ip: str, now_us: int) -> None:
        """Count the request's weight (6.1); raises VenueError 23000."""
        limits = self._services.limits
        if not route.weight or not limits.enforced:
            return
        view = self._services.exchange.account(caller.account_index) if caller else None
        if view is None:
            tier, window = limits.unauthenticated, self._by_ip[ip]
        else:
            tier, window = limits.tiers[view.tier], self._by_owner[view.l1_address]
        if not window.take(max(route.weight, tier.weight_floor), tier.weight, now_us):
            raise VenueError(Code.TOO_MANY_REQUESTS, Code.TOO_MANY_REQUESTS.text)


def _status(_services: Services, call: Call) -> rest.Status:
    return rest.Status(HTTP_OK, NETWORK_ID, call.now_us // SECOND_US, NOTICE)


def _info(_services: Services, _call: Call) -> rest.Info:
    return rest.Info(CONTRACT)


_ROUTES: Mapping[tuple[str, str], Route] = MappingProxyType(
    {
        ("GET", "/"): Route(_status, weight=0),
        ("GET", "/info"): Route(_info, weight=0),
        **market_routes.ROUTES,
        **account_routes.ROUTES,
        **transaction_routes.ROUTES,
    }
)
