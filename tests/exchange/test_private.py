import asyncio

import msgspec

from helpers.golden import golden_object
from helpers.local_venue import START_US
from helpers.memory_venue import ACCOUNT, World, in_world, json_reply
from helpers.virtual_time import run
from lighterman.domain.commands import CancelOrder, PlaceOrder, QueryAccount
from lighterman.domain.events import (
    AccountSnapshot,
    CollateralReport,
    CommandExecuted,
    FillReport,
    FundingReport,
    Link,
    LinkReport,
    OrderReport,
    PositionReport,
)


def _bid(command_id, client=None, price=299_950, size=1000):
    return PlaceOrder(command_id, 0, client or 1000 + command_id, False, price, size)


def _hit(world, size=1000):
    """Let somebody sell into our best bid."""
    world.network.hit(0, is_ask=True, price_ticks=299_950, size_lots=size)


@in_world()
async def test_a_fill_is_told_once_with_order_position_and_collateral(world):
    """Trades, rows, positions and collateral each come from their own channel."""
    world.submit(_bid(1))
    await asyncio.sleep(0.1)
    _hit(world, 400)
    await asyncio.sleep(0.1)

    (fill,) = world.of(FillReport)
    assert (0, 1001, False, 299_950, 400, True) == (
        fill.market,
        fill.client_order_index,
        fill.is_ask,
        fill.price_ticks,
        fill.size_lots,
        fill.is_maker,
    )
    assert [(0, "open"), (400, "open")] == [(row.filled_lots, row.status) for row in world.of(OrderReport)]
    assert [400] == [report.size_lots for report in world.of(PositionReport)]
    ledger = world.network.exchange.account(ACCOUNT)
    assert world.of(CollateralReport)[-1].collateral_pico == ledger.collateral_pico


@in_world()
async def test_foreign_orders_show(world):
    """An order that somebody else made on our account is told like any other."""
    world.submit(_bid(1, client=4711))
    await asyncio.sleep(0.1)
    async with World(world.network, keys=(8,)) as other:
        (order,) = other.of(AccountSnapshot)[0].orders
        assert (4711, "open") == (order.client_order_index, order.status)
        other.submit(PlaceOrder(1, 0, 4712, False, 299_000, 1000))
        await asyncio.sleep(0.1)

    assert 4712 in [report.client_order_index for report in world.of(OrderReport)]


@in_world()
async def test_fills_missed_while_cut_off_are_told_before_the_link_is_up(world):
    """After a reconnect the trades of the gap come from REST, then the account, then the link is up."""
    world.submit(_bid(1, size=5000))
    await asyncio.sleep(0.1)
    _hit(world, 100)
    await asyncio.sleep(0.1)
    world.network.stream_of("account_tx").cut()
    await asyncio.sleep(0)
    for _ in range(3):
        _hit(world, 100)
    heard = len(world.events)
    await world.until(lambda: len(world.links_up()) == 3)
    told = [
        type(event) for event in world.events[heard:] if isinstance(event, FillReport | AccountSnapshot | LinkReport)
    ]

    assert len(world.of(FillReport)) == 4
    assert len({fill.trade_id for fill in world.of(FillReport)}) == 4
    assert told[-5:] == [FillReport, FillReport, FillReport, AccountSnapshot, LinkReport]
    assert [(0, 400, 400 * 299_950)] == world.of(AccountSnapshot)[-1].positions


@in_world()
async def test_a_fill_in_the_middle_of_catching_up_is_told_once(world):
    """The stream is live again before REST has answered: what both tell is one fill."""
    world.submit(_bid(1, size=20_000))
    await asyncio.sleep(0.1)
    for _ in range(5):
        world.network.stream_of("account_tx").cut()
        for _ in range(30):
            _hit(world, 50)
            await asyncio.sleep(0.011)
        await world.until(lambda: len(world.links_up()) == 3)
    fills = world.of(FillReport)

    assert len({fill.trade_id for fill in fills}) == len(fills) == 150
    assert world.network.exchange.account(ACCOUNT).positions[0].size_lots == 150 * 50


@in_world()
async def test_what_is_asked_while_cut_off_hides_nothing_that_comes_after(world):
    """The account is asked for while its channels are silent; more than a page of fills missed after that is told."""
    world.submit(_bid(1, size=30_000))
    await asyncio.sleep(0.1)
    world.network.stream_of("account_tx").cut()
    world.venue.query([QueryAccount()])
    await asyncio.sleep(0.05)
    assert len(world.of(AccountSnapshot)) == 3
    for _ in range(150):
        _hit(world, 50)
    while len(world.links_up()) < 3:
        _hit(world, 50)
        await asyncio.sleep(0.001)

    filled_lots = world.network.exchange.account(ACCOUNT).positions[0].size_lots
    assert sum(fill.size_lots for fill in world.of(FillReport)) == filled_lots


