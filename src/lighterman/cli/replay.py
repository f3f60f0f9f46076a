"""`lighterman replay`: the engine over a recorded session."""

import argparse
import sys

import msgspec

from lighterman.domain.errors import JournalError
from lighterman.journal.disk import SystemDisk
from lighterman.journal.reader import JournalReader
from lighterman.journal.session import find_session
from lighterman.runtime.exits import Exit
from lighterman.runtime.replay import Replay
from lighterman.runtime.replay import replay as run

SHOWN_CHARACTERS = 2000


def replay(options: argparse.Namespace) -> int:
    """Replay a session; 0 when every decision came out as recorded (or without --verify)."""
    disk = SystemDisk()
    try:
        session = find_session(disk, str(options.directory), str(options.session))
        result = run(JournalReader(disk, session.journal_path))
    except JournalError as error:
        print(f"replay: {error}", file=sys.stderr)
        return Exit.FAIL_SAFE
    if options.json:
        print(msgspec.json.encode(result).decode())
    else:
        _print(result)
    return Exit.OK if result.identical or not options.verify else Exit.BROKEN


def _print(result: Replay) -> None:
    print(f"session {result.session}, recorded by lighterman {result.recorded_by}")
    print(f"{result.events} events, {result.decisions} decisions, {result.commands} commands")
    print(f"journal: {'complete' if result.complete else 'INCOMPLETE'}, {result.ending}")
    if result.broke:
        print(f"the engine broke: {result.broke}")
    if result.difference is None:
        print("every decision is identical, to the byte")
        return
    print(f"DIFFERENT at record {result.difference.record} (decide at {result.difference.now_ns} ns)")
    print(f"recorded: {result.difference.recorded[:SHOWN_CHARACTERS]}")
    print(f"replayed: {result.difference.replayed[:SHOWN_CHARACTERS]}")
