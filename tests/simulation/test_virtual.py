"""Virtual time, and what it means there to be killed, to stand still, and to be nobody's."""

import asyncio
import gc

import pytest

from lighterman.chance import seeded
from lighterman.simulation.virtual import (
    ROUNDS_MAX,
    DeadlockError,
    LivelockError,
    Node,
    NodeClock,
    VirtualLoop,
    here,
    outside,
    run,
)

GRAVEYARD = []  # what dead processes left: collected, it would run what no dead process runs


def live(work, order=None):
    """Run a world to its end, and keep what is left of it."""
    loop = VirtualLoop(order)
    GRAVEYARD.append(loop)
    return run(work, loop), loop


def test_time_jumps():
    """A day of waiting takes no time, and ends on the nanosecond."""

    async def world():
        clock = NodeClock(start_us=1_000)
        await asyncio.sleep(86_400)
        return clock.mono_ns(), clock.wall_us()

    (mono_ns, wall_us), _ = live(world())

    assert mono_ns == 86_400 * 10**9
    assert wall_us == 86_400 * 10**6 + 1_000


def test_a_clock_may_be_wrong():
    """A skew moves the time of day, and no other."""

    async def world():
        clock = NodeClock(start_us=0)
        clock.skew_us = -7_000_000
        await asyncio.sleep(1)
        return clock.mono_ns(), clock.wall_us()

    assert live(world())[0] == (10**9, -6_000_000)


def test_nothing_to_do_is_a_deadlock():
    """A world in which nothing is ready and no timer is set ends at once, with an error."""

    async def world():
        await asyncio.get_running_loop().create_future()

    with pytest.raises(DeadlockError):
        live(world())


def test_too_much_to_do_is_a_livelock():
    """A world that goes on and on while no time passes ends with an error; one that is merely busy does not."""

    async def world(rounds):
        for _ in range(rounds):
            await asyncio.sleep(0)
        await asyncio.sleep(1)
        return rounds

    assert live(world(10_000))[0] == 10_000
    with pytest.raises(LivelockError):
        live(world(ROUNDS_MAX))


def test_what_no_one_caught_is_kept():
    """An exception in a callback does not end the world, and is not forgotten."""

    async def world():
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)

    _, loop = live(world())

    assert len(loop.failures) == 1
    assert "ZeroDivisionError" in loop.failures[0]


# -- whose step it is ------------------------------------------------------------------------


def test_children_belong_to_their_process():
    """Tasks, timers and callbacks that start within a process are its steps; the world's own are nobody's."""
    seen = {}

    async def inner():
        seen["task"] = here()
        asyncio.get_running_loop().call_soon(lambda: seen.update(callback=here()))
        asyncio.get_running_loop().call_later(1, lambda: seen.update(timer=here()))
        await asyncio.sleep(2)

    async def main():
        await asyncio.gather(inner())

    async def world():
        await node.spawn(main())
        seen["world"] = here()

    node = Node("bot")
    live(world())

    assert seen == {"task": node, "callback": node, "timer": node, "world": None}


def test_outside_belongs_to_no_process():
    """What a process puts on the wire arrives although the process is dead, and is no step of it."""
    seen = []

    async def main():
        outside(1, lambda: seen.append(here()))
        asyncio.get_running_loop().call_later(1, seen.append, "a step of the dead")

    async def world():
        node.spawn(main())
        await asyncio.sleep(0.5)
        node.kill()
        await asyncio.sleep(2)

    node = Node("bot")
    live(world())

    assert seen == [None]


def test_calls_from_outside_are_steps():
    """A process that is called from outside runs the callback as its own step."""
    seen = []

    async def world():
        node.call(lambda: seen.append(here()))
        await asyncio.sleep(0)

    node = Node("bot")
    live(world())

    assert seen == [node]
    assert node.steps == 1


# -- kill -9 ---------------------------------------------------------------------------------


def count_to(seen, last):
    async def main():
        try:
            for number in range(last):
                seen.append(number)
                await asyncio.sleep(1)
        finally:
            seen.append("cleaned up")

    return main()


def test_the_killed_run_no_step_and_clean_nothing_up():
    """After a kill no callback runs, no `finally` does, and no collection of garbage changes that."""
    seen = []

    async def world():
        node.spawn(count_to(seen, 5))
        await asyncio.sleep(2.5)
        node.kill()
        await asyncio.sleep(10)
        gc.collect()

    node = Node("bot")
    live(world())
    gc.collect()

    assert seen == [0, 1, 2]
    assert not node.is_alive


def test_the_killed_tasks_no_one_else_holds_are_kept():
    """A task whose only holder is what it waits for is not finalised when its process is dead."""
    seen = []

    async def forgotten():
        try:
            await asyncio.Future()  # held by nobody but this task
        finally:
            seen.append("cleaned up")

    async def main():
        asyncio.get_running_loop().create_task(forgotten())
        await asyncio.sleep(100)

    async def world():
        node.spawn(main())
        await asyncio.sleep(1)
        node.kill()
        gc.collect()
        await asyncio.sleep(1)

    node = Node("bot")
    live(world())
    gc.collect()

    assert seen == []


