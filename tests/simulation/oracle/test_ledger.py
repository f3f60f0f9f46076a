"""I10, I11: broken on purpose, and not broken by what is right."""

import pytest

from lighterman.matching.outputs import FundingPaid
from simulation.oracle.court import ACCOUNT, MARK, Court, S


def traded():
    """Return a court in which 100 lots were bought and told long ago."""
    court = Court()
    court.believe()
    court.place(1, lots=400)
    court.tell_trade(court.fill(1, 100))
    return court.wait(10 * S)


def test_a_true_belief_is_clean():
    """Positions and cash that follow the venue at once break nothing, through reducing and flipping."""
    court = Court()
    court.place(1, lots=400)
    court.place(2, is_ask=True, lots=600)
    for name, lots in ((1, 300), (2, 100), (2, 450), (1, 100), (2, 50)):
        court.fill(name, lots)
        court.believe()
    court.funding(-123_456_789)
    court.believe()
    court.oracle.quiet(court.truth(), court.now_ns)

    assert court.texts == []
    assert court.oracle.counters["I10"] >= 7
    assert court.oracle.counters["I11"] >= 7


def test_what_is_on_its_way_explains_a_difference():
    """Any of the trades not told of yet may be in the bot's books or not."""
    court = traded()
    court.fill(1, 30)
    court.fill(1, 50)
    for lots in (100, 150, 130):
        court.believe(positions={0: lots})
    court.tell_trade(court.counts["trade"])
    for lots in (130, 180):
        court.believe(positions={0: lots})

    assert court.texts == []


def test_a_position_may_be_right_by_chance():
    """Two trades on their way that cancel each other out are each still on their way."""
    court = traded()
    court.place(2, is_ask=True, lots=30)
    court.fill(1, 30)
    court.fill(2, 30)
    court.believe(positions={0: 100})
    court.believe(positions={0: 130})
    court.believe(positions={0: 100})

    assert court.texts == []


def test_a_trade_applied_twice_is_a_breach():
    """A position with one trade too many breaks I11, told once until it is right again."""
    court = traded()
    court.tell_trade(court.fill(1, 30))
    court.believe(positions={0: 160})
    court.believe(positions={0: 160})

    assert court.verdict == ["I11"]
    assert len(court.texts) == 1


def test_a_trade_that_was_told_and_never_applied_is_a_breach():
    """Five seconds and five decisions after it was told a trade must be in the books."""
    court = traded()
    court.tell_trade(court.fill(1, 30))
    for _ in range(4):
        court.skip(S).believe(positions={0: 100})
    assert court.texts == []
    court.skip(S).believe(positions={0: 100})

    assert court.verdict == ["I11"]


def test_a_reply_may_be_read_again():
    """A trade that a reply has told must be in the books only half a minute later: one of the replies may fail."""
    court = traded()
    trade = court.fill(1, 30)
    court.oracle.frame_reached_bot("rest", f'{{"trades":[{{"trade_id":{trade}}}]}}'.encode(), court.now_ns)
    for _ in range(34):
        court.skip(S).believe(positions={0: 100})
    assert court.texts == []
    court.skip(S).believe(positions={0: 100})

    assert court.verdict == ["I11"]


def test_a_frame_with_a_renamed_field_tells_nothing():
    """The trades in a frame that no bot can read whole are on their way as before."""
    court = traded()
    trade = court.fill(1, 30)
    court.private(
        f'{{"channel":"account_all_trades:77","trades":{{"0":[{{"trade_id":{trade},"size_v2":"1"}}]}}}}'.encode()
    )
    for _ in range(40):
        court.skip(S).believe(positions={0: 100})

    assert court.texts == []


def test_a_trade_that_was_not_told_may_be_missing_for_long():
    """As long as no frame of its own channel has named it a trade is on its way."""
    court = traded()
    court.tell_trade(court.fill(1, 30), "account_all")
    for _ in range(60):
        court.skip(S).believe(positions={0: 100})

    assert court.texts == []


@pytest.mark.parametrize("lots", [-100, 1, 99, 131])
def test_a_position_from_nowhere_is_a_breach(lots):
    """A difference that is no trade breaks I10."""
    court = traded()
    court.fill(1, 30)
    court.believe(positions={0: lots})

    assert court.verdict == ["I10"]


def test_a_new_process_first_reads_its_account():
    """Until its belief was once true a process is not judged; from then on it is."""
    court = traded()
    court.oracle.bot_killed(court.now_ns)
    court.start()
    court.believe(positions={})
    court.believe(positions={0: 0})
    court.believe()
    assert court.texts == []

    court.believe(positions={0: 0})

    assert court.verdict == ["I11"]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, []),
        ({"positions": {0: 0}}, ["I11"]),
        ({"positions": {}}, ["I11"]),
        ({"positions": {0: 101}}, ["I10"]),
        ({"cash_pico": 1}, ["I10"]),
        ({"cash_pico": None}, []),
    ],
)
def test_when_all_is_quiet_belief_is_truth(changes, verdict):
    """With nothing on the wire positions and cash are equal to the last unit; nobody there, nothing judged."""
    court = traded()
    court.oracle.quiet(court.truth(**changes), court.now_ns)
    court.oracle.quiet(None, court.now_ns)

    assert court.verdict == verdict


def test_one_pico_is_a_difference():
    """Cash is compared to the pico-USDC."""
    court = traded()
    court.oracle.quiet(court.truth(cash_pico=court.cash_pico + 1), court.now_ns)

    assert court.verdict == ["I10"]
    assert "1 too much" in court.texts[0]


def test_cash_that_stays_wrong_is_a_breach():
    """Cash that has not changed for two reconciliations without a fault must be right, told once."""
    court = traded()
    wrong = court.cash_pico - 5
    for _ in range(50):
        court.skip(S).believe(cash_pico=wrong)
    assert court.texts == []
    for _ in range(20):
        court.skip(S).believe(cash_pico=wrong)

    assert court.verdict == ["I10"]
    assert len(court.texts) == 1


def test_a_fault_excuses_cash():
    """While a fault is at work cash may be behind."""
    court = traded()
    court.oracle.fault_began("partition", court.now_ns)
    for _ in range(100):
        court.skip(S).believe(cash_pico=court.cash_pico - 5)

    assert court.texts == []


def test_deposits_are_cash():
    """Money that came is part of the truth."""
    court = traded()
    court.oracle.deposited(7_000_000, court.now_ns)
    court.oracle.quiet(court.truth(cash_pico=court.cash_pico + 7 * 10**12), court.now_ns)

    assert court.texts == []


def test_a_venue_that_contradicts_itself_is_reported():
    """A payment on a position that is not there, or a trade from one, makes all else meaningless."""
    court = traded()
    paid = FundingPaid(
        account_index=ACCOUNT, market=0, funding_id=1, amount_pico=5, rate_ppm=1, size_lots=9, at_us=court.us
    )
    court.did(paid)
    court.positions[0] = type(court.positions[0])(55, 1)
    court.trade(0, 5, MARK, is_ask=True)

    assert [text[:41] for text in court.texts] == ["I10 the venue contradicts itself: funding"] + [
        "I10 the venue contradicts itself: trade 2"
    ] * 2
