"""Runs `lighterman` and looks at its threads from inside: what profiles CPU where nobody may look from outside.

    python tools/sampler.py STACKS SAMPLES_PER_S demo --headless --for 30s

Writes folded stacks (`thread;caller;callee microseconds`) and says the heaviest functions on standard error.
A sample weighs what its thread has worked since the sample before, where the system tells that: a thread
that waits weighs nothing. Where it does not, every thread weighs the same.
"""

import itertools
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

from lighterman.cli import main as run_command

SHOWN = 15
THREADS = Path("/proc/self/task")
SAMPLE_US = 1_000
_TURNS = itertools.count(1)


class Sampler(threading.Thread):
    """Counts the stacks of all other threads."""

    def __init__(self, samples_per_s: float) -> None:
        super().__init__(name="sampler", daemon=True)
        self.stacks: Counter[tuple[str, ...]] = Counter()
        self.ended = threading.Event()
        self._every_s = 1 / samples_per_s
        self._worked_us: dict[int, int] = {}  # by thread, up to the last sample

    def run(self) -> None:
        """Look again and again."""
        while not self.ended.wait(self._every_s):
            threads = {thread.ident: thread for thread in threading.enumerate()}
            for ident, frame in sys._current_frames().items():  # noqa: SLF001  (there is no other door)
                thread = threads.get(ident)
                if thread is not None and thread is not self:
                    self._count(thread, frame)

    def _count(self, thread: threading.Thread, frame: FrameType) -> None:
        number = thread.native_id or 0
        worked_us = _worked_us(number)
        before_us = self._worked_us.get(number, worked_us - SAMPLE_US)
        self._worked_us[number] = worked_us
        if worked_us > before_us:
            self.stacks[(thread.name, *_stack(frame))] += worked_us - before_us


def _worked_us(number: int) -> int:
    """Return how long a thread of this process has worked; where nobody knows, a little more each time."""
    try:
        return int((THREADS / str(number) / "schedstat").read_text().split()[0]) // 1_000
    except (OSError, ValueError):
        return next(_TURNS) * SAMPLE_US


def _stack(frame: FrameType | None) -> list[str]:
    found = []
    while frame is not None:
        code = frame.f_code
        found.append(f"{Path(code.co_filename).stem}:{code.co_qualname}")
        frame = frame.f_back
    return found[::-1]


def report(stacks: Counter[tuple[str, ...]]) -> list[str]:
    """Return the heaviest functions, by the samples in which they were at work themselves."""
    total = sum(stacks.values())
    own: Counter[str] = Counter()
    for stack, count in stacks.items():
        own[stack[-1]] += count
    return [f"sampler: {count / total:6.1%} {name}" for name, count in own.most_common(SHOWN)]


def main() -> int:
    """Run and sample."""
    target, rate, *arguments = sys.argv[1:]
    sampler = Sampler(float(rate))
    sampler.start()
    sys.argv[1:] = arguments
    try:
        return run_command()
    finally:
        sampler.ended.set()
        sampler.join()
        lines = [f"{';'.join(stack)} {count}\n" for stack, count in sampler.stacks.most_common()]
        Path(target).write_text("".join(lines), encoding="utf-8")
        sys.stderr.write("\n".join(report(sampler.stacks)) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
