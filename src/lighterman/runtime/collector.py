"""Memory is taken at the start, and garbage collected when nobody waits for us, not whenever the interpreter likes.

A collection of everything takes 0.15 us for each object that lives: 46 ms for 300,000, at any moment.
Reference counts free nearly all of what a tick makes; only cycles need a collection, and they can wait.

Law: what the start has made is frozen, so that it is never walked through again. After that a
collection happens behind a turn, when orders are on their way and no other turn is due: of the youngest
objects often, of all rarely. Where that took longer than allowed, what survived it is frozen, too, so
that the next one does not take as long.
"""

import gc
import sys

from lighterman.domain.clock import Clock

YOUNG_EVERY_NS = 250_000_000
MIDDLE_EVERY = 16  # of so many collections one is of the objects of some seconds, too
ALL_FIRST, ALL_EVERY = 40, 2400  # and the 40th, then one of so many (ten minutes), of all
PAUSE_NS_MAX = 1_000_000
RESERVE_BYTES = 8 * 1024 * 1024  # a session grows by 2 MiB in its first ten minutes, then by 4 an hour
BLOCK_BYTES = 512  # the most that the interpreter's allocator (Objects/obmalloc.c) does not ask malloc for
HELD_EVERY = 1000  # of about 1,950 blocks of an arena, which goes back to the system when it is empty


class QuietCollector:
    """Collects in the place of the interpreter, from `begin` to `end`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due_ns = 0
        self._count = 0
        self._reserve: list[bytes] = []

    def begin(self) -> None:
        """Freeze all that there is, and take memory to grow by; collect by ourselves from now on."""
        blocks = [bytes(BLOCK_BYTES - sys.getsizeof(b"")) for _ in range(RESERVE_BYTES // BLOCK_BYTES)]
        self._reserve = blocks[::HELD_EVERY]
        del blocks
        gc.collect()
        gc.freeze()
        gc.disable()

    def end(self) -> None:
        """Leave it all to the interpreter again."""
        self._reserve = []
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
