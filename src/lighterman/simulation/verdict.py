"""What a run came to, and the file of one that failed."""

import msgspec

from lighterman.simulation.oracle import Violation
from lighterman.simulation.plan import Plan
from lighterman.simulation.virtual import NS_PER_S, DeadlockError, LivelockError, run
from lighterman.simulation.world import World


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `fired` counts the faults that found something to act on, `judged` each invariant's judgements."""

    seed: int
    ok: bool
    trace: str
    simulated_s: float
    starts: int  # of the bot
    fills: int
    fired: dict[str, int]
    judged: dict[str, int]
    off: dict[str, str]  # invariants that are not judged, and why
    violations: list[Violation]


def run_plan(plan: Plan, graves: list[object], *, is_canary: bool = False) -> Verdict:
    """Run a plan from start to end.

    `graves` keeps what the dead processes left: it must outlive the caller's interest in them, because a
    process killed with -9 finalises nothing. Whoever runs many plans ends its own process hard.
    """
    return judge(World(plan, is_canary=is_canary), graves)


def judge(world: World, graves: list[object]) -> Verdict:
    """Let a world run, and say what it came to."""
    loop, plan = world.loop(), world.plan
    graves += [world, loop]
    loop.order = world.chance("order")
    failures = world.failures
    try:
        run(world.run(), loop)
    except DeadlockError as error:
        failures.append(f"DEADLOCK: {error}")
    except LivelockError as error:
        failures.append(f"LIVELOCK: {error}")
    failures += [f"UNCAUGHT: {failure}" for failure in loop.failures]
    now_ns = round(loop.time() * NS_PER_S)  # house-ok: of virtual time
    oracle = world.oracle
    violations = oracle.violations + [_violation(failure, now_ns) for failure in failures]
    return Verdict(
        seed=plan.seed,
        ok=not violations,
        trace=world.trace.hexdigest(),
        simulated_s=now_ns / NS_PER_S,
        starts=world.starts,
        fills=world.fills,
        fired=world.fired,
        judged=dict(oracle.counters),
        off={name: why for name, why in oracle.status().items() if why != "on"},
        violations=violations,
    )


def _violation(failure: str, now_ns: int) -> Violation:
    name, _, text = failure.partition(": ")
    return Violation(name, text, now_ns)
