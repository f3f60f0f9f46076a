"""Markets, books and funding as the venue writes them (protocol reference 2.7, 3.5).

Prices and sizes are padded to exactly the market's decimals, always: official clients strip the
dot or compare the texts. The day's figures are floats, as on the venue.
"""

import msgspec

from lighterman.domain.book import OrderBook
from lighterman.domain.market import Market
from lighterman.domain.units import BPS, MICRO_DECIMALS, PICO_DECIMALS, PICO_PER_MICRO, format_fixed
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import OrderRow
from lighterman.matching.rules import Rules
from lighterman.matching.views import FundingRound, MarketStats
from lighterman.protocol import messages, objects, rest
from lighterman.protocol.objects import Level

ONE = "1.000000000000000000"
USDC = "USDC"
USDC_ASSET = 3
MS_US = 1_000
SECOND_US = 1_000_000
RATE_DECIMALS = 4  # percent of a rate in ppm
HOURS_OF_RATE = 8
PPM = 1_000_000

_VALUE_DECIMALS = 8
_NO_LEVEL = Level("", "")


def money_text(pico: int) -> str:
    """Return an amount with the venue's 6 decimals, or with 12 where 6 would lose digits.

    The second form is ours: docs/decisions/ says why.
    """
    micro, rest_pico = divmod(pico, PICO_PER_MICRO)
    return format_fixed(pico, PICO_DECIMALS) if rest_pico else format_fixed(micro, MICRO_DECIMALS)


def micro_text(micro: int) -> str:
    """Return an amount of micro-USDC with 6 decimals."""
    return format_fixed(micro, MICRO_DECIMALS)


def number(units: int, decimals: int) -> float:
    """Return the float nearest to a whole number of 10^-decimals: the form of the day's figures."""
    return float(format_fixed(units, decimals))


