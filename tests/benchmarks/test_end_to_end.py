"""The stopwatch: every bot does the same work, and one that does not is not timed."""

import pytest

from helpers.native import load_script, needs_native

PRICE, SIZE = 333_900, 5_000


@pytest.fixture(scope="module")
def end_to_end(repository):
    """Return the benchmark as a module."""
    return load_script(repository / "benchmarks" / "end_to_end.py")


@pytest.fixture(scope="module")
def with_reference(end_to_end):
    """Return every contender's name, or skip where the official client is not installed."""
    if end_to_end.sdk_python() is None:
        pytest.skip("the official client is not installed: no .venv-sdk (make .venv-sdk/.installed)")
    if end_to_end.find_package() is None:
        pytest.skip("the official library is not installed (make install-official)")
    return ["reference", "ours, official", "ours, native", "ours, native, awake"]


@needs_native
def test_all_bots_answer_alike(end_to_end, with_reference):
    """The bot on the official client and ours send the same modify for the same update, all of them accepted."""
    quoting = end_to_end.bots.Quoting(levels=1, is_full=True)
    result = end_to_end.run(end_to_end.Workload("tick", quoting, 6, turn=3, dropped=1))

    assert set(result["figures"]) == set(with_reference)
    assert (result["orders_per_update"], result["orders_equal"]) == (1, 1.0)
    assert all(0 < row["wall_us_min"] <= row["wall_us_p50"] <= row["wall_us_p99"] for row in result["figures"].values())
    assert set(result["ratios"]) == set(with_reference[1:])


@needs_native
def test_a_burst_is_one_whole_ladder(end_to_end):
    """With five levels on both sides, ten orders answer an update; without the reference there is no ratio."""
    quoting = end_to_end.bots.Quoting(levels=5)
    result = end_to_end.run(end_to_end.Workload("burst", quoting, 4), only=["ours, native"])

    assert result["orders_per_update"] == 10
    assert result["ratios"] == {}


def test_a_bot_that_differs_is_not_timed(end_to_end):
    """Another price, another kind or a missing order is seen, and nothing is reported."""

    def order(**changes):
        return end_to_end.Arrival(
            **{"at_ns": 1, "tx_type": 17, "order": 1, "price_ticks": PRICE, "size_lots": SIZE, "is_ask": None} | changes
        )

    same = {"a": [[order()]], "b": [[order(at_ns=2, order=9)]]}
    assert end_to_end.equal_share(same) == 1.0
    for ladder in ([order(price_ticks=PRICE + 1)], [order(tx_type=14)], []):
        assert end_to_end.equal_share({"a": [[order()]], "b": [ladder]}) == 0.0
        with pytest.raises(SystemExit, match="agree on only"):
            end_to_end._check_equal({"a": [[order()]], "b": [ladder]}, "now")  # noqa: SLF001


def test_what_is_not_there_says_why(end_to_end, tmp_path, monkeypatch):
    """A reference that is not installed and a build that was not made are named with their reason."""
    monkeypatch.setattr(end_to_end, "sdk_python", lambda: None)
    monkeypatch.delenv(end_to_end.COMPILED_PYTHON, raising=False)
    found = end_to_end.contenders(end_to_end.bots.Quoting(), tmp_path)

    assert "not installed" in found["reference"]
    assert found["ours, native, compiled"] == "not built"
