"""One recorded book out of snapshots, differences and best levels."""

from hypothesis import given
from hypothesis import strategies as st

from helpers.tape_lab import levels, sold
from lighterman.simulator.tapes.depth import Depth, by_time
from lighterman.simulator.tapes.format import Levels

BIDS = st.dictionaries(st.integers(50, 99), st.integers(1, 9), min_size=1, max_size=8)
ASKS = st.dictionaries(st.integers(100, 149), st.integers(1, 9), min_size=1, max_size=8)


@given(books=st.lists(st.tuples(BIDS, ASKS), max_size=10), shown=st.integers(1, 6))
def test_changes_add_up_to_the_best_levels(books, shown):
    """Whoever applies every change has the best levels of the last snapshot."""
    depth = Depth(shown)
    kept: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for at_us, (bids, asks) in enumerate(books):
        depth.replace(list(bids.items()), list(asks.items()))
        changed = depth.changes(at_us) or Levels(at_us, [], [])
        for side, levels_ in zip(kept, (changed.bids, changed.asks), strict=True):
            for price, size in levels_:
                side[price] = size
        kept = ({p: s for p, s in kept[0].items() if s}, {p: s for p, s in kept[1].items() if s})

        assert kept[0] == dict(sorted(bids.items(), reverse=True)[:shown])
        assert kept[1] == dict(sorted(asks.items())[:shown])


def test_nothing_new_is_a_sign_of_life():
    """The same book again is a change without levels."""
    depth = Depth(5)
    depth.replace([(99, 1)], [(100, 1)])

    assert depth.changes(1) is not None
    assert depth.changes(2) == Levels(2, [], [])


def test_a_top_removes_what_was_better():
    """A new best level proves that everything better than it, or across it, is gone."""
    depth = Depth(5)
    depth.replace([(99, 1), (98, 2), (97, 3)], [(100, 1), (101, 2), (102, 3)])
    depth.changes(1)
    depth.top((98, 7), (101, 8))

    assert depth.changes(2) == Levels(2, [(99, 0), (98, 7)], [(100, 0), (101, 8)])
    depth.top((101, 4), (103, 5))
    assert depth.changes(3) == Levels(3, [(101, 4)], [(101, 0), (102, 0), (103, 5)])


def test_a_crossed_book_is_held_back():
    """A book that is crossed or has one side is not passed on until it is whole."""
    depth = Depth(5)
    depth.replace([(101, 1)], [(100, 1)])
    assert depth.changes(1) is None
    depth.change([(101, 0)], [])
    assert depth.changes(2) is None
    depth.change([(98, 4)], [])
    assert depth.changes(3) == Levels(3, [(98, 4)], [(100, 1)])


def test_prints_come_before_the_book_they_made():
    """At equal times a print is played first: the book already shows what it took."""
    book, print_ = levels(1, [(-1, 5)], [(1, 5)]), sold(1, -1, 3)

    assert list(by_time([levels(0), book], [print_])) == [levels(0), print_, book]
