"""The cheap markets of the simulation: repeatable, two-sided, tradable, and obedient to their levers."""

from collections import Counter
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from helpers.market_lab import BTC, ETH, SECOND, START_US, begin, steps
from lighterman.chance import seeded
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import LevelChanged, Output, TradeDone
from lighterman.matching.requests import NewOrder, TimeInForce
from lighterman.simulation.market import SimulatedMarkets
from lighterman.simulator.driver import MarketDriver

OURS = 77
MINUTE = 60 * SECOND


def driver(seed: int = 1, **tempo_ms: int) -> SimulatedMarkets:
    return SimulatedMarkets(tempo_ms or {"ETH": 125, "BTC": 125}, lambda stream: seeded(seed, stream))


def let_run(market: MarketDriver, exchange: Exchange, until_us: int) -> list[Output]:
    """Return everything that happened until then."""
    for _ in steps(market, exchange, until_us):
        pass
    return exchange.take_outputs()


def pulled(lever: Callable[[SimulatedMarkets], None], run_us: int = 3 * SECOND) -> tuple[Exchange, list[Output]]:
    """Return the exchange and what happened in the time after a lever was pulled, ten seconds in."""
    market = driver()
    exchange = begin(market)
    let_run(market, exchange, START_US + 10 * SECOND)
    lever(market)
    return exchange, let_run(market, exchange, START_US + 10 * SECOND + run_us)


def trades(outputs: list[Output], market: int = 0) -> list[TradeDone]:
    return [each for each in outputs if isinstance(each, TradeDone) and each.market == market]


def test_a_seed_repeats():
    """Two drivers of one seed do the same thing at the same time; another seed does another."""

    def story(seed: int) -> list[Output]:
        market = driver(seed)
        return let_run(market, begin(market), START_US + MINUTE)

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_it_is_a_market_driver():
    """It has nothing to do before the start, says what it is, and lists what it was given, by index."""
    market: MarketDriver = driver(SOL=300, ETH=60)

    assert market.next_due_us() is None
    assert ["ETH", "SOL"] == [each.symbol for each in market.markets]
    assert "SIMULATED: ETH, SOL in virtual time" == market.note
    exchange = begin(market)
    assert START_US == market.next_due_us()
    assert [] == exchange.account_indexes()


def test_the_book_stays_two_sided():
    """Without levers, at every tempo, no side is ever without orders, and the book is never crossed."""
    for seed, tempo_ms in enumerate((60, 125, 500)):
        market = driver(seed, ETH=tempo_ms, BTC=tempo_ms)
        exchange = begin(market)
        for _ in steps(market, exchange, START_US + 5 * MINUTE):
            for each in market.markets:
                book = exchange.book(each.index)
                assert book.is_two_sided()
                assert not book.is_crossed()


def test_the_tempo_is_kept():
    """The book changes about as often as asked, and the index is set about once a second."""
    slow, quick = driver(ETH=500), driver(ETH=60)
    changes = [
        len(
            {each.at_us for each in let_run(market, begin(market), START_US + MINUTE) if isinstance(each, LevelChanged)}
        )
        for market in (slow, quick)
    ]

    assert 120 <= changes[0] < 200
    assert 1_000 <= changes[1] < 1_200


def test_orders_near_the_touch_are_filled():
    """A resting order 2 bp from the index is filled within minutes, on each side, now and then in part only."""
    market = driver()
    exchange = begin(market)
    exchange.open_account(OURS, collateral_micro=10**12, tier="premium", l1_address="0x77", free_of_limits=True)
    sizes: dict[bool, list[int]] = {False: [], True: []}
    for second in range(180):
        index_ticks = exchange.stats(ETH.index).index_ticks
        for is_ask in (False, True):
            order = NewOrder(
                account_index=OURS,
                market=ETH.index,
                is_ask=is_ask,
                price_ticks=round(index_ticks * (1.0002 if is_ask else 0.9998)),
                size_lots=2_000,
                expiry_ms=(START_US + (second + 1) * SECOND) // 1_000,
                time_in_force=TimeInForce.POST_ONLY,
            )
            exchange.act(order, START_US + second * SECOND)
        for trade in trades(let_run(market, exchange, START_US + (second + 1) * SECOND)):
            if OURS in (trade.ask_account_index, trade.bid_account_index):
                sizes[trade.is_maker_ask].append(trade.size_lots)

    for fills in sizes.values():
        assert len(fills) > 10
        assert min(fills) < 2_000 == max(fills)


