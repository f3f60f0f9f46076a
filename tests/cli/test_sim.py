"""`lighterman sim`: what it prints and writes, how it ends, and that what it prints can be typed."""

import json
import shlex
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from helpers.processes import finished
from lighterman import __version__
from lighterman.cli import sim
from lighterman.cli.main import parse
from lighterman.simulation.campaign import Draw
from lighterman.simulation.failure import read, write
from lighterman.simulation.faults.catalogue import FAULTS
from lighterman.simulation.oracle.registry import INVARIANTS

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

SHORT = ("--faults", "none", "--minutes", "0.05", "--markets", "ETH")
SHORT_CAMPAIGN = ("--kinds", *SHORT[1:])


def called(*words):
    options = parse(["sim", *map(str, words)])
    return getattr(sim, options.handler[1])(options)


@pytest.fixture
def failed(tmp_path, capsys):
    """Return the file of a run that failed, as the canary must."""
    assert 1 == called("run", "--seed", 2, "--canary", *SHORT, "--failures", tmp_path)
    capsys.readouterr()
    return tmp_path / "2.json"


def test_a_good_seed(tmp_path, capsys):
    """A seed without violation ends with 0, says what was simulated how fast, and writes nothing."""
    assert 0 == called("run", "--seed", 2, *SHORT, "--failures", tmp_path)

    said = capsys.readouterr()
    first, second, *_, last = said.out.splitlines()
    assert "seed 2: ok" == first
    assert "s of CPU time: " in second
    assert 16 == len(last.removeprefix("trace "))
    assert ("", []) == (said.err, list(tmp_path.iterdir()))


def test_the_verdict_as_an_object(tmp_path, capsys):
    """With --json there is one object: the verdict, what was seen, and the speed; sim alone means sim run."""
    assert 0 == called("--seed", 2, *SHORT, "--json", "--failures", tmp_path)

    verdict = json.loads(capsys.readouterr().out)
    assert (2, True, [], 1) == (verdict["seed"], verdict["ok"], verdict["violations"], verdict["starts"])
    assert verdict["per_cpu_second"] > 0
    assert verdict["seen"]["bot started"] == 1


def test_the_canary_fails(tmp_path, capsys):
    """The false invariant fails the run: exit code 1, a file, and the command that runs the file again."""
    assert 1 == called("run", "--seed", 2, "--canary", *SHORT, "--failures", tmp_path)

    said = capsys.readouterr()
    path = tmp_path / "2.json"
    assert said.out.startswith("seed 2: VIOLATED\n  CANARY at ")
    assert f"written: {path}; again: lighterman sim replay {path}\n" == said.err
    assert "CANARY" == read(path).violations[0].id


def test_replays(failed, capsys):
    """A failed run fails again with the same violations and the same trace, and no other program is spoken of."""
    assert 1 == called("replay", failed)

    said = capsys.readouterr()
    assert "reproduced: the same violations, the same trace" == said.out.splitlines()[-1]
    assert "" == said.err


def test_replay_says_what_differs(failed, capsys):
    """Another program, another trace and other violations are said."""
    failure = read(failed)
    another = replace(failure.program, version="0.0.1")
    write(replace(failure, program=another, trace="0", violations=[], is_canary=False), failed)

    assert 0 == called("replay", failed)

    said = capsys.readouterr()
    assert f"another program: version: 0.0.1 then, {__version__} now\n" == said.err
    assert "reproduced: the same violations, another trace (it was 0)" == said.out.splitlines()[-1]


def test_replay_of_what_does_not_fail_any_more(failed, capsys):
    """A plan that fails no more ends with 0, and what it once violated is said."""
    write(replace(read(failed), is_canary=False), failed)

    assert 0 == called("replay", failed)

    assert "NOT reproduced: the same trace; the first violation was\n  CANARY at " in capsys.readouterr().out


