"""The compiled build: made of the same sources, with records that stay Python, and of the same mind."""

import ast
import json
import subprocess
import sys

import pytest

from helpers.bot_runs import DOCUMENT
from helpers.native import HAS_COMPILER, load_script
from helpers.processes import settings_file
from lighterman.engine import engine

PURE_ROOMS = {"domain", "engine", "protocol", "risk", "strategy"}
IS_COMPILED = not engine.__file__.endswith(".py")
SEEDS = (3, 11, 12, 13, 14)


@pytest.fixture(scope="module")
def fast_build(repository):
    """Return the tool as a module."""
    return load_script(repository / "tools" / "fast_build.py")


@pytest.fixture(scope="module")
def builds(repository):
    """Return the interpreters of both builds, the plain one first; `make test-fast` sees to it that both are new."""
    plain = repository / ".venv" / "bin" / "python"
    if not IS_COMPILED or not plain.exists():
        pytest.skip("no compiled build runs this: make test-fast")
    return str(plain), sys.executable


def said(python, *words, folder):
    """Run `lighterman` in one of the builds; return the JSON object it prints."""
    command = [python, "-m", "lighterman", *map(str, words), "--json"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def test_only_pure_rooms_are_compiled(fast_build):
    """Whatever is compiled is there, and stands in a room without clock and I/O."""
    assert {path.split("/")[0] for path in fast_build.COMPILED} == PURE_ROOMS
    assert [path for path in fast_build.COMPILED if not (fast_build.SOURCES / f"{path}.py").is_file()] == []


def test_records_stay_python(fast_build, tmp_path):
    """The compiler is shown no record, and every other line stands where it stood."""
    for module in fast_build.COMPILED:
        source = (fast_build.SOURCES / f"{module}.py").read_text(encoding="utf-8")
        copy = tmp_path / f"{module.replace('/', '_')}.py"
        copy.write_text(source, encoding="utf-8")
        fast_build.part(copy, "lighterman.room")
        shown, before = copy.read_text(encoding="utf-8"), ast.parse(source).body

        classes = [node for node in ast.parse(shown).body if isinstance(node, ast.ClassDef)]
        assert [] == [node.name for node in classes if fast_build.is_record(node)]
        kept = [node for node in before if not (isinstance(node, ast.ClassDef) and fast_build.is_record(node))]
        lines = shown.splitlines()
        for node in kept:
            assert source.splitlines()[node.lineno - 1 : node.end_lineno] == lines[node.lineno - 1 : node.end_lineno]


@pytest.mark.skipif(not HAS_COMPILER, reason="no C compiler")
def test_one_module_compiles(repository, tmp_path):
    """The tool compiles a module of today's sources, and loads it."""
    command = [sys.executable, str(repository / "tools" / "fast_build.py"), str(tmp_path / "built"), "risk/budget"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert (0, "") == (done.returncode, done.stderr[-2000:] if done.returncode else "")
    (built,) = (tmp_path / "built" / "lighterman" / "risk").glob("budget.*.so")
    assert built.stat().st_size > 0


def test_all_of_the_list_is_compiled(fast_build, builds, tmp_path):
    """In the compiled build every module of the list is machine code, with its source beside it."""
    _, compiled = builds
    modules = [f"lighterman.{path.replace('/', '.')}" for path in fast_build.COMPILED]
    code = "import importlib, sys; print(*(importlib.import_module(name).__file__ for name in sys.argv[1:]))"
    done = subprocess.run([compiled, "-c", code, *modules], cwd=tmp_path, check=True, capture_output=True, text=True)

    assert [] == [place for place in done.stdout.split() if not place.endswith(".so")]
    assert len(modules) == len(done.stdout.split())


@pytest.mark.parametrize("seed", SEEDS)
def test_both_builds_live_the_same_life(builds, tmp_path, seed):
    """A simulation with faults leaves the same trace, frame by frame, whichever build the bot is of."""
    lives = [said(python, "sim", "run", "--seed", seed, folder=tmp_path) for python in builds]
    plain, compiled = ({name: value for name, value in life.items() if "cpu" not in name} for life in lives)

    assert plain["trace"]
    assert plain == compiled


@pytest.mark.parametrize("recorder", [0, 1], ids=["plain", "compiled"])
def test_each_build_replays_the_other(builds, tmp_path, recorder):
    """A session recorded by one build is decided alike by the other, to the byte."""
    settings = settings_file(tmp_path, DOCUMENT)
    words = ("run", "-c", settings, "--for", "8s", "--scenario", "volatile")
    session = said(builds[recorder], *words, folder=tmp_path)["session"]
    found = said(builds[1 - recorder], "replay", session, folder=tmp_path)

    assert found["identical"], found
    assert found["decisions"] > 50


def test_the_log_of_a_start_says_which_build_runs(builds, tmp_path):
    """Plain or compiled: the line that says that a run has started names it."""
    settings = settings_file(tmp_path, DOCUMENT | {"logging": {"level": "info", "outputPath": "stdout"}})
    words = ("-m", "lighterman", "run", "-c", settings, "--for", "300ms", "--headless")
    logs = [
        subprocess.run([python, *words], cwd=tmp_path, check=True, capture_output=True, text=True) for python in builds
    ]
    started = [line for log in logs for line in log.stdout.splitlines() if '"msg":"started"' in line]

    assert ["plain", "compiled"] == [json.loads(line)["build"] for line in started]
