"""Everything the exchange knows, as data: the functions of this room take it as first argument."""

from collections import deque

from lighterman.domain.market import Market
from lighterman.matching.accounts import Account
from lighterman.matching.agenda import Agenda
from lighterman.matching.orderbook import Book
from lighterman.matching.outputs import Output, TradeDone
from lighterman.matching.rules import Rules
from lighterman.matching.tally import Tally
from lighterman.matching.views import FundingRound, TransactionRecord


class Pit:
    """Where one market is traded: its description, book, prices and history."""

    __slots__ = (
        "book",
        "funding_rounds",
        "index_ticks",
        "last_trade_ticks",
        "mark_ticks",
        "market",
        "open_interest_lots",
        "premium_at_us",
        "premium_pico",
        "premium_samples",
        "premium_sum_ppm",
        "tally",
        "trades",
    )

    def __init__(self, market: Market, book: Book, rules: Rules) -> None:
        self.market = market
        self.book = book
        self.index_ticks = 0  # 0: there is no oracle price
        self.mark_ticks = 0  # the last one known
        self.premium_pico = 0  # moving average of (mid - index) / index, in 1e-12
        self.premium_at_us = 0
        self.premium_sum_ppm = 0  # funding samples of this hour
        self.premium_samples = 0
        self.funding_rounds: deque[FundingRound] = deque(maxlen=rules.fundings_kept)
        self.open_interest_lots = 0  # both sides counted
        self.last_trade_ticks = 0
        self.trades: deque[TradeDone] = deque(maxlen=rules.trades_kept)
        self.tally = Tally()


class State:
    """The whole exchange. `emit` appends to the outputs nobody has taken yet."""

    __slots__ = (
        "accounts",
        "agenda",
        "deposited_pico",
        "emit",
        "masters",
        "now_us",
        "outputs",
        "pits",
        "rules",
        "trade_count",
        "transaction_count",
        "transactions",
        "watched",
    )

    def __init__(self, rules: Rules, now_us: int) -> None:
        self.rules = rules
        self.now_us = now_us
        self.pits: dict[int, Pit] = {}
        self.accounts: dict[int, Account] = {}
        self.watched: list[Account] = []  # those with limits: reported, and liquidated when need be
        self.masters: dict[str, int] = {}  # owner's L1 address -> first account
        self.agenda = Agenda()
        self.outputs: list[Output] = []
        self.emit = self.outputs.append
        self.trade_count = 0
        self.transaction_count = 0
        self.transactions: dict[str, TransactionRecord] = {}  # by hash, oldest first, bounded
        self.deposited_pico = 0
