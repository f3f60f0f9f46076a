"""One seed under the bug of this process: what goes wrong first.

Imported where the bug has been planted, and not before: what it imports is the program with the bug.
"""

import msgspec

from lighterman.simulation.draw import draw_plan
from lighterman.simulation.forks import Child, Forks, Report
from lighterman.simulation.oracle import Violation
from lighterman.simulation.plan import Plan
from lighterman.simulation.verdict import judge
from lighterman.simulation.world import World

CPU_S_MAX = 60  # of a seed, which takes about one


class _AlarmedWorld(World):
    """A world whose process ends with the first violation."""

    def __init__(self, plan: Plan, child: Child) -> None:
        super().__init__(plan)
        self._child = child

    def note(self, text: str, data: bytes = b"") -> None:
        """Look, whenever something happens, whether something is wrong."""
        if self.oracle.violations:
            _report(self._child, self.oracle.violations)
        super().note(text, data)


def first_violation(seed: int) -> Violation | None:
    """Run a seed in a forked process; return what broke first, None where all held."""
    reports: list[Report] = []
    forks = Forks(1, CPU_S_MAX, lambda _, report: reports.append(report))
    child = forks.fork(seed)
    if child is not None:
        with child:
            _report(child, judge(_AlarmedWorld(draw_plan(seed), child), []).violations)
    forks.wait_for_all()
    (report,) = reports
    if "SIGXCPU" in report.failure:
        return Violation("HANG", f"no end after {CPU_S_MAX} s of CPU time", 0)
    return next(iter(msgspec.json.decode(report.words(), type=list[Violation])), None)


def _report(child: Child, violations: list[Violation]) -> None:
    child.report(msgspec.json.encode(violations))
