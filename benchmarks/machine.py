"""What the operating system says of a process: CPU, memory, threads, open files. Linux alone; nothing elsewhere."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROCESSES = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """One look at a process."""

    cpu_s: float
    rss_bytes: int
    threads: int
    files: int


def can_look() -> bool:
    """Tell whether this system shows it."""
    return (PROCESSES / "self" / "stat").is_file()


def look(pid: int) -> Usage:
    """Return what a process uses now; raises OSError when it is gone."""
    folder = PROCESSES / str(pid)
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    pages = int((folder / "statm").read_text().split()[1])
    return Usage(
        cpu_s=(int(fields[11]) + int(fields[12])) / TICKS_PER_S,
        rss_bytes=pages * os.sysconf("SC_PAGE_SIZE"),
        threads=int(fields[17]),
        files=sum(1 for _ in (folder / "fd").iterdir()),
    )


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found: list[int] = []
    for task in (PROCESSES / str(pid) / "task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found
