"""Chance is passed in: pure rooms take this and never import `random`."""

from typing import Protocol


class Rng(Protocol):
    """The part of `random.Random` that pure rooms may use."""

    def random(self) -> float:
        """Return a float in [0, 1)."""
        ...

    def uniform(self, a: float, b: float) -> float:
        """Return a float between a and b."""
        ...

    def gauss(self, mu: float, sigma: float) -> float:
        """Return a normally distributed float."""
        ...

    def expovariate(self, lambd: float) -> float:
        """Return an exponentially distributed float with rate lambd."""
        ...

    def paretovariate(self, alpha: float) -> float:
        """Return a Pareto distributed float >= 1."""
        ...

    def randrange(self, start: int, stop: int) -> int:
        """Return an integer in [start, stop)."""
        ...

    def getrandbits(self, k: int, /) -> int:
        """Return an integer of k random bits."""
        ...
