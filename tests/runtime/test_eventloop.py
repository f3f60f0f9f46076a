"""The choice of the event loop."""

import asyncio
import sys

from lighterman.runtime.eventloop import loop_factory


def test_uvloop_where_it_is_installed():
    """The extra is all it takes; no setting asks for it."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        assert type(runner.get_loop()).__module__ == "uvloop"


def test_asyncios_own_elsewhere(monkeypatch):
    """Without the extra everything works, on the standard library's loop."""
    monkeypatch.setitem(sys.modules, "uvloop", None)

    assert loop_factory() is asyncio.new_event_loop