def test_what_happened_before_the_start_is_in_the_snapshot_alone():
    """Trades of an earlier run are no fills of this one, though the venue shows them again."""

    async def body():
        async with World() as first:
            first.submit(_bid(1))
            await asyncio.sleep(0.1)
            _hit(first)
            await asyncio.sleep(0.1)
        async with World(first.network, keys=(8,)) as second:
            stream = second.network.stream_of("account_tx")
            trade = golden_object("trade") | {"trade_id": 1, "market_id": 0, "bid_account_id": ACCOUNT}
            trade |= {"price": "2999.50", "size": "0.1000"}
            frame = {"type": "subscribed/account_all_trades", "channel": f"account_all_trades:{ACCOUNT}"}
            stream.on_text(msgspec.json.encode(frame | {"trades": {"0": [trade]}}))
            assert [] == second.of(FillReport)
            assert [(0, 1000, 299_950_000)] == second.of(AccountSnapshot)[0].positions

    run(body())


@in_world(symbols=["ETH"])
async def test_funding_missed_while_cut_off_is_told(world):
    """A payment that fell into the gap comes from REST, once, exactly."""
    world.submit(_bid(1))
    await asyncio.sleep(0.1)
    _hit(world)
    await asyncio.sleep(3600 - world.clock.mono_ns() / 1e9 - 5)
    world.network.is_refusing = True
    world.network.stream_of("account_tx").cut()
    await asyncio.sleep(10)
    assert [] == world.of(FundingReport)
    world.network.is_refusing = False
    await world.until(lambda: len(world.links_up()) == 3)

    (paid,) = world.network.exchange.fundings_of(ACCOUNT)
    assert [(0, paid.funding_id, paid.amount_pico)] == [
        (event.market, event.funding_id, event.amount_pico) for event in world.of(FundingReport)
    ]
    assert START_US % 3_600_000_000 == 0


@in_world()
async def test_executions_missed_while_cut_off_are_asked_for(world):
    """What the sequencer said during the gap is looked up by hash."""
    world.submit(_bid(1))
    await asyncio.sleep(0.1)
    world.network.stream_of("account_tx").cut()
    await asyncio.sleep(0)
    world.submit(CancelOrder(2, 0, 1001))
    await world.until(lambda: world.outcomes(CommandExecuted) == [1, 2])

    assert ("GET", "tx") in world.network.requests


@in_world()
async def test_a_link_that_cannot_catch_up_is_not_up(world):
    """As long as REST refuses, the account is not known, and the link says so."""
    for _ in range(3):
        world.network.instead["trades"] = json_reply('{"code":20001,"message":"no"}', 400)
        world.network.stream_of("account_tx").cut()
        await asyncio.sleep(0.2)
        assert "trades" in world.network.instead or not world.links_up().count(Link.PRIVATE)
        await world.until(lambda: Link.PRIVATE in world.links_up())
    downs = [report.reason for report in world.of(LinkReport) if report.link is Link.PRIVATE and not report.up]

    assert any("could not catch up" in reason for reason in downs)


@in_world()
async def test_a_frame_lost_on_a_live_stream_is_made_good_by_the_next_question(world):
    """A fill that the stream never told is told when the engine asks for the account."""
    world.submit(_bid(1))
    await asyncio.sleep(0.1)
    stream = world.network.stream_of("account_tx")
    stream.drops_inbound = lambda frame: True
    _hit(world)
    await asyncio.sleep(0.1)
    stream.drops_inbound = lambda frame: False
    assert [] == world.of(FillReport)

    world.venue.query([QueryAccount()])
    await asyncio.sleep(0.1)
    assert [1000] == [fill.size_lots for fill in world.of(FillReport)]


@in_world()
async def test_a_missed_fill_is_told_although_the_rest_cannot_be_read(world):
    """A fill that the venue has told over REST is told on at once, even where the next question fails."""
    world.submit(_bid(1))
    await asyncio.sleep(0.1)
    world.network.is_refusing = True
    world.network.stream_of("account_tx").cut()
    _hit(world)
    await asyncio.sleep(0.1)
    assert [] == world.of(FillReport)
    world.network.instead["positionFunding"] = json_reply('{"code":20001,"message":"no"}', 400)
    world.network.is_refusing = False
    await world.until(lambda: "positionFunding" not in world.network.instead)

    assert Link.PRIVATE not in world.links_up()
    assert [1000] == [fill.size_lots for fill in world.of(FillReport)]
    await world.until(lambda: Link.PRIVATE in world.links_up())
    assert [1000] == [fill.size_lots for fill in world.of(FillReport)]


@in_world()
async def test_a_lost_fill_is_found_behind_a_hundred_later_ones(world):
    """However many trades the stream has told since, the next question finds the one that it lost."""
    world.submit(_bid(1, size=100_000))
    await asyncio.sleep(0.1)
    stream = world.network.stream_of("account_tx")
    stream.drops_inbound = lambda frame: True
    _hit(world, 7)
    await asyncio.sleep(0.1)
    stream.drops_inbound = lambda frame: False
    for _ in range(150):
        _hit(world, 5)
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert [5] * 150 == [fill.size_lots for fill in world.of(FillReport)]

    world.venue.query([QueryAccount()])
    await asyncio.sleep(0.2)
    assert [*[5] * 150, 7] == [fill.size_lots for fill in world.of(FillReport)]
