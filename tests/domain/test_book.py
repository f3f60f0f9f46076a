"""The public book, compared with the plainest model of one: a dictionary for each side."""

from hypothesis import given
from hypothesis import strategies as st

from lighterman.domain.book import NO_ASK, NO_BID, OrderBook

LEVELS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 5)), max_size=12)
CHANGES = st.lists(st.tuples(LEVELS, LEVELS), max_size=12)


def _applied(model: dict[int, int], levels: list[tuple[int, int]]) -> dict[int, int]:
    return {price: size for price, size in (model | dict(levels)).items() if size}


@given(LEVELS, LEVELS, CHANGES)
def test_a_book_is_its_snapshot_and_its_changes(bids, asks, changes):
    """After any changes each side holds the newest size of every level, and the best is the outermost."""
    book = OrderBook()
    book.replace(dict(bids).items(), dict(asks).items(), 1)
    model_bids, model_asks = _applied({}, bids), _applied({}, asks)

    for nonce, (changed_bids, changed_asks) in enumerate(changes, 2):
        book.apply(changed_bids, changed_asks, nonce)
        model_bids, model_asks = _applied(model_bids, changed_bids), _applied(model_asks, changed_asks)

        assert (model_bids, model_asks, nonce) == (book.bids, book.asks, book.nonce)
        assert (max(model_bids.items()) if model_bids else None) == book.best_bid()
        assert (min(model_asks.items()) if model_asks else None) == book.best_ask()
        assert (bool(model_bids) and bool(model_asks)) == book.is_two_sided()
        crossed = bool(model_bids and model_asks) and max(model_bids) >= min(model_asks)
        assert crossed == book.is_crossed()


def _top(levels, own, count, *, is_ask):
    left = [(price, size - dict(own).get(price, 0)) for price, size in _applied({}, levels).items()]
    return sorted([level for level in left if level[1] > 0], reverse=not is_ask)[:count]


@given(LEVELS, LEVELS, st.integers(0, 10))
def test_the_top_is_the_best_levels(bids, asks, count):
    """The best levels of a side come best first, as many as asked for or as there are."""
    book = OrderBook()
    book.replace(dict(bids).items(), dict(asks).items(), 1)

    assert _top(bids, [], count, is_ask=False) == book.top_bids(count)
    assert _top(asks, [], count, is_ask=True) == book.top_asks(count)


@given(LEVELS, LEVELS, LEVELS, LEVELS, st.integers(1, 10))
def test_the_front_is_what_others_offer(bids, asks, own_bids, own_asks, count):
    """Own size is taken off each level; a level that was ours alone is not there."""
    book = OrderBook()
    book.replace(dict(bids).items(), dict(asks).items(), 1)

    def front(levels, own, *, is_ask):
        top = _top(levels, own, count, is_ask=is_ask)
        return (*top[0], sum(size for _, size in top)) if top else None

    own = (max(dict(own_bids), default=NO_BID), dict(own_bids))
    assert front(bids, own_bids, is_ask=False) == book.bid_front(count, own)
    own = (min(dict(own_asks), default=NO_ASK), dict(own_asks))
    assert front(asks, own_asks, is_ask=True) == book.ask_front(count, own)


@given(LEVELS, LEVELS)
def test_a_cleared_book_is_no_market(bids, asks):
    """What is unknown has no best price on either side, and can be filled again."""
    book = OrderBook()
    book.replace(bids, asks, 9)
    book.clear()

    assert (None, None, 0) == (book.best_bid(), book.best_ask(), book.nonce)
    assert not book.is_two_sided()
    assert not book.is_crossed()

    book.apply([(3, 1)], [(4, 1)], 10)

    assert ((3, 1), (4, 1)) == (book.best_bid(), book.best_ask())
    assert "<OrderBook (3, 1) | (4, 1) nonce 10>" == repr(book)
