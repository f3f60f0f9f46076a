"""Engine and exchange together, in any weather: the limits hold in the exchange's own truth."""

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from helpers.engine_and_exchange import BOT, CALM, MARKETS, PARAMS, Weather, World
from lighterman.domain.commands import ModifyOrder, PlaceOrder
from lighterman.domain.events import Link
from lighterman.domain.market import Market

TOTAL_MICRO = PARAMS.limits.total_position_micro_max
VALUE_MICRO = PARAMS.limits.order_value_micro_max
PER_MILLE = st.sampled_from([0, 0, 20, 150])
WEATHERS = st.builds(
    Weather,
    delay_ms_max=st.sampled_from([0, 5, 80, 900]),
    lost_request=PER_MILLE,
    lost_reply=PER_MILLE,
    late_request=PER_MILLE,
    refused=PER_MILLE,
    twice=st.sampled_from([0, 300]),
    lost_answer=PER_MILLE,
    coarse_rest=st.booleans(),
    shuffled=st.booleans(),
)
SIZES = st.integers(1, 8000) | st.integers(1, 600_000)
A_MARKET, A_SIDE, A_LINK = st.sampled_from(MARKETS), st.booleans(), st.sampled_from(list(Link))


def check(world: World) -> None:
    """What must hold at every moment, seen from the exchange."""
    total_micro = sum(_check_market(world, facts) for facts in MARKETS)
    if world.decisions and world.decisions[-1].approved:
        assert total_micro <= max(TOTAL_MICRO, world.believed_micro), "the total limit, at the marks decided by"
    for trade in world.trades:
        assert trade.ask_account_index != trade.bid_account_index, f"a self-trade: {trade}"
        assert (trade.ask_account_index == BOT) == trade.is_maker_ask, f"taken, not made: {trade}"
    world.trades.clear()


def _check_market(world: World, facts: Market) -> int:
    """Check one market; return its worst-case value at the mark the engine knows."""
    state, index = world.engine.state, facts.index
    known, believed, held = state.markets[index], state.orders.of_market(index).worst(), state.ledger.markets[index]
    rows = world.exchange.open_orders(BOT, index)
    position = world.exchange.position_lots(BOT, index)
    buys = sum(row.remaining_lots for row in rows if not row.is_ask) + _adding(world, index, is_ask=False)
    sells = sum(row.remaining_lots for row in rows if row.is_ask) + _adding(world, index, is_ask=True)

    assert position + buys <= known.position_max_lots, "the position limit, bought to the last (I1)"
    assert sells - position <= known.position_max_lots, "the position limit, sold to the last (I1)"
    assert position + buys <= held.position.size_lots + believed.buy_lots, "what may be bought is known"
    assert sells - position <= believed.sell_lots - held.position.size_lots, "what may be sold is known"
    bids, asks = [row.price_ticks for row in rows if not row.is_ask], [row.price_ticks for row in rows if row.is_ask]
    assert not bids or not asks or max(bids) < min(asks), "no own bid meets an own ask (I7)"
    for row in rows:
        assert facts.notional_micro(row.price_ticks, row.size_lots) <= VALUE_MICRO, "the value of an order (I2)"
        assert state.orders.get(row.client_order_index) is not None, f"{row} is watched by nobody (I12)"
    return facts.notional_micro(known.mark_ticks, max(abs(position + buys), abs(position - sells)))


def _adding(world: World, market: int, *, is_ask: bool) -> int:
    """Return what commands under way may still add to one side of the book."""
    live = {row.client_order_index: row for row in world.exchange.open_orders(BOT, market)}
    total = 0
    for command, dead_us in world.in_flight.values():
        if isinstance(command, PlaceOrder) and command.market == market and command.is_ask == is_ask:
            total += command.size_lots if world.now_us < dead_us else 0
        elif isinstance(command, ModifyOrder) and command.market == market and world.now_us < dead_us:
            row = live.get(command.client_order_index)
            if row is not None and row.is_ask == is_ask:
                total += max(0, command.size_lots - row.filled_lots - row.remaining_lots)
    return total


