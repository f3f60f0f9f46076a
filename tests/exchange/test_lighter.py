import asyncio

import pytest
from msgspec.structs import replace

from helpers.memory_venue import ACCOUNT, Network, World, in_world
from helpers.virtual_time import run
from lighterman.chance import seeded
from lighterman.domain.commands import CancelAll, CancelOrder, ModifyOrder, PlaceOrder, QueryAccount
from lighterman.domain.errors import LocalProtocolError
from lighterman.domain.events import (
    AccountSnapshot,
    CommandAcked,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    FillReport,
    Link,
    LinkReport,
    MarketReport,
    OrderReport,
)
from lighterman.domain.position import FLAT, apply_fill
from lighterman.exchange.lighter import LighterVenue
from lighterman.exchange.transport import HttpReply
from lighterman.simulator.calls import HttpRequest


def test_one_key_or_two():
    """No key signs nothing, and a third has no task."""
    for signers in ({}, dict.fromkeys(range(3))):
        with pytest.raises(LocalProtocolError):
            LighterVenue(None, signers, None, None, None, None, None)


@in_world()
async def test_a_life_of_orders_is_told_whole(world):
    """Place, modify, fill, cancel: every command ends in its outcome and every order in its row."""
    world.submit(*(PlaceOrder(number, 0, number, number % 2 == 0, _price(number), 1000) for number in range(1, 11)))
    await asyncio.sleep(0.1)
    world.submit(ModifyOrder(11, 0, 1, 299_800, 2000), CancelOrder(12, 0, 3))
    await asyncio.sleep(0.1)
    world.network.hit(0, is_ask=True, price_ticks=299_800, size_lots=100)
    world.submit(CancelAll(13))
    await asyncio.sleep(0.5)
    last = {report.client_order_index: report for report in world.of(OrderReport)}

    assert set(range(1, 14)) == set(world.outcomes(CommandExecuted))
    assert all(report.is_terminal for report in last.values())
    assert await world.venue.open_order_count() == 0


def _price(number):
    return 300_050 + number if number % 2 == 0 else 299_950 - number


@in_world()
async def test_markets_are_read_again_every_hour(world):
    """Fees, minimums and status may change while we run."""
    await asyncio.sleep(3605)

    assert len(world.of(MarketReport)) == 4


@in_world()
async def test_a_closed_market_is_looked_at_more_often(world):
    """Nobody tells when a market opens again, and an hour would be long."""
    exchange = world.network.exchange
    exchange.set_market(replace(exchange.markets[0], active=False))
    await asyncio.sleep(3605)
    exchange.set_market(replace(exchange.markets[0], active=True))
    await asyncio.sleep(15)
    (last, _) = world.of(MarketReport)[-2:]

    assert (0, True) == (last.market.index, last.market.active)


@pytest.mark.parametrize(
    ("written", "instead", "expected"),
    [
        (b'"price_decimals":2', b'"price_decimals":3', (3, True)),
        (b'"price_decimals":2', b'"price_decimals":1', (1, True)),
        (b'"symbol":"ETH"', b'"symbol":"GONE"', (2, False)),
        (b'"min_base_amount":"0.0050"', b'"min_base_amount":"0.00501"', (2, False)),
        (b'"market_id":0', b'"market_id":7', (2, False)),
    ],
)
def test_a_market_described_otherwise_is_told(written, instead, expected):
    """Another scale is told, whether or not it could be traded; what is gone or cannot be read counts as closed."""

    @in_world()
    async def told(world):
        details = HttpRequest("GET", "/api/v1/orderBookDetails", "filter=perp", {}, b"", "127.0.0.1")
        body = world.network.app.handle(details, world.network.now_us()).body
        assert written in body
        world.network.instead["orderBookDetails"] = HttpReply(
            200, "application/json", body.replace(written, instead, 1)
        )
        await asyncio.sleep(3601)
        market = world.of(MarketReport)[2].market

        assert (0, "ETH", *expected) == (market.index, market.symbol, market.price_decimals, market.active)

    told()


@in_world(quiet_ms=12_000)
async def test_what_an_earlier_session_sent_is_waited_for(world):
    """Until nothing that a killed session has sent can run any more, transactions count as down, and say why."""
    told = [(each.up, each.reason) for each in world.of(LinkReport) if each.link is Link.TRANSACTIONS]

    assert (False, "what an earlier session has sent may still run") in told
    assert (True, "") == told[-1]
    assert world.clock.mono_ns() >= 12 * 10**9


@in_world()
async def test_orders_do_not_leave_while_nothing_private_is_heard(world):
    """A process that stood still must not act on a private stream that it has not heard since; cancels go."""
    vars(asyncio.get_running_loop())["now_s"] += 10
    world.submit(PlaceOrder(1, 0, 1, False, 290_000, 1000), CancelAll(2))
    await asyncio.sleep(0.1)

    assert ["nothing private was heard lately"] == [each.message for each in world.of(CommandRefused)]
    assert [2] == world.outcomes(CommandAcked)


