"""Levers go back by themselves: after their time, or with the end of the faults, whichever comes first, once."""

import asyncio

from lighterman.simulation.stage import Stage
from lighterman.simulation.virtual import VirtualLoop, run


def test_levers_go_back():
    """A lever is released after its time, or when all are; never twice."""
    released = []

    async def world():
        stage = Stage(1, 0, 100)
        stage.pull(1.0, lambda: released.append("short"))
        stage.pull(100.0, lambda: released.append("long"))
        await asyncio.sleep(2)
        assert ["short"] == released
        stage.release_all()
        assert ["short", "long"] == released
        await asyncio.sleep(200)

    loop = VirtualLoop()
    run(world(), loop)
    loop.close()
    assert ["short", "long"] == released


def test_chance_is_by_name():
    """A stream of chance depends on the seed and its name alone."""
    first, second = Stage(1, 0, 100), Stage(1, 0, 100)
    first.chance("other").random()

    assert first.chance("x").random() == second.chance("x").random()
    assert first.chance("x").random() != first.chance("y").random()
