"""Which event loop the bot runs on: uvloop's where it is installed, else asyncio's own. Nobody else asks.

Both do the same. uvloop's timers are only true to the millisecond and may come early, which a loop that
looks at its deadlines again does not mind (`loop.py`).
"""

import asyncio
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the loop."""
    try:
        from uvloop import new_event_loop  # noqa: PLC0415  (an extra: most installations have none)
    except ImportError:
        return asyncio.new_event_loop
    return new_event_loop
