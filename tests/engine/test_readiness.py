"""Why a market is not quoted: every reason pulls the quotes and is said."""

from collections.abc import Callable

import msgspec
import pytest

from helpers.desk import BTC, ETH, USD, engine_params, limits, market, market_params
from helpers.scripted_venue import MS, ScriptedVenue, commands, kinds
from lighterman.domain.commands import CancelOrder, ResyncBook
from lighterman.domain.events import (
    BookDelta,
    BookLost,
    BookSnapshot,
    DayStarted,
    FillReport,
    Link,
    LinkReport,
    MarketReport,
    StatsReport,
    StopRequested,
)

Blow = Callable[[ScriptedVenue], None]


def _quoting() -> ScriptedVenue:
    venue = ScriptedVenue()
    venue.open()
    venue.accept()
    assert 6 == len(venue.orders())
    return venue


def _down(link: Link) -> Blow:
    return lambda venue: venue.tell(LinkReport(link, up=False, reason="closed", recv_ns=venue.now_ns))


def _book(*, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> Blow:
    return lambda venue: venue.tell(BookSnapshot(0, bids, asks, 2, venue.now_ns // 1000, venue.now_ns))


def _delta(*, bids: list[tuple[int, int]]) -> Blow:
    return lambda venue: venue.tell(BookDelta(0, bids, [], 2, venue.now_ns // 1000, venue.now_ns))


def _only_ours(venue: ScriptedVenue) -> None:
    """Leave nothing in the book but our own orders."""
    sides: dict[bool, list[tuple[int, int]]] = {False: [], True: []}
    for order in venue.orders():
        sides[order.is_ask].append((order.price_ticks, order.remaining_lots()))
    _book(bids=sides[False], asks=sides[True])(venue)


def _mark(ticks: int) -> Blow:
    return lambda venue: venue.tell(StatsReport(0, ticks, ticks, 0, venue.now_ns))


def _described(**changes: object) -> Blow:
    return lambda venue: venue.tell(MarketReport(msgspec.structs.replace(ETH, **changes), venue.now_ns))


def _foreign_fill(venue: ScriptedVenue) -> None:
    venue.tell(FillReport(0, 77, 5, 0, is_ask=True, price_ticks=200_000, size_lots=5, is_maker=False, fee_ppm=0,
                          venue_us=1, recv_ns=venue.now_ns))  # fmt: skip


BLOWS: dict[str, Blow] = {
    "public_link_down: closed": _down(Link.PUBLIC),
    "private_link_down: closed": _down(Link.PRIVATE),
    "transactions_link_down: closed": _down(Link.TRANSACTIONS),
    "gap": lambda venue: venue.tell(BookLost(0, "gap", venue.now_ns)),
    "crossed_book": _delta(bids=[(200_003, 5)]),
    "one_sided_book": _book(bids=[(199_999, 5)], asks=[]),
    "nobody_else_in_book": _only_ours,
    "mark_far_from_mid": _mark(211_000),
    "no_mark_price": _mark(0),
    "market_not_active": _described(active=False),
    "market_scale_changed": _described(price_decimals=3, size_decimals=3),
    "market_minimum_changed": _described(min_base_lots=100_000),
    "foreign_order": lambda venue: venue.tell(venue.row(12)),
    "foreign_fill": _foreign_fill,
    "overfilled_order": lambda venue: venue.tell(venue.fill(venue.order(), 1001)),
    "fill_in_unknown_market": lambda venue: venue.tell(venue.fill(5, 1, market=9)),
}


@pytest.mark.parametrize("reason", BLOWS)
def test_what_stands_in_the_way_pulls_the_quotes_and_says_so(reason):
    """Each thing that makes quoting unsafe cancels every order of the market in the next decision (C2, R10, SD25)."""
    venue = _quoting()
    BLOWS[reason](venue)
    expected = sorted(order.client_order_index for order in venue.orders())

    decision = venue.decide(100)

    assert reason == venue.why()
    assert expected == sorted(c.client_order_index for c in commands(decision) if isinstance(c, CancelOrder))
    assert {"CancelOrder": len(expected)} == kinds(decision)


PATIENT = {"one_sided_book", "nobody_else_in_book", "mark_far_from_mid"}  # seen at the market's next turn


@pytest.mark.parametrize("reason", [*BLOWS, "stopping"])
def test_every_deadline_is_acted_upon(reason):
    """However long nothing more is heard, the engine never asks to decide now and then has nothing to do."""
    blow = BLOWS.get(reason, lambda venue: venue.tell(StopRequested("enough", venue.now_ns)))
    venue = _quoting()
    blow(venue)
    venue.decide()
    until_ns, decisions = venue.now_ns + 60_000 * MS, 0
    while venue.now_ns < until_ns:
        venue.now_ns = max(venue.now_ns, venue.engine.next_deadline_ns)
        venue.decide()
        decisions += 1
        assert venue.now_ns < venue.engine.next_deadline_ns

    assert decisions < 60_000 / venue.params.position_check_interval_ms + 200


@pytest.mark.parametrize("reason", sorted(BLOWS.keys() - PATIENT))
def test_the_gravest_do_not_wait_for_the_requote_interval(reason):
    """What makes the book or the account doubtful is acted on at once (SD5)."""
    venue = _quoting()
    BLOWS[reason](venue)

    assert 0 == venue.engine.next_deadline_ns
    assert venue.decide().approved


def test_a_stale_book_pulls_the_quotes_by_itself():
    """A book without news for longer than staleDataMs is no book; the engine asks to be woken for that (Q15, N2)."""
    venue = _quoting()
    venue.decide(100)
    while not venue.decisions[-1].approved:
        venue.now_ns = max(venue.now_ns, venue.engine.next_deadline_ns)
        venue.decide()

    assert "stale_book" == venue.why()
    assert 2000 * MS < venue.now_ns - venue.engine.state.markets[0].book_ns <= 2001 * MS


def test_a_stale_mark_pulls_the_quotes():
    """Books may come, but without a mark for five times that long nothing is quoted."""
    venue = _quoting()
    for _ in range(101):
        venue.now_ns += 100 * MS
        venue.book()
        venue.decide()

    assert "no_mark_price" == venue.why()


def test_a_position_without_a_mark_stops_all_markets():
    """While the worth of something held is not known, neither is the day's loss: nothing is quoted (I14, P8)."""
    venue = ScriptedVenue(engine_params(market_params(), market_params("BTC")), ETH, BTC)
    venue.describe()
    venue.book(ETH)
    venue.book(BTC)
    venue.tell(StatsReport(0, 200_000, 200_000, 0, venue.now_ns), DayStarted(1, venue.now_ns))
    venue.snapshot(BTC=-1000)
    venue.connect()

    assert [] == venue.decide().approved
    assert {"position_without_mark"} == {venue.why(ETH), venue.why(BTC)}
    venue.tell(StatsReport(1, 600_000, 600_000, 0, venue.now_ns))
    assert {"PlaceOrder": 12} == kinds(venue.decide(100))


STEPS: list[tuple[str, Blow]] = [
    ("public_link_down: not_connected", lambda venue: venue.describe()),
    ("private_link_down: not_connected", lambda venue: venue.connect(Link.PUBLIC)),
    ("transactions_link_down: not_connected", lambda venue: venue.connect(Link.PRIVATE)),
    ("account_not_known_yet", lambda venue: venue.connect(Link.TRANSACTIONS)),
    ("account_not_known_yet", lambda venue: venue.snapshot()),
    ("no_book_yet", lambda venue: venue.tell(DayStarted(1, venue.now_ns))),
    ("no_mark_price", lambda venue: venue.book()),
    ("", lambda venue: venue.tell(StatsReport(0, 200_000, 200_000, 0, venue.now_ns))),
]


def test_a_start_says_what_it_waits_for():
    """Until everything is known each decision names the first thing missing, and the last one quotes at once (HB8)."""
    venue = ScriptedVenue()
    for reason, step in STEPS:
        step(venue)
        decision = venue.decide(100)
        assert reason == venue.why()
        assert bool(decision.approved) == (not reason)


def test_nothing_is_quoted_by_a_new_mark_before_the_loss_is_looked_at():
    """Where the first mark after an outage shows the day's loss, the decision that takes it places nothing (R7)."""
    venue = ScriptedVenue(engine_params(market_params(), account=limits(daily_loss_micro_max=100 * USD)))
    venue.open(ETH=10_000)
    venue.accept()
    venue.tell(LinkReport(Link.PUBLIC, up=False, reason="closed", recv_ns=venue.now_ns))
    venue.decide(1000)
    for order in venue.orders():
        venue.tell(venue.row(order, "canceled"))
    venue.decide(100)
    venue.mids[0] = 189_999
    venue.tell(LinkReport(Link.PUBLIC, up=True, reason="", recv_ns=venue.now_ns))
    venue.prices()
    decision = venue.decide(1)

    assert "daily_loss" == venue.why()
    assert {} == kinds(decision)


def test_nothing_is_quoted_after_a_fill_before_the_loss_is_looked_at():
    """Where a fill brings the day's loss, the decision that takes it places nothing and pulls what stands (R7)."""
    venue = ScriptedVenue(engine_params(market_params(), account=limits(daily_loss_micro_max=100 * USD)))
    venue.open()
    venue.accept()
    venue.decide(1000)
    order = venue.order()
    venue.tell(FillReport(0, 77, 5, order.client_order_index, is_ask=order.is_ask, price_ticks=400_000, size_lots=1000,
                          is_maker=True, fee_ppm=0, venue_us=1, recv_ns=venue.now_ns))  # fmt: skip
    decision = venue.decide(1)

    assert "daily_loss" == venue.why()
    assert {"CancelOrder"} == set(kinds(decision))


def test_a_daily_loss_stops_quoting_at_once_and_over_a_restart():
    """When the day's loss passes the limit every order goes, the state is saved, and a restart stays shut (R7, P8)."""
    params = engine_params(market_params(), account=limits(daily_loss_micro_max=100 * USD))
    venue = ScriptedVenue(params)
    venue.open(ETH=10_000)
    venue.accept()
    venue.tell(StatsReport(0, 198_999, 198_999, 0, venue.now_ns))  # 1 ETH loses 10.01 USD

    before = venue.decide(100)
    venue.accept()
    assert before.loss is None or not before.loss.tripped
    venue.mids[0] = 189_999
    venue.prices()
    tripped = venue.decide(100)

    assert "daily_loss" == venue.why()
    assert {"CancelOrder": len(venue.orders())} == kinds(tripped)
    assert tripped.loss is not None
    assert ("daily_loss", 1) == (tripped.loss.tripped, tripped.loss.day)
    for day, mid in ((1, 200_000), (2, 300_000)):
        later = ScriptedVenue(params, loss=tripped.loss)
        later.mids[0] = mid
        later.describe()
        later.prices()
        later.snapshot(ETH=10_000)
        later.tell(DayStarted(day, later.now_ns))
        later.connect()
        later.decide()
        later.cycle(3_600_000)
        assert "daily_loss" == later.why()
        assert not any(decision.approved for decision in later.decisions)


def test_a_stop_is_the_gravest_reason():
    """Once told to stop no other reason is given."""
    venue = _quoting()
    venue.tell(StopRequested("enough", venue.now_ns), BookLost(0, "gap", venue.now_ns))
    venue.decide()

    assert "stopping" == venue.why()


def test_a_crossed_book_is_asked_for_anew_once_a_second():
    """Only the engine sees that a book is crossed; it asks for another and not in a storm (E13, I5)."""
    venue = _quoting()
    asked = []
    for _ in range(25):
        BLOWS["crossed_book"](venue)
        asked += venue.decide(100).queries

    assert [ResyncBook(0)] * 3 == asked

    venue.tell(BookLost(0, "resync", venue.now_ns))
    venue.cycle()
    assert "" == venue.why()


def test_a_book_that_uncrosses_is_a_book_again():
    """When the next change removes the crossing the market is quoted again."""
    venue = _quoting()
    BLOWS["crossed_book"](venue)
    venue.accept(venue.decide())
    _delta(bids=[(200_003, 0)])(venue)

    assert {"PlaceOrder": 6} == kinds(venue.decide(100))


def test_changes_on_a_lost_book_are_ignored():
    """Between a gap and the next snapshot nothing is believed (N3, N4, I5)."""
    venue = _quoting()
    venue.tell(BookLost(0, "gap", venue.now_ns))
    _delta(bids=[(199_990, 5)])(venue)
    venue.decide(100)

    assert "gap" == venue.why()
    assert venue.engine.state.markets[0].book.best_bid() is None


def test_one_markets_trouble_is_not_anothers():
    """A lost book pulls the quotes of its market alone (O11)."""
    venue = ScriptedVenue(engine_params(market_params(), market_params("BTC")), ETH, BTC)
    venue.open()
    venue.accept()
    venue.tell(BookLost(BTC.index, "gap", venue.now_ns))
    decision = venue.decide()

    assert {BTC.index} == {command.market for command in commands(decision)}
    assert ("", "gap") == (venue.why(ETH), venue.why(BTC))


def test_a_mark_that_ends_still_values_what_is_held():
    """A mark of zero stops quoting; positions are still valued at the last one known (E13)."""
    venue = ScriptedVenue(engine_params(account=limits(daily_loss_micro_max=USD)))
    venue.open(ETH=10_000)
    venue.tell(StatsReport(0, 0, 0, 0, venue.now_ns))
    venue.decide(100)
    venue.tell(venue.fill(venue.orders()[0], 1, fee_ppm=0))

    assert "no_mark_price" == venue.why()
    assert 200_000 == venue.engine.state.markets[0].mark_ticks


def test_a_described_market_that_is_unchanged_changes_nothing():
    """Reading the venue's description again, as every hour, keeps every order (E12)."""
    venue = _quoting()
    venue.tell(MarketReport(market(0, "ETH", 2, 50), venue.now_ns))

    assert [] == venue.decide(100).approved
    assert "" == venue.why()
