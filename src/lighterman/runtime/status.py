"""What a person watching wants to know, as texts: a copy, taken between two turns.

This file reads the engine's state and never changes it; it may run on another thread, so it
copies each collection in one step, and names only markets that the figures have, which hear of one
when the engine has it. The reasons for not quoting are the engine's own words.
"""

from dataclasses import dataclass

from lighterman.domain.units import MICRO_DECIMALS, PICO_PER_MICRO, format_fixed
from lighterman.engine.engine import Engine
from lighterman.engine.order import Order
from lighterman.engine.state import MarketState, State
from lighterman.monitoring.figures import Figures

CENTS_DROPPED = 10**4  # micro-USDC to cents


@dataclass(frozen=True)
class QuoteView:
    """One order of ours."""

    side: str
    level: int
    price: str
    size: str
    age_s: float
    state: str


@dataclass(frozen=True)
class MarketView:
    """One market, in texts."""

    label: str
    bid: str
    ask: str
    position: str
    realised: str
    unrealised: str
    fees: str
    funding: str
    half_spread_bps: str
    skew: str
    quotes: list[QuoteView]
    why_no_bid: str
    why_no_ask: str


@dataclass(frozen=True)
class StatusView:
    """The whole account, in texts."""

    markets: list[MarketView]
    pnl_today: str
    messages_left: int
    fills: int
    placed: int
    modified: int
    canceled: int
    refusals: dict[str, int]
    is_stopping: bool


def usd(micro: int) -> str:
    """Return money to the cent, rounded toward zero, with its sign."""
    sign = "-" if micro < 0 else "+"
    return f"{sign}{format_fixed(abs(micro) // CENTS_DROPPED, MICRO_DECIMALS - 4)}"


def view(engine: Engine, figures: Figures, now_ns: int) -> StatusView:
    """Return what there is to see now."""
    state = engine.state
    refusals: dict[str, int] = {}
    for (_, reason), count in list(figures.refusals.items()):
        refusals[reason] = refusals.get(reason, 0) + count
    markets = list(figures.markets.values())
    return StatusView(
        markets=[_market(state, state.markets[index], figures, now_ns) for index in list(figures.markets)],
        pnl_today=usd(state.loss.pnl_pico() // PICO_PER_MICRO),
        messages_left=engine.messages_left,
        fills=sum(sum(market.fills) for market in markets),
        placed=sum(sum(market.placed) for market in markets),
        modified=sum(market.modified for market in markets),
        canceled=sum(market.canceled for market in markets),
        refusals=refusals,
        is_stopping=bool(state.stop_reason),
    )


def _market(state: State, market: MarketState, figures: Figures, now_ns: int) -> MarketView:
    facts, held = market.market, state.ledger.markets[market.market.index]
    bid, ask = market.book.best_bid(), market.book.best_ask()
    told = figures.markets[facts.index]
    quotes = told.quotes
    orders = sorted(state.orders.of_market(facts.index).by_id.values(), key=lambda order: (order.is_ask, order.level))
    return MarketView(
        label=market.params.label,
        bid=facts.price_text(bid[0]) if bid else "-",
        ask=facts.price_text(ask[0]) if ask else "-",
        position=facts.size_text(held.position.size_lots),
        realised=usd(held.realised_micro),
        unrealised=usd(held.unrealised_micro(market.mark_ticks)) if market.mark_ticks else "-",
        fees=usd(-held.fees_pico // PICO_PER_MICRO),
        funding=usd(held.funding_pico // PICO_PER_MICRO),
        half_spread_bps=f"{quotes.basis.half_spread_bps:.1f}" if quotes else "-",
        skew=f"{quotes.basis.skew:+.2f}" if quotes else "-",
        quotes=[_quote(market, order, now_ns) for order in orders],
        why_no_bid=told.why_no_bid(),
        why_no_ask=told.why_no_ask(),
    )


def _quote(market: MarketState, order: Order, now_ns: int) -> QuoteView:
    facts = market.market
    return QuoteView(
        side="ask" if order.is_ask else "bid",
        level=order.level,
        price=facts.price_text(order.price_ticks),
        size=facts.size_text(order.size_lots - order.filled_lots),
        age_s=(now_ns - order.since_ns) / 1_000_000_000,
        state=order.state.value,
    )
