"""The only mutable trading state, all of it listed here.

`State` owns: the markets (book, prices, volatility, halts), our orders, the ledger, the daily
loss, the health of the links, and a few clocks. Nothing outside `engine/` may change it.
"""

from lighterman.domain.book import OrderBook
from lighterman.domain.events import Link
from lighterman.domain.market import Market
from lighterman.engine.ledger import Ledger, MarketLedger
from lighterman.engine.orders import NEVER_NS, MarketOrders, Orders
from lighterman.engine.params import EngineParams, MarketParams
from lighterman.risk.pnl import DailyLoss, LossState
from lighterman.strategy.params import QuoteRules
from lighterman.strategy.volatility import Volatility

NS_PER_MS = 1_000_000
QUIET_NS = 1000 * NS_PER_MS  # a trade this near to a look at the account may be in it or not


class MarketState:
    """One market: what we know of it and when it has to be looked at next."""

    __slots__ = (
        "book",
        "book_ns",
        "cooldown_ns",
        "cooldown_until_ns",
        "dirty",
        "halt_reason",
        "held",
        "look_ns",
        "lost_reason",
        "mark_ticks",
        "market",
        "mid_ticks",
        "mismatches",
        "orders",
        "params",
        "position_max_lots",
        "requoted_ns",
        "resync_ns",
        "rules",
        "stats_ns",
        "urgent",
        "volatility",
    )

    def __init__(
        self,
        params: MarketParams,
        market: Market,
        rules: QuoteRules,
        orders: MarketOrders,
        held: MarketLedger,
        *,
        position_max_lots: int,
    ) -> None:
        self.params = params
        self.market = market
        self.rules = rules
        self.orders = orders  # this market's part of `State.orders`
        self.held = held  # and of `State.ledger`
        self.position_max_lots = position_max_lots
        self.book = OrderBook()
        self.lost_reason = "no_book_yet"  # "" while the book is known
        self.resync_ns = 0  # a crossed book is not asked for again before this
        self.book_ns = 0  # when the venue wrote what we know of it, by our clock
        self.mid_ticks = 0.0
        self.mark_ticks = 0  # the last one known: what is held is valued at it
        self.stats_ns = 0  # when it was written, likewise; 0 while there is none to quote by
        self.volatility = Volatility(params.quote)
        self.mismatches = 0  # reconciliations in a row that found the position different
        self.halt_reason = ""  # set by what only a person may clear
        self.cooldown_ns = 0  # how long the last refusals made us wait
        self.cooldown_until_ns = 0
        self.dirty = True  # something changed: look when the requote interval allows
        self.urgent = False  # look at once: quotes may have to be pulled
        self.requoted_ns = 0  # when changes were last asked for
        self.look_ns = 0  # look then, even if nothing changes


class State:
    """The account: everything that is not of one market alone."""

    __slots__ = (
        "account_due_ns",
        "account_is_current",
        "cash_mismatches",
        "commands",
        "data_age_max_ns",
        "day_known",
        "decided_ns",
        "epoch",
        "fastest_ns",
        "halt_reason",
        "is_valued",
        "ledger",
        "links_down",
        "loss",
        "loss_saved",
        "loss_saved_ns",
        "markets",
        "mismatch_ns",
        "order_counter",
        "orders",
        "params",
        "params_of_symbol",
        "private_down_ns",
        "private_up_ns",
        "public_lag_ns",
        "reduce_only_until_ns",
        "requote_interval_ns",
        "stop_asked_ns",
        "stop_commands",
        "stop_is_refused",
        "stop_one_by_one",
        "stop_reason",
        "traded_ns",
        "watch_interval_ns",
        "watched_ns",
    )

    def __init__(self, params: EngineParams, epoch: int, loss: LossState) -> None:
        self.params = params
        self.params_of_symbol = {market.symbol: market for market in params.markets}
        self.data_age_max_ns = params.limits.data_age_ms_max * NS_PER_MS
        self.requote_interval_ns = params.requote_interval_ms * NS_PER_MS
        self.watch_interval_ns = params.position_check_interval_ms * NS_PER_MS
        self.epoch = epoch
        self.markets: dict[int, MarketState] = {}
        self.orders = Orders(params.answer_timeout_ms * NS_PER_MS, params.transaction_lifetime_ms * NS_PER_MS)
        self.ledger = Ledger()
        self.loss = DailyLoss(params.limits.daily_loss_micro_max, loss)
        self.loss_saved = loss
        self.loss_saved_ns = 0
        self.is_valued = False  # the worth of the account is known, so its loss can be watched
        self.decided_ns = 0
        self.watched_ns = -NEVER_NS  # when loss and total exposure were last looked at
        self.reduce_only_until_ns = 0  # the total limit was found exceeded: no growth before this
        self.day_known = False
        self.links_down: dict[Link, str] = dict.fromkeys(Link, "not_connected")
        self.commands = 0
        self.order_counter = 0
        self.traded_ns = 0  # when a fill or funding of ours was last heard of
        self.fastest_ns = NEVER_NS  # the shortest way of a public frame to us, see freshness.py
        self.public_lag_ns = 0  # how much longer the last one took
        self.private_down_ns = 0  # when the private link was last lost
        self.private_up_ns = NEVER_NS  # since when it has been up
        self.account_is_current = False  # told since then, so nothing was missed unseen
        self.account_due_ns = NEVER_NS  # when the account is to be asked for (again)
        self.mismatch_ns = 0  # when the account was last found different
        self.cash_mismatches = 0
        self.halt_reason = ""  # set by what only a person may clear
        self.stop_reason = ""
        self.stop_asked_ns: int | None = None
        self.stop_commands: dict[int, None] = {}  # the cancel-alls that left
        self.stop_is_refused = False  # it has just been refused
        self.stop_one_by_one = False  # one was refused: plain cancels too, which cost no quota (reference 6.3)

    def hurry_all(self) -> None:
        """Have every market looked at in the next decision."""
        for market in self.markets.values():
            market.urgent = True

    def worth_changed(self) -> None:
        """The account is worth something else: the loss is looked at before anything more is quoted."""
        self.watched_ns = -NEVER_NS

    def trade_told(self, now_ns: int) -> None:
        """A trade or funding of ours came; it explains a difference that was found just before."""
        self.traded_ns = now_ns
        self.worth_changed()
        if now_ns < self.mismatch_ns + QUIET_NS:
            self.cash_mismatches = 0
            for market in self.markets.values():
                market.mismatches = 0
