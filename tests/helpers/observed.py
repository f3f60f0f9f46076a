"""A small account on two markets, to be watched: figures, a clock, and events to feed them."""

from helpers.journals import HandClock
from lighterman.domain.clock import Clock
from lighterman.domain.commands import CancelOrder, Command, ModifyOrder, PlaceOrder
from lighterman.domain.events import (
    AccountSnapshot,
    BookSnapshot,
    CommandAcked,
    Event,
    FillReport,
    Link,
    LinkReport,
    MarketReport,
    OrderReport,
    StatsReport,
)
from lighterman.domain.market import Market
from lighterman.engine.decision import Decision, MarketVerdict
from lighterman.engine.params import EngineParams, MarketParams
from lighterman.monitoring.figures import Figures
from lighterman.risk.gate import Approved, Refusal
from lighterman.risk.limits import AccountLimits, MarketLimits
from lighterman.risk.pnl import LossState
from lighterman.strategy.params import QuoteParams
from lighterman.strategy.quoter import Basis, Quotes

MS = 1_000_000
ETH = Market(
    index=0,
    symbol="ETH",
    price_decimals=2,
    size_decimals=4,
    min_base_lots=50,
    min_quote_micro=10_000_000,
    order_quote_limit_micro=10**15,
)
BTC = Market(
    index=1,
    symbol="BTC",
    price_decimals=1,
    size_decimals=5,
    min_base_lots=20,
    min_quote_micro=10_000_000,
    order_quote_limit_micro=10**15,
)


def _params(label: str, symbol: str, position_max: str) -> MarketParams:
    quote = QuoteParams(
        order_size="0.01",
        half_spread_min_bps=10,
        half_spread_max_bps=100,
        levels=2,
        size_multiplier=1.5,
        skew_factor=0.3,
    )
    return MarketParams(label=label, symbol=symbol, quote=quote, limits=MarketLimits(position_max=position_max))


PARAMS = EngineParams(
    markets=[_params("ETH-USDC", "ETH", "10"), _params("BTC-USDC", "BTC", "1")],
    limits=AccountLimits(total_position_micro_max=10**12, order_value_micro_max=10**11, daily_loss_micro_max=10**9),
    account_index=7,
)


def new_figures(clock: HandClock, loss: LossState | None = None) -> Figures:
    """Return figures that have seen nothing."""
    return Figures(PARAMS, loss or LossState(), clock)


def connected(clock: Clock) -> list[Event]:
    """Return what comes in until both markets could be quoted."""
    now = clock.mono_ns()
    return [
        *(LinkReport(link, up=True, reason="", recv_ns=now) for link in Link),
        MarketReport(ETH, now),
        MarketReport(BTC, now),
        AccountSnapshot(10_000 * 10**12, [], [], now, now),
        BookSnapshot(0, [(200_000, 1)], [(200_100, 1)], 1, 0, now),
        BookSnapshot(1, [(650_000, 1)], [(650_010, 1)], 1, 0, now),
        StatsReport(0, 200_050, 200_050, 0, now),
        StatsReport(1, 650_005, 650_005, 0, now),
    ]


def running(clock: HandClock) -> Figures:
    """Return figures of an account that quotes both markets."""
    figures = new_figures(clock)
    for event in connected(clock):
        figures.observe_event(event)
    figures.observe_turn([], decision(clock, verdicts=[quoting(0), quoting(1)]), clock.now_ns)
    return figures


def quoting(market: int, *, bid_lots: int = 100, ask_lots: int = 100, bound: str = "") -> MarketVerdict:
    """Return the verdict on a market that is quoted at 10 bps a side."""
    basis = Basis(200_050.0, 200_050.0, 0.0, None, 12.5, 0.25, 12.5, 12.5)
    quotes = Quotes(basis, [199_850], [bid_lots], bound, [200_250], [ask_lots], bound)
    return MarketVerdict(market, quotes, "")


def silent(market: int, reason: str) -> MarketVerdict:
    """Return the verdict on a market that is not quoted."""
    return MarketVerdict(market, None, reason)


def decision(clock: HandClock, *commands: Command, refused=(), verdicts=(), loss=None) -> Decision:
    """Return a decision made now."""
    approved = [Approved(command) for command in commands]  # house-ok: a test may say what was approved
    refusals = [Refusal(command, market, reason) for command, market, reason in refused]
    return Decision(clock.now_ns, approved, refusals, [], list(verdicts), loss)


def place(command_id: int, *, market: int = 0, is_ask: bool = False) -> PlaceOrder:
    """Return an order of ours; its client id is the command's with a thousand added."""
    return PlaceOrder(command_id, market, 1000 + command_id, is_ask, 200_250 if is_ask else 199_850, 100)


def modify(command_id: int, order: PlaceOrder) -> ModifyOrder:
    """Return a modification of an order."""
    return ModifyOrder(command_id, order.market, order.client_order_index, order.price_ticks + 1, 100)


def cancel(command_id: int, order: PlaceOrder) -> CancelOrder:
    """Return a cancellation of an order."""
    return CancelOrder(command_id, order.market, order.client_order_index)


def row(order: PlaceOrder, status: str = "open", filled_lots: int = 0) -> OrderReport:
    """Return the venue's row of an order."""
    return OrderReport(
        order.market, order.client_order_index, 9, order.is_ask, order.price_ticks, 100, filled_lots, status, 0, 5
    )


def fill(trade_id: int, order: PlaceOrder, size_lots: int = 100, fee_ppm: int = 0) -> FillReport:
    """Return a trade of an order."""
    return FillReport(
        order.market,
        trade_id,
        9,
        order.client_order_index,
        order.is_ask,
        order.price_ticks,
        size_lots,
        True,
        fee_ppm,
        0,
        5,
    )


def acked(command_id: int, recv_ns: int = 5) -> CommandAcked:
    """Return the venue's receipt of a command."""
    return CommandAcked(command_id, 0, recv_ns)
