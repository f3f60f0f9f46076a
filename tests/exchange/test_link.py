import asyncio
import contextlib
import itertools

from helpers.memory_venue import World, in_world
from helpers.virtual_time import run
from lighterman.domain.events import BookDelta, BookLost, BookSnapshot, Link, LinkReport
from lighterman.exchange import tokens


def _reports(world, link):
    return [(report.up, report.reason) for report in world.of(LinkReport) if report.link is link]


@in_world()
async def test_a_link_is_up_only_with_the_first_data_of_every_channel(world):
    """The public link is told to be up after a book and statistics of every market."""
    kinds = [event for event in world.events if isinstance(event, BookSnapshot | LinkReport)]
    up = next(place for place, event in enumerate(kinds) if isinstance(event, LinkReport) and event.link is Link.PUBLIC)

    assert up == 2 or {0, 1} == {event.market for event in kinds[:up] if isinstance(event, BookSnapshot)}


@in_world()
async def test_a_cut_connection_loses_the_books_and_comes_back(world):
    """Down with its reason and every book lost; then connected, subscribed and up again within a second."""
    world.network.stream_of("order_book").cut("network gone")
    await world.until(lambda: not _reports(world, Link.PUBLIC)[-1][0], seconds=0.1)

    assert {0, 1} == {event.market for event in world.of(BookLost)}
    assert "network gone" in _reports(world, Link.PUBLIC)[-1][1]
    await world.until(lambda: _reports(world, Link.PUBLIC)[-1][0], seconds=1)
    assert len(world.of(BookSnapshot)) == 4


@in_world()
async def test_a_silent_connection_is_noticed(world):
    """Half-open, nothing comes any more: within seven seconds it is closed and made anew."""
    stream = world.network.stream_of("order_book")
    stream.drops_inbound = lambda frame: True
    await world.until(lambda: not _reports(world, Link.PUBLIC)[-1][0], seconds=7)

    assert "ping unanswered" in _reports(world, Link.PUBLIC)[-1][1]
    assert stream.is_closed


@in_world()
async def test_retries_come_later_and_later_within_limits(world):
    """While nobody answers, the waits double with jitter up to ten seconds; three links stay below 40 a minute."""
    world.network.is_refusing = True
    for stream in list(world.network.streams):
        stream.cut()
    await asyncio.sleep(600)
    downs = [report.recv_ns / 1e9 for report in world.of(LinkReport) if report.link is Link.PUBLIC and not report.up]
    waits = [later - earlier for earlier, later in itertools.pairwise(downs)]

    assert waits[0] < 0.6
    assert all(5 <= wait <= 10.1 for wait in waits[9:])
    assert len({round(wait, 3) for wait in waits[9:]}) > 3
    assert max(sum(start <= at < start + 60 for at in downs) for start in downs) <= 13

    world.network.is_refusing = False
    await world.until(lambda: len(world.links_up()) == 3)


@in_world()
async def test_a_connection_that_flaps_is_not_forgiven_at_once(world):
    """Up for a moment and down again does not begin the waits anew."""
    downs = []
    for _ in range(6):
        await world.until(lambda: _reports(world, Link.PUBLIC)[-1][0])
        world.network.stream_of("order_book").cut()
        downs.append(world.clock.mono_ns() / 1e9)
        await asyncio.sleep(0.01)

    assert downs[-1] - downs[-2] > 1.5


@in_world()
async def test_a_lost_frame_costs_one_resubscription(world):
    """A gap is told as a lost book, and the next snapshot brings it back; the link stays up."""
    stream = world.network.stream_of("order_book")
    stream.drops_inbound = lambda frame: b"update/order_book" in frame
    world.network.hit(0, is_ask=False, price_ticks=300_100, size_lots=100)
    await asyncio.sleep(0.2)
    stream.drops_inbound = lambda frame: False
    world.network.hit(0, is_ask=False, price_ticks=300_100, size_lots=100)
    await world.until(lambda: world.of(BookLost), seconds=1)
    await world.until(lambda: len(world.of(BookSnapshot)) == 3, seconds=1)

    assert [0] == [event.market for event in world.of(BookLost)]
    assert [(True, "")] == _reports(world, Link.PUBLIC)


def test_a_token_is_renewed_in_time(monkeypatch):
    """Private channels are subscribed anew twenty minutes before their token ends, and nothing goes down."""
    monkeypatch.setattr(tokens, "LIFE_S", tokens.REFRESH_BEFORE_S + 300)

    async def body():
        async with World() as world:
            stream = world.network.stream_of("account_tx")
            await asyncio.sleep(400)
            renewals = [frame for frame in stream.said if b'"unsubscribe"' in frame and b"account_tx" in frame]
            assert len(renewals) == 1
            assert not stream.is_closed
            assert [(True, "")] == _reports(world, Link.PRIVATE)

    run(body())


def test_a_bug_ends_the_run_and_is_told():
    """What must not happen does not vanish in a callback: whoever wired the client hears of it."""

    async def body():
        async with World() as world:
            world.trap = (BookDelta,)
            with contextlib.suppress(ZeroDivisionError):
                world.network.hit(0, is_ask=False, price_ticks=300_100, size_lots=100)
                await asyncio.sleep(1)
            assert [ZeroDivisionError] == [type(failure) for failure in world.failures]
            world.failures.clear()

    run(body())