class EngineAndExchange(RuleBasedStateMachine):
    """Whatever others do and whatever gets lost, late or doubled, in any order."""

    @initialize(seed=st.integers(0, 2**32), tier=st.sampled_from(["premium", "standard"]))
    def begin(self, seed: int, tier: str) -> None:
        self.world = World(seed, tier=tier, check=check)
        self.world.run(4000)

    @rule(ms=st.integers(1, 3000))
    def wait(self, ms: int) -> None:
        self.world.run(ms)

    @rule(weather=WEATHERS)
    def turn(self, weather: Weather) -> None:
        self.world.weather = weather

    @rule(market=A_MARKET, is_ask=A_SIDE, reach=st.integers(5, 3000), size=SIZES, ms=st.integers(0, 200))
    def take(self, market: Market, is_ask: bool, reach: int, size: int, ms: int) -> None:
        self.world.act(market, reach, size, is_ask=is_ask, takes=True)
        self.world.run(ms)

    @rule(market=A_MARKET, is_ask=A_SIDE, offset=st.integers(-300, 300), size=st.integers(1, 50_000))
    def join(self, market: Market, is_ask: bool, offset: int, size: int) -> None:
        self.world.act(market, offset, size, is_ask=is_ask, takes=False)

    @rule(market=A_MARKET, ticks=st.integers(-3000, 3000), size=st.integers(50, 200_000), ms=st.integers(0, 200))
    def move(self, market: Market, ticks: int, size: int, ms: int) -> None:
        self.world.clear_crowd()
        self.world.move_index(market, ticks)
        for each in MARKETS:
            self.world.refresh(each, size)
        self.world.run(ms)

    @rule()
    def leave(self) -> None:
        self.world.clear_crowd()

    @rule(link=A_LINK)
    def drop(self, link: Link) -> None:
        self.world.drop(link)

    @rule(link=A_LINK)
    def heal(self, link: Link) -> None:
        self.world.heal(link)

    def teardown(self) -> None:
        """Healed and calm, it quotes both sides again; stopped, it owns no order and agrees with the exchange."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.weather = CALM
        for link in Link:
            world.heal(link)
        _let_it_settle(world)
        _check_it_quotes(world)
        world.stop()
        world.run(10_000)
        assert [] == world.exchange.open_orders(BOT)
        assert 0 == len(world.engine.state.orders)
        check_ledger(world)


def _let_it_settle(world: World) -> None:
    for _ in range(20):
        world.clear_crowd()
        for facts in MARKETS:
            world.refresh(facts, 100_000)
        world.run(1000)


def _check_it_quotes(world: World) -> None:
    state = world.engine.state
    assert "" == state.halt_reason
    for facts in MARKETS:
        market, rows = state.markets[facts.index], world.exchange.open_orders(BOT, facts.index)
        verdicts = [v for d in world.decisions for v in d.verdicts if v.market == facts.index]
        assert ("", "") == (market.halt_reason, verdicts[-1].reason)
        quotes = verdicts[-1].quotes
        assert quotes is not None
        for sizes, is_ask in ((quotes.bid_lots, False), (quotes.ask_lots, True)):
            assert sum(map(bool, sizes)) >= sum(row.is_ask == is_ask for row in rows)
        lately = [d for d in world.decisions if d.now_ns > world.now_ns - 3 * 10**9]
        is_refused = any(refusal.market == facts.index for d in lately for refusal in d.refused)
        assert is_refused or len(rows) == sum(map(bool, [*quotes.bid_lots, *quotes.ask_lots]))


def check_ledger(world: World) -> None:
    """Cash, fees, funding, realised PnL and positions are the exchange's, to the last pico-USDC (I10)."""
    ledger, view = world.engine.state.ledger, world.exchange.account(BOT)
    assert view is not None
    assert view.collateral_pico == ledger.cash_pico
    assert view.fees_pico == sum(held.fees_pico for held in ledger.markets.values())
    assert view.funding_pico == sum(held.funding_pico for held in ledger.markets.values())
    assert view.realised_micro == sum(held.realised_micro for held in ledger.markets.values())
    for row in view.positions:
        held = ledger.markets[row.market].position
        assert (row.size_lots, row.entry_quote_micro) == (held.size_lots, held.entry_quote_micro)


TestEngineAndExchange = EngineAndExchange.TestCase
TestEngineAndExchange.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink a whole world takes minutes
)
