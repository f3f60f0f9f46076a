"""Named markets to trade against: frozen numbers for the actors of `matching/flow.py`.

`calm`      a quiet hour: low volatility, few jumps, little informed flow
`normal`    the default: a major on a decentralised exchange on a working day
`volatile`  three times the volatility of normal, jumps each half minute, wider quotes
`toxic`     slow makers among fast, well-informed takers: every fill is suspect
`crash`     a volatile market that slides 1 % within a minute and comes back, again and again

The bands they aim at are those of market-making reference 8.4; which facts lie in them is
printed by `tests/simulator/test_scenarios_facts.py` and listed in docs/markets.md.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from lighterman.domain.errors import ConfigError
from lighterman.matching.flow import FlowParams
from lighterman.matching.flow_makers import MakerParams
from lighterman.matching.flow_price import PriceParams, Slide
from lighterman.matching.flow_takers import InformedParams, NoiseParams


class Scenario(msgspec.Struct, frozen=True):
    """A name, what it is like, and the actors that make it so."""

    name: str
    story: str
    flow: FlowParams


class Scale(msgspec.Struct, frozen=True):
    """What makes one market unlike another: its price, and factors on moves, spread and sizes."""

    price_usd: float
    volatility: float = 1.0
    spread: float = 1.0
    size: float = 1.0


SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "BTC": Scale(100_000.0),
        "ETH": Scale(3_000.0, volatility=1.5, spread=1.5),
        "SOL": Scale(150.0, volatility=2.0, spread=2.0, size=0.6),
    },
)
SMALL_MARKET = Scale(0.0, volatility=2.5, spread=2.5, size=0.4)  # any other; its price is not known here

_SLOWER = (60, 150, 300, 450, 700)
_NORMAL = FlowParams(
    price=PriceParams(sigma_bp=(0.4, 0.75)),
    makers=MakerParams(latencies_ms=(40, 100, 200, 300, 500)),
    patient=MakerParams(
        latencies_ms=(1_000, 1_500),
        levels=6,
        half_bp=8.0,
        size_usd=20_000.0,
        sigma_share=0.0,
        opinion_bp=2.0,
        tilt=0.0,
        pull=0.02,
    ),
    noise=NoiseParams(),
    informed=InformedParams(),
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            Scenario(
                "calm",
                "a quiet hour",
                replace(
                    _NORMAL,
                    price=replace(_NORMAL.price, sigma_bp=(0.15, 0.3), jumps_per_hour=30.0, jump_bp=1.0),
                    makers=replace(_NORMAL.makers, tilt=1.2, tilt_scale_bp=0.3, shade_bp=0.03, size_usd=2_600.0),
                    noise=replace(_NORMAL.noise, base=0.12),
                    informed=replace(_NORMAL.informed, looks=1.0),
                ),
            ),
            Scenario("normal", "a working day", _NORMAL),
            Scenario(
                "volatile",
                "large moves, many jumps",
                replace(
                    _NORMAL,
                    price=replace(_NORMAL.price, sigma_bp=(1.0, 2.2), jumps_per_hour=100.0, jump_bp=4.0, drift_bp=0.2),
                    makers=replace(_NORMAL.makers, latencies_ms=_SLOWER, sigma_share=0.4),
                    noise=replace(_NORMAL.noise, base=0.3),
                    informed=replace(_NORMAL.informed, looks=5.0),
                ),
            ),
            Scenario(
                "toxic",
                "slow makers, fast informed takers",
                replace(
                    _NORMAL,
                    makers=replace(
                        _NORMAL.makers,
                        latencies_ms=(100, 250, 350, 500, 500),
                        sigma_share=0.3,
                        size_usd=2_000.0,
                        tilt=1.0,
                    ),
                    noise=replace(_NORMAL.noise, base=0.12),
                    informed=replace(_NORMAL.informed, looks=15.0, delay_ms=140, drift_trades=1.0),
                ),
            ),
            Scenario(
                "crash",
                "slides of 1 % within a minute, and back",
                replace(
                    _NORMAL,
                    price=replace(
                        _NORMAL.price,
                        sigma_bp=(0.7, 1.8),
                        jumps_per_hour=100.0,
                        jump_bp=5.0,
                        slides=(
                            Slide(at_s=60.0, length_s=60.0, move_bp=-100.0),
                            Slide(at_s=150.0, length_s=600.0, move_bp=100.0),
                        ),
                        cycle_s=1200.0,
                    ),
                    makers=replace(_NORMAL.makers, latencies_ms=_SLOWER, size_usd=2_000.0),
                    informed=replace(_NORMAL.informed, trend_trades=4.0),
                ),
            ),
        )
    },
)


def scenario_named(name: str) -> Scenario:
    """Return a scenario; raises ConfigError for an unknown name."""
    if name not in SCENARIOS:
        raise ConfigError([f"scenario: {name!r} is none of {', '.join(SCENARIOS)}"])
    return SCENARIOS[name]
