"""What a kind of fault is, and the usual ways to draw its arguments."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from lighterman.domain.chance import Rng
from lighterman.simulation.plan import Chances, Value
from lighterman.simulation.stage import Stage

Args = Mapping[str, Any]
Begin = Callable[[Stage, Args, Rng], bool]


class FaultKind(NamedTuple):
    """One kind: the row of the reliability reference it covers, how it is drawn, and how it begins.

    `begin` returns whether there was something to act on.
    """

    covers: str
    story: str
    chances: Chances
    begin: Begin


def kind(
    covers: str, story: str, begin: Begin, *, per_minute: float = 1.0, **ranges: tuple[float, float] | Sequence[str]
) -> FaultKind:
    """Return a kind whose arguments are drawn from ranges: two numbers, or a list of words."""

    def draw(rng: Rng) -> dict[str, Value]:
        return {name: _draw(rng, choice) for name, choice in ranges.items()}

    return FaultKind(covers, story, Chances(per_minute, draw), begin)


def _draw(rng: Rng, choice: tuple[float, float] | Sequence[str]) -> Value:
    first = choice[0]
    if isinstance(first, str):
        return str(choice[rng.randrange(0, len(choice))])
    low, high = float(first), float(choice[1])
    if isinstance(first, int) and isinstance(choice[1], int):
        return rng.randrange(first, choice[1] + 1)
    return round(rng.uniform(low, high), 3)
