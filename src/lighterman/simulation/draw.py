"""What a seed means: its circumstances and its faults.

Law: each kind of fault draws its times and arguments from a stream of its own, so that taking a fault
out of a plan moves no other and changes no noise. Not every kind is on in a seed (swarm testing): some
faults hide what others would show.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from lighterman.chance import seeded
from lighterman.domain.chance import Rng
from lighterman.simulation.faults.catalogue import kinds
from lighterman.simulation.plan import Chances, Fault, Options, Plan, Value

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
FIRST_DAY_US = 20_000 * DAY_US  # the world begins somewhere in the year after it
TIERS = ("premium", "premium", "premium-10k", "standard")
TIGHT_COLLAR_BPS = 30  # the outer levels of a skewed ladder stand beyond it
SWARM_SHARE = 0.2  # of the kinds are on in a seed
STANDARD_QUOTES_WITHIN_S = 60  # its messages come back one a second, and fills use them up
STANDARD_MARKETS_MAX = 2  # 60 messages a minute: an operator is warned that they do not carry more
WIRE_SHARE = 0.08  # of the seeds run on bytes: they cost more


def draw_plan(seed: int, *, only: Sequence[str] = (), **changes: Value) -> Plan:
    """Return the plan of a seed; `only` names the kinds that may occur (all, each on or off, without it).

    `changes` replace options after they were drawn.
    """
    options = replace(_options(seeded(seed, "options")), **changes)
    faults: list[Fault] = []
    for kind, found in kinds(wire=options.wire).items():
        rng = seeded(seed, f"plan {kind}")
        is_on = rng.random() < SWARM_SHARE
        if kind in only or (not only and is_on):
            faults += _faults(kind, found.chances, options, rng)
    return Plan(seed=seed, options=options, faults=sorted(faults, key=lambda fault: (fault.at_ms, fault.kind)))


def _options(rng: Rng) -> Options:
    symbols = ["ETH", "BTC", "SOL"][: rng.randrange(1, 4)]
    start_us = FIRST_DAY_US + rng.randrange(0, 365) * DAY_US + rng.randrange(0, 24) * HOUR_US
    if rng.random() < 0.5:  # an hour, or a day, begins while it runs
        start_us -= rng.randrange(20, 90) * 1_000_000
    else:
        start_us += rng.randrange(0, 3_400) * 1_000_000
    drawn = Options(
        symbols=symbols,
        levels=rng.randrange(1, 5),
        tempo_ms=[rng.randrange(60, 500) for _ in symbols],
        tier=TIERS[rng.randrange(0, len(TIERS))],
        start_us=start_us,
        wire=rng.random() < WIRE_SHARE,
        position_share=(1.0, 1.0, 0.3)[rng.randrange(0, 3)],
        total_usd=(20_000, 20_000, 2_500)[rng.randrange(0, 3)],
        loss_usd=(200, 200, 4)[rng.randrange(0, 3)],
        collar_bps=(200, 200, 200, TIGHT_COLLAR_BPS)[rng.randrange(0, 4)],
    )
    if drawn.tier != "standard":
        return drawn
    few = STANDARD_MARKETS_MAX
    return replace(
        drawn, symbols=drawn.symbols[:few], tempo_ms=drawn.tempo_ms[:few], quotes_within_s=STANDARD_QUOTES_WITHIN_S
    )


def _faults(kind: str, chances: Chances, options: Options, rng: Rng) -> list[Fault]:
    """Return the faults of one kind: at least one, the others as rare events come."""
    times_ms = [options.warm_up_ms + rng.randrange(0, options.faults_ms)]
    at_ms = options.warm_up_ms + rng.expovariate(chances.per_minute / 60_000)
    while at_ms < options.warm_up_ms + options.faults_ms:
        times_ms.append(round(at_ms))
        at_ms += rng.expovariate(chances.per_minute / 60_000)
    return [Fault(at_ms, kind, chances.draw(rng)) for at_ms in times_ms]
