"""Why a market is not quoted: one reason, or none. The only place where these words are made."""

from lighterman.domain.book import Level
from lighterman.domain.units import BPS
from lighterman.engine.state import NS_PER_MS, MarketState, State

CROSSED_BOOK = "crossed_book"
MARK_AGE_FACTOR = 5  # statistics come about once a second, books twenty times as often


def why_not_quoted(state: State, market: MarketState, now_ns: int) -> str:
    """Return the first thing in the way of quoting this market, gravest first; "" for none."""
    if state.stop_reason:
        return "stopping"
    if state.halt_reason or market.halt_reason:
        return state.halt_reason or market.halt_reason
    if state.loss.tripped:
        return state.loss.tripped
    if state.links_down:
        link, why = next(iter(state.links_down.items()))
        return f"{link.value}_link_down: {why}"
    if not state.account_is_current or not state.day_known:
        return "account_not_known_yet"
    if not state.is_valued:
        return "position_without_mark"
    if not market.market.active:
        return "market_not_active"
    return _why_data_is_unfit(state, market, now_ns)


def _why_data_is_unfit(state: State, market: MarketState, now_ns: int) -> str:
    age_max_ns = state.params.limits.data_age_ms_max * NS_PER_MS
    if market.lost_reason:
        return market.lost_reason
    if now_ns - market.book_ns > age_max_ns:
        return "stale_book"
    if not market.book.is_two_sided():
        return "one_sided_book"
    if not market.stats_ns or now_ns - market.stats_ns > age_max_ns * MARK_AGE_FACTOR:
        return "no_mark_price"
    return ""


def why_prices_are_unfit(state: State, market: MarketState, bids: list[Level], asks: list[Level]) -> str:
    """Return what is wrong with the best levels of others, best first; "" for nothing.

    A mark far from the middle of the book means that one of the two is absurd, and we cannot
    tell which.
    """
    if not bids or not asks:
        return "nobody_else_in_book"
    twice_mid_ticks = bids[0][0] + asks[0][0]
    collar_bps = state.params.limits.price_collar_bps
    if abs(2 * market.mark_ticks - twice_mid_ticks) * BPS > twice_mid_ticks * collar_bps:
        return "mark_far_from_mid"
    return ""


def data_expires_ns(state: State, market: MarketState) -> int:
    """Return when the book will be too old, if nothing arrives until then."""
    return market.book_ns + state.params.limits.data_age_ms_max * NS_PER_MS + 1