def listing(market: Market, created_us: int) -> objects.MarketListing:
    """Return a row of `orderBooks`; fees of the tiers are not shown there (capture: 0.0000)."""
    return objects.MarketListing(
        symbol=market.symbol,
        market_id=market.index,
        market_type="perp",
        base_asset_id=0,
        quote_asset_id=0,
        status="active" if market.active else "inactive",
        taker_fee=format_fixed(market.taker_fee_ppm, RATE_DECIMALS),
        is_taker_fee_enabled=True,
        maker_fee=format_fixed(market.maker_fee_ppm, RATE_DECIMALS),
        is_maker_fee_enabled=True,
        liquidation_fee=format_fixed(market.liquidation_fee_ppm, RATE_DECIMALS),
        min_base_amount=market.size_text(market.min_base_lots),
        min_quote_amount=micro_text(market.min_quote_micro),
        order_quote_limit=micro_text(market.order_quote_limit_micro),
        supported_size_decimals=market.size_decimals,
        supported_price_decimals=market.price_decimals,
        supported_quote_decimals=MICRO_DECIMALS,
        created_at=str(created_us // MS_US),
        multiplier=ONE,
    )


def detail(market: Market, stats: MarketStats, rules: Rules, created_us: int) -> objects.MarketDetail:
    """Return a row of `orderBookDetails`."""
    return objects.MarketDetail(
        **msgspec.structs.asdict(listing(market, created_us)),
        size_decimals=market.size_decimals,
        price_decimals=market.price_decimals,
        quote_multiplier=market.quote_multiplier,
        default_initial_margin_fraction=market.default_initial_margin_fraction,
        min_initial_margin_fraction=market.min_initial_margin_fraction,
        maintenance_margin_fraction=market.maintenance_margin_fraction,
        closeout_margin_fraction=market.closeout_margin_fraction,
        last_trade_price=number(stats.last_trade_ticks, market.price_decimals),
        daily_trades_count=stats.day_trades,
        daily_base_token_volume=number(stats.day_base_lots, market.size_decimals),
        daily_quote_token_volume=number(stats.day_quote_micro, MICRO_DECIMALS),
        daily_price_low=number(stats.day_low_ticks, market.price_decimals),
        daily_price_high=number(stats.day_high_ticks, market.price_decimals),
        daily_price_change=_day_change_percent(stats),
        open_interest=number(stats.open_interest_lots, market.size_decimals),
        funding_clamp_small=format_fixed(rules.funding_clamp_small_ppm, RATE_DECIMALS),
        funding_clamp_big=format_fixed(rules.funding_clamp_big_ppm, RATE_DECIMALS),
        base_interest_rate=format_fixed(rules.funding_interest_ppm, RATE_DECIMALS),
        mark_price=market.price_text(stats.mark_ticks),
        index_price=market.price_text(stats.index_ticks),
    )


def market_stats(market: Market, stats: MarketStats, book: OrderBook, rules: Rules) -> objects.MarketStats:
    """Return the object of `market_stats` (3.5): rates in percent per hour, clamps per 8 h."""
    bid, ask = book.best_bid(), book.best_ask()
    mid_ticks = (bid[0] + ask[0]) // 2 if bid and ask else 0
    return objects.MarketStats(
        market_id=market.index,
        symbol=market.symbol,
        index_price=market.price_text(stats.index_ticks),
        mark_price=market.price_text(stats.mark_ticks),
        current_funding_rate=format_fixed(stats.current_funding_rate_ppm, RATE_DECIMALS),
        funding_rate=format_fixed(stats.funding_rate_ppm, RATE_DECIMALS),
        funding_timestamp=stats.funding_at_us // MS_US,
        last_trade_price=market.price_text(stats.last_trade_ticks),
        mid_price=market.price_text(mid_ticks) if mid_ticks else "",
        best_ask_price=market.price_text(ask[0]) if ask else "",
        best_bid_price=market.price_text(bid[0]) if bid else "",
        open_interest=micro_text(market.notional_micro(stats.mark_ticks, stats.open_interest_lots)),
        open_interest_limit=micro_text(rules.open_interest_limit_micro),
        base_interest_rate=format_fixed(rules.funding_interest_ppm, RATE_DECIMALS),
        funding_clamp_small=format_fixed(rules.funding_clamp_small_ppm, RATE_DECIMALS),
        funding_clamp_big=format_fixed(rules.funding_clamp_big_ppm, RATE_DECIMALS),
        daily_base_token_volume=number(stats.day_base_lots, market.size_decimals),
        daily_quote_token_volume=number(stats.day_quote_micro, MICRO_DECIMALS),
        daily_price_low=number(stats.day_low_ticks, market.price_decimals),
        daily_price_high=number(stats.day_high_ticks, market.price_decimals),
        daily_price_change=_day_change_percent(stats),
    )


def market_day(market: Market, stats: MarketStats) -> rest.MarketDay:
    """Return a row of `exchangeStats`."""
    return rest.MarketDay(
        symbol=market.symbol,
        last_trade_price=number(stats.last_trade_ticks, market.price_decimals),
        daily_trades_count=stats.day_trades,
        daily_base_token_volume=number(stats.day_base_lots, market.size_decimals),
        daily_quote_token_volume=number(stats.day_quote_micro, MICRO_DECIMALS),
        daily_price_change=_day_change_percent(stats),
    )


def level(market: Market, price_ticks: int, size_lots: int) -> Level:
    """Return a level of a book."""
    return Level(market.price_text(price_ticks), market.size_text(size_lots))


def whole_book(market: Market, book: OrderBook) -> tuple[list[Level], list[Level]]:
    """Return all asks and all bids, best first."""
    asks = [level(market, price, book.asks[price]) for price in sorted(book.asks)]
    bids = [level(market, price, book.bids[price]) for price in sorted(book.bids, reverse=True)]
    return asks, bids


def best_levels(market: Market, book: OrderBook, at_us: int) -> messages.BestLevels:
    """Return the body of `ticker`; an empty side has empty texts."""
    bid, ask = book.best_bid(), book.best_ask()
    return messages.BestLevels(
        s=market.symbol,
        a=level(market, *ask) if ask else _NO_LEVEL,
        b=level(market, *bid) if bid else _NO_LEVEL,
        last_updated_at=at_us,
    )


def simple_order(market: Market, row: OrderRow) -> objects.SimpleOrder:
    """Return a resting order as everybody sees it (2.7.2)."""
    return objects.SimpleOrder(
        order_index=row.order_index,
        order_id=str(row.order_index),
        owner_account_index=row.account_index,
        initial_base_amount=market.size_text(row.size_lots),
        remaining_base_amount=market.size_text(row.remaining_lots),
        price=market.price_text(row.price_ticks),
        order_expiry=row.expiry_ms,
        transaction_time=row.updated_us,
    )


def funding(market: Market, round_: FundingRound) -> rest.Funding:
    """Return a row of `fundings` (2.1): magnitudes, and who paid whom."""
    return rest.Funding(
        timestamp=round_.at_us // SECOND_US,
        value=_value_per_unit(market, abs(round_.rate_ppm), round_.index_ticks),
        rate=format_fixed(abs(round_.rate_ppm), RATE_DECIMALS),
        direction="long" if round_.rate_ppm >= 0 else "short",
    )


def funding_rate(exchange: Exchange, market: Market) -> rest.FundingRate:
    """Return the coming funding as a fraction per 8 hours."""
    rate_ppm = exchange.stats(market.index).current_funding_rate_ppm
    return rest.FundingRate(market.index, "lighter", market.symbol, rate_ppm * HOURS_OF_RATE / PPM)


def percent_text(fraction_bp: int) -> str:
    """Return a fraction in 1e-4 as percent with two decimals ("5.00")."""
    return format_fixed(fraction_bp * 100 * 100 // BPS, 2)


def _value_per_unit(market: Market, rate_ppm: int, index_ticks: int) -> str:
    """Return rate x index in USDC per base unit."""
    units = rate_ppm * index_ticks * 10**_VALUE_DECIMALS
    return format_fixed(units // (PPM * market.ticks_per_unit), _VALUE_DECIMALS)


def _day_change_percent(stats: MarketStats) -> float:
    opened, last = stats.day_open_ticks, stats.last_trade_ticks
    return (last - opened) * 100 / opened if opened else 0.0
