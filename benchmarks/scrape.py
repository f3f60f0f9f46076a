"""Figures that a bot serves on /metrics, read as anybody would read them."""

import re
import urllib.request

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{([^}]*)\})? ([-+.\deEnaNIf]+)$", re.MULTILINE)
_BOUND = re.compile(r'le="([^"]+)"')


def text(port: int) -> str:
    """Return what a bot on this machine serves."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
        return str(reply.read().decode())


def sums(served: str) -> dict[str, float]:
    """Return each metric's samples added up."""
    found: dict[str, float] = {}
    for name, _, value in _SAMPLE.findall(served):
        found[name] = found.get(name, 0.0) + float(value)
    return found


def within(served: str, histogram: str, bound: float) -> float:
    """Return how many observations of a histogram lie within a bound of its buckets."""
    return sum(
        float(value)
        for name, labels, value in _SAMPLE.findall(served)
        if name == f"{histogram}_bucket" and (found := _BOUND.search(labels)) and float(found[1]) == bound
    )
