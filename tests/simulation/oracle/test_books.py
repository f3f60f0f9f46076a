"""I5, I6: broken on purpose, and not broken by what is right."""

import pytest

from lighterman.simulation.oracle.books import NONCES_KEPT
from simulation.oracle.court import MARK, MS, Court, S, digest_of

BIDS = ((MARK - 100, 5_000),)
ASKS = ((MARK + 100, 5_000),)


def test_the_same_book_has_the_same_digest():
    """The digest knows neither order nor history, only levels."""
    assert digest_of(BIDS, ASKS) == digest_of(((MARK - 100, 5_000),), ((MARK + 100, 5_000),))
    assert digest_of([*BIDS, (1, 2)], ()) == digest_of([(1, 2), *BIDS], ())
    assert digest_of(BIDS, ()) != digest_of((), BIDS)
    assert digest_of((), ()) == 0


def test_a_true_book_is_clean():
    """A book at an earlier nonce is compared with the venue's of that nonce, and no book is no breach."""
    court = Court()
    early = (2, digest_of(BIDS, ASKS))
    court.level(MARK - 100, 0)
    court.level(MARK - 110, 70)
    late = (4, digest_of(((MARK - 110, 70),), ASKS))
    court.believe(books={0: early})
    court.believe(books={0: late})
    court.believe(books={0: (0, 0)})
    court.believe(books={})

    assert court.texts == []
    assert court.oracle.counters["I5"] == 2


@pytest.mark.parametrize("nonce", [1, 2, 3])
def test_a_wrong_book_is_a_breach(nonce):
    """Other levels at a nonce, or a nonce that the venue never reached, are a breach."""
    court = Court()
    court.believe(books={0: (nonce, digest_of(BIDS, ((MARK + 100, 4_999),)))})

    assert court.verdict == ["I5"]


def test_what_is_long_ago_is_not_judged():
    """A nonce that is no longer kept cannot be judged, and is not counted."""
    court = Court()
    for step in range(NONCES_KEPT + 5):
        court.level(MARK - 500, 1 + step % 7)
    court.believe(books={0: (2, 12345)})

    assert court.texts == []
    assert court.oracle.counters["I5"] == 0


def test_a_restart_of_the_venue_shifts_nonces():
    """After a restart nonces go back: the old book is true at its old nonce, the new one at its new."""
    court = Court()
    for lots in range(1, 101):
        court.level(MARK - 300, lots)
    court.oracle.venue_restarted(-100, court.now_ns)
    old = digest_of([*BIDS, (MARK - 300, 100)], ASKS)
    court.believe(books={0: (102, old)})
    court.level(MARK - 300, 7)
    court.believe(books={0: (3, digest_of([*BIDS, (MARK - 300, 7)], ASKS))})
    assert court.texts == []

    court.believe(books={0: (103, old)})

    assert court.verdict == ["I5"]


def test_a_crossed_venue_is_a_breach():
    """The venue's own book may not cross."""
    court = Court()
    court.level(MARK + 200, 10)

    assert court.verdict == ["I5"]


def heard_book(court, begin, end, *, is_first=False):
    kind = "subscribed/order_book" if is_first else "update/order_book"
    court.public("order_book:0", kind=kind, book=(begin, end))


def test_nothing_leaves_over_a_gap():
    """After a gap orders may leave for as long as they take, and again after a new first frame."""
    court = Court()
    heard_book(court, 0, 10, is_first=True)
    heard_book(court, 10, 12)
    heard_book(court, 9, 12)
    heard_book(court, 12, 15)
    court.skip(S).leave(court.a_create(1, lots=10))
    assert court.texts == []

    heard_book(court, 17, 19)
    court.skip(400 * MS).leave(court.a_create(2, lots=10))
    assert court.texts == []
    court.skip(200 * MS).leave(court.a_create(3, lots=10))
    assert court.verdict == ["I5"]

    heard_book(court, 0, 30, is_first=True)
    court.skip(S).leave(court.a_create(4, lots=10))

    assert len(court.texts) == 1


