"""I1, I2, I7, I16: broken on purpose, and not broken by what is right."""

import msgspec
import pytest

from helpers import transactions
from lighterman.matching.outputs import TradeType
from simulation.oracle.court import ACCOUNT, CANCEL_KEY, MARK, MARKETS, TERMS, Court, S


def few_lots(limits, lots):
    return msgspec.structs.replace(limits, total_position_micro_max=MARK * lots)


def test_orders_within_the_limit_are_clean():
    """Filling the limit exactly, on both sides and by fills, breaks nothing."""
    court = Court()
    for name in range(1, 6):
        court.place(name, lots=200)
        court.place(name + 10, is_ask=True, lots=200)
    court.fill(1, 200)
    court.fill(2, 50)

    assert court.texts == []
    assert court.oracle.counters["I1"] > 20
    assert court.oracle.counters["I2"] == 10


def test_resting_orders_count():
    """One lot above the limit in resting orders is a breach, at the moment it leaves."""
    court = Court()
    for name in range(1, 6):
        court.place(name, lots=200)
    court.leave(court.a_create(6, lots=50))

    assert court.verdict == ["I1"]


def test_creates_in_flight_count():
    """Creates that nobody has answered count as much as resting orders."""
    court = Court()
    for name in range(1, 7):
        court.leave(court.a_create(name, lots=200))

    assert court.verdict == ["I1"]


def test_what_was_lost_counts_until_it_expires():
    """A lost create flies until the venue's clock has passed its time, and no longer."""
    court = Court()
    for name in range(1, 6):
        court.leave(court.a_create(name, lots=200))
    court.wait(31 * S)
    court.leave(court.a_create(6, lots=200, nonce=0))

    assert court.texts == []


@pytest.mark.parametrize("fate", ["refused", "dropped", "executed in vain", "ended at once", "passed"])
def test_a_create_that_came_to_nothing_does_not_count(fate):
    """A create that the venue refused, dropped, or executed without effect is out of the count."""
    court = Court()
    for name in range(1, 5):
        court.place(name, lots=200)
    tx = court.arrive(court.leave(court.a_create(5, lots=200)))
    match fate:
        case "refused":
            court.refuse(tx)
        case "dropped":
            court.dropped(tx)
        case "executed in vain":
            court.executed(tx, error="client order index already exists")
        case "ended at once":
            court.row(5, lots=200)
            court.end(5, "canceled-post-only")
            court.executed(tx)
        case "passed":
            court.executed(court.leave(court.a_cancel(1)))
    is_unused = fate in {"refused", "dropped"}
    court.leave(court.a_create(6, lots=200, nonce=tx.nonce if is_unused else None))

    assert court.texts == []


def test_a_copy_of_a_refused_create_still_counts():
    """A create that left twice and was refused once may still come about."""
    court = Court()
    for name in range(1, 5):
        court.place(name, lots=200)
    tx = court.leave(court.leave(court.a_create(5, lots=200)))
    court.refuse(tx)
    court.leave(court.a_create(6, lots=200))

    assert court.verdict == ["I1"]


def test_a_fill_moves_from_order_to_position():
    """A fill changes neither side's worst case, and freed room on the other side may be used."""
    court = Court()
    court.place(1, lots=500)
    court.fill(1, 500)
    for name in range(2, 9):
        court.place(name, is_ask=True, lots=200)
    assert court.texts == []

    court.place(10, is_ask=True, lots=200)

    assert court.verdict == ["I1"]


def test_a_pending_cancel_counts():
    """An order whose cancel is under way counts in full until the venue says that it ended."""
    court = Court()
    for name in range(1, 6):
        court.place(name, lots=200)
    court.arrive(court.leave(court.a_cancel(1, key=CANCEL_KEY)))
    court.leave(court.a_create(6, lots=200))

    assert court.verdict == ["I1"]


def test_cancelled_orders_make_room():
    """What the venue has cancelled counts no more."""
    court = Court()
    for name in range(1, 6):
        court.place(name, lots=200)
    court.cancel(1)
    court.leave(court.a_create(6, lots=200))

    assert court.texts == []


