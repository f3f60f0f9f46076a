"""A recorded market: our orders are filled when, and by as much as, the recorded flow reaches them."""

from hypothesis import given
from hypothesis import strategies as st

from helpers.market_lab import BTC
from helpers.tape_lab import PRICE, US, Stage, bought, levels, sold
from lighterman.domain.errors import JournalError
from lighterman.matching.requests import TimeInForce
from lighterman.simulator.tapes.format import Levels, Print, Record, Recording
from lighterman.simulator.tapes.market import TapeMarket

BOOK = levels(0, bids=[(-1, 100), (-2, 300)], asks=[(1, 200), (2, 400)])


def test_the_recorded_book_stands():
    """At the start the book is the recorded one, and the index is its middle."""
    stage = Stage(BOOK)

    assert stage.bids() == {-1: 100, -2: 300}
    assert stage.asks() == {1: 200, 2: 400}
    assert stage.exchange.stats(BTC.index).index_ticks == PRICE


def test_the_queue_ahead_trades_first():
    """What was displayed when we came is filled before us, and what came later after us."""
    stage = Stage(BOOK, sold(1, -1, 80), sold(2, -1, 30), sold(3, -1, 25), sold(4, -1, 100))
    stage.quote(-1, 30, is_ask=False)

    assert [stage.ours(stage.play()) for _ in range(4)] == [0, 10, 20, 0]


def test_growth_queues_behind_us():
    """A level that grows after we came puts nothing in front of us."""
    stage = Stage(BOOK, levels(1, bids=[(-1, 500)]), sold(2, -1, 130))
    stage.quote(-1, 30, is_ask=False)
    stage.play()

    assert stage.bids()[-1] == 530
    assert stage.ours(stage.play()) == 30


def test_cancels_come_from_behind_us_first():
    """While something stands behind us, a shrinking level leaves our queue ahead alone."""
    stage = Stage(BOOK, levels(1, bids=[(-1, 150)]), levels(2, bids=[(-1, 100)]), sold(3, -1, 100), sold(4, -1, 1))
    stage.quote(-1, 30, is_ask=False)

    assert [stage.ours(stage.play()) for _ in range(4)] == [0, 0, 0, 1]


def test_the_queue_ahead_is_never_more_than_displayed():
    """A level that shrinks below what was ahead of us leaves that much ahead."""
    stage = Stage(BOOK, levels(1, bids=[(-1, 40)]), sold(2, -1, 40), sold(3, -1, 5))
    stage.quote(-1, 30, is_ask=False)

    assert [stage.ours(stage.play()) for _ in range(3)] == [0, 0, 5]


def test_a_print_through_our_price_fills_us():
    """A print at a worse price has passed us: we are filled at our own price, first."""
    stage = Stage(BOOK, sold(1, -2, 50))
    stage.quote(-1, 30, is_ask=False)
    trades = stage.play()

    assert [(trade.price_ticks - PRICE, trade.size_lots) for trade in trades] == [(-1, 30), (-2, 20)]
    assert stage.bids() == {-2: 280}


def test_the_other_side_does_not_fill_us():
    """A taker who buys fills no bid, at whatever price."""
    stage = Stage(BOOK, bought(1, 1, 500), bought(2, -1, 500))
    stage.quote(-1, 30, is_ask=False)

    assert [stage.ours(stage.play()) for _ in range(2)] == [0, 0]


def test_a_print_trades_its_whole_volume():
    """Volume that the book did not show is added at the print's price: the public sees what was recorded."""
    stage = Stage(BOOK, sold(1, -1, 1_000), bought(2, 0, 70), bought(3, -2, 40))

    assert [sum(trade.size_lots for trade in stage.play()) for _ in range(3)] == [1_000, 70, 40]
    assert stage.bids() == {}  # a buyer at -2 met no bid there


def test_hidden_volume_stands_behind_us():
    """A print inside the spread fills our order there before anything that was not displayed."""
    stage = Stage(BOOK, sold(1, 0, 50))
    stage.quote(0, 30, is_ask=False)

    assert stage.ours(stage.play()) == 30


def test_a_crossing_level_is_withheld():
    """A recorded ask at our bid neither trades nor stands; when our bid is gone, it stands."""
    stage = Stage(BOOK, levels(1, asks=[(-1, 90)]), levels(2, bids=[(-1, 0)]), levels(3, bids=[(-2, 310)]))
    stage.quote(0, 30, is_ask=False)

    assert stage.play() == []
    assert stage.play() == []
    assert stage.asks() == {1: 200, 2: 400}
    stage.cancel()
    assert stage.play() == []
    assert stage.asks() == {-1: 90, 1: 200, 2: 400}


def test_what_we_take_comes_back():
    """Our taking changes the book until its next record, and not the recording."""
    stage = Stage(BOOK, levels(1, bids=[(-2, 310)]))
    stage.send(1, 150, is_ask=False, time_in_force=TimeInForce.IOC)

    assert stage.asks() == {1: 50, 2: 400}
    stage.play()
    assert stage.asks() == {1: 200, 2: 400}
    assert stage.exchange.position_lots(US, BTC.index) == 150


def test_a_record_changes_only_what_changed():
    """A level that stays as it was keeps its order: no order of the tape loses its place for nothing."""
    stage = Stage(BOOK, levels(1, bids=[(-2, 310)]))
    stage.exchange.take_outputs()
    stage.market.play(stage.exchange, stage.now_us)

    assert stage.changed_levels() == 1


