"""From a side's spread to the prices and sizes of its levels, in whole ticks and lots."""

from lighterman.domain.units import BPS, divide_floor, price_ceil, price_floor
from lighterman.strategy.params import QuoteRules


def bid_prices(rules: QuoteRules, fair_ticks: float, spread_bps: float, limit_ticks: int) -> list[int]:
    """Return strictly falling bid prices, level 0 first.

    Level i stands spread x (1 + step i) below fair: rounded down (never toward fair), never
    nearer than the edge, never above `limit_ticks`. Prices may come out below one tick.
    """
    spread_ticks = fair_ticks * spread_bps / BPS
    highest = price_floor(fair_ticks - fair_ticks * rules.edge_min_bps / BPS)
    if limit_ticks < highest:
        highest = limit_ticks
    prices = []
    for factor in rules.level_factors:
        price = price_floor(fair_ticks - spread_ticks * factor)
        if price > highest:
            price = highest
        prices.append(price)
        highest = price - 1
    return prices


def ask_prices(rules: QuoteRules, fair_ticks: float, spread_bps: float, limit_ticks: int) -> list[int]:
    """Return strictly rising ask prices: the mirror image of `bid_prices`, rounded up."""
    spread_ticks = fair_ticks * spread_bps / BPS
    lowest = price_ceil(fair_ticks + fair_ticks * rules.edge_min_bps / BPS)
    if limit_ticks > lowest:
        lowest = limit_ticks
    prices = []
    for factor in rules.level_factors:
        price = price_ceil(fair_ticks + spread_ticks * factor)
        if price < lowest:
            price = lowest
        prices.append(price)
        lowest = price + 1
    return prices


def level_sizes(rules: QuoteRules, prices: list[int], room_lots: int, room_bound: str) -> tuple[list[int], str]:
    """Return each level's size and the name of the limit that cut into them, "" where none did.

    `room_lots` is what the limit named `room_bound` still allows on this side; levels take from
    it in order. Zero means that a level is left out.
    """
    low, high = rules.uncut_ticks_min, rules.uncut_ticks_max
    if rules.total_lots <= room_lots and low <= prices[0] <= high and low <= prices[-1] <= high:
        return rules.sizes_lots, ""
    sizes = []
    first_bound = ""
    for price, wished in zip(prices, rules.sizes_lots, strict=True):
        size, bound = (wished, "") if wished <= room_lots else (room_lots, room_bound)
        size, bound = _allowed(rules, price, size, bound)
        sizes.append(size)
        room_lots -= size
        first_bound = first_bound or bound
    return sizes, first_bound


def _allowed(rules: QuoteRules, price_ticks: int, size_lots: int, bound: str) -> tuple[int, str]:
    """Return what may be quoted of one level, and the name of what bound it, `bound` if nothing else."""
    if price_ticks < 1:
        return 0, "price_below_one_tick"
    market = rules.market
    affordable_lots = divide_floor(rules.order_value_micro_max, market.notional_micro(price_ticks, 1))
    if size_lots > affordable_lots:
        size_lots, bound = affordable_lots, "order_value_limit"
    if size_lots < market.min_base_lots or market.notional_micro(price_ticks, size_lots) < market.min_quote_micro:
        return 0, bound or "venue_minimum"
    return size_lots, bound
