"""I10, I11: what the bot takes for its position and cash, against the truth.

At `quiet` both are equal, to the lot and the pico-USDC. At any other time the difference of the
positions must be the sum of some trades that the bot was not told of yet, or only just. A
difference that is a trade too many, or one too few of which the bot was told, is I11; any other is
I10. Nothing is judged in a life before belief was once the truth, since an account is first read,
then known.

Cash moves by realised profit, fees and funding, whose parts may come in any order, so that in
between it is judged only when it has not changed for two reconciliations without a fault.
"""

from lighterman.simulation.oracle import slack
from lighterman.simulation.oracle.delivery import Delivery
from lighterman.simulation.oracle.phases import Phases
from lighterman.simulation.oracle.records import Belief
from lighterman.simulation.oracle.registry import Record
from lighterman.simulation.oracle.venue_model import OwnTrade, VenueModel

PENDING_MAX = 10  # more trades at once explain almost anything: not judged until they are told
RECENT_MAX = 32


class Ledger:
    """Judges each belief. `_open` holds the trades that may or may not be in the bot's books yet."""

    def __init__(self, venue: VenueModel, delivery: Delivery, phases: Phases, record: Record) -> None:
        self._venue = venue
        self._delivery = delivery
        self._phases = phases
        self._record = record
        self._open: dict[int, list[OwnTrade]] = {}
        self._recent: dict[int, list[OwnTrade]] = {}
        self._begun: dict[int, bool] = {}
        self._cash_told = False
        self.is_equal = False  # positions of the last belief, in all markets

    def started(self) -> None:
        """A new process reads its account anew."""
        self._open.clear()
        self._begun.clear()
        self._cash_told = False
        self.is_equal = False

    def on_trade(self, own: OwnTrade) -> None:
        """A trade of the account."""
        self._open.setdefault(own.market, []).append(own)
        recent = self._recent.setdefault(own.market, [])
        recent.append(own)
        del recent[:-RECENT_MAX]

    def on_belief(self, belief: Belief, now_ns: int) -> None:
        """Judge positions, and cash where it stands still."""
        self.is_equal = bool(belief.positions)
        for market, lots in belief.positions.items():
            self._judge_position(market, lots, now_ns)
        self._judge_cash(belief, now_ns)

    def _judge_position(self, market: int, lots: int, now_ns: int) -> None:
        true_lots = self._venue.position(market)
        opened = self._open.get(market)
        self._record.judged["I10"] += 1
        self._record.judged["I11"] += 1
        if lots == true_lots:
            self._begun[market] = True
            if opened:
                self._open[market] = [own for own in opened if not self._is_done(own, now_ns)]
            return
        self.is_equal = False
        if not self._begun.get(market):
            return
        excuses = [own.delta_lots for own in opened or () if not self._delivery.is_known(own, now_ns)]
        if len(excuses) > PENDING_MAX or true_lots - lots in _sums(excuses):
            return
        name = "I11" if self._is_a_trade(market, true_lots - lots) else "I10"
        text = f"market {market}: the bot believes {lots} lots, the truth is {true_lots}, not on its way {excuses}"
        self._record.breach(name, text, now_ns)
        self._begun[market] = False  # told once, until it is right again

    def _is_done(self, own: OwnTrade, now_ns: int) -> bool:
        """Tell whether a trade is in the bot's books, now that they are right.

        They may be right by chance: two trades on their way can cancel each other out.
        """
        if now_ns >= own.at_ns + slack.CHANCE_NS:
            self._delivery.mark_known(own, now_ns)
            return True
        return self._delivery.is_known(own, now_ns)

    def _is_a_trade(self, market: int, missing_lots: int) -> bool:
        """Tell whether one trade counted twice, or not at all, is the difference."""
        return any(abs(own.delta_lots) == abs(missing_lots) for own in self._recent.get(market, ()))

    def _judge_cash(self, belief: Belief, now_ns: int) -> None:
        if belief.cash_pico is None:
            return
        if belief.cash_pico == self._venue.cash_pico:
            self._cash_told = False
            return
        since_ns = now_ns - slack.CASH_NS
        is_still = self._venue.cash_changed_ns <= since_ns and self._phases.started_ns <= since_ns
        if is_still and self._phases.is_calm_since(since_ns) and not self._cash_told:
            self._cash_told = True
            self._breach_cash(belief.cash_pico, now_ns)

    def quiet(self, belief: Belief, now_ns: int) -> None:
        """Judge that everything is equal, nothing being on the wire."""
        self._record.judged["I10"] += 1
        self._record.judged["I11"] += 1
        for market in self._venue.holdings:
            true_lots, lots = self._venue.position(market), belief.positions.get(market, 0)
            if lots != true_lots:
                name = "I11" if self._is_a_trade(market, true_lots - lots) else "I10"
                text = f"market {market}: all is quiet, the bot believes {lots} lots, the truth is {true_lots}"
                self._record.breach(name, text, now_ns)
        if belief.cash_pico is not None and belief.cash_pico != self._venue.cash_pico:
            self._breach_cash(belief.cash_pico, now_ns)

    def _breach_cash(self, cash_pico: int, now_ns: int) -> None:
        true_pico = self._venue.cash_pico
        text = f"the bot believes {cash_pico} pico, the truth is {true_pico}: {cash_pico - true_pico} too much"
        self._record.breach("I10", text, now_ns)

    def poll(self, now_ns: int) -> None:
        """Report where the venue contradicts itself: then nothing here means anything."""
        faults = self._venue.faults
        if faults:
            for fault in faults:
                self._record.breach("I10", f"the venue contradicts itself: {fault}", now_ns)
            faults.clear()


def _sums(deltas: list[int]) -> set[int]:
    """Return the sums of all choices among these."""
    sums = {0}
    for delta in deltas:
        sums |= {each + delta for each in sums}
    return sums
