"""What a seed file says about a market, held against what the venue says. The venue's counts."""

from decimal import Decimal

import msgspec

from lighterman.domain.market import Market
from lighterman.domain.units import MICRO_DECIMALS


class DeclaredMarket(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of one market that the venue dictates; None where the file does not state them."""

    label: str
    symbol: str
    base_decimals: int | None = None
    quote_decimals: int | None = None
    tick_size: str | None = None


class Comparison(msgspec.Struct, frozen=True):
    """What differs: `notices` are worth knowing, `problems` forbid to start."""

    notices: list[str]
    problems: list[str]


def compare(declared: DeclaredMarket, market: Market) -> Comparison:
    """Return how a declaration differs from the venue's description of the market."""
    notices: list[str] = []
    problems: list[str] = []
    path = f"markets[{declared.label}]"
    for name, decimals, venue_decimals in (
        ("baseDecimals", declared.base_decimals, market.size_decimals),
        ("quoteDecimals", declared.quote_decimals, MICRO_DECIMALS),
    ):
        if decimals is not None and decimals != venue_decimals:
            notices.append(f"{path}.{name}: {decimals} in the file, {venue_decimals} at the venue, which counts")
    if declared.tick_size is not None:
        stated, true = declared.tick_size, market.price_text(1)
        ticks = Decimal(stated) * market.ticks_per_unit
        if ticks % 1:
            problems.append(f"{path}.tickSize: is no whole multiple of the venue's tick, was {stated}; {true}")
        elif ticks != 1:
            notices.append(f"{path}.tickSize: {stated} in the file, {true} at the venue, which counts")
    return Comparison(notices, problems)
