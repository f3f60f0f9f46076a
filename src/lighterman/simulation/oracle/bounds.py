"""I17: what the bot keeps, against the bounds it declares."""

from lighterman.simulation.oracle.records import Belief, Terms
from lighterman.simulation.oracle.registry import Record

NAME = "I17"


def judge_bounds(terms: Terms, belief: Belief, record: Record, now_ns: int) -> None:
    """Judge the number of tracked orders and the size of the journal, where a bound is told."""
    if terms.tracked_max:
        record.judged[NAME] += 1
        if len(belief.tracked) > terms.tracked_max:
            record.breach(NAME, f"{len(belief.tracked)} orders are tracked > {terms.tracked_max}", now_ns)
    if terms.journal_bytes_max:
        record.judged[NAME] += 1
        if belief.journal_bytes > terms.journal_bytes_max:
            text = f"the journal has {belief.journal_bytes} bytes > {terms.journal_bytes_max}"
            record.breach(NAME, text, now_ns)