def test_an_end_is_told():
    """After the last record nothing is next, the book stays, and the reason is said."""
    stage = Stage(BOOK, levels(1, bids=[(-1, 50)]))
    stage.play()

    assert stage.market.next_at_us is None
    assert stage.market.end == "the recording has ended"
    assert stage.bids() == {-1: 50, -2: 300}


def test_damage_ends_a_market():
    """A recording that turns out damaged ends its market, with the reason, and nothing else."""

    def damaged():
        yield BOOK
        raise JournalError("tape x: record 1 is damaged")

    market = TapeMarket(Recording(header=Stage(BOOK).market.header, records=damaged()))

    assert market.next_at_us == BOOK.at_us
    stage = Stage(BOOK)
    market.play(stage.exchange, stage.now_us)
    assert (market.next_at_us, market.end) == (None, "tape x: record 1 is damaged")


# Random tapes against a model of one order: our bid at -1, asks far away.

SIZES = st.integers(0, 60)
EVENTS = st.one_of(
    st.builds(lambda best, ours, worse: levels(1, bids=[(0, best), (-1, ours), (-2, worse)]), SIZES, SIZES, SIZES),
    st.builds(lambda price, size: sold(1, price, size), st.integers(-3, 1), st.integers(1, 90)),
    st.builds(lambda size: bought(1, 10, size), st.integers(1, 90)),
)


def fills_by_the_book(records: list[Record], queue_ahead: int, left: int) -> list[int]:
    """Return what market-making reference 9.1 and 9.2 (risk-averse) say each record fills of our bid at -1."""
    fills = []
    for record in records:
        fill = 0
        if isinstance(record, Levels):
            queue_ahead = min([queue_ahead, *(size for price, size in record.bids if price == PRICE - 1)])
        elif record.taker_is_ask and record.price_ticks < PRICE - 1:
            fill, queue_ahead = min(left, record.size_lots), 0
        elif record.taker_is_ask and record.price_ticks == PRICE - 1:
            eaten = min(queue_ahead, record.size_lots)
            queue_ahead -= eaten
            fill = min(left, record.size_lots - eaten)
        left -= fill
        fills.append(fill)
    return fills


@given(records=st.lists(EVENTS, max_size=25), first=SIZES, size=st.integers(1, 80))
def test_fills_are_those_of_the_queue_model(records, first, size):
    """Over random recordings our order is filled exactly as the stated queue model says."""
    stage = Stage(levels(0, bids=[(-1, first)], asks=[(10, 50)]), *records)
    stage.quote(-1, size, is_ask=False)

    assert [stage.ours(stage.play()) for _ in records] == fills_by_the_book(records, first, size)


QUOTES = st.tuples(st.integers(-3, 3), st.integers(1, 50), st.booleans())


@given(
    steps=st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(-4, -1), SIZES), max_size=3),
            st.lists(st.tuples(st.integers(1, 4), SIZES), max_size=3),
            st.integers(-2, 2),
            st.one_of(st.none(), st.tuples(st.integers(-4, 4), st.integers(1, 90), st.booleans())),
            st.one_of(st.none(), QUOTES),
        ),
        max_size=15,
    )
)
def test_a_tape_keeps_its_promises(steps):
    """Whatever is recorded and quoted: no fill without a print, none beyond it, no crossed book, no money made."""
    records: list[Record] = []
    for bids, asks, shift, print_, _ in steps:
        if print_ is None:
            records.append(levels(1, bids, asks, at=PRICE + 5 * shift))
        else:
            price, size_lots, taker_is_ask = print_
            records.append(Print(1, PRICE + price, size_lots, taker_is_ask))
    stage = Stage(BOOK, *_uncrossed(records))
    before = stage.exchange.total_value_pico()
    for (*_, quote), record in zip(steps, _uncrossed(records), strict=True):
        if quote is not None:
            price, size_lots, is_ask = quote
            stage.quote(price, size_lots, is_ask=is_ask)
        stage.exchange.take_outputs()
        trades = stage.play()

        assert not stage.exchange.book(BTC.index).is_crossed()
        if isinstance(record, Levels):
            assert trades == []
        else:
            assert sum(trade.size_lots for trade in trades) <= record.size_lots
            assert all(trade.is_maker_ask != record.taker_is_ask for trade in trades)
            limit = record.price_ticks
            assert all(
                trade.price_ticks >= limit if record.taker_is_ask else trade.price_ticks <= limit for trade in trades
            )
    assert stage.exchange.total_value_pico() == before


def _uncrossed(records: list[Record]) -> list[Record]:
    """Take away from each change of the book what would cross the book recorded so far: no recording has it."""
    bids, asks = {price for price, _ in BOOK.bids}, {price for price, _ in BOOK.asks}
    kept: list[Record] = []
    for record in records:
        if not isinstance(record, Levels):
            kept.append(record)
            continue
        change = Levels(record.at_us, [], [])
        for price, size in record.bids:
            if not size or price < min(asks, default=price + 1):
                change.bids.append((price, size))
                (bids.add if size else bids.discard)(price)
        for price, size in record.asks:
            if not size or price > max(bids, default=price - 1):
                change.asks.append((price, size))
                (asks.add if size else asks.discard)(price)
        kept.append(change)
    return kept


def test_no_record_is_made_up():
    """A market without a record has nothing to play."""
    market = TapeMarket(Recording(header=Stage(BOOK).market.header, records=iter(())))

    assert market.next_at_us is None
    assert market.end == "the recording has ended"
