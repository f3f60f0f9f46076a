"""From a recording's numbers to a market's ticks and lots: exactly, or not at all."""

from lighterman.domain.errors import ConfigError, UnitError
from lighterman.domain.market import Market
from lighterman.domain.units import MICRO_DECIMALS, TextToUnits
from lighterman.simulator.markets import all_markets

UNLISTED = {"NEXO": (240, 3), "WLFI": (241, 5)}  # symbol -> market index and price decimals, for tapes alone
MIN_QUOTE_MICRO = 10_000_000
ORDER_QUOTE_LIMIT_MICRO = 281_474_976_710_655


class Units:
    """The scales of one recorded market; `origin` names the recording in errors."""

    def __init__(self, market: Market, origin: str) -> None:
        self.market = market
        self.origin = origin
        self._prices = TextToUnits(market.price_decimals)
        self._sizes = TextToUnits(market.size_decimals)

    def price(self, value: str | float) -> int:
        """Return a recorded price in ticks; raises ConfigError when it lies between two."""
        return self._convert(self._prices, value, "price")

    def size(self, value: str | float) -> int:
        """Return a recorded size in lots; raises ConfigError when it is no whole number of them."""
        return self._convert(self._sizes, value, "size")

    def _convert(self, table: TextToUnits, value: str | float, what: str) -> int:
        try:
            return table[value if isinstance(value, str) and "e" not in value else _plain(float(value), table.decimals)]
        except UnitError:
            unit = f"1e-{table.decimals}, the unit of {self.market.symbol}"
            raise ConfigError([f"{self.origin}: {what} {value} is no whole number of {unit}"]) from None


def _plain(value: float, decimals: int) -> str:
    """Return the text of so many decimals that means this very float; raises UnitError if none does."""
    text = f"{value:.{decimals}f}"
    if float(text) != value:
        raise UnitError(f"{value} has more than {decimals} decimals")
    return text


def market_of(symbol: str, origin: str) -> Market:
    """Return the market that a recorded symbol is; raises ConfigError for one that nothing is known of.

    Symbols that Lighter's list lacks get an index far from the listed ones, and no minimum size.
    """
    listed = all_markets().get(symbol)
    if listed is not None:
        return listed
    if symbol not in UNLISTED:
        raise ConfigError([f"{origin}: {symbol!r} is no known market"])
    index, price_decimals = UNLISTED[symbol]
    return Market(
        index=index,
        symbol=symbol,
        price_decimals=price_decimals,
        size_decimals=MICRO_DECIMALS - price_decimals,
        min_base_lots=1,
        min_quote_micro=MIN_QUOTE_MICRO,
        order_quote_limit_micro=ORDER_QUOTE_LIMIT_MICRO,
    )
