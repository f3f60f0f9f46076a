"""A market as the venue describes it: every number comes from the venue, none from a file."""

import msgspec

from lighterman.domain.units import MICRO_DECIMALS, format_fixed


class Market(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One perpetual market (venue: `orderBookDetails`, protocol reference 2.7.1).

    Fractions are in 1e-4, fees in parts per million, money in micro-USDC.
    """

    index: int
    symbol: str
    price_decimals: int
    size_decimals: int
    min_base_lots: int
    min_quote_micro: int
    order_quote_limit_micro: int
    quote_multiplier: int = 1
    default_initial_margin_fraction: int = 500
    min_initial_margin_fraction: int = 200
    maintenance_margin_fraction: int = 120
    closeout_margin_fraction: int = 80
    taker_fee_ppm: int = 0
    maker_fee_ppm: int = 0
    liquidation_fee_ppm: int = 10_000
    active: bool = True

    def notional_micro(self, price_ticks: int, size_lots: int) -> int:
        """Return price x size in micro-USDC; exact, since the venue's scales multiply to 1e-6."""
        return price_ticks * size_lots * self.quote_multiplier

    @property
    def ticks_per_unit(self) -> int:
        """Return how many ticks make one USDC."""
        return 10**self.price_decimals  # type: ignore[no-any-return]

    @property
    def lots_per_unit(self) -> int:
        """Return how many lots make one unit of the base asset."""
        return 10**self.size_decimals  # type: ignore[no-any-return]

    @property
    def scales_are_exact(self) -> bool:
        """Tell whether ticks x lots are whole micro-USDC (true of every perpetual seen)."""
        return self.price_decimals + self.size_decimals == MICRO_DECIMALS

    def price_text(self, price_ticks: int) -> str:
        """Return a price as the venue writes it."""
        return format_fixed(price_ticks, self.price_decimals)

    def size_text(self, size_lots: int) -> str:
        """Return a size as the venue writes it."""
        return format_fixed(size_lots, self.size_decimals)
