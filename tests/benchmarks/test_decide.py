"""The benchmark compares like with like."""

import importlib.util
import sys
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def decide(repository) -> ModuleType:
    """Return the benchmark as a module."""
    folder = repository / "benchmarks"
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location("benchmark_decide", folder / "decide.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module


def test_both_makers_want_the_same_orders(decide):
    """On the same bytes the naive maker and the product want the same prices and sizes."""
    frames = list(decide.feed.frames(400))

    assert decide.agreement(frames) >= decide.EQUAL_SHARE_MIN


def test_the_feed_has_the_stated_shape(decide):
    """A message changes about nine and a half levels, as the performance reference states."""
    frames = [decide.json.loads(frame)["order_book"] for frame in decide.feed.frames(1000)]
    levels = sum(len(frame["asks"]) + len(frame["bids"]) for frame in frames[1:])

    assert 9 <= levels / 1000 <= 10.5


def test_figures_are_complete(decide):
    """One round gives every figure of both makers, and the ratio."""
    result = decide.measure(1)

    cpu = {"cpu_us_min", "cpu_us_usual_min", "cpu_us_usual_p50", "cpu_us_mean", "cpu_us_p50", "cpu_us_p99"}
    assert cpu | {"wall_us_p50", "wall_us_p99"} == set(result["ours"])
    assert result["ours"]["cpu_us_min"] <= result["ours"]["cpu_us_usual_min"] <= result["ours"]["cpu_us_usual_p50"]
    assert set(result["ours"]) == set(result["naive"])
    assert result["ratio_min"] > 0
