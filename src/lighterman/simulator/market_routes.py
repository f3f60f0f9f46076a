"""Market data for everybody: protocol reference 2.1."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from lighterman.domain.errors import VenueError
from lighterman.domain.market import Market
from lighterman.domain.units import MICRO_DECIMALS
from lighterman.matching.outputs import TradeDone
from lighterman.matching.views import FundingRound
from lighterman.protocol import rest
from lighterman.protocol.codes import Code
from lighterman.protocol.rest import API
from lighterman.simulator import account_rendering, market_rendering
from lighterman.simulator.calls import ACCOUNT_INDEX_MAX, Call, Route, Services, own_view, refuse
from lighterman.simulator.history import RESOLUTIONS
from lighterman.simulator.market_rendering import MS_US, SECOND_US, number

ALL_MARKETS = 255
ANY = -1
ORDERS_MAX = 250
PAGE_MAX = 100
FUNDINGS_MAX = 749
HOURS_PER_DAY = 24
TIMESTAMP_MAX = 2**53
MILLISECONDS_FROM = 10**11  # a smaller timestamp is in seconds (protocol reference 0.2)
TRADES_WEIGHT = 600

_SPOT = "spot"
_MARKET_TYPES = ("all", _SPOT, "perp")


def _order_books(services: Services, call: Call) -> msgspec.Struct:
    rows = [market_rendering.listing(market, services.opened_us) for market in _listed(services, call)]
    return rest.OrderBooks(order_books=rows)


def _order_book_details(services: Services, call: Call) -> msgspec.Struct:
    exchange = services.exchange
    rows = [
        market_rendering.detail(market, exchange.stats(market.index), services.rules, services.opened_us)
        for market in _listed(services, call)
    ]
    return rest.OrderBookDetails(order_book_details=rows, spot_order_book_details=[])


def _order_book_orders(services: Services, call: Call) -> msgspec.Struct:
    market = _market(services, call)
    limit = call.form.integer("limit", 1, ORDERS_MAX)
    asks, bids = (
        [
            market_rendering.simple_order(market, row)
            for row in services.exchange.resting_orders(market.index, is_ask=is_ask, limit=limit)
        ]
        for is_ask in (True, False)
    )
    return rest.OrderBookOrders(total_asks=len(asks), asks=asks, total_bids=len(bids), bids=bids)


def _recent_trades(services: Services, call: Call) -> msgspec.Struct:
    market = _market(services, call)
    limit = call.form.integer("limit", 1, PAGE_MAX)
    rows = services.exchange.recent_trades(market.index)[:limit]
    return rest.Trades(trades=[account_rendering.trade(market, row) for row in rows])


def _trades(services: Services, call: Call) -> msgspec.Struct:
    """Trades of everybody, or of one account with its token; newest first, a cursor for the next page."""
    form = call.form
    form.choice("sort_by", ("block_height", "timestamp", "trade_id"))
    form.choice("sort_dir", ("desc",), "desc")
    limit = form.integer("limit", 1, PAGE_MAX)
    account = form.integer("account_index", ANY, ACCOUNT_INDEX_MAX, ANY)
    if account != ANY:
        own_view(services, call)
        found = services.exchange.trades_of(account)
    else:
        found = sorted(
            (trade for market in services.exchange.markets for trade in services.exchange.recent_trades(market)),
            key=lambda trade: -trade.trade_id,
        )
    wanted = _TradeFilter(call, account)
    below = _cursor(call)
    rows = [trade for trade in found if (below is None or trade.trade_id < below) and wanted.takes(trade)]
    page = rows[:limit]
    markets = services.exchange.markets
    return rest.Trades(
        next_cursor=str(page[-1].trade_id) if len(rows) > limit else msgspec.UNSET,
        trades=[account_rendering.trade(markets[trade.market], trade, account) for trade in page],
    )


class _TradeFilter:
    """The parameters of `trades` that pick some of them."""

    def __init__(self, call: Call, account: int) -> None:
        form = call.form
        self._account = account
        self._market = form.integer("market_id", 0, ALL_MARKETS, ALL_MARKETS)
        self._is_spot = form.choice("market_type", _MARKET_TYPES, "all") == _SPOT
        self._type = form.choice("type", ("all", "trade", "liquidation", "deleverage", "market-settlement"), "all")
        self._role = form.choice("role", ("all", "maker", "taker"), "all")
        self._order = form.integer("order_index", 0, 2**56, form.integer("order_index_str", 0, 2**56, 0))
        self._asks = form.integer("ask_filter", ANY, 1, ANY)
        self._from_us = _microseconds(form.integer("from", ANY, TIMESTAMP_MAX, ANY))

    def takes(self, trade: TradeDone) -> bool:
        """Tell whether a trade is wanted."""
        is_ask = trade.ask_account_index == self._account
        is_maker = is_ask == trade.is_maker_ask
        has_account = self._account != ANY
        return (
            not self._is_spot
            and self._market in {ALL_MARKETS, trade.market}
            and self._type in {"all", trade.trade_type.value}
            and (not has_account or self._role == "all" or is_maker == (self._role == "maker"))
            and (not has_account or self._asks == ANY or is_ask == bool(self._asks))
            and self._order in {0, trade.ask_order_index, trade.bid_order_index}
            and trade.at_us >= self._from_us
        )


def _candles(services: Services, call: Call) -> msgspec.Struct:
    market = _market(services, call)
    resolution = call.form.text("resolution")
    if resolution not in RESOLUTIONS:
        raise refuse(Code.INVALID_CANDLE_RESOLUTION)
    candles = services.history.candles(
        market,
        RESOLUTIONS[resolution],
        start_us=_microseconds(call.form.integer("start_timestamp", 0, TIMESTAMP_MAX)),
        end_us=_microseconds(call.form.integer("end_timestamp", 0, TIMESTAMP_MAX)),
        count_back=call.form.integer("count_back", 0, TIMESTAMP_MAX),
    )
    return rest.Candles(r=resolution, c=candles or None)


def _fundings(services: Services, call: Call) -> msgspec.Struct:
    """Rounds between two moments, both exclusive, oldest first; a day adds its hours up."""
    market = _market(services, call)
    resolution = call.form.choice("resolution", ("1h", "1d"))
    start_us = _microseconds(call.form.integer("start_timestamp", 0, TIMESTAMP_MAX))
    end_us = _microseconds(call.form.integer("end_timestamp", 0, TIMESTAMP_MAX))
    call.form.integer("count_back", 0, TIMESTAMP_MAX)
    rounds = [each for each in services.exchange.fundings(market.index) if start_us < each.at_us < end_us][::-1]
    if resolution == "1d":
        rounds = _by_day(rounds)
    rows = [market_rendering.funding(market, each) for each in rounds[-FUNDINGS_MAX:]]
    return rest.Fundings(resolution=resolution, fundings=rows)


def _funding_rates(services: Services, _call: Call) -> msgspec.Struct:
    markets = services.exchange.markets.values()
    return rest.FundingRates(
        funding_rates=[market_rendering.funding_rate(services.exchange, market) for market in markets]
    )


def _exchange_stats(services: Services, _call: Call) -> msgspec.Struct:
    stats = {market: services.exchange.stats(market.index) for market in services.exchange.markets.values()}
    return rest.ExchangeStats(
        total=len(stats),
        order_book_stats=[market_rendering.market_day(market, each) for market, each in stats.items()],
        daily_usd_volume=number(sum(each.day_quote_micro for each in stats.values()), MICRO_DECIMALS),
        daily_trades_count=sum(each.day_trades for each in stats.values()),
    )


def _current_height(services: Services, call: Call) -> msgspec.Struct:
    return rest.CurrentHeight(height=services.exchange.block_height(call.now_us))


def _market(services: Services, call: Call) -> Market:
    """Return the market a call names; raises VenueError 20001 or 21602."""
    market = services.exchange.markets.get(call.form.integer("market_id", 0, 2**15))
    if market is None:
        raise refuse(Code.INVALID_MARKET)
    return market


def _listed(services: Services, call: Call) -> list[Market]:
    """Return the markets a listing asks for."""
    index = call.form.integer("market_id", 0, 2**15, ALL_MARKETS)
    if call.form.choice("filter", _MARKET_TYPES, "all") == _SPOT:
        return []
    if index == ALL_MARKETS:
        return list(services.exchange.markets.values())
    return [_market(services, call)]


def _by_day(rounds: list[FundingRound]) -> list[FundingRound]:
    """Return one round per UTC day with the sum of its rates, at the price of the last."""
    days: dict[int, FundingRound] = {}
    for each in rounds:
        day = each.at_us // (HOURS_PER_DAY * 3_600 * SECOND_US)
        before = days[day].rate_ppm if day in days else 0
        days[day] = msgspec.structs.replace(each, rate_ppm=before + each.rate_ppm)
    return list(days.values())


def _cursor(call: Call) -> int | None:
    text = call.form.text("cursor", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < len(str(TIMESTAMP_MAX))):
        raise VenueError(Code.INVALID_CURSOR, Code.INVALID_CURSOR.text)
    return int(text)


def _microseconds(timestamp: int) -> int:
    """Return a timestamp that came in seconds or milliseconds."""
    return timestamp * (SECOND_US if timestamp < MILLISECONDS_FROM else MS_US)


ROUTES: Mapping[tuple[str, str], Route] = MappingProxyType(
    {
        ("GET", f"{API}orderBooks"): Route(_order_books),
        ("GET", f"{API}orderBookDetails"): Route(_order_book_details),
        ("GET", f"{API}orderBookOrders"): Route(_order_book_orders),
        ("GET", f"{API}recentTrades"): Route(_recent_trades, weight=TRADES_WEIGHT),
        ("GET", f"{API}trades"): Route(_trades, weight=TRADES_WEIGHT),
        ("GET", f"{API}candles"): Route(_candles),
        ("GET", f"{API}fundings"): Route(_fundings),
        ("GET", f"{API}funding-rates"): Route(_funding_rates),
        ("GET", f"{API}exchangeStats"): Route(_exchange_stats),
        ("GET", f"{API}currentHeight"): Route(_current_height),
    }
)
