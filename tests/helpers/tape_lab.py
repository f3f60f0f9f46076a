"""Hand-made tapes, played on the exchange's core with an account of ours in the market."""

from collections.abc import Iterable, Sequence

from helpers.market_lab import BTC, SECOND, START_US
from lighterman.domain.market import Market
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import LevelChanged, TradeDone
from lighterman.matching.requests import DropAll, NewOrder, TimeInForce
from lighterman.matching.rules import Rules
from lighterman.simulator.tapes.format import Levels, Print, Record, Recording, TapeHeader
from lighterman.simulator.tapes.market import TapeMarket

US = 7
PRICE = 1_000_000


def recording(records: Iterable[Record], market: Market = BTC, reading: str = "as recorded") -> Recording:
    return Recording(
        header=TapeHeader(market=market, source="made by hand", reading=reading), records=iter(list(records))
    )


def levels(
    second: float, bids: Sequence[tuple[int, int]] = (), asks: Sequence[tuple[int, int]] = (), *, at: int = PRICE
) -> Levels:
    """Return a change of the book; prices are ticks from `at`."""
    at_us = START_US + round(second * SECOND)
    return Levels(at_us, [(at + price, size) for price, size in bids], [(at + price, size) for price, size in asks])


def sold(second: float, price: int, size_lots: int, *, at: int = PRICE) -> Print:
    """Return a print whose taker sold."""
    return Print(START_US + round(second * SECOND), at + price, size_lots, taker_is_ask=True)


def bought(second: float, price: int, size_lots: int, *, at: int = PRICE) -> Print:
    """Return a print whose taker bought."""
    return Print(START_US + round(second * SECOND), at + price, size_lots, taker_is_ask=False)


class Stage:
    """A tape's market with its first record played, and our account beside it."""

    def __init__(self, *records: Record) -> None:
        self.market = TapeMarket(recording(records))
        self.exchange = Exchange([BTC], Rules(), START_US)
        self.exchange.open_account(US, collateral_micro=10**14, tier="standard", l1_address="", free_of_limits=True)
        self.now_us = START_US
        self.market.start(self.exchange, self.now_us)
        self.exchange.take_outputs()

    def quote(self, price: int, size_lots: int, *, is_ask: bool) -> None:
        """Rest an order of ours, post-only."""
        self.send(price, size_lots, is_ask=is_ask, time_in_force=TimeInForce.POST_ONLY)

    def send(self, price: int, size_lots: int, *, is_ask: bool, time_in_force: TimeInForce) -> None:
        order = NewOrder(
            account_index=US,
            market=BTC.index,
            is_ask=is_ask,
            price_ticks=PRICE + price,
            size_lots=size_lots,
            time_in_force=time_in_force,
        )
        self.exchange.act(order, self.now_us)

    def cancel(self) -> None:
        self.exchange.act(DropAll(account_index=US), self.now_us)

    def play(self) -> list[TradeDone]:
        """Play the next record and return the trades it made."""
        self.now_us += SECOND
        self.market.play(self.exchange, self.now_us)
        return [output for output in self.exchange.take_outputs() if isinstance(output, TradeDone)]

    def ours(self, trades: Iterable[TradeDone]) -> int:
        """Return how much of these trades was ours."""
        return sum(trade.size_lots for trade in trades if US in (trade.ask_account_index, trade.bid_account_index))

    def bids(self) -> dict[int, int]:
        """Return the bids of the book, prices from PRICE."""
        return {price - PRICE: size for price, size in self.exchange.book(BTC.index).bids.items()}

    def asks(self) -> dict[int, int]:
        """Return the asks of the book, prices from PRICE."""
        return {price - PRICE: size for price, size in self.exchange.book(BTC.index).asks.items()}

    def changed_levels(self) -> int:
        return sum(isinstance(output, LevelChanged) for output in self.exchange.take_outputs())
