"""Staying awake for a while after a turn."""

import asyncio

from lighterman.runtime.busypoll import NS_PER_MS, BusyPoll


class Clock:
    """A millisecond passes with each look at it."""

    def __init__(self):
        self.looks = 0

    def mono_ns(self):
        self.looks += 1
        return self.looks * NS_PER_MS

    def wall_us(self):
        return 0


async def _sleep_until_nothing_is_ready():
    for _ in range(50):
        await asyncio.sleep(0)


async def test_it_looks_again_until_the_span_has_passed():
    """A span of ten milliseconds, of which each look takes one."""
    clock = Clock()
    BusyPoll(10, clock).after_turn(0)
    await _sleep_until_nothing_is_ready()

    assert clock.looks == 10


async def test_another_turn_prolongs_it_and_begins_nothing_beside():
    """Two turns are one wakefulness, that of the later one."""
    clock = Clock()
    poll = BusyPoll(10, clock)
    poll.after_turn(0)
    poll.after_turn(5 * NS_PER_MS)
    await _sleep_until_nothing_is_ready()
    assert clock.looks == 15

    poll.after_turn(15 * NS_PER_MS)
    await _sleep_until_nothing_is_ready()
    assert clock.looks == 25
