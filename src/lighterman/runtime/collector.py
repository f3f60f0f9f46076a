"""Garbage is collected when nobody waits for us, not whenever the interpreter likes.

A collection of everything takes 0.15 us for each object that lives: 46 ms for 300,000, at any moment.
Reference counts free nearly all of what a tick makes; only cycles need a collection, and they can wait.

Law: what the start has made is frozen, so that it is never walked through again. After that a
collection happens behind a turn, when orders are on their way and no other turn is due: of the youngest
objects often, of all rarely. Where that took longer than allowed, what survived it is frozen, too, so
that the next one does not take as long.
"""

import gc

from lighterman.domain.clock import Clock

YOUNG_EVERY_NS = 250_000_000
MIDDLE_EVERY = 16  # of so many collections one is of the objects of some seconds, too
ALL_FIRST, ALL_EVERY = 40, 2400  # and the 40th, then one of so many (ten minutes), of all
PAUSE_NS_MAX = 1_000_000


class QuietCollector:
    """Collects in the place of the interpreter, from `begin` to `end`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due_ns = 0
        self._count = 0

    def begin(self) -> None:
        """Freeze all that there is, and collect by ourselves from now on."""
        gc.collect()
        gc.freeze()
        gc.disable()

    def end(self) -> None:
        """Leave it to the interpreter again."""
        gc.enable()
        gc.unfreeze()

    def after_turn(self, now_ns: int) -> None:
        """Collect, if it is time."""
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + YOUNG_EVERY_NS
        self._count += 1
        if self._count % ALL_EVERY == ALL_FIRST:
            self._collect_all()
        else:
            gc.collect(0 if self._count % MIDDLE_EVERY else 1)

    def _collect_all(self) -> None:
        began_ns = self._clock.mono_ns()
        gc.collect()
        if self._clock.mono_ns() - began_ns > PAUSE_NS_MAX:
            gc.freeze()
