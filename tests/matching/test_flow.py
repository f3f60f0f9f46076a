"""Synthetic actors: repeatable, conserving, and a market worth trading against."""

import hashlib

import msgspec

from helpers.market_lab import BTC, ETH, SECOND, SOL, START_US, begin, steps
from lighterman.domain.market import Market
from lighterman.matching.exchange import Exchange
from lighterman.matching.flow import PARTICIPANTS_FROM
from lighterman.matching.outputs import TradeDone
from lighterman.matching.requests import DropAll, NewOrder, TimeInForce
from lighterman.simulator.scenarios import SCENARIOS
from lighterman.simulator.synthetic import SyntheticMarkets

MARKETS = (ETH, BTC, SOL)
MAKER = 7


def markets(scenario: str = "normal", seed: int = 1, of: tuple[Market, ...] = MARKETS) -> SyntheticMarkets:
    return SyntheticMarkets(SCENARIOS[scenario], of, seed)


def tape_hash(scenario: str, seed: int, seconds: int) -> str:
    """Return the hash of everything an exchange says while a scenario runs."""
    driver = markets(scenario, seed)
    exchange = begin(driver)
    digest = hashlib.sha256()
    for _ in steps(driver, exchange, START_US + seconds * SECOND):
        digest.update(msgspec.msgpack.encode(exchange.take_outputs()))
    return digest.hexdigest()


def best(exchange: Exchange, market: Market) -> tuple[int, int]:
    """Return the best bid and ask, which a market with makers always has."""
    bid, ask = exchange.book(market.index).best_bid(), exchange.book(market.index).best_ask()
    assert bid is not None
    assert ask is not None
    return bid[0], ask[0]


def test_a_market_opens_two_sided():
    """Every scenario stands twenty levels a side, uncrossed and around its price, before time passes."""
    for scenario in SCENARIOS:
        driver = markets(scenario)
        exchange = begin(driver)

        for market in MARKETS:
            book = exchange.book(market.index)
            bid, ask = best(exchange, market)
            assert len(book.bids) >= 20
            assert len(book.asks) >= 20
            assert not book.is_crossed()
            assert ask / bid - 1 < 3e-4
            assert exchange.stats(market.index).index_ticks > 0


def test_the_same_seed_gives_the_same_tape():
    """A scenario's tape is a function of its seed, to the byte."""
    for scenario in SCENARIOS:
        assert tape_hash(scenario, 5, 20) == tape_hash(scenario, 5, 20)
    assert tape_hash("normal", 5, 20) != tape_hash("normal", 6, 20)


def test_money_is_conserved():
    """Whatever the actors do for four minutes, no unit of money appears or vanishes."""
    driver = markets("crash", seed=3)
    exchange = begin(driver)
    before = exchange.total_value_pico()
    for _ in steps(driver, exchange, START_US + 240 * SECOND):
        pass

    assert exchange.total_value_pico() == before


def test_normal_markets_trade_at_once():
    """In `normal` every market makes at least a trade a second, from the first minute on."""
    for seed in range(3):
        driver = markets(seed=seed)
        exchange = begin(driver)
        trades = dict.fromkeys((market.index for market in MARKETS), 0)
        for _ in steps(driver, exchange, START_US + 60 * SECOND):
            for output in exchange.take_outputs():
                if isinstance(output, TradeDone):
                    trades[output.market] += 1

        assert min(trades.values()) >= 60


def test_the_book_stays_healthy():
    """Through a crash the book is never crossed and never empty on a side after an actor's turn."""
    driver = markets("crash", seed=2)
    exchange = begin(driver)
    for _ in steps(driver, exchange, START_US + 200 * SECOND):
        for market in MARKETS:
            bid, ask = best(exchange, market)
            assert bid < ask


def quote_around_mid(exchange: Exchange, market: Market, half_bp: float, now_us: int) -> None:
    """Replace the test maker's quotes by one order a side of about 500 USD, `half_bp` from the mid."""
    bid, ask = best(exchange, market)
    mid = (bid + ask) / 2
    exchange.act(DropAll(account_index=MAKER, market=market.index), now_us)
    for is_ask, side in ((False, -1), (True, 1)):
        order = NewOrder(
            account_index=MAKER,
            market=market.index,
            is_ask=is_ask,
            price_ticks=round(mid * (1 + side * half_bp * 1e-4)),
            size_lots=round(500e6 / mid),
            time_in_force=TimeInForce.POST_ONLY,
        )
        exchange.act(order, now_us)


def fills_of_a_maker(seed: int, half_bp: float) -> int:
    """Return how often a maker that quotes all markets anew each second is filled in a minute."""
    driver = markets(seed=seed)
    exchange = begin(driver)
    exchange.open_account(MAKER, collateral_micro=10**12, tier="standard", l1_address="", free_of_limits=True)
    fills, quoted_us = 0, START_US
    for now_us in steps(driver, exchange, START_US + 60 * SECOND):
        for output in exchange.take_outputs():
            if isinstance(output, TradeDone):
                fills += MAKER in (output.ask_account_index, output.bid_account_index)
        if now_us - quoted_us >= SECOND:
            quoted_us = now_us
            for market in MARKETS:
                quote_around_mid(exchange, market, half_bp, now_us)
    return fills


def test_a_maker_near_the_mid_is_filled():
    """In `normal` a maker at 1 bp is filled at least five times a minute over three markets."""
    assert all(fills_of_a_maker(seed, 1.0) >= 5 for seed in range(3))


def test_takers_pay_and_the_informed_earn():
    """Half a minute later arbitrage was right about the price and noise was not."""
    driver = markets(seed=4, of=(BTC,))
    exchange = begin(driver)
    names = {index: name for flow in driver.flows for index, name in flow.accounts.items()}
    taken: list[tuple[int, str, int, TradeDone]] = []
    mids: dict[int, float] = {}
    for now_us in steps(driver, exchange, START_US + 900 * SECOND):
        mids[now_us // SECOND] = sum(best(exchange, BTC)) / 2
        for output in exchange.take_outputs():
            if isinstance(output, TradeDone):
                taker = output.bid_account_index if output.is_maker_ask else output.ask_account_index
                taken.append((now_us // SECOND, names[taker], 1 if output.is_maker_ask else -1, output))

    def earned(name: str) -> float:
        return sum(
            (mids[second + 30] - trade.price_ticks) * sign * trade.size_lots
            for second, who, sign, trade in taken
            if who == name and second + 30 in mids
        )

    assert earned("arbitrage") > 0
    assert earned("noise") < 0


def test_participants_have_indexes_nobody_else_gets():
    """Actors' accounts are unique, and beyond any account that is counted up."""
    driver = markets()
    begin(driver)
    accounts = [index for flow in driver.flows for index in flow.accounts]

    assert len(set(accounts)) == len(accounts)
    assert min(accounts) >= PARTICIPANTS_FROM


def test_a_late_host_makes_actors_late_not_busy():
    """After ten seconds of absence every actor acts once, and the market is whole."""
    driver = markets()
    exchange = begin(driver)
    late_us = START_US + 10 * SECOND
    exchange.advance(late_us)
    driver.advance(exchange, late_us)

    due_us = driver.next_due_us()
    assert due_us is not None
    assert due_us > late_us
    assert all(bid < ask for bid, ask in (best(exchange, market) for market in MARKETS))