def test_replay_may_be_cut_off(failed, capsys):
    """A replay up to a moment ends there, and is not compared."""
    assert 0 == called("replay", failed, "--until", "0.25")

    assert "cut off after 0.25 s: not compared" == capsys.readouterr().out.splitlines()[-1]


def test_keeps(failed, tmp_path, capsys):
    """A kept failure is the same without the log."""
    assert 0 == called("keep", failed, tmp_path / "corpus" / "canary.json")

    assert [] == read(tmp_path / "corpus" / "canary.json").log != read(failed).log
    assert 2 == called("keep", tmp_path / "none.json", tmp_path / "x.json")
    assert "none.json: No such file" in capsys.readouterr().err


async def test_prints_the_log(tmp_path):
    """--trace prints what the bot and the faults did, in order; --trace=all every frame too."""
    words = ("sim", "--seed", 2, "--faults", "terminate", *SHORT[2:])
    life = await finished(*words, "--trace", cwd=tmp_path)
    everything = await finished("sim", *words[1:], "--trace=all", cwd=tmp_path)

    lines = [line.partition(" ")[2] for line in life.out.splitlines()]
    assert "bot started" == lines[0]
    assert ["fault terminate", "bot ended: 0 SIGTERM", "bot started"] == [line for line in lines if line != "healed"][
        1:4
    ]
    frames = {line.split()[1] for line in everything.out.splitlines() if line[:1].isdecimal()}
    assert {"public", "private", "rest", "left", "arrived", "bot", "fault"} <= frames
    assert life.out.splitlines()[-1] == everything.out.splitlines()[-1]


def test_a_campaign(tmp_path, capsys):
    """A campaign says what it came to, adds a line to its ledger, and names what was never seen."""
    ledger = tmp_path / "new" / "campaigns.jsonl"
    words = ("campaign", "--seeds", "1-2", *SHORT_CAMPAIGN, "--ledger", ledger, "--failures", tmp_path)

    assert (0, 0) == (called(*words), called(*words, "--json"))

    said = capsys.readouterr()
    *text, last = said.out.splitlines()
    assert "2 seeds, 1 of them run twice; " in text[0]
    assert "0 violations" == text[-1]
    assert any(line.startswith("never seen: fault ") for line in text)
    assert {"1", "2"} == json.loads(last)["traces"].keys()
    assert "2 seeds, " in said.err
    first, second = map(json.loads, ledger.read_text(encoding="utf-8").splitlines())
    assert ([1, 2], []) == ([first["first_seed"], first["last_seed"]], first["broken"])
    assert first["seen"] == second["seen"]


def test_a_campaign_with_violations(monkeypatch, tmp_path, capsys):
    """A seed that crashes is told with its command and its file, the others go on, and the exit code is 1."""
    draw = Draw.plan
    monkeypatch.setattr(Draw, "plan", lambda self, seed: draw(self, seed) if seed else _nonsense(draw(self, seed)))

    assert 1 == called("campaign", "--seeds", "0-1", *SHORT_CAMPAIGN, "--failures", tmp_path)

    said = capsys.readouterr()
    assert "seed 0: CRASH at 0.000 s: " in said.err
    assert f"  lighterman sim replay {tmp_path}/0.json" in said.err
    assert "  seed 0: CRASH at 0.000 s: " in said.out
    assert ["0.json"] == [path.name for path in tmp_path.iterdir()]


def _nonsense(plan):
    return replace(plan, options=replace(plan.options, symbols=["DOGE"]))


