"""Why a market is not quoted: one reason, or none. The only place where these words are made."""

from lighterman.domain.units import BPS
from lighterman.engine.state import MarketState, State

CROSSED_BOOK = "crossed_book"
NOBODY_ELSE = "nobody_else_in_book"
MARK_FAR = "mark_far_from_mid"
MARK_AGE_FACTOR = 5  # statistics come about once a second, books twenty times as often


def why_not_quoted(state: State, market: MarketState, now_ns: int) -> str:
    """Return the first thing in the way of quoting this market, gravest first; "" for none."""
    return (
        ("stopping" if state.stop_reason else "")
        or state.halt_reason
        or market.halt_reason
        or state.loss.tripped
        or (_which_link_is_down(state) if state.links_down else "")
        or ("" if state.account_is_current and state.day_known else "account_not_known_yet")
        or ("" if state.is_valued else "position_without_mark")
        or ("" if market.market.active else "market_not_active")
        or market.lost_reason
        or ("" if now_ns <= market.book_ns + state.data_age_max_ns else "stale_book")
        or ("" if market.book.bids and market.book.asks else "one_sided_book")
        or ("" if market.stats_ns and now_ns <= _mark_expires_ns(state, market) else "no_mark_price")
    )


def _which_link_is_down(state: State) -> str:
    link, why = next(iter(state.links_down.items()))
    return f"{link.value}_link_down: {why}"


def _mark_expires_ns(state: State, market: MarketState) -> int:
    return market.stats_ns + state.data_age_max_ns * MARK_AGE_FACTOR


def is_mark_far(state: State, market: MarketState, mid_ticks: float) -> bool:
    """Tell whether the mark is far from the middle of the book.

    Then one of the two is absurd, and we cannot tell which.
    """
    collar_bps = state.params.limits.price_collar_bps
    return abs(market.mark_ticks - mid_ticks) * BPS > mid_ticks * collar_bps


def data_expires_ns(state: State, market: MarketState) -> int:
    """Return when the book will be too old, if nothing arrives until then."""
    return market.book_ns + state.data_age_max_ns + 1
