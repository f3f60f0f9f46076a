"""The oracle's door: what it says of itself, its canary, and what it does not look at."""

import ast
import itertools

import msgspec

from lighterman.matching.outputs import CollateralChanged, OrderChanged, PositionChanged, StatsChanged
from lighterman.simulation.oracle import Belief
from lighterman.simulation.oracle.registry import INVARIANTS, REPORTS_MAX
from lighterman.simulation.oracle.windows import Budget, Window
from simulation.oracle.court import MARK, TERMS, Court, S

FORBIDDEN = ("engine", "exchange", "runtime", "strategy", "risk.gate", "risk.pnl", "simulator", "matching.exchange")


def test_says_of_every_invariant_whether_it_is_judged():
    """I1 to I18, L1 and L2 are listed, each judged or with the reason why not."""
    status = Court().oracle.status()

    assert list(status) == [f"I{number}" for number in range(1, 19)] + ["L1", "L2", "CANARY"]
    assert [each.name for each in INVARIANTS] == list(status)
    absent = {name: why for name, why in status.items() if why != "on"}
    assert list(absent) == ["I4", "I15", "I16", "I17", "I18", "L2", "CANARY"]
    assert absent["I4"] == "its subject does not exist yet: guard"


def test_what_is_told_is_judged():
    """Bounds, a figure of uptime and the canary switch their invariants on."""
    told = {"tracked_max": 1, "quoted_ppm_min": 1, "canary": True}
    status = Court(msgspec.structs.replace(TERMS, **told)).oracle.status()

    assert [name for name, why in status.items() if why != "on"] == ["I4", "I15", "I16", "I18"]


def test_the_canary_fails_as_it_must():
    """With the canary released the first executed transaction is a breach; without it none is."""
    court = Court(msgspec.structs.replace(TERMS, canary=True))
    court.place(1)
    assert court.verdict == ["CANARY"]

    court = Court()
    court.place(1)

    assert court.texts == []


def test_bounds_are_judged_where_they_are_told():
    """More tracked orders or journal bytes than declared break I17."""
    court = Court(msgspec.structs.replace(TERMS, tracked_max=2, journal_bytes_max=100))
    court.believe(tracked=frozenset({1, 2}), journal_bytes=100)
    assert court.texts == []
    court.believe(tracked=frozenset({1, 2, 3}))
    court.believe(journal_bytes=101)

    assert [each.id for each in court.oracle.violations] == ["I17", "I17"]


def test_reports_the_first_breaches_and_counts_the_rest():
    """A broken invariant does not flood the report."""
    court = Court()
    for _ in range(REPORTS_MAX + 5):
        court.skip(1).leave(court.a_create(0, lots=1))

    assert len([text for text in court.texts if text.startswith("I8")]) == REPORTS_MAX
    assert court.oracle.broken["I8"] == REPORTS_MAX + 5


def test_imports_nothing_it_judges(repository):
    """No file of the oracle imports the bot's rooms, the server, or the exchange's state."""
    found = []
    for path in (repository / "src" / "lighterman" / "simulation" / "oracle").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                room = node.module.removeprefix("lighterman.")
                found += [(path.name, room) for name in FORBIDDEN if room == name or room.startswith(name + ".")]

    assert found == []


def test_other_accounts_are_none_of_its_business():
    """Rows, transactions and trades of others, and outputs that say "read again", change nothing."""
    court = Court()
    row = msgspec.structs.replace(court.foreign(900), account_index=3)
    court.end(900)
    court.did(StatsChanged(market=0))
    court.did(PositionChanged(account_index=3, market=0))
    court.did(CollateralChanged(account_index=3))
    court.did(OrderChanged(row=row))
    court.believe(tracked=frozenset())

    assert court.texts == []


def test_a_long_life_is_clean():
    """Minutes of quoting, filling, cancelling, kills and restarts as they should be break nothing at all."""
    court = Court()
    names = itertools.count(1)
    for turn in range(40):
        court.oracle.healed(court.now_ns)
        bid, ask = next(names), next(names)
        court.place(bid, lots=100)
        court.place(ask, is_ask=True, lots=100)
        court.believe()
        court.tell_trade(court.fill(bid if turn % 3 else ask, 40))
        court.believe()
        court.mark(MARK + turn)
        court.wait(S)
        for name in list(court.rows):
            court.cancel(name)
        court.wait(2 * S)
        if turn % 10 == 9:
            court.oracle.bot_killed(court.now_ns)
            court.skip(S).start()
    court.oracle.bot_stop_asked(court.now_ns)
    court.skip(S)
    court.oracle.quiet(court.truth(), court.now_ns)
    court.oracle.bot_ended(0, 0, court.now_ns)
    court.oracle.finished(court.now_ns)

    assert court.texts == []
    judged = {name for name, count in court.oracle.counters.items() if count}
    assert judged == {"I1", "I2", "I3", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13", "I14"}


def test_an_empty_belief_is_no_belief():
    """A process that knows nothing yet is held to nothing."""
    court = Court()
    court.oracle.bot_believes(Belief(positions={}), court.now_ns)

    assert court.texts == []


def test_a_window_remembers_what_stood_at_its_beginning():
    """Values that ended before the window are forgotten, the one that stood when it began is not."""
    window = Window(10)
    assert window.last == 0
    for at, value in ((0, 5), (1, 6), (2, 6), (8, 7)):
        window.add(value, at)

    assert window.values(8) == [5, 6, 7]
    assert window.values(12) == [6, 7]
    assert window.values(18) == [7]
    assert window.values(99) == [7]
    assert window.last == 7


def test_a_budget_counts_a_span():
    """What happened a whole span ago counts no more."""
    budget = Budget(10)

    assert [budget.count(at) for at in (0, 1, 9, 10, 11)] == [1, 2, 3, 3, 3]
    budget.clear()
    assert budget.count(11) == 1