def test_an_old_first_frame_is_no_gap():
    """A late copy of a first frame changes nothing; a venue that restarted goes on from its own."""
    court = Court()
    heard_book(court, 0, 10, is_first=True)
    heard_book(court, 10, 12)
    heard_book(court, 0, 10, is_first=True)
    heard_book(court, 12, 13)
    heard_book(court, 0, 2, is_first=True)
    heard_book(court, 2, 4)
    heard_book(court, 4, 5)
    court.skip(S).leave(court.a_create(1, lots=10))

    assert court.texts == []


def test_fresh_data_is_clean():
    """Data as old as the limit is still data."""
    court = Court()
    court.skip(2 * S).leave(court.a_create(1, lots=10))

    assert court.texts == []
    assert court.oracle.counters["I6"] == 1


def test_old_data_is_a_breach():
    """An order on data older than the limit, and the way out, is a breach."""
    court = Court()
    court.skip(2_600 * MS).leave(court.a_create(1, lots=10))

    assert court.verdict == ["I6"]


def test_data_that_was_stuck_is_not_fresh():
    """A frame that was sent long ago is old, though it has only just come."""
    court = Court()
    court.skip(30 * S)
    court.private(b"{}")
    court.public("order_book:0", delay_ns=3 * S)
    court.leave(court.a_create(1, lots=10))

    assert court.verdict == ["I6"]


def test_what_the_fastest_way_takes_is_not_counted():
    """On a connection that never was faster than 0.6 s nobody sees that data is older; one that was faster tells."""
    court = Court()
    court.believe(links_down=("public",))
    court.believe()
    court.public("market_stats:0", delay_ns=600 * MS)
    court.skip(2_200 * MS).private(b"{}")
    court.leave(court.a_create(1, lots=10))
    assert court.texts == []

    court.public("market_stats:0", delay_ns=0)
    court.skip(S).public("market_stats:0", delay_ns=600 * MS)
    court.skip(2_200 * MS).leave(court.a_create(2, lots=10))

    assert court.verdict == ["I6"]


def test_another_markets_data_is_none():
    """Data counts for the market it names, or for all."""
    court = Court()
    court.skip(3 * S).public("market_stats:1")
    court.leave(court.a_create(1, lots=10))
    assert court.verdict == ["I6"]

    court = Court()
    court.skip(3 * S).public("market_stats:all")
    court.leave(court.a_create(1, lots=10))

    assert court.texts == []


def test_a_new_process_has_heard_nothing():
    """What an earlier process heard is nothing to a new one."""
    court = Court()
    court.oracle.bot_killed(court.now_ns)
    court.oracle.bot_started(court.now_ns)
    court.leave(court.a_create(1, lots=10))

    assert court.verdict == ["I6"]


def test_a_silent_private_stream_is_a_breach():
    """Ten seconds without a private frame are no healthy private stream."""
    court = Court()
    for _ in range(10):
        court.skip(S).public("market_stats:0")
    court.leave(court.a_create(1, lots=10))
    assert court.texts == []

    court.skip(S).public("market_stats:0")
    court.leave(court.a_create(2, lots=10))

    assert court.verdict == ["I6"]


def test_a_link_that_is_down_as_the_bot_knows_is_a_breach():
    """Half a second after the bot says that a link is down no order leaves any more."""
    court = Court()
    court.believe(links_down=("private",))
    court.skip(400 * MS).leave(court.a_create(1, lots=10))
    court.believe(links_down=("private",))
    assert court.texts == []
    court.skip(200 * MS).leave(court.a_create(2, lots=10))
    assert court.verdict == ["I6"]

    court.believe()
    court.leave(court.a_create(3, lots=10))

    assert len(court.texts) == 1


def test_noise_on_the_public_stream_is_no_data():
    """Frames that cannot be read, or name no market, are nothing."""
    court = Court()
    court.skip(3 * S)
    for data in (b"", b"[]", b"\xff", b'{"channel":"height"}', b'{"channel":"ticker:x"}', b'{"channel":5}'):
        court.oracle.frame_reached_bot("public", data, court.now_ns)
    court.leave(court.a_create(1, lots=10))

    assert court.verdict == ["I6"]
