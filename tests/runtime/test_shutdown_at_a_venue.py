"""The end of a run with the real client, when the venue or the way to it is not at its best."""

import asyncio

import pytest

from helpers.live_desk import at_a_live_desk
from helpers.memory_venue import CREATE_KEY
from lighterman.domain.commands import CancelAll
from lighterman.domain.events import CommandRefused
from lighterman.runtime.shutdown import cancel_without_engine


@at_a_live_desk()
async def test_sound_venue(desk):
    """At a sound venue the end takes a moment, and the venue has been asked."""
    await desk.quote()

    count, took_s = await desk.stop()

    assert (0, []) == (count, desk.orders())
    assert took_s < 1


@at_a_live_desk(quota_start=8)
async def test_exhausted_quota(desk):
    """Without volume quota cancel-all is refused; the orders are cancelled one by one, which costs none."""
    desk.submit(CancelAll(9_999))  # takes the free transaction of these 15 seconds
    await asyncio.sleep(1)
    await desk.quote()

    count, took_s = await desk.stop()

    assert (0, []) == (count, desk.orders())
    assert took_s < 3


@at_a_live_desk()
async def test_broken_transactions_link(desk):
    """When the socket for transactions breaks at that moment the cancel-all goes another way."""
    await desk.quote()
    desk.network.stream_of("").cut()

    count, took_s = await desk.stop()

    assert (0, []) == (count, desk.orders())
    assert took_s < 3


@at_a_live_desk()
async def test_lost_cancel_all(desk):
    """A cancel-all that never arrives is unknown; another one is sent, over the other key."""
    await desk.quote()
    lost = []
    desk.network.stream_of("").drops_outbound = lambda frame: not lost and not lost.append(frame)

    count, took_s = await desk.stop()

    assert (0, []) == (count, desk.orders())
    assert len(lost) == 1
    assert took_s < 10


@pytest.mark.parametrize("age_s", [0, 5])
def test_lost_private_link(age_s):
    """When the account's stream breaks at that moment, what became of the orders is asked, young ones too."""

    @at_a_live_desk()
    async def holds(desk):
        await desk.quote()
        await asyncio.sleep(age_s)
        desk.network.stream_of("account_all_orders").cut()

        count, took_s = await desk.stop()

        assert (0, []) == (count, desk.orders())
        assert took_s < 3

    holds()


@at_a_live_desk()
async def test_venue_that_refuses_every_connection(desk):
    """A venue that cannot be reached any more leaves the number of orders unknown."""
    await desk.quote()
    desk.network.is_refusing = True
    for stream in list(desk.network.streams):
        stream.cut()

    count, _ = await desk.stop()

    assert count is None
    assert len(desk.orders()) == 8


@at_a_live_desk()
async def test_orders_on_their_way(desk):
    """Orders that have just left are waited for, and cancelled when they arrive."""
    asked = asyncio.ensure_future(desk.quote())
    await desk.has_sent.wait()
    assert [] == desk.orders()

    count, _ = await desk.stop()
    asked.cancel()
    await asyncio.sleep(5)

    assert (0, []) == (count, desk.orders())


@at_a_live_desk()
async def test_orders_that_wait_to_be_sent(desk):
    """Orders that have not left when the stop comes never leave (I3), and the engine believes them refused."""
    desk.signers[CREATE_KEY].delay_s = 0.1
    asked = asyncio.ensure_future(desk.quote())
    await desk.has_sent.wait()
    nonce = desk.network.nonce(CREATE_KEY)

    count, took_s = await desk.stop()
    asked.cancel()

    assert (0, [], nonce) == (count, desk.orders(), desk.network.nonce(CREATE_KEY))
    assert ["stopped"] * 8 == [refusal.message for refusal in desk.of(CommandRefused)]
    assert 0 == len(desk.engine.state.orders)
    assert took_s < 1


@at_a_live_desk()
async def test_bug_with_orders_on_their_way(desk):
    """After a bug orders that have just left are cancelled too, over the engine's head."""
    asked = asyncio.ensure_future(desk.quote())
    await desk.has_sent.wait()
    assert [] == desk.orders()
    desk.loop.close()

    count = await cancel_without_engine(desk.engine, desk.venue, desk.clock)
    asked.cancel()
    await asyncio.sleep(5)

    assert (0, []) == (count, desk.orders())
