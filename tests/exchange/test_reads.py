import asyncio
from collections import deque

import msgspec
import pytest

from helpers.golden import golden_object
from helpers.memory_venue import World, in_world, json_reply
from helpers.virtual_time import VirtualClock, run
from lighterman.domain.commands import PlaceOrder
from lighterman.domain.errors import RemoteProtocolError, TransportError, VenueError
from lighterman.exchange.ratelimit import Allowance, RateLimits
from lighterman.exchange.reads import Reads
from lighterman.exchange.tokens import AuthTokens
from lighterman.exchange.transport import HttpReply
from lighterman.exchange.venuetime import VenueTime
from lighterman.protocol.rest import JSON


class _Scripted:
    """A transport that answers with what it was given, one after the other."""

    def __init__(self, *replies):
        self.replies = deque(replies)
        self.asked = []

    async def request(self, method, path, query, form, headers):
        self.asked.append((path, dict(query), dict(headers), asyncio.get_running_loop().time()))
        reply = self.replies.popleft() if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        if reply is None:
            await asyncio.sleep(3600)
        return reply


class _Signer:
    count = 0

    async def auth_token(self, deadline_s):
        self.count += 1
        return f"token {self.count}"


def _reads(transport):
    clock = VirtualClock(1_800_000_000_000_000)
    tokens = AuthTokens([_Signer()], VenueTime(clock))
    return Reads(transport, clock, RateLimits(Allowance()), tokens, account_index=8, timeout_ms=10_000)


def _ask(transport, name, *arguments):
    async def body():
        return await getattr(_reads(transport), name)(*arguments)

    return run(body())


NONCE = json_reply('{"code":200,"nonce":722}')


@pytest.mark.parametrize(
    "failure",
    [
        TransportError("reset"),
        json_reply('{"code":29500,"message":"internal"}', 500),
        json_reply('{"code":23000,"message":"Too Many Requests!"}', 429),
        HttpReply(403, "text/html", b"<html>firewall</html>"),
        None,
    ],
)
def test_a_read_is_repeated_after_a_passing_failure(failure):
    """Network, server, firewall, silence: a read changes nothing, so it is asked again, and later."""
    transport = _Scripted(failure, NONCE)

    assert _ask(transport, "next_nonce", 5) == 722
    first, second = (at_s for *_, at_s in transport.asked)
    assert second - first >= 0.25


def test_a_venue_that_stays_away_is_an_error_of_the_network():
    """After a few tries the failure is told."""
    transport = _Scripted(TransportError("reset"))
    with pytest.raises(TransportError):
        _ask(transport, "next_nonce", 5)

    assert len(transport.asked) == 4


def test_a_refusal_is_not_repeated():
    """What the venue refuses it will refuse again."""
    transport = _Scripted(json_reply('{"code":21100,"message":"account not found"}', 400))
    with pytest.raises(VenueError, match="21100"):
        _ask(transport, "next_nonce", 5)

    assert len(transport.asked) == 1


def test_a_reply_of_another_form_is_not_believed():
    """A number that is missing is an error, not a zero."""
    with pytest.raises(RemoteProtocolError):
        _ask(_Scripted(json_reply('{"code":200}')), "next_nonce", 5)


def test_a_refused_token_is_replaced_once():
    """20013: a new token, and if that is refused too, so be it."""
    refused = json_reply('{"code":20013,"message":"invalid auth: invalid deadline"}', 401)
    transport = _Scripted(refused, json_reply('{"code":200,"orders":null}'))

    assert _ask(transport, "active_orders") == []
    assert ["token 1", "token 2"] == [headers["Authorization"] for _, _, headers, _ in transport.asked]

    with pytest.raises(VenueError, match="20013"):
        _ask(_Scripted(refused), "active_orders")


def test_tokens_stay_out_of_urls():
    """The token is a header; public reads have none."""
    transport = _Scripted(json_reply('{"code":200,"orders":[]}'))
    _ask(transport, "active_orders")
    assert "auth" not in transport.asked[0][1]

    transport = _Scripted(NONCE)
    _ask(transport, "next_nonce", 5)
    assert transport.asked[0][2] == {}


def test_pages_of_orders_are_walked_to_the_end():
    """A cursor leads to the next page; an empty one ends the walk."""
    row = golden_object("order")
    pages = [
        {"code": 200, "next_cursor": "a", "orders": [row | {"client_order_index": 1}]},
        {"code": 200, "next_cursor": "", "orders": [row | {"client_order_index": 2}]},
    ]
    transport = _Scripted(*(json_reply(_json(page)) for page in pages))

    assert [1, 2] == [order.client_order_index for order in _ask(transport, "active_orders")]
    assert [None, "a"] == [query.get("cursor") for _, query, *_ in transport.asked]


def test_trades_are_walked_back_to_the_last_known():
    """Newest first, page after page, until one reaches what is known."""
    row = golden_object("trade")
    pages = [[90, 80], [70, 60], [50, 40]]
    replies = [
        json_reply(_json({"code": 200, "next_cursor": "more", "trades": [row | {"trade_id": n} for n in page]}))
        for page in pages
    ]
    transport = _Scripted(*replies)

    assert [90, 80, 70, 60] == [trade.trade_id for trade in _ask(transport, "trades_after", 65)]


def test_endless_trades_are_an_error():
    """A venue that always has another page does not hold us for ever."""
    page = json_reply(_json({"code": 200, "next_cursor": "more", "trades": [golden_object("trade")]}))
    with pytest.raises(RemoteProtocolError, match="pages"):
        _ask(_Scripted(page), "trades_after", 0)


def test_requests_stay_below_the_venue_s_limit():
    """However often we are asked to ask: a standard account makes fewer than sixty requests in any minute."""
    transport = _Scripted(NONCE)

    async def body():
        reads = _reads(transport)
        await asyncio.gather(*(reads.next_nonce(5) for _ in range(150)))

    run(body())
    times = [at_s for *_, at_s in transport.asked]

    assert len(times) == 150
    assert max(sum(start <= at < start + 60 for at in times) for start in times) < 60


@in_world()
async def test_orders_are_found_by_our_own_ids(world: World):
    """More than twenty are asked for in groups; without `accountOrders` both lists are searched."""
    world.submit(*(PlaceOrder(number, 0, number, False, 290_000, 1000) for number in range(1, 46)))
    await asyncio.sleep(1)
    reads = world.reads()

    assert len(await reads.orders_by_client_index(range(1, 60))) == 45
    world.network.instead["accountOrders"] = HttpReply(404, JSON, b'{"code":29404,"message":"not found"}')
    assert len(await reads.orders_by_client_index(range(1, 60))) == 45


@in_world()
async def test_a_transaction_nobody_knows_is_none(world: World):
    """21500 is an answer: the venue does not know it."""
    assert await world.reads().transaction("ab" * 40) is None


def _json(value):
    return msgspec.json.encode(value).decode()
