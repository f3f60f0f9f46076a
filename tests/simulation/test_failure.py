"""The file of a failed run: it holds all that is needed to run it again, and says which program it was."""

import subprocess

import pytest
from msgspec.structs import replace

from lighterman import __version__
from lighterman.simulation.campaign import Draw, run_plans
from lighterman.simulation.failure import FailureFileError, Program, failure_of, keep, read, this_program, write
from lighterman.simulation.watch import Watch

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

DRAW = Draw(faults="pause,late_fills", minutes=0.05, symbols=("ETH",))
CANARY = Watch(is_canary=True)
PROGRAM = Program(version="1", commit="", source="a", python="3.11.7")


@pytest.fixture(scope="module")
def run():
    (ended,) = run_plans([DRAW.plan(3)], watch=CANARY)
    return ended


def test_comes_back_as_it_was(run, tmp_path):
    """What is written is read again, to the last field."""
    failure = failure_of(run, PROGRAM)

    path = write(failure, tmp_path / "failures" / "3.json")

    assert failure == read(path)
    assert (3, True, run.plan, run.verdict.trace) == (failure.seed, failure.is_canary, failure.plan, failure.trace)
    assert "CANARY" == failure.violations[0].id
    assert len(run.log) == len(failure.log) > 0


def test_the_plan_in_a_file_is_the_plan(run, tmp_path):
    """The plan read from a file leaves the same trace and the same violations."""
    failure = read(write(failure_of(run, PROGRAM), tmp_path / "3.json"))

    (again,) = run_plans([failure.plan], watch=CANARY)

    assert (failure.trace, failure.violations) == (again.verdict.trace, again.verdict.violations)


def test_a_kept_failure_has_no_log(run, tmp_path):
    """For the corpus everything is kept but the log."""
    failure = failure_of(run, PROGRAM)

    assert replace(failure, log=[]) == read(keep(failure, tmp_path / "kept.json"))


@pytest.mark.parametrize("text", ["", "{}", '{"seed": 1}', "[" * 50])
def test_other_files_are_refused(tmp_path, text):
    """What is no such file is refused with its name."""
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")

    for refused in (path, tmp_path / "missing.json", tmp_path):
        with pytest.raises(FailureFileError, match=str(refused)):
            read(refused)


def test_programs_are_told_apart():
    """The difference of two programs names what differs, and what each had there."""
    other = replace(PROGRAM, commit="abc", python="3.13.0")

    assert [] == PROGRAM.differences(PROGRAM)
    assert ["commit: ? then, abc now", "python: 3.11.7 then, 3.13.0 now"] == PROGRAM.differences(other)


def test_knows_itself(repository):
    """The running program is known by version, Python, the hash of its source, and its commit where there is one."""
    program = this_program()
    git = ["git", "-C", str(repository), "rev-parse", "HEAD"]
    has_history = (repository / ".git").exists()

    assert __version__ == program.version
    assert 16 == len(program.source)
    assert this_program() == program
    if has_history:
        head = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
        assert head == program.commit.removesuffix("-dirty")
    else:
        assert "" == program.commit
