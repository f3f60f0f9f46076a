"""The first frame of each channel: all there is to know at that moment (protocol reference 3.4-3.6)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from lighterman.domain.market import Market
from lighterman.domain.units import MICRO_DECIMALS
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import TradeDone
from lighterman.matching.views import AccountView
from lighterman.protocol import messages, objects
from lighterman.simulator import account_rendering as rendering
from lighterman.simulator.account_feed import user_stats_frame
from lighterman.simulator.channels import Channel
from lighterman.simulator.market_feed import MarketFeed, height_frame, trade_frame
from lighterman.simulator.market_rendering import USDC_ASSET, number

TRADES_REPLAYED = 50
DAY_US = 86_400_000_000
DAYS_PER_WEEK = 7
DAYS_PER_MONTH = 30


class Snapshots:
    """Makes the first frame of a channel."""

    def __init__(self, exchange: Exchange, feed: MarketFeed) -> None:
        self._exchange = exchange
        self._feed = feed

    def make(self, channel: Channel, now_us: int) -> msgspec.Struct:
        """Return the first frame of a channel whose market and account exist."""
        exchange = self._exchange
        market = None if channel.market is None else exchange.markets[channel.market]
        view = None if channel.account is None else exchange.account(channel.account)
        if view is not None:
            if market is not None:
                return _OF_ACCOUNT_IN_MARKET[channel.family](exchange, view, channel, market)
            return _OF_ACCOUNT[channel.family](exchange, view, channel, now_us)
        if market is not None:
            return self._of_market(channel.family, market, now_us)
        if channel.family == "market_stats":
            return self._feed.stats_snapshot(None, now_us)
        return height_frame("subscribed", exchange.block_height(now_us), now_us)

    def _of_market(self, family: str, market: Market, now_us: int) -> msgspec.Struct:
        match family:
            case "order_book":
                return self._feed.book_snapshot(market.index, now_us)
            case "ticker":
                return self._feed.ticker_frame(market.index, "subscribed", now_us)
            case "market_stats":
                return self._feed.stats_snapshot(market.index, now_us)
            case _:
                trades = self._exchange.recent_trades(market.index)[:TRADES_REPLAYED]
                nonce = self._exchange.book(market.index).nonce
                return trade_frame("subscribed", market, trades[::-1], nonce)


def _all_orders(exchange: Exchange, view: AccountView, channel: Channel, _now_us: int) -> messages.OrdersFrame:
    markets = exchange.markets
    orders: dict[int, list[objects.Order]] = {}
    for row in exchange.open_orders(view.index):
        orders.setdefault(row.market, []).append(rendering.order(markets[row.market], row))
    return messages.OrdersFrame(channel=channel.echo, type="subscribed/account_all_orders", orders=orders)


def _orders(exchange: Exchange, view: AccountView, channel: Channel, market: Market) -> messages.MarketOrdersFrame:
    rows = [rendering.order(market, row) for row in exchange.open_orders(view.index, market.index)]
    return messages.MarketOrdersFrame(
        channel=channel.echo,
        type="subscribed/account_orders",
        account=view.index,
        nonce=exchange.book(market.index).nonce,
        orders={market.index: rows},
    )


def _market(exchange: Exchange, view: AccountView, channel: Channel, market: Market) -> messages.AccountMarketFrame:
    positions = [rendering.position(market, row) for row in view.positions if row.market == market.index]
    trades = [each for each in exchange.trades_of(view.index) if each.market == market.index][:TRADES_REPLAYED]
    return messages.AccountMarketFrame(
        channel=channel.echo,
        type="subscribed/account_market",
        account=view.index,
        orders=[rendering.order(market, row) for row in exchange.open_orders(view.index, market.index)],
        position=positions[0] if positions else None,
        trades=[rendering.trade(market, each, view.index) for each in trades],
    )


def _transactions(
    _exchange: Exchange, _view: AccountView, channel: Channel, _now_us: int
) -> messages.TransactionsFrame:
    return messages.TransactionsFrame(channel=channel.echo, type="subscribed/account_tx")


def _trades(exchange: Exchange, view: AccountView, channel: Channel, now_us: int) -> messages.AccountTradesFrame:
    trades = exchange.trades_of(view.index)
    return messages.AccountTradesFrame(
        channel=channel.echo,
        type="subscribed/account_all_trades",
        trades={},
        daily_volume=_volume(trades, now_us, 1),
        weekly_volume=_volume(trades, now_us, DAYS_PER_WEEK),
        monthly_volume=_volume(trades, now_us, DAYS_PER_MONTH),
        total_volume=number(view.traded_micro, MICRO_DECIMALS),
    )


def _positions(exchange: Exchange, view: AccountView, channel: Channel, _now_us: int) -> messages.PositionsFrame:
    markets = exchange.markets
    rows = {row.market: rendering.position(markets[row.market], row) for row in view.positions}
    return messages.PositionsFrame(
        channel=channel.echo, type="subscribed/account_all_positions", positions=rows, shares=()
    )


def _all(exchange: Exchange, view: AccountView, channel: Channel, now_us: int) -> messages.AccountFrame:
    markets, trades = exchange.markets, exchange.trades_of(view.index)
    return messages.AccountFrame(
        account=view.index,
        assets={USDC_ASSET: rendering.collateral_asset(view)},
        channel=channel.echo,
        funding_histories={},
        positions={row.market: rendering.position(markets[row.market], row) for row in view.positions},
        shares=(),
        trades={},
        type="subscribed/account_all",
        daily_trades_count=len(_since(trades, now_us, 1)),
        weekly_trades_count=len(_since(trades, now_us, DAYS_PER_WEEK)),
        monthly_trades_count=len(_since(trades, now_us, DAYS_PER_MONTH)),
        total_trades_count=view.trade_count,
        daily_volume=_volume(trades, now_us, 1),
        weekly_volume=_volume(trades, now_us, DAYS_PER_WEEK),
        monthly_volume=_volume(trades, now_us, DAYS_PER_MONTH),
        total_volume=number(view.traded_micro, MICRO_DECIMALS),
    )


def _assets(_exchange: Exchange, view: AccountView, channel: Channel, _now_us: int) -> messages.AssetsFrame:
    assets = {USDC_ASSET: rendering.collateral_asset(view)}
    return messages.AssetsFrame(channel=channel.echo, type="subscribed/account_all_assets", assets=assets)


def _stats(_exchange: Exchange, view: AccountView, _channel: Channel, now_us: int) -> messages.UserStatsFrame:
    return user_stats_frame("subscribed", view, now_us)


def _since(trades: list[TradeDone], now_us: int, days: int) -> list[TradeDone]:
    """Return the trades of the last days among those that are kept (the newest thousand)."""
    return [trade for trade in trades if trade.at_us > now_us - days * DAY_US]


def _volume(trades: list[TradeDone], now_us: int, days: int) -> float:
    return number(sum(trade.quote_micro for trade in _since(trades, now_us, days)), MICRO_DECIMALS)


_OF_ACCOUNT: Mapping[str, Callable[[Exchange, AccountView, Channel, int], msgspec.Struct]] = MappingProxyType(
    {
        "account_all": _all,
        "account_all_assets": _assets,
        "account_all_orders": _all_orders,
        "account_all_positions": _positions,
        "account_all_trades": _trades,
        "account_tx": _transactions,
        "user_stats": _stats,
    }
)
_OF_ACCOUNT_IN_MARKET: Mapping[str, Callable[[Exchange, AccountView, Channel, Market], msgspec.Struct]] = (
    MappingProxyType({"account_market": _market, "account_orders": _orders})
)
