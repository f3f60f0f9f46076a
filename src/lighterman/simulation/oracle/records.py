"""What the world hands to the oracle and what it gets back: the terms, the bot's belief, a violation."""

from collections.abc import Mapping

import msgspec

from lighterman.domain.market import Market
from lighterman.risk.limits import AccountLimits

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class MarketTerms(msgspec.Struct, frozen=True, kw_only=True):
    """One enabled market. A side with less room than `quote_lots` below the cap need not be quoted."""

    market: Market
    position_max_lots: int
    quote_lots: int = 1


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """All the oracle is told of the bot's settings; a figure of 0 that says so switches its check off."""

    began_us: int  # the venue's wall when virtual time is 0
    account_index: int
    api_key_indexes: tuple[int, ...]  # the bot's keys
    markets: tuple[MarketTerms, ...]
    limits: AccountLimits
    collateral_pico: int  # with which the account was opened, flat
    stop_within_ns: int = 10 * NS_PER_S
    quotes_within_ns: int = 30 * NS_PER_S
    venue_messages_per_minute: int = 0  # 0: the venue's own limit is not judged
    tracked_max: int = 0  # 0: the bot's memory is not judged
    journal_bytes_max: int = 0  # 0: the size of the journal is not judged
    quoted_ppm_min: int = 0  # of the watched time, in every market; 0: L2 is not judged
    canary: bool = False


class Belief(msgspec.Struct, frozen=True, kw_only=True):
    """What the bot takes for true after a step. A market it knows nothing of yet is left out.

    `positions` in lots; `tracked` holds client order indexes, and order indexes where there is no
    other name; `books` holds nonce and `book_digest` of each book it has; `links_down` names
    streams as the oracle's door does ("public", "private", "transactions").
    """

    positions: Mapping[int, int]
    cash_pico: int | None = None
    tracked: frozenset[int] = frozenset()
    books: Mapping[int, tuple[int, int]] = {}
    is_quoting: Mapping[int, bool] = {}
    reasons: Mapping[int, str] = {}
    links_down: tuple[str, ...] = ()
    unknown_orders: int = 0
    journal_bytes: int = 0
    halt_reason: str = ""
    stop_reason: str = ""
    epoch: int = 0


class Violation(msgspec.Struct, frozen=True):
    """An invariant that did not hold: which, what was seen, when."""

    id: str
    text: str
    now_ns: int
