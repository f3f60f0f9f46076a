"""What the oracle is told of the bot: its terms, and what it takes for true."""

from helpers.desk import engine_params, market_params
from helpers.scripted_venue import ScriptedVenue
from lighterman.simulation.beliefs import COLLATERAL_USDC, belief_of, terms_of
from lighterman.simulation.bot import settings_of
from lighterman.simulation.draw import draw_plan
from lighterman.simulation.oracle import book_digest
from lighterman.simulator.markets import markets_named


def test_terms_are_those_of_the_settings():
    """Limits, keys, markets and sizes as the bot has them; the account as it was opened."""
    options = draw_plan(1, symbols=["ETH", "BTC"], tempo_ms=[100, 100], levels=2, position_share=1.0).options
    settings = settings_of(options)
    terms = terms_of(settings, markets_named(options.symbols), options, is_canary=False)

    assert settings.engine.limits == terms.limits
    assert [0, 1] == [each.market.index for each in terms.markets]
    assert [20_000, 8_000] == [each.position_max_lots for each in terms.markets]
    assert [650, 260] == [each.quote_lots for each in terms.markets]
    assert COLLATERAL_USDC * 10**12 == terms.collateral_pico
    assert (settings.venue.account_index, options.start_us) == (terms.account_index, terms.began_us)


def test_before_the_account_is_known_nothing_is_believed():
    """A bot that has not read its account takes nothing for its position."""
    belief = belief_of(ScriptedVenue().engine.state, 0, with_books=True)

    assert ({}, None, {}) == (belief.positions, belief.cash_pico, belief.books)


def test_belief_is_what_the_engine_holds():
    """Positions, cash, tracked orders and books are told as they are; books only when asked for."""
    venue = ScriptedVenue(engine_params(market_params(levels=2)))
    venue.open()
    venue.accept()
    state = venue.engine.state
    belief = belief_of(state, 7, with_books=True)
    (index, market) = next(iter(state.markets.items()))

    assert {order.client_order_index for order in state.orders} == belief.tracked
    assert 4 == len(belief.tracked)
    assert {0: 0} == {index: belief.positions[index]}
    assert state.ledger.cash_pico == belief.cash_pico
    assert {index: (market.book.nonce, book_digest(market.book.bids, market.book.asks))} == belief.books
    assert (7, 1, ()) == (belief.journal_bytes, belief.epoch, belief.links_down)
    assert {} == belief_of(state, 7, with_books=False).books
