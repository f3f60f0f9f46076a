"""The kill sweep: the bot is killed at a sample of its steps here, and at every one by `make sim-sweep`."""

import os

import msgspec
import pytest

from lighterman.simulation.oracle import Violation
from lighterman.simulation.sweep import Kill, describe, kill_before, sweep

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

EVERY = 140


def say(something):
    """Print past all buffers: a child ends hard."""
    os.write(1, f"{something}\n".encode())


@pytest.fixture(scope="module")
def result():
    return sweep(every=EVERY, workers=2)


def test_converges_wherever_it_is_killed(result):
    """Killed at one of some sixty steps, the bot comes back, quotes, manages every order, and stops clean."""
    assert result.failed == []
    assert result.unharmed == []
    assert result.ok
    assert [kill.step for kill in result.kills] == list(range(1, result.steps + 1, EVERY))
    assert len(result.kills) > 50


def test_converges_when_killed_as_it_is_to_stop(result):
    """The moment in which the bot is asked to stop, and those after it, are as good to be killed in as any other."""
    last = sweep(every=3, first=result.steps - 90)

    assert last.failed == []
    assert len(last.kills) == 31
    assert last.phases["stop"] > 15


def test_the_scenario_is_what_it_is_said_to_be(result):
    """The undisturbed minute has orders, fills whole and in part, cancels, three reconnects, and a stop."""
    assert all(result.acts.values())
    assert result.acts["reconnect"] == 3
    assert result.acts["stop"] == 1
    assert result.steps > 5_000


def test_kills_are_spread_over_the_minute(result):
    """Also a sample has kills while the bot starts, quotes, is being filled and reconnects."""
    assert sum(result.phases.values()) == len(result.kills)
    assert {"start", "quote", "fill", "partial fill", "reconnect"} <= set(result.phases)


def test_one_kill_repeats(result):
    """A kill is the same in a sweep of many, in a sweep of one, and without a second run beside it."""
    (one,) = sweep(only=1 + EVERY).kills

    assert one == kill_before(1 + EVERY) == result.kills[1]
    assert len({kill.trace for kill in result.kills}) == len(result.kills)


def test_the_log_of_one_kill(capfd):
    """Killed alone, the bot's end and its next start can be read as they happen."""

    def tell(_, text, data):
        if not data:
            say(text)

    kill_before(5, tell)

    lives = [line for line in capfd.readouterr().out.splitlines() if line.startswith("bot ")]
    assert lives == ["bot started", "bot killed", "bot started", "bot ended: 0 SIGTERM"]


def test_hears_of_each_kill(capfd):
    """While a sweep goes on, every kill is shown as it ends."""
    sweep(every=4_000, show=lambda kill: say(kill.step))

    assert sorted(map(int, capfd.readouterr().out.split())) == [1, 4_001, 8_001]


def test_says_how_to_see_it_again(result):
    """A failure is told with its step, what was wrong, and the command that brings it about."""
    kill = Kill(step=77, at_ms=123, phase="quote", violations=[Violation("I8", "twice", 5)])
    lines = describe(msgspec.structs.replace(result, kills=[kill]))

    assert lines[-2:] == ["step 77 (quote, 123 ms): I8: twice", "    again: lighterman sim sweep --only 77"]
