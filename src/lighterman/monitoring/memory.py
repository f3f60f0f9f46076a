"""How much memory this process holds."""

import os
import resource
from pathlib import Path

KIB = 1024
_RESIDENT, _SHARED = 1, 2  # fields of proc(5) statm, in pages


def memory_bytes() -> dict[str, int]:
    """Return the resident set ("sys"), and of it what is not shared with files ("alloc", "heap").

    CPython does not tell its allocator's live bytes cheaply; the private pages are the nearest
    the kernel tells. Where it tells nothing, all three are the largest resident set so far.
    """
    try:
        pages = [int(field) for field in Path("/proc/self/statm").read_text(encoding="ascii").split()]
    except (OSError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
        return {"alloc": peak, "sys": peak, "heap": peak}
    size = os.sysconf("SC_PAGE_SIZE")
    private = (pages[_RESIDENT] - pages[_SHARED]) * size
    return {"alloc": private, "sys": pages[_RESIDENT] * size, "heap": private}