def test_a_campaign_ends_in_time(tmp_path, capsys):
    """Seeds without end run until so many hours were simulated, or so long has passed."""
    words = ("campaign", "--seeds", "1-", *SHORT_CAMPAIGN, "--workers", 1, "--failures", tmp_path)

    assert (0, 0) == (called(*words, "--hours", "0.001"), called(*words, "--for", "1ms"))

    assert 2 == sum(" seeds, " in line and "run twice" in line for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--seed", "1", "--faults", "explosion"], "no fault 'explosion'"),
        (["--seed", "1", "--markets", "DOGE"], "no market 'DOGE'"),
        (["campaign", "--kinds", "explosion", "--seeds", "1"], "no fault 'explosion'"),
        (["campaign"], "need --hours or --for"),
        (["campaign", "--seeds", "5-"], "need --hours or --for"),
        (["replay", "nowhere.json"], "nowhere.json: No such file"),
        (["shrink", "nowhere.json"], "nowhere.json: No such file"),
    ],
)
def test_refuses(capsys, words, why):
    """What cannot be done ends with 2 and says why."""
    assert 2 == called(*words)
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--seed", "x"], "invalid int"),
        (["campaign", "--seeds", "9-2"], "are no seeds"),
        (["campaign", "--seeds", "-5"], "--seeds"),
        (["--minutes", "0"], "no number above 0"),
        (["--trace=some"], "invalid choice"),
        (["--json", "--trace"], "not allowed"),
        (["replay"], "FILE"),
        (["dance"], "invalid choice"),
    ],
)
def test_usage_errors(capsys, words, why):
    """What is not understood ends with 2 before anything is imported."""
    with pytest.raises(SystemExit) as ended:
        parse(["sim", *words])

    assert 2 == ended.value.code
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    "draw",
    [Draw(), Draw(faults="alone"), Draw(faults="pairs", minutes=1.5), Draw(faults="none", symbols=("BTC", "ETH"))],
)
def test_commands_bring_a_plan_back(draw):
    """The command printed for a seed, typed in, draws the plan that was run."""
    for seed in (3, 40, 41):
        options = parse(shlex.split(draw.command(seed))[1:])
        typed = Draw(faults=options.faults, minutes=options.minutes, symbols=tuple(options.markets))

        assert draw.plan(seed) == typed.plan(options.seed)


def test_lists(capsys):
    """Every kind of fault is listed with what it covers, every invariant with why it is not judged."""
    assert (0, 0) == (called("faults"), called("invariants"))

    lines = capsys.readouterr().out.splitlines()
    assert [*FAULTS, *(each.name for each in INVARIANTS)] == [line.split()[0] for line in lines]
    assert all(FAULTS[line.split()[0]].covers in line for line in lines[: len(FAULTS)])
    assert any(line.endswith("NOT JUDGED: its subject does not exist yet: guard") for line in lines)


def test_a_sweep(monkeypatch, capsys):
    """A sweep ends with 1 where a kill left something wrong, and says what; options reach it."""
    results = iter([SimpleNamespace(ok=True), SimpleNamespace(ok=False)])
    asked = []
    monkeypatch.setattr(sim, "sweep", lambda *words, **more: asked.append((words, more)) or next(results))
    monkeypatch.setattr(sim, "describe", lambda result: ["kills", f"is it well: {result.ok}"])

    assert (0, 1) == (called("sweep", "--every", 5, "--workers", 3), called("sweep", "--only", 7, "--workers", 1))

    assert [((5, 3), {"only": 0}), ((1, 1), {"only": 7})] == asked
    assert "kills\nis it well: True\nkills\nis it well: False\n" == capsys.readouterr().out


def test_ways_are_compared(monkeypatch, capsys):
    """Traces that differ between two processes end with 1 and are told; equal ones end with 0."""
    traces = iter([{1: "a", 2: "b"}, {1: "a", 2: "c"}, {1: "a"}, {1: "a"}])
    asked = []
    monkeypatch.setattr(sim, "traces_of", lambda _, words: asked.append(words) or next(traces))

    assert (1, 0) == (called("determinism", "--seeds", "1-2", "--minutes", 2), called("determinism"))

    said = capsys.readouterr().out
    assert "seed 2 leaves different traces:\n  b " in said
    assert "1 seeds in 2 ways: 0 differ" == said.splitlines()[-1]
    assert ["--seeds", "1-2"] == asked[0][:2]
    assert ["--minutes", "2.0"] == asked[0][-2:]
