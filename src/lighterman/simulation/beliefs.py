"""What the oracle is told of the bot: its settings as terms, and after each step what it takes for true.

A replay of the bot's journal gives the same belief; it is read from the engine because that costs less.
"""

from collections.abc import Sequence

from lighterman.config.settings import Settings
from lighterman.domain.market import Market
from lighterman.domain.units import PICO_PER_MICRO
from lighterman.engine.order import OrderState
from lighterman.engine.state import State
from lighterman.simulation.oracle import Belief, MarketTerms, Terms, book_digest
from lighterman.simulation.plan import Options
from lighterman.simulation.virtual import NS_PER_S
from lighterman.strategy.params import bind

COLLATERAL_USDC = 10_000
MICRO_PER_USDC = 1_000_000


def terms_of(settings: Settings, markets: Sequence[Market], options: Options, *, is_canary: bool) -> Terms:
    """Return the terms of a run."""
    venue, engine = settings.venue, settings.engine
    params = {market.symbol: market for market in engine.markets}
    return Terms(
        began_us=options.start_us,
        account_index=venue.account_index,
        api_key_indexes=tuple(dict.fromkeys((venue.api_key_index, venue.cancel_api_key_index))),
        markets=tuple(
            MarketTerms(
                market=market,
                position_max_lots=params[market.symbol].limits.position_max_lots(market),
                quote_lots=max(bind(params[market.symbol].quote, market, market.order_quote_limit_micro).sizes_lots),
            )
            for market in markets
        ),
        limits=engine.limits,
        collateral_pico=COLLATERAL_USDC * MICRO_PER_USDC * PICO_PER_MICRO,
        quotes_within_ns=options.quotes_within_s * NS_PER_S,
        tracked_max=engine.orders_tracked_max,
        journal_bytes_max=settings.journal.bytes_max,
        canary=is_canary,
    )


def belief_of(state: State, journal_bytes: int, *, with_books: bool) -> Belief:
    """Return what an engine takes for true; books cost most, and are told now and then."""
    is_open = state.ledger.is_open
    return Belief(
        positions={index: held.position.size_lots for index, held in state.ledger.markets.items()} if is_open else {},
        cash_pico=state.ledger.cash_pico if is_open else None,
        tracked=frozenset(order.client_order_index for order in state.orders),
        books={
            index: (market.book.nonce, book_digest(market.book.bids, market.book.asks))
            for index, market in state.markets.items()
            if not market.lost_reason
        }
        if with_books
        else {},
        links_down=tuple(link.value for link in state.links_down),
        unknown_orders=sum(order.state is OrderState.UNKNOWN for order in state.orders),
        journal_bytes=journal_bytes,
        halt_reason=state.halt_reason,
        stop_reason=state.stop_reason,
        epoch=state.epoch,
    )
