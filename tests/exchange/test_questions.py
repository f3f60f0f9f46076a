import asyncio

from helpers.memory_venue import in_world, json_reply
from lighterman.domain.commands import CancelOrder, PlaceOrder, QueryAccount, QueryOrders, ResyncBook
from lighterman.domain.events import AccountSnapshot, BookLost, BookSnapshot, OrderReport, OrdersAbsent


@in_world()
async def test_orders_are_found_or_absent(world):
    """Active and ended orders each give a row; what the venue knows nothing of is absent as of the question."""
    world.submit(*(PlaceOrder(number, 0, number, False, 290_000, 1000) for number in (1, 2)))
    await asyncio.sleep(0.1)
    world.submit(CancelOrder(3, 0, 2))
    await asyncio.sleep(0.1)
    heard, asked_ns = len(world.events), world.clock.mono_ns()
    world.venue.query([QueryOrders([1, 2, 3]), QueryOrders([3, 4])])
    await world.until(lambda: world.of(OrdersAbsent))
    rows = [
        (event.client_order_index, event.status) for event in world.events[heard:] if isinstance(event, OrderReport)
    ]

    assert [(1, "open"), (2, "canceled")] == rows
    (absent,) = world.of(OrdersAbsent)
    assert ([3, 4], asked_ns) == (absent.client_order_indexes, absent.asked_ns)


@in_world()
async def test_the_account_is_told_as_asked(world):
    """Asked twice at once, answered once."""
    before = len(world.of(AccountSnapshot))
    world.venue.query([QueryAccount(), QueryAccount()])
    await asyncio.sleep(1)

    assert len(world.of(AccountSnapshot)) == before + 1


@in_world()
async def test_a_question_is_repeated_until_it_is_answered(world):
    """A venue that refuses, and one that cannot be reached, are asked again later."""
    world.network.instead["accountOrders"] = json_reply('{"code":20001,"message":"no"}', 400)
    world.venue.query([QueryOrders([7])])
    await asyncio.sleep(0.5)
    assert not world.of(OrdersAbsent)

    await world.until(lambda: world.of(OrdersAbsent), seconds=2)
    world.network.is_refusing = True
    world.venue.query([QueryOrders([8])])
    await asyncio.sleep(20)
    world.network.is_refusing = False
    await world.until(lambda: len(world.of(OrdersAbsent)) == 2, seconds=6)


@in_world()
async def test_a_question_that_fails_makes_no_other_wait(world):
    """Orders cannot be asked about: the account is told all the same."""
    before = len(world.of(AccountSnapshot))
    world.network.loses_request = lambda endpoint: endpoint == "accountOrders"
    world.venue.query([QueryOrders([7]), QueryAccount()])
    await world.until(lambda: len(world.of(AccountSnapshot)) > before, seconds=1)

    world.network.loses_request = lambda endpoint: False
    await world.until(lambda: world.of(OrdersAbsent), seconds=8)


@in_world()
async def test_the_account_after_a_silence_is_read_before_everything_else(world):
    """A question that is asked while the client catches up waits until it has: requests are few, and quotes wait."""
    asked = len(world.network.requests)
    world.network.stream_of("account_tx").cut()
    await world.until(lambda: ("GET", "account") in world.network.requests[asked:])
    world.venue.query([QueryOrders([7])])
    await world.until(lambda: world.of(OrdersAbsent))
    endpoints = [endpoint for _, endpoint in world.network.requests[asked:]]

    assert endpoints.index("positionFunding") < endpoints.index("accountOrders")


@in_world()
async def test_a_corrupt_book_is_fetched_anew(world):
    """Only its holder sees that a book is crossed: on its word it is lost and comes again."""
    world.venue.query([ResyncBook(1)])
    await world.until(lambda: len(world.of(BookSnapshot)) == 3, seconds=1)

    assert [(1, "crossed book")] == [(event.market, event.reason) for event in world.of(BookLost)]
