"""Every invariant of reliability reference 3 by name, and the record of how often it was judged and broken."""

import msgspec

from lighterman.simulation.oracle.records import Terms, Violation

ON = "on"
REPORTS_MAX = 10  # of one invariant in one run: the first ones tell, the rest is counted


class Invariant(msgspec.Struct, frozen=True):
    """One sentence, and why it is not judged (empty: it is)."""

    name: str
    sentence: str
    absent: str = ""


INVARIANTS = (
    Invariant("I1", "Position, resting and in-flight orders together never exceed the limits, in a market and in all."),
    Invariant("I2", "Every signed order is within the order value and the price collar."),
    Invariant("I3", "After a stop nothing that adds risk leaves, no order stays, and the end tells the truth."),
    Invariant("I4", "After kill -9 no order lives for long.", "its subject does not exist yet: guard"),
    Invariant("I5", "A book at a nonce is the venue's at that nonce, and nothing is quoted over a gap."),
    Invariant("I6", "No order leaves on old market data or without a healthy private stream."),
    Invariant("I7", "No own order crosses another, and the account never trades with itself."),
    Invariant("I8", "A client order index is used once, and makes at most one order."),
    Invariant("I9", "Nonces of a key count up by one, and none is used for two transactions."),
    Invariant("I10", "Position and cash are the venue's when the streams are drained; else the rest is on its way."),
    Invariant("I11", "Each trade is applied once."),
    Invariant("I12", "Every live order of the account is tracked, or the bot does not quote."),
    Invariant("I13", "Transactions in any minute stay within the budget, creates within its part."),
    Invariant("I14", "After the day's loss limit nothing that adds risk leaves, over restarts too."),
    Invariant("I15", "Breakers move along their table.", "its subject does not exist yet: circuit breakers"),
    Invariant("I16", "A reduce-only order never grows or flips a position.", "its subject does not exist yet: flatten"),
    Invariant("I17", "What the bot keeps stays within its declared bounds."),
    Invariant("I18", "The same seed gives the same trace.", "judged by the campaign, which compares trace hashes"),
    Invariant("L1", "Once healed, quotes stand on both sides and belief is truth, in time."),
    Invariant("L2", "Under mild faults the bot quotes most of the time."),
    Invariant("CANARY", "No transaction of the bot is ever executed: false by construction."),
)


class Record:
    """Counts every judgement and keeps the violations."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.judged = dict.fromkeys((invariant.name for invariant in INVARIANTS), 0)
        self.broken = dict.fromkeys((invariant.name for invariant in INVARIANTS), 0)

    def breach(self, name: str, text: str, now_ns: int) -> None:
        """Report that an invariant does not hold."""
        self.broken[name] += 1
        if self.broken[name] <= REPORTS_MAX:
            self.violations.append(Violation(name, text, now_ns))


def status(terms: Terms, judged: dict[str, int]) -> dict[str, str]:
    """Return of every invariant whether it is judged, and if not why."""
    untold = {
        "I17": "" if terms.tracked_max or terms.journal_bytes_max else "no bound is told",
        "L2": "" if terms.quoted_ppm_min else "no figure of the run without faults is told",
        "CANARY": "" if terms.canary else "not released",
    }
    found = {}
    for invariant in INVARIANTS:
        absent = "" if judged[invariant.name] else invariant.absent
        found[invariant.name] = absent or untold.get(invariant.name, "") or ON
    return found