@pytest.mark.parametrize(("total", "verdict"), [(200, []), (201, ["I1"])])
def test_a_modify_counts_with_the_larger_remaining(total, verdict):
    """A modify in flight counts as the larger of what remains and what would; it names the total size."""
    court = Court()
    for name in range(1, 5):
        court.place(name, lots=200)
    court.place(5, lots=150)
    court.fill(5, 50)
    court.arrive(court.leave(court.a_modify(5, lots=total)))
    court.arrive(court.leave(court.a_modify(5, lots=100)))

    assert court.verdict == verdict


def test_a_smaller_modify_frees_nothing_before_it_is_done():
    """While a modify to less is in flight the old size counts; afterwards the new one."""
    court = Court()
    for name in range(1, 6):
        court.place(name, lots=200)
    modify = court.arrive(court.leave(court.a_modify(1, lots=100)))
    court.row(1, lots=100)
    court.executed(modify)
    court.leave(court.a_create(6, lots=100))
    assert court.texts == []

    court.arrive(court.leave(court.a_modify(2, lots=100)))
    court.leave(court.a_create(7, lots=100))

    assert court.verdict == ["I1"]


def test_orders_of_an_earlier_life_count():
    """What a killed process left behind counts against the next one."""
    court = Court()
    for name in range(1, 6):
        court.place(name, lots=200)
    court.oracle.bot_killed(court.now_ns)
    court.skip(S).start()
    court.leave(court.a_create(6, lots=200))

    assert court.verdict == ["I1"]


def test_a_foreign_trade_is_exempt_until_it_is_told():
    """Somebody else's trade puts the position over the limit without a breach; adding to it later is one."""
    court = Court()
    for name in range(1, 5):
        court.place(name, lots=200)
    trade = court.trade(0, 500, MARK, is_ask=False, order=12345)
    court.place(5, lots=200)
    court.tell_trade(trade)
    court.skip(5 * S).hear()
    court.arrive(court.leave(court.a_cancel(1, key=CANCEL_KEY)))
    court.end(1)
    assert court.texts == []

    court.leave(court.a_create(6, lots=201))

    assert court.verdict == ["I1"]


def test_a_liquidation_is_exempt():
    """A liquidation that takes a long away leaves asks in flight that were fine before."""
    court = Court()
    court.place(1, lots=500)
    court.fill(1, 500)
    for name in range(2, 9):
        court.leave(court.a_create(name, is_ask=True, lots=200))
    court.trade(0, 500, MARK - 1_000, is_ask=True, order=999, kind=TradeType.LIQUIDATION)

    assert court.texts == []


def test_the_total_counts_all_markets():
    """Two markets within their own limits break the total, at the lowest recent mark plus one percent."""
    both = msgspec.structs.replace(TERMS, markets=MARKETS, limits=few_lots(TERMS.limits, 300))
    court = Court(both)
    court.place(1, lots=150)
    court.place(2, lots=150, market=1)
    court.leave(court.a_create(3, is_ask=True, lots=150))
    assert court.texts == []

    court.leave(court.a_create(4, lots=4, market=1))

    assert court.verdict == ["I1"]


