"""The state before anything is known."""

from helpers.desk import ETH, USD, VALUE_MAX, engine_params, limits, market_params
from lighterman.domain.events import Link
from lighterman.engine.ledger import MarketLedger
from lighterman.engine.orders import MarketOrders
from lighterman.engine.state import MarketState, State
from lighterman.risk.pnl import LossState
from lighterman.strategy.params import bind

PARAMS = engine_params(market_params(), account=limits(daily_loss_micro_max=USD))


def _market() -> MarketState:
    params = PARAMS.markets[0]
    rules = bind(params.quote, ETH, VALUE_MAX)
    return MarketState(params, ETH, rules, MarketOrders(3), MarketLedger(ETH), position_max_lots=1)


def test_nothing_is_assumed_at_the_start():
    """All links are down, no book or mark is known, the books are closed and no day has begun."""
    state = State(PARAMS, 1, LossState(tripped="daily_loss"))
    market = _market()

    assert list(Link) == list(state.links_down)
    assert not state.ledger.is_open
    assert not state.day_known
    assert not state.is_valued
    assert not state.account_is_current
    assert "daily_loss" == state.loss.tripped
    assert ("no_book_yet", 0, 0) == (market.lost_reason, market.mark_ticks, market.stats_ns)


def test_hurrying_reaches_every_market():
    """A change that concerns all has each market looked at at once."""
    state = State(PARAMS, 1, LossState())
    state.markets = {0: _market(), 1: _market()}
    state.hurry_all()

    assert [True, True] == [market.urgent for market in state.markets.values()]