@in_world()
async def test_closing_ends_everything_and_leaves_orders_alone(world):
    """After `close` no task is left and no stream is open; what rests at the venue rests."""
    world.submit(PlaceOrder(1, 0, 1, False, 290_000, 1000))
    await asyncio.sleep(0.1)
    await world.venue.close()
    await asyncio.sleep(0.1)

    assert all(stream.is_closed for stream in world.network.streams)
    assert len(world.network.exchange.open_orders(ACCOUNT)) == 1


def _storm(seed):
    """Trade for two minutes on a network that breaks at random; then let it heal, and compare."""

    async def body():
        rng = seeded(seed, "storm")
        world = World(Network(), transaction_lifetime_ms=5_000)
        async with world:
            command = 0
            for _ in range(120):
                command = _trade(world, rng, command)
                _break(world, rng)
                await asyncio.sleep(rng.uniform(0.1, 1.5))
            _heal(world)
            await asyncio.sleep(40)
            await world.until(lambda: len(world.links_up()) == 3)
            world.submit(CancelAll(command + 1))
            await asyncio.sleep(1)
            world.venue.query([QueryAccount()])
            await asyncio.sleep(1)
            await _compare(world, command + 1)
        return [type(event).__name__ for event in world.events]

    return run(body())


def _trade(world, rng, command):
    commands = []
    for _ in range(rng.randrange(4)):
        command += 1
        is_ask = rng.random() < 0.5
        price = 300_000 + (rng.randrange(1, 80) if is_ask else -rng.randrange(1, 80))
        ours = [report.client_order_index for report in world.of(OrderReport) if not report.is_terminal]
        if ours and rng.random() < 0.3:
            commands.append(CancelOrder(command, 0, rng.choice(ours)))
        elif ours and rng.random() < 0.3:
            commands.append(ModifyOrder(command, 0, rng.choice(ours), price, rng.randrange(500, 3000)))
        else:
            commands.append(PlaceOrder(command, 0, 10_000 + command, is_ask, price, rng.randrange(500, 3000)))
    if commands:
        world.submit(*commands)
    if rng.random() < 0.5:
        is_ask = rng.random() < 0.5
        price = 299_900 if is_ask else 300_100
        world.network.hit(0, is_ask=is_ask, price_ticks=price, size_lots=rng.randrange(100, 4000))
    return command


def _break(world, rng):
    network = world.network
    open_streams = [stream for stream in network.streams if not stream.is_closed]
    match rng.randrange(14):
        case 0 if open_streams:
            rng.choice(open_streams).cut()
        case 1 if open_streams:
            stream = rng.choice(open_streams)
            stream.drops_inbound = lambda frame: b"ping" not in frame and rng.random() < 0.2
        case 2 if open_streams:
            stream = rng.choice(open_streams)
            stream.drops_outbound = lambda frame: b"jsonapi" in frame
        case 3:
            network.is_refusing = True
        case 4:
            network.loses_reply = lambda endpoint: endpoint.startswith("send")
        case 5:
            network.loses_request = lambda endpoint: endpoint.startswith("send")
        case 6 | 7 | 8:
            _heal(world)
        case _:
            pass


def _heal(world):
    network = world.network
    network.is_refusing = False
    network.loses_reply = network.loses_request = lambda endpoint: False
    for stream in network.streams:
        stream.drops_inbound = stream.drops_outbound = lambda frame: False


async def _compare(world, last_command):
    """Every command has an outcome that is true, every fill is known once, and what we know is what is so."""
    exchange = world.network.exchange
    verdicts = {event.command_id: event for event in world.of(CommandExecuted)}
    refused = set(world.outcomes(CommandRefused))
    told = set(verdicts) | refused | set(world.outcomes(CommandAcked)) | set(world.outcomes(CommandUnknown))
    assert set(range(1, last_command + 1)) == told
    assert not refused & set(verdicts)
    rows = {row.client_order_index for row in exchange.open_orders(ACCOUNT) + exchange.ended_orders(ACCOUNT)}
    assert not {10_000 + command for command in refused} & rows
    fills = {(fill.trade_id, fill.is_ask): fill for fill in world.of(FillReport)}
    assert len(fills) == len(world.of(FillReport))
    position, market = FLAT, world.of(MarketReport)[0].market
    for fill in sorted(fills.values(), key=lambda fill: fill.trade_id):
        delta = -fill.size_lots if fill.is_ask else fill.size_lots
        position, _ = apply_fill(position, delta_lots=delta, price_ticks=fill.price_ticks, market=market)
    account = exchange.account(ACCOUNT)
    held = {view.market: (view.size_lots, view.entry_quote_micro) for view in account.positions}
    assert (position.size_lots, position.entry_quote_micro) == held.get(0, (0, 0))
    assert account.collateral_pico == world.of(AccountSnapshot)[-1].collateral_pico
    assert await world.venue.open_order_count() == 0


@pytest.mark.parametrize("seed", range(12))
def test_through_a_storm_every_outcome_is_true(seed):
    """Cuts, lost frames, requests and answers: nothing refused ever rested, no fill is missed or told twice."""
    _storm(seed)


def test_the_same_seed_tells_the_same_story():
    """In virtual time, with the same seeds, the client does the same again, event for event."""
    assert _storm(3) == _storm(3)
