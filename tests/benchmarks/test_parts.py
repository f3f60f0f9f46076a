"""Stages, scaling and tails: every figure they promise is there."""

import pytest

from helpers.native import load_script


def script(repository, name):
    """Return a benchmark as a module."""
    return load_script(repository / "benchmarks" / f"{name}.py")


def test_stages_and_onlookers(repository):
    """One round times every stage of a tick and of an order, and a tick with each onlooker."""
    stages = script(repository, "stages")
    found = stages.measure(1)

    assert list(found["stages"]) == [*stages.TICK_STAGES, *stages.ORDER_STAGES]
    assert list(found["observed"]["shares"]) == ["journal", "metrics", "log", "all three"]
    assert set(found["observed"]["later_us"]) == {"journal", "log"}


def test_scaling_varies_one_thing_at_a_time(repository):
    """Every shape is quoted to the end of its feed, and messages change about as many levels as they should."""
    scaling = script(repository, "scaling")
    found = scaling.measure(1)
    changed = [row["levels_changed"] for row in found["changes"].values()]

    assert list(found["levels"]) == list(scaling.QUOTED)
    assert list(found["markets"]) == list(scaling.MARKETS)
    assert changed == sorted(changed)


@pytest.mark.parametrize("count", [1, 5, 20])
def test_every_market_of_a_shape_is_quoted(repository, count):
    """With several markets each has its orders at the end, so that what is timed is quoting."""
    scaling = script(repository, "scaling")
    markets = scaling.markets_of(count)
    maker, frames = scaling.maker(markets), scaling.messages(markets)
    scaling.clockwork.run_ticks(maker, maker.on_message, frames)

    assert all(len(maker.engine.state.orders.of_market(market.index).by_id) == 10 for market in markets)


def test_tails_of_every_policy(repository):
    """A short run gives every percentile for every collector policy, and for scrapes in both clocks."""
    tails = script(repository, "tails")
    found = tails.measure(300, 1)

    assert found["containers"] == 300_000
    assert set(found["collector"]) == set(tails.POLICIES)
    assert all({"cpu", "wall"} == set(row) for row in found["scrapes"].values())
    assert found["product"]["ratio"] >= 1
