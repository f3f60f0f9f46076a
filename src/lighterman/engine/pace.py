"""How often an order is moved when messages are scarce.

A tier of 60 messages a minute cannot follow every move of the price, and an order that is
cancelled because it may not be moved costs two messages more. So while the budget is not ample
the levels of a ladder have turns: once an order of a level was placed or moved, the level rests,
both sides together, so that they stand together. The rests are such that the messages that come
in suffice for all ladders: three quarters of them for the best level of each side, a quarter for
the levels behind. The scarcer the messages, the longer the rests.

Law: only what keeps or adds risk waits. An order that stands wrong, nearer to the fair price than
any quote may be, is cancelled when it is not its turn; sizes shrink at once. Half of the messages
that may go at once are not for placing levels behind the best: every market has both sides before
any has more, and what stands wrong can be cancelled. With ample messages nothing of this happens.
"""

import sys
from typing import NamedTuple

from lighterman.risk.budget import MessageBudget

MESSAGE_PACE = "message_pace"
SLOWER_PERCENT_MAX = 200  # the longest rests beside those that just suffice


class Pace(NamedTuple):
    """How long a level rests before its orders are moved, and how many orders behind the best may be placed."""

    best_rest_ns: int
    other_rest_ns: int
    room: int

    def rest_ns(self, level: int) -> int:
        """Return the rest of a level."""
        return self.other_rest_ns if level else self.best_rest_ns

    def less(self, messages: int) -> "Pace":
        """Return what is left for the next market, after so many changes in one."""
        return self if self is UNHURRIED else self._replace(room=max(0, self.room - messages))


UNHURRIED = Pace(0, 0, sys.maxsize)


def rests_ns(message_ns: int, sides: int, slots: int) -> tuple[int, int]:
    """Return how long best and other levels rest where a message comes in every `message_ns`."""
    if slots == sides:
        return sides * message_ns, 0
    return sides * message_ns * 4 // 3, (slots - sides) * message_ns * 4


def pace_of(budget: MessageBudget, sides: int, slots: int) -> Pace:
    """Return the pace that a budget allows ladders of so many sides, and of so many orders in all."""
    if budget.is_ample:
        return UNHURRIED
    message_ns = budget.message_ns * min(SLOWER_PERCENT_MAX, budget.scarcity_percent()) // 100
    best_ns, other_ns = rests_ns(message_ns, sides, slots)
    return Pace(best_ns, other_ns, budget.beyond_half())
