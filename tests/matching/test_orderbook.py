"""Price-time priority, order indexes and what the public book is told: protocol reference 3.4, 4.3, 9.2."""

from helpers.trading_floor import (
    ALPHA,
    BETA,
    CROWD,
    GAMMA,
    AmendOrder,
    DropAll,
    ask,
    bid,
    do,
    floor,
    levels,
    only,
    row_of,
    send,
    taker_bid,
)
from lighterman.matching.outputs import LevelChanged, TradeDone
from lighterman.matching.rejects import Reject
from lighterman.matching.views import Rejected


def test_price_time_priority():
    """9.2: best price first, at one price the earlier order first, always at the maker's price."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1001, 3, client=1), ask(GAMMA, 1000, 3, client=2), ask(BETA, 1000, 3, client=3))
    trades = only(do(exchange, taker_bid(CROWD, 1005, 7)), TradeDone)

    assert [(t.ask_account_index, t.price_ticks, t.size_lots) for t in trades] == [
        (GAMMA, 1000, 3),
        (BETA, 1000, 3),
        (ALPHA, 1001, 1),
    ]


def test_order_index():
    """4.3: ((market + 1) << 48) + nonce; ask nonces count up from 1, bid nonces down from 2^48 - 1."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1001, 4, client=1), ask(ALPHA, 1002, 4, client=2))
    do(exchange, bid(ALPHA, 999, 4, client=3, market=1), bid(ALPHA, 998, 4, client=4, market=1))

    assert row_of(exchange, ALPHA, 1).order_index == 2**48 + 1
    assert row_of(exchange, ALPHA, 2).order_index == 2**48 + 2
    assert row_of(exchange, ALPHA, 3).order_index == 2 * 2**48 + 2**48 - 1
    assert row_of(exchange, ALPHA, 4).order_index == 2 * 2**48 + 2**48 - 2


def test_level_changes_are_absolute_and_counted():
    """3.4: every change of a level is told with its new size and the next nonce."""
    exchange = floor()
    outputs = do(
        exchange, ask(CROWD, 1000, 10), ask(CROWD, 1000, 5), taker_bid(ALPHA, 1000, 12), DropAll(account_index=CROWD)
    )
    changes = [(c.nonce, c.price_ticks, c.size_lots) for c in only(outputs, LevelChanged)]

    assert changes == [(1, 1000, 10), (2, 1000, 15), (3, 1000, 5), (4, 1000, 3), (5, 1000, 0)]
    assert exchange.book(0).nonce == 5


def test_a_touched_book_is_told_again_unchanged():
    """A touch tells the best level again with the next nonce, and an empty book has nothing to tell."""
    exchange = floor()
    exchange.touch(0, exchange.now_us)
    do(exchange, ask(CROWD, 1000, 10))
    exchange.touch(0, exchange.now_us)
    changes = [(c.nonce, c.is_ask, c.price_ticks, c.size_lots) for c in only(exchange.take_outputs(), LevelChanged)]

    assert changes == [(2, True, 1000, 10)]
    assert levels(exchange) == ({}, {1000: 10})


def test_a_full_book():
    """4.3: when the nonces of both sides have met nothing can be created or modified (21601)."""
    exchange = floor(tier="premium")
    do(exchange, ask(ALPHA, 1001, 4, client=1))
    book = exchange._state.pits[0].book  # noqa: SLF001  (2^48 orders would take a while)
    book._next_bid_nonce = book._next_ask_nonce  # noqa: SLF001
    amend = AmendOrder(account_index=ALPHA, market=0, index=1, price_ticks=1002, size_lots=4)

    assert exchange.act(bid(CROWD, 990, 4), exchange.now_us) is Reject.BOOK_FULL
    assert exchange.act(amend, exchange.now_us) is Reject.BOOK_FULL
    assert send(exchange, bid(ALPHA, 990, 4)) == Rejected(Reject.BOOK_FULL, 0)
    assert levels(exchange) == ({}, {1001: 4})
