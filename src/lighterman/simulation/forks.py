"""Children of this process, for work after which a process is no good any more.

Law: a child that was forked ends hard, with its report or without: nothing of what a simulated
world left behind is ever finalised, and nothing that it did reaches its parent but the report.
It has so much CPU time and no more. There must be no other thread when a child is forked; an event
loop of the simulation may run, and goes on in both.
"""

import asyncio
import gc
import os
import resource
import select
import signal
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, NoReturn, Self

from lighterman.domain.errors import LightermanError

READ_BYTES = 65_536


class ChildError(LightermanError):
    """A child has ended without its report."""


class Report(NamedTuple):
    """What became of a child: its last words, or why there are none."""

    data: bytes
    failure: str  # "" if the child reported

    def words(self) -> bytes:
        """Return what it reported; raises ChildError where it did not."""
        if self.failure:
            raise ChildError(f"the child {self.failure}")
        return self.data


class Child:
    """A forked child, as it sees itself: a context from which it does not return."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def report(self, data: bytes) -> NoReturn:
        """Say something and end."""
        with os.fdopen(self._pipe, "wb") as pipe:
            pipe.write(data)
        os._exit(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None:
            traceback.print_exception(error)
            sys.stderr.flush()
        os._exit(1)


class _Running(NamedTuple):
    pid: int
    key: int
    words: bytearray


class Forks:
    """At most `workers` children at a time; `on_end` hears of each, by its key, when it has ended."""

    def __init__(self, workers: int, cpu_s_max: int, on_end: Callable[[int, Report], None]) -> None:
        self._workers = workers
        self._cpu_s_max = cpu_s_max
        self._on_end = on_end
        self._running: dict[int, _Running] = {}  # by the pipe's end
        self._poll = select.poll()

    def fork(self, key: int) -> Child | None:
        """Fork, after waiting for a place; return None in the parent, and the child in the child."""
        while len(self._running) >= self._workers:
            self._wait()
        ear, mouth = os.pipe()
        loop = asyncio._get_running_loop()  # noqa: SLF001  (made for whoever writes loops)
        pid = os.fork()
        if pid == 0:
            os.close(ear)
            asyncio._set_running_loop(loop)  # noqa: SLF001  (no real loop survives a fork; a virtual one does)
            self._become_child()
            return Child(mouth)
        os.close(mouth)
        self._running[ear] = _Running(pid, key, bytearray())
        self._poll.register(ear, select.POLLIN)
        return None

    def wait_for_all(self) -> None:
        """Return when no child runs any more."""
        while self._running:
            self._wait()

    def _become_child(self) -> None:
        gc.disable()  # what is garbage belongs to the dead
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (self._cpu_s_max, self._cpu_s_max + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def _wait(self) -> None:
        """Hear what the children have to say, until one has ended."""
        has_ended = False
        while not has_ended:
            for ear, _ in self._poll.poll():
                data = os.read(ear, READ_BYTES)
                self._running[ear].words.extend(data)
                if not data:
                    self._end(ear)
                    has_ended = True

    def _end(self, ear: int) -> None:
        self._poll.unregister(ear)
        os.close(ear)
        child = self._running.pop(ear)
        _, status = os.waitpid(child.pid, 0)
        self._on_end(child.key, Report(bytes(child.words), _why(status)))


def in_child(work: Callable[[], bytes], cpu_s_max: int) -> Report:
    """Have one piece of work done by a child."""
    reports: list[Report] = []
    forks = Forks(1, cpu_s_max, lambda _, report: reports.append(report))
    child = forks.fork(0)
    if child is not None:
        with child:
            child.report(work())
    forks.wait_for_all()
    return reports[0]


def _why(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}" if code else ""