def test_a_mark_that_moves_is_not_the_bots_doing():
    """The total is judged at the lowest mark of the last seconds, and only when exposure is added."""
    court = Court(msgspec.structs.replace(TERMS, limits=few_lots(TERMS.limits, 300)))
    court.place(1, lots=300)
    court.mark(MARK * 101 // 100)
    court.skip(10 * S).hear()
    court.arrive(court.leave(court.a_modify(1, lots=300)))

    assert court.texts == []


@pytest.mark.parametrize("lots", [751, 10_000])
def test_an_order_above_its_value_is_a_breach(lots):
    """An order worth more than the limit breaks I2 as decoded from its bytes."""
    court = Court()
    court.leave(court.a_create(1, lots=lots))

    assert "I2" in court.verdict


def test_a_modify_is_valued_by_its_total_size():
    """A modify names the total size, filled part included, and is valued by it."""
    court = Court()
    court.place(1, lots=700)
    court.fill(1, 600)
    court.leave(court.a_modify(1, lots=800))

    assert court.verdict == ["I2"]


@pytest.mark.parametrize("side", [1, -1])
def test_a_price_outside_the_collar_is_a_breach(side):
    """A price farther from the mark than the collar breaks I2, on either side."""
    court = Court()
    court.leave(court.a_create(1, is_ask=side > 0, price=MARK + side * (MARK * 230 // 10_000), lots=100))

    assert court.verdict == ["I2"]


def test_the_collar_knows_what_the_bot_could_know():
    """The marks of the last seconds all count as the mark; later the new one alone."""
    court = Court()
    court.mark(MARK * 105 // 100)
    court.skip(S).hear()
    court.leave(court.a_create(1))
    assert court.texts == []

    court.skip(5 * S).hear()
    court.leave(court.a_create(2))

    assert court.verdict == ["I2"]


@pytest.mark.parametrize("name", ["mark", "mid"])
def test_without_mark_or_mid_nothing_may_leave(name):
    """An order needs a mark and a two-sided book."""
    court = Court()
    if name == "mark":
        court.mark(0)
    else:
        court.level(MARK - 100, 0)
    court.skip(5 * S).hear()
    court.leave(court.a_create(1))

    assert court.verdict == ["I2"]


def test_bytes_that_cannot_be_read_are_a_breach():
    """What is no transaction of a market maker must not leave at all."""
    court = Court()
    court.oracle.transaction_left(13, b"{}", court.now_ns)
    court.leave(transactions.changed(court.a_create(1), account_index=ACCOUNT + 1))
    court.leave(court.a_create(2, market=44))

    assert [each.id for each in court.oracle.violations] == ["I2", "I2", "I2"]


def test_a_quote_may_stand_beside_an_own_one():
    """A bid one tick below an own ask crosses nothing."""
    court = Court()
    court.place(1, is_ask=True, price=MARK)
    court.place(2, price=MARK - 1)

    assert court.texts == []
    assert court.oracle.counters["I7"] >= 4


def test_crossing_a_live_order_is_a_breach():
    """A bid that leaves at the price of an own live ask breaks I7, though its cancel is under way."""
    court = Court()
    court.place(1, is_ask=True, price=MARK)
    court.leave(court.a_cancel(1, key=CANCEL_KEY))
    court.leave(court.a_create(2, price=MARK))

    assert court.verdict == ["I7"]


def test_crossing_what_flies_is_a_breach():
    """Creates in flight and the new prices of modifies are crossed as live orders are."""
    court = Court()
    court.leave(court.a_create(1, is_ask=True, price=MARK))
    court.leave(court.a_create(2, price=MARK + 1))
    assert court.verdict == ["I7"]

    court = Court()
    court.place(1, is_ask=True, price=MARK + 50)
    court.leave(court.a_modify(1, lots=100, price=MARK))
    court.leave(court.a_create(2, price=MARK + 10))

    assert court.verdict == ["I7"]


def test_crossing_what_is_gone_is_none():
    """An order that ended at the venue stands in nobody's way."""
    court = Court()
    court.place(1, is_ask=True, price=MARK)
    court.cancel(1)
    court.place(2, price=MARK)

    assert court.texts == []


def test_crossed_live_orders_are_a_breach():
    """Two orders of the account that cross in the book break I7, whoever made them."""
    court = Court()
    court.place(1, is_ask=True, price=MARK)
    court.foreign(2, price=MARK)

    assert court.verdict == ["I7"]


def test_a_trade_with_oneself_is_a_breach():
    """Both sides of a trade may never be the account."""
    court = Court()
    court.place(1, is_ask=True)
    court.trade(0, 10, MARK, is_ask=True, order=court.rows[1].order_index, client=1, other=ACCOUNT)

    assert "I7" in court.verdict


def test_a_reduce_only_order_that_flips_is_a_breach():
    """I16 is judged as soon as there is a reduce-only order, and says so."""
    court = Court()
    court.place(1, lots=50)
    court.fill(1, 50)
    assert court.oracle.status()["I16"].startswith("its subject does not exist yet")
    court.foreign(2, is_ask=True, lots=80, reduce_only=True)
    court.fill(2, 50)
    assert court.texts == []
    assert court.oracle.status()["I16"] == "on"

    court.fill(2, 30)

    assert court.verdict == ["I16"]
