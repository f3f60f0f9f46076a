"""An asyncio loop whose time is a number: it jumps to the next timer instead of waiting for it."""

import asyncio
import contextvars


class DeadlockError(Exception):
    """Nothing is ready and no timer is set: this would hang for ever."""


class _Selector:
    def __init__(self, loop):
        self.loop = loop

    def select(self, timeout):
        if timeout is None:
            raise DeadlockError
        self.loop.now_s += timeout
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    def __init__(self):
        super().__init__()
        self.now_s = 0.0
        self._selector = _Selector(self)
        self._clock_resolution = 1e-9

    def time(self):
        return self.now_s

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        pass


class VirtualClock:
    """A `Clock` that shows the loop's time; `skew_us` is how far the wall is off."""

    def __init__(self, start_us):
        self.start_us = start_us
        self.skew_us = 0

    def mono_ns(self):
        return round(asyncio.get_running_loop().time() * 1e9)

    def wall_us(self):
        return self.start_us + self.skew_us + self.mono_ns() // 1000


def run(work):
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work, context=contextvars.copy_context())
