"""The page of the benchmarks says what its run has shown, and the check fails what has become slower."""

import json
import re

import pytest

from helpers.native import load_script

ROW = re.compile(
    r"^\| (?P<name>[^|]+) \| (?P<sign>[≥≤]) (?P<goal>[^|]+) \| (?P<measured>[^|]*) \| (?P<verdict>[^|]+) \|$",
    re.MULTILINE,
)


def number(text):
    """Return a figure of the page: 6.8x, 16.5 us, 24.6%."""
    value = float(re.match(r"[-\d.]+", text)[0])
    return value / 100 if text.endswith("%") else value


@pytest.fixture(scope="module")
def run(repository):
    """Return the runner as a module; goals, document and parts are its attributes."""
    return load_script(repository / "benchmarks" / "run.py")


@pytest.fixture(scope="module")
def page(repository):
    """Return docs/benchmarks.md."""
    return (repository / "docs" / "benchmarks.md").read_text(encoding="utf-8")


def test_the_page_has_every_goal_and_its_verdict_is_true(run, page):
    """Every goal stands on the page, and its verdict follows from the figures printed beside it."""
    rows = {found["name"]: found for found in ROW.finditer(page)}

    assert list(rows) == [goal.name for goal in run.goals.GOALS]
    for goal in run.goals.GOALS:
        row = rows[goal.name]
        assert number(row["goal"]) == pytest.approx(goal.goal)
        if not row["measured"].strip():
            assert row["verdict"] == "not measured"
        elif number(row["measured"]) != pytest.approx(goal.goal, rel=0.01):  # rounded beyond telling otherwise
            assert row["verdict"] == ("met" if goal.is_met(number(row["measured"]), goal.goal) else "missed")


def test_the_page_is_of_a_whole_run(page):
    """It names machine and method, has every section, and is of no quick run."""
    assert "A quick run" not in page
    for title in (
        "Machine",
        "Goals",
        "Tick to signed order",
        "Signing",
        "Tick to approved orders",
        "Stages, and who looks on",
        "Scaling",
        "Tails",
        "CPU and memory of a running bot",
        "Pauses",
        "Half an hour",
        "How to repeat this",
    ):
        assert f"\n## {title}\n" in page
    for workload in ("tick", "turns", "spaced", "burst"):
        assert f"\n**{workload}**: " in page


def test_the_page_can_be_made_again(run, page):
    """What the renderer writes around the figures is what the page has: nobody has edited it."""
    assert page.startswith(run.document.HEAD)
    assert page.endswith(run.document.TAIL)


def test_a_missing_part_is_no_pass(run):
    """With nothing measured no goal is met, and no regression is seen either."""
    assert {row["verdict"] for row in run.goals.table({})} == {"not measured"}
    assert run.goals.regressions({}) == []


def test_what_became_slower_is_named(run):
    """A ratio beyond its bound is a regression, one that misses its goal alone is none."""
    assert run.goals.regressions({"decide": {"ratio_mean": 4.0}}) == []
    (said,) = run.goals.regressions({"decide": {"ratio_mean": 1.2}})
    assert said.startswith("tick to approved orders: naive / ours: 1.2x, to be at least 3x")


def test_every_bound_is_laxer_than_its_goal(run):
    """The check never fails what the page calls met."""
    for goal in run.goals.GOALS:
        if goal.bound is not None:
            assert goal.is_met(goal.goal, goal.bound)


def test_nothing_has_become_several_times_slower(repository):
    """Ratios of a quick run keep to their generous bounds: the regression check of `make bench-check`."""
    check = load_script(repository / "benchmarks" / "check.py")

    assert check.regressions(["signing", "decide", "stages", "scaling", "tails", "end_to_end"]) == []


def test_an_unknown_part_is_refused(run, monkeypatch, capsys):
    """A name that is no part ends with the list of those that are."""
    monkeypatch.setattr("sys.argv", ["run.py", "--only", "speed"])

    with pytest.raises(SystemExit):
        run.main()
    assert "no speed" in capsys.readouterr().err


def test_a_run_is_written_and_read_again(run, monkeypatch, tmp_path, capsys):
    """The JSON of a run gives the same table later, without running anything."""
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    monkeypatch.setattr("sys.argv", ["run.py", "--quick", "--only", "decide", "--out", str(first)])
    run.main()
    shown = capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["run.py", "--from", str(first), "--out", str(second)])
    run.main()

    assert capsys.readouterr().out == shown
    assert json.loads(first.read_text()) == json.loads(second.read_text())