def test_dies_before_its_step():
    """`kill_at` names the step that never runs; somebody is told, once."""
    told, seen = [], []

    async def main():
        for number in range(10):
            seen.append(number)
            await asyncio.sleep(0)

    async def world():
        node.spawn(main())
        await asyncio.sleep(1)
        node.kill()

    node = Node("bot")
    node.kill_at = 4
    node.on_killed = lambda: told.append(node.steps)
    live(world())

    assert seen == [0, 1, 2]
    assert told == [4]


def test_a_due_kill_may_be_called_off():
    """Whoever takes the place of `on_kill_due` decides; the step runs where the process is left alive."""
    due, seen = [], []

    async def main():
        for number in range(5):
            seen.append(number)
            await asyncio.sleep(0)

    async def world():
        await node.spawn(main())

    node = Node("bot")
    node.kill_at = 2
    node.on_kill_due = lambda: due.append(node.steps)
    live(world())

    assert due == [2]
    assert seen == [0, 1, 2, 3, 4]


def test_others_live_on():
    """The death of one process is nothing to another."""
    seen = []

    async def world():
        first.spawn(count_to([], 5))
        second.spawn(count_to(seen, 3))
        await asyncio.sleep(0.5)
        first.kill()
        await asyncio.sleep(5)

    first, second = Node("bot"), Node("exchange")
    live(world())

    assert seen == [0, 1, 2, "cleaned up"]


# -- standing still --------------------------------------------------------------------------


def test_what_comes_during_a_pause_waits_in_order():
    """A process that stands still does nothing, and then everything, in the order in which it came."""
    seen = []

    async def world():
        node.pause()
        for number in range(5):
            node.call(seen.append, number)
            await asyncio.sleep(0.1)
        before = list(seen)
        node.resume()
        node.call(seen.append, "after")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return before

    node = Node("bot")
    before, _ = live(world())

    assert before == []
    assert seen == [0, 1, 2, 3, 4, "after"]


def test_time_goes_on_during_a_pause():
    """A timer that becomes due during a pause fires with its end, not before and not a pause later."""
    fired = []

    async def main():
        clock = NodeClock(0)
        asyncio.get_running_loop().call_later(1, lambda: fired.append(clock.mono_ns()))

    async def world():
        node.spawn(main())
        await asyncio.sleep(0.5)
        node.pause()
        await asyncio.sleep(2)
        node.resume()
        await asyncio.sleep(1)

    node = Node("bot")
    live(world())

    assert fired == [2_500_000_000]


def test_a_timer_that_fired_in_a_pause_can_be_cancelled_after_it():
    """What a process does first after a pause may cancel a timer that became due meanwhile: it does not fire."""
    fired = []

    async def world():
        node.context.run(start)
        await asyncio.sleep(0.5)
        node.pause()
        node.call(cancel)
        await asyncio.sleep(2)
        node.resume()
        await asyncio.sleep(1)

    def start():
        loop = asyncio.get_running_loop()
        timers.append(loop.call_later(1, fired.append, "cancelled"))
        loop.call_later(1, fired.append, "kept")

    def cancel():
        timers.pop().cancel()

    timers = []
    node = Node("bot")
    live(world())

    assert fired == ["kept"]


def test_killed_while_it_stands_still():
    """A process that is killed during a pause does not go on after it."""
    seen = []

    async def world():
        node.pause()
        node.call(seen.append, "step")
        await asyncio.sleep(1)
        node.kill()
        node.resume()
        await asyncio.sleep(1)

    node = Node("bot")
    live(world())

    assert seen == []


# -- order -----------------------------------------------------------------------------------


def wake_up_order(seed):
    """Return the order in which ten tasks go on that are ready together, and that of ten callbacks among them."""
    tasks, callbacks = [], []

    async def worker(number):
        tasks.append(number)

    async def main():
        workers = []
        for number in range(10):
            asyncio.get_running_loop().call_soon(callbacks.append, number)
            workers.append(asyncio.ensure_future(worker(number)))
        await asyncio.gather(*workers)

    async def world():
        await Node("bot").spawn(main())

    live(world(), None if seed is None else seeded(seed, "order"))
    return tasks, callbacks


def test_the_seed_orders_tasks():
    """Tasks that are ready together go on in an order that the seed decides, the same each time."""
    orders = [tuple(wake_up_order(seed)[0]) for seed in range(10)]

    assert orders == [tuple(wake_up_order(seed)[0]) for seed in range(10)]
    assert len(set(orders)) > 5
    assert all(sorted(order) == list(range(10)) for order in orders)


def test_callbacks_keep_their_order():
    """Plain callbacks run in the order in which they were set, whatever the seed; so does all without a seed."""
    assert all(wake_up_order(seed)[1] == list(range(10)) for seed in range(10))
    assert wake_up_order(None) == (list(range(10)), list(range(10)))
