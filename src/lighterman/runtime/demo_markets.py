"""What `demo` quotes: whatever the local exchange lists, in sizes that suit it.

The built-in settings know the usual markets. A tape may bring others, or only one of them;
a market without settings of its own takes those of the first, in a size of about the same value.
"""

import aiohttp
import msgspec
from msgspec.structs import replace

from lighterman.config.settings import Settings
from lighterman.domain.errors import TransportError
from lighterman.domain.units import format_fixed, parse_fixed, price_ceil
from lighterman.engine.params import MarketParams
from lighterman.risk.limits import MarketLimits

MARKETS_MAX = 5
ORDER_VALUE_USD = 150
ORDERS_IN_POSITION = 40  # maxPosition in orders of level 0, as in the built-in settings
TIMEOUT = aiohttp.ClientTimeout(total=5)


class _Listed(msgspec.Struct, frozen=True):
    symbol: str
    size_decimals: int
    min_base_amount: str
    index_price: str | float


class _Listing(msgspec.Struct, frozen=True):
    order_book_details: list[_Listed]


async def fitted(settings: Settings, url: str) -> Settings:
    """Return the settings for the markets that the exchange at `url` lists; raises TransportError."""
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT) as session,
            session.get(f"{url}/api/v1/orderBookDetails") as response,
        ):
            listing = msgspec.json.decode(await response.read(), type=_Listing)
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
        raise TransportError(f"the local exchange's markets cannot be read: {error}") from None
    known = {market.symbol: market for market in settings.engine.markets}
    listed = listing.order_book_details[:MARKETS_MAX]
    markets = [known.get(market.symbol) or _like(settings.engine.markets[0], market) for market in listed]
    return replace(settings, engine=replace(settings.engine, markets=markets))


def _like(template: MarketParams, listed: _Listed) -> MarketParams:
    """Return another market's settings in this market's sizes."""
    lots_per_unit = 10**listed.size_decimals
    wished = price_ceil(ORDER_VALUE_USD / float(listed.index_price) * lots_per_unit)
    lots = max(wished, parse_fixed(listed.min_base_amount, listed.size_decimals))
    return MarketParams(
        label=f"{listed.symbol}-USDC",
        symbol=listed.symbol,
        quote=replace(template.quote, order_size=format_fixed(lots, listed.size_decimals)),
        limits=MarketLimits(position_max=format_fixed(lots * ORDERS_IN_POSITION, listed.size_decimals)),
    )
