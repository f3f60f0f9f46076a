"""Why a run ends: the first reason, any failure, and signals."""

import signal
import subprocess
import sys

import pytest

from helpers.processes import hangups_heard
from lighterman.domain.events import QuotaReport, StopRequested
from lighterman.runtime.exits import Exit
from lighterman.runtime.stopping import Failure, Stop, signals_to_take

PATIENCE_S = 60
SCRIPT = """
import asyncio, os, sys
from lighterman.runtime.exits import Exit
from lighterman.runtime.stopping import Stop

def answer():
    line = sys.stdin.readline()
    if not line:
        os._exit(99)  # the test has gone
    print("still here", line.strip(), flush=True)

async def main(exit_now, reason):
    stop, loop = Stop(), asyncio.get_running_loop()
    stop.exit_now = Exit(int(exit_now))
    stop.listen_to_signals()
    if reason:
        stop.ask(reason)
    loop.add_reader(sys.stdin, answer)
    print("ready", flush=True)
    await stop.wait()
    print(stop.reason, flush=True)
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_first_reason_counts():
    """Whoever asks first gives the reason; a failure is remembered even when it comes later."""
    stop = Stop()
    assert not stop.is_asked

    stop.ask("SIGINT")
    stop.ask("journal full", Failure.JOURNAL)
    stop.ask("the venue refuses key 4", Failure.VENUE)
    await stop.wait()

    assert (True, "SIGINT", Failure.JOURNAL) == (stop.is_asked, stop.reason, stop.failure)


@pytest.mark.parametrize("first", [Failure.VENUE, Failure.GONE, Failure.JOURNAL, Failure.START])
def test_bug_overrides_any_other_failure(first):
    """Whatever ends a run, a bug decides how: the engine is not to be asked any more."""
    stop = Stop()
    stop.ask("something failed", first)
    stop.ask("bug", Failure.BUG)
    stop.ask("journal full", Failure.JOURNAL)

    assert ("something failed", Failure.BUG) == (stop.reason, stop.failure)


def test_venue_that_refuses_us_ends_the_run():
    """A StopRequested that we did not ask for is the client's word that the venue will not have us."""
    stop = Stop()
    stop.observe_event(QuotaReport(0, 0))
    assert not stop.is_asked

    stop.observe_event(StopRequested("the venue refuses key 4", 0))

    assert ("the venue refuses key 4", Failure.VENUE) == (stop.reason, stop.failure)


def test_our_own_wish_to_stop_is_no_failure():
    """The StopRequested that follows from the end of a run changes neither its reason nor its failure."""
    stop = Stop()
    stop.ask("duration")

    stop.observe_event(StopRequested("duration", 0))

    assert ("duration", None) == (stop.reason, stop.failure)


def _start(exit_now: Exit, reason: str = ""):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(exit_now.value), reason],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("exit_now", [Exit.ORDERS_UNKNOWN, Exit.OK])
def test_second_signal_leaves_at_once(number, exit_now):
    """The first signal asks; the second ends the process with the code that is true at that moment, and says it."""
    with hangups_heard(), _start(exit_now) as process:
        process.send_signal(number)
        assert process.stdout.readline() == f"{number.name}\n"
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()  # its input stays open: the end of it would end the process as well
        process.wait(PATIENCE_S)

    assert process.returncode == exit_now
    assert "second signal (SIGTERM)" in said
    assert ("orders may still be open" in said) == (exit_now is Exit.ORDERS_UNKNOWN)


def test_terminal_that_may_go_is_outlived():
    """Started so that a lost terminal does not matter (nohup), a run does not end with its terminal."""
    for handler, taken in ((signal.SIG_IGN, False), (signal.SIG_DFL, True)):
        before = signal.signal(signal.SIGHUP, handler)
        try:
            assert (signal.SIGHUP in signals_to_take()) == taken
        finally:
            signal.signal(signal.SIGHUP, before)


def test_first_signal_during_the_end_is_not_a_second():
    """A signal that comes while a run is ending for another reason does not cut the end short."""
    with _start(Exit.ORDERS_UNKNOWN, "duration") as process:
        assert process.stdout.readline() == "duration\n"
        process.send_signal(signal.SIGINT)
        for count in ("1", "2"):  # by the second answer the signal has certainly been handled
            process.stdin.write(f"{count}\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"still here {count}\n"
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)

    assert process.returncode == Exit.ORDERS_UNKNOWN
