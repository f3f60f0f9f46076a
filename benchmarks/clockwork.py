"""How figures are taken: thread CPU time per tick, candidates in turn, minimum and median."""

import gc
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from decide import FRAME_NS, START_NS, STATS_EVERY, OurMaker

from lighterman.clock import cpu_ns
from lighterman.risk.gate import Approved

Samples = list[int]  # nanoseconds, one a tick


@contextmanager
def no_collector() -> Iterator[None]:
    """Collect once, then keep the garbage collector out of what is timed."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def in_turn(candidates: Mapping[str, Callable[[], Samples]], rounds: int) -> dict[str, list[Samples]]:
    """Run all candidates once each round, so that a busy machine slows all of them; return each one's rounds."""
    took: dict[str, list[Samples]] = {name: [] for name in candidates}
    with no_collector():
        for _ in range(rounds):
            for name, candidate in candidates.items():
                took[name].append(candidate())
    return took


def figures(rounds: list[Samples]) -> dict[str, float]:
    """Return microseconds: the cheapest tick, the median, and the mean of what each tick cost in its best round.

    Rounds repeat the same work tick by tick, so the last of these leaves out whatever disturbed a round.
    """
    every = [sample for samples in rounds for sample in samples]
    best = [min(samples) for samples in zip(*rounds, strict=True)]
    return {
        "cpu_us_min": min(every) / 1000,
        "cpu_us_p50": statistics.median(every) / 1000,
        "cpu_us_mean": statistics.fmean(best) / 1000,
    }


def clock_cost_ns() -> int:
    """Return what reading the clock adds to a sample."""
    return min(cpu_ns() * -1 + cpu_ns() for _ in range(1_000))


def run_ticks(
    maker: OurMaker, tick: Callable[[bytes, int], list[Approved]], frames: list[bytes], start_ns: int = START_NS
) -> Samples:
    """Run a feed whose first frames are snapshots of the maker's markets; return the CPU time of each update."""
    took = []
    for number, message in enumerate(frames):
        now_ns = start_ns + FRAME_NS * (number + 1)
        if number % STATS_EVERY == 0:
            maker.stats(now_ns)
        if number < len(maker.markets):
            maker.session.poll(now_ns)  # subscriptions are asked for a few at a time
        began = cpu_ns()
        approved = tick(message, now_ns)
        took.append(cpu_ns() - began)
        maker.answer(approved, now_ns)
    return took[len(maker.markets) :]
