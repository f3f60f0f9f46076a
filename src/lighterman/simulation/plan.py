"""What a seed means: the circumstances of one run and the list of what goes wrong in it, as plain data.

Law: a plan holds everything that was drawn before the world began, so that it can be written down,
read back, and made smaller. Each kind of fault draws its times and arguments from a stream of its
own: to take a fault out of a plan moves no other, and changes no noise.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from lighterman.chance import seeded
from lighterman.domain.chance import Rng

NS_PER_MS = 1_000_000
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
FIRST_DAY_US = 20_000 * DAY_US  # the world begins somewhere in the year after it
TIERS = ("premium", "premium", "premium-10k", "standard")

Value = str | int | float | bool | list[str]


class Fault(msgspec.Struct, frozen=True):
    """Something that goes wrong at a moment of the run."""

    at_ms: int
    kind: str
    args: dict[str, Value] = {}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The circumstances: market, settings, and how long each phase lasts."""

    symbols: list[str]
    levels: int
    tempo_ms: list[int]  # of each market: how long between two changes of its book
    tier: str
    start_us: int
    warm_up_ms: int = 8_000
    faults_ms: int = 100_000
    wire: bool = False  # bytes through the real client and server, instead of messages


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run, whole."""

    seed: int
    options: Options
    faults: list[Fault]

    def without(self, *indexes: int) -> "Plan":
        """Return the plan without some of its faults."""
        return replace(self, faults=[fault for number, fault in enumerate(self.faults) if number not in indexes])


class Chances(msgspec.Struct, frozen=True):
    """How a kind of fault is drawn: how often a minute where it is on, and its arguments."""

    per_minute: float
    draw: Callable[[Rng], dict[str, Value]]


def draw_plan(seed: int, kinds: Mapping[str, Chances], *, only: Sequence[str] = (), **changes: Value) -> Plan:
    """Return the plan of a seed; `only` names the kinds that may occur (all, each on or off, without it).

    `changes` replace options after they were drawn.
    """
    options = replace(_options(seeded(seed, "options")), **changes)
    faults: list[Fault] = []
    for kind, chances in kinds.items():
        rng = seeded(seed, f"plan {kind}")
        is_on = rng.random() < SWARM_SHARE
        if kind in only or (not only and is_on):
            faults += _faults(kind, chances, options, rng)
    return Plan(seed=seed, options=options, faults=sorted(faults, key=lambda fault: (fault.at_ms, fault.kind)))


SWARM_SHARE = 0.2  # of the kinds are on in a seed


def _options(rng: Rng) -> Options:
    symbols = ["ETH", "BTC", "SOL"][: rng.randrange(1, 4)]
    start_us = FIRST_DAY_US + rng.randrange(0, 365) * DAY_US + rng.randrange(0, 24) * HOUR_US
    if rng.random() < 0.5:  # an hour, or a day, begins while it runs
        start_us -= rng.randrange(20, 90) * 1_000_000
    else:
        start_us += rng.randrange(0, 3_400) * 1_000_000
    return Options(
        symbols=symbols,
        levels=rng.randrange(1, 5),
        tempo_ms=[rng.randrange(60, 500) for _ in symbols],
        tier=TIERS[rng.randrange(0, len(TIERS))],
        start_us=start_us,
    )


def _faults(kind: str, chances: Chances, options: Options, rng: Rng) -> list[Fault]:
    """Return the faults of one kind: at least one, the others as rare events come."""
    times_ms = [options.warm_up_ms + rng.randrange(0, options.faults_ms)]
    at_ms = options.warm_up_ms + rng.expovariate(chances.per_minute / 60_000)
    while at_ms < options.warm_up_ms + options.faults_ms:
        times_ms.append(round(at_ms))
        at_ms += rng.expovariate(chances.per_minute / 60_000)
    return [Fault(at_ms, kind, chances.draw(rng)) for at_ms in times_ms]
