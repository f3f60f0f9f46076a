"""The perpetuals this exchange can list: Lighter's own, as listed on 2026-03-27 (protocol reference 9.6).

Size and price decimals sum to six everywhere, the minimum quote is 10 USDC, the liquidation fee
1 %. Margin fractions are 5 % by default (2 % at least on BTC and ETH), 1.2 % maintenance and
0.8 % closeout; what the reference does not say of the smaller markets' minimum is taken as their
default [guess].
"""

from collections.abc import Iterable

from lighterman.domain.errors import ConfigError
from lighterman.domain.market import Market
from lighterman.domain.units import MICRO_DECIMALS, parse_fixed

DEFAULT_SYMBOLS = ("ETH", "BTC", "SOL")

_MIN_QUOTE_MICRO = 10_000_000
_ORDER_QUOTE_LIMIT_MICRO = 281_474_976_710_655
_DEEP = frozenset({"ETH", "BTC"})

# (market index, symbol, size decimals, minimum size)
_LISTED = (
    (0, "ETH", 4, "0.0050"),
    (1, "BTC", 5, "0.00020"),
    (2, "SOL", 3, "0.050"),
    (3, "DOGE", 0, "10"),
    (4, "1000PEPE", 0, "500"),
    (5, "WIF", 1, "5.0"),
    (6, "WLD", 1, "5.0"),
    (7, "XRP", 0, "20"),
    (8, "LINK", 1, "1.0"),
    (9, "AVAX", 2, "0.50"),
    (10, "NEAR", 1, "2.0"),
    (11, "DOT", 1, "2.0"),
    (12, "TON", 1, "2.0"),
    (13, "TAO", 3, "0.050"),
    (15, "TRUMP", 2, "0.20"),
    (16, "SUI", 1, "3.0"),
    (17, "1000SHIB", 0, "500"),
    (21, "FARTCOIN", 1, "20.0"),
    (24, "HYPE", 2, "0.50"),
    (25, "BNB", 2, "0.02"),
    (27, "AAVE", 3, "0.050"),
    (29, "ENA", 1, "20.0"),
    (30, "UNI", 2, "1.00"),
    (31, "APT", 2, "2.00"),
    (35, "LTC", 3, "0.100"),
    (39, "ADA", 1, "10.0"),
    (43, "TRX", 1, "40.0"),
    (45, "PUMP", 0, "2000"),
    (48, "PAXG", 4, "0.0025"),
    (50, "ARB", 1, "20.0"),
)


def all_markets() -> dict[str, Market]:
    """Return every market this exchange can list, by symbol."""
    return {symbol: _market(index, symbol, decimals, minimum) for index, symbol, decimals, minimum in _LISTED}


def markets_named(symbols: Iterable[str]) -> tuple[Market, ...]:
    """Return the markets of these symbols by index; raises ConfigError naming every unknown one."""
    known = all_markets()
    unknown = [symbol for symbol in symbols if symbol not in known]
    if unknown:
        raise ConfigError([f"markets: {symbol!r} is not listed (known: {', '.join(known)})" for symbol in unknown])
    return tuple(sorted({known[symbol] for symbol in symbols}, key=lambda market: market.index))


def _market(index: int, symbol: str, size_decimals: int, min_base: str) -> Market:
    return Market(
        index=index,
        symbol=symbol,
        price_decimals=MICRO_DECIMALS - size_decimals,
        size_decimals=size_decimals,
        min_base_lots=parse_fixed(min_base, size_decimals),
        min_quote_micro=_MIN_QUOTE_MICRO,
        order_quote_limit_micro=_ORDER_QUOTE_LIMIT_MICRO,
        min_initial_margin_fraction=200 if symbol in _DEEP else 500,
    )
