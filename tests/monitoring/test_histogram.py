"""The cheap histogram counts like Prometheus' own."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as Reference

from lighterman.monitoring.histogram import NS_PER_S, Histogram

BOUNDS = (0.001, 0.005, 0.01, 0.5)


@given(st.lists(st.integers(0, NS_PER_S) | st.sampled_from([int(bound * NS_PER_S) for bound in BOUNDS])))
def test_agrees_with_the_library(durations):
    """Buckets, count and sum are those of the library's histogram, bounds included."""
    mine = Histogram(BOUNDS)
    registry = CollectorRegistry()
    reference = Reference("x", "x", buckets=BOUNDS, registry=registry)
    for duration in durations:
        mine.observe(duration)
        reference.observe(duration / NS_PER_S)

    for bound, count in mine.buckets():
        assert registry.get_sample_value("x_bucket", {"le": bound}) == count
    assert abs((registry.get_sample_value("x_sum") or 0) - mine.sum_s) < 1e-6
