"""`lighterman bench`: the benchmark of the source checkout."""

from helpers.processes import finished
from lighterman.cli import bench
from lighterman.cli.main import parse


async def test_benchmark_runs(tmp_path):
    """One round gives one JSON object: both ways were timed, wanted the same orders, and ours took less."""
    ended = await finished("bench", "--rounds", 1, "--json", cwd=tmp_path)

    assert ended.code == 0
    assert ended.result["orders_agreed"] == 1.0
    assert ended.result["ours"]["cpu_us_p50"] < ended.result["naive"]["cpu_us_p50"]


def test_package_without_benchmarks(monkeypatch, tmp_path, capsys):
    """An installed package has no benchmarks, and says where they are."""
    monkeypatch.setattr(bench, "SCRIPT", tmp_path / "decide.py")

    assert bench.bench(parse(["bench"])) == 2
    assert "make bench" in capsys.readouterr().err
