"""Composes the ideas of this room: a view of one market in, the quotes we wish out.

Law: pure and total. Whatever the view, the result never crosses the market it was shown,
never asks for more than the room left by the position limit, and says what it is made of.
"""

import msgspec

from lighterman.domain.book import Front
from lighterman.strategy.fair import imbalance, micro, mid
from lighterman.strategy.ladder import ask_prices, bid_prices, level_sizes
from lighterman.strategy.params import QuoteRules
from lighterman.strategy.skew import side_spreads_bps, skew
from lighterman.strategy.spread import half_spread_bps


class Basis(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The named components every quote of one decision was made of (bps are of fair)."""

    fair_ticks: float
    mid_ticks: float
    imbalance: float
    volatility_bps: float | None
    half_spread_bps: float
    skew: float
    bid_spread_bps: float
    ask_spread_bps: float


class Quotes(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The wished ladder: price and size by level; size zero means that the level is left out.

    `bid_bound` and `ask_bound` name the limit that made a side smaller or empty, if any did.
    """

    basis: Basis
    bid_ticks: list[int]
    bid_lots: list[int]
    bid_bound: str
    ask_ticks: list[int]
    ask_lots: list[int]
    ask_bound: str

    def ladder(self) -> tuple[list[int], list[int], list[int], list[int]]:
        """Return bid prices, bid sizes, ask prices and ask sizes."""
        return self.bid_ticks, self.bid_lots, self.ask_ticks, self.ask_lots


def quote(
    rules: QuoteRules,
    bids: Front,
    asks: Front,
    *,
    position_lots: int,
    position_max_lots: int,
    volatility_bps: float | None,
    growth_bound: str = "",
) -> Quotes:
    """Return the ladder for a market in which others' orders begin with `bids` and `asks`.

    `growth_bound` names a limit that is spent: then only what makes the position smaller is wished.
    """
    params = rules.params
    best_bid, bid_size, bid_depth = bids
    best_ask, ask_size, ask_depth = asks
    middle = mid(best_bid, best_ask)
    fair = micro(best_bid, bid_size, best_ask, ask_size) if params.fair_price == "micro" else middle
    tilt = imbalance(bid_depth, ask_depth)
    half_bps = half_spread_bps(params, volatility_bps, tilt)
    inventory = skew(position_lots, position_max_lots)
    bid_bps, ask_bps = side_spreads_bps(half_bps, inventory, params.skew_factor)
    farthest_lots, room_bound = (0, growth_bound) if growth_bound else (position_max_lots, "position_limit")
    bid_ticks = bid_prices(rules, fair, bid_bps, best_ask - 1)
    room_lots = farthest_lots - position_lots
    bid_lots, bid_bound = level_sizes(rules, bid_ticks, room_lots, room_bound)
    ask_ticks = ask_prices(rules, fair, ask_bps, best_bid + 1)
    room_lots = farthest_lots + position_lots
    ask_lots, ask_bound = level_sizes(rules, ask_ticks, room_lots, room_bound)
    return Quotes(
        Basis(fair, middle, tilt, volatility_bps, half_bps, inventory, bid_bps, ask_bps),
        bid_ticks,
        bid_lots,
        bid_bound,
        ask_ticks,
        ask_lots,
        ask_bound,
    )