def test_a_jump_trades_through_the_book():
    """After a jump the book stands around the new price, and what stood in between was traded, ours too."""
    exchange, outputs = pulled(lambda market: market.jump(ETH.index, 50.0))
    asks_taken = [trade for trade in trades(outputs) if trade.is_maker_ask]
    bid, ask = exchange.book(ETH.index).best_bid(), exchange.book(ETH.index).best_ask()

    assert len({trade.price_ticks for trade in asks_taken}) >= 6
    assert bid[0] > 300_000 * 1.003
    assert ask[0] < 300_000 * 1.007
    assert exchange.stats(ETH.index).index_ticks > 300_000 * 1.003


def test_a_side_disappears_and_comes_back():
    """For as long as the lever says there is nothing on that side; then there is again."""
    for is_ask in (False, True):
        market = driver()
        exchange = begin(market)
        market.one_sided(BTC.index, is_ask, 5.0)
        let_run(market, exchange, START_US + SECOND // 2)
        for _ in steps(market, exchange, START_US + 5 * SECOND):
            book = exchange.book(BTC.index)
            assert (is_ask, not is_ask) == (book.best_ask() is None, book.best_bid() is None)
            assert exchange.book(ETH.index).is_two_sided()
        let_run(market, exchange, START_US + 6 * SECOND)
        assert exchange.book(BTC.index).is_two_sided()


def test_a_burst_runs_through_levels():
    """So many takers come within moments and take from one side, several levels at a time."""
    _, quiet = pulled(lambda market: None, SECOND)
    for is_ask in (False, True):
        _, outputs = pulled(partial(SimulatedMarkets.burst, market=ETH.index, is_ask=is_ask, count=9), SECOND)
        hits = [(trade.at_us, trade.price_ticks) for trade in trades(outputs) if trade.is_maker_ask is is_ask]
        levels_hit = Counter(at_us for at_us, _ in set(hits))

        assert len(hits) >= 9 > len(trades(quiet))
        assert max(levels_hit.values()) >= 4


def test_the_oracle_falls_silent():
    """The index is 0 for as long as asked, mark stays where it was, and then the index is back."""
    market = driver()
    exchange = begin(market)
    market.mark_zero(ETH.index, 2.0)
    let_run(market, exchange, START_US + SECOND)
    stats = exchange.stats(ETH.index)
    assert 0 == stats.index_ticks
    assert stats.mark_ticks > 290_000
    assert exchange.stats(BTC.index).index_ticks > 0
    let_run(market, exchange, START_US + 4 * SECOND)
    assert exchange.stats(ETH.index).index_ticks > 290_000


def test_a_frozen_market_stands_still():
    """Nothing at all happens in a frozen market, whatever levers are pulled; the others go on, and later it does."""
    market = driver()
    exchange = begin(market)
    market.freeze(ETH.index, 20.0)
    let_run(market, exchange, START_US + SECOND)
    market.jump(ETH.index, 30.0)
    market.burst(ETH.index, True, 3)
    market.one_sided(ETH.index, True, 1.0)
    market.mark_zero(ETH.index)
    outputs = let_run(market, exchange, START_US + 20 * SECOND)
    assert {BTC.index} == {each.market for each in outputs if isinstance(each, LevelChanged)}
    assert trades(outputs, BTC.index)
    assert trades(let_run(market, exchange, START_US + 25 * SECOND))


def test_a_paused_market_stands_still():
    """While the venue has a market paused, its participants do not trade either."""
    market = driver(ETH=125)
    exchange = begin(market)
    exchange.set_market(replace(ETH, active=False))
    exchange.take_outputs()

    assert [] == [each for each in let_run(market, exchange, START_US + 10 * SECOND) if isinstance(each, LevelChanged)]
    exchange.set_market(ETH)
    assert trades(let_run(market, exchange, START_US + MINUTE))


def test_levers_do_not_move_the_draws():
    """The path of the price and the takers' times are those of the seed, whatever levers are pulled on the way."""

    def indexes(lever: Callable[[SimulatedMarkets], None]) -> list[int]:
        market = driver()
        exchange = begin(market)
        lever(market)
        seen = []
        for second in range(20, 60):
            let_run(market, exchange, START_US + second * SECOND)
            seen.append(exchange.stats(ETH.index).index_ticks)
        return seen

    plain = indexes(lambda market: None)
    assert plain == indexes(lambda market: market.burst(ETH.index, True, 20))
    assert plain == indexes(lambda market: market.one_sided(ETH.index, False, 10.0))
    assert plain == indexes(lambda market: market.mark_zero(ETH.index))
    assert plain == indexes(lambda market: market.jump(BTC.index, 100.0))
    assert len(set(plain)) > 30
