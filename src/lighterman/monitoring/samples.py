"""Where the values of metrics come from: functions from what a scrape sees to samples."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from lighterman.domain.units import MICRO
from lighterman.monitoring.figures import Figures
from lighterman.monitoring.histogram import NS_PER_S, Histogram
from lighterman.monitoring.market import MarketFigures
from lighterman.protocol.signing import Pool

SIDES = ("buy", "sell")
BPS = 10_000
OPEN, CLOSED = 1, 0  # of a circuit breaker; 2 would be half-open


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """What events and decisions do not tell, asked for at each scrape."""

    tasks: int = 0
    messages_left: int = 0
    journal_bytes: int = 0
    journal_pending: int = 0
    journal_dropped: int = 0
    log_lines_dropped: int = 0
    pools: Mapping[int, Pool] = {}  # by API key, of signers that prepare numbers


class Scene(msgspec.Struct):
    """What a scrape sees."""

    figures: Figures
    outside: Outside
    now_ns: int

    @property
    def markets(self) -> list[MarketFigures]:
        """Return the markets known by now."""
        return list(self.figures.markets.values())


Sample = tuple[tuple[str, ...], float | Histogram]
Samples = Callable[[Scene], Iterable[Sample]]


def shown(amount: float, unit: float) -> float:
    """Turn an exact amount into a float for display: the only place where this room does so."""
    return amount / unit


def one(value: Callable[[Scene], float | Histogram]) -> Samples:
    """Give one value without labels."""
    return lambda scene: [((), value(scene))]


def per_market(value: Callable[[MarketFigures], float | Histogram]) -> Samples:
    """Give a value of each market."""
    return lambda scene: [((market.label,), value(market)) for market in scene.markets]


def per_side(value: Callable[[MarketFigures, int], float]) -> Samples:
    """Give a value of each market and side."""
    return lambda scene: [((m.label, name), value(m, side)) for m in scene.markets for side, name in enumerate(SIDES)]


def held(value: Callable[[Scene, MarketFigures], float]) -> Samples:
    """Give a value that needs the ledger or the time."""
    return lambda scene: [((market.label,), value(scene, market)) for market in scene.markets]


def position_lots(scene: Scene, market: MarketFigures) -> int:
    """Return the signed position."""
    return scene.figures.ledger.markets[market.market.index].position.size_lots


def notional_usd(scene: Scene, market: MarketFigures) -> float:
    """Return the signed value of the position at the mark."""
    return shown(market.market.notional_micro(market.mark_ticks, position_lots(scene, market)), MICRO)


def unrealized_usd(scene: Scene, market: MarketFigures) -> float:
    """Return the PnL of closing at the mark; 0 while there is no mark."""
    ledger = scene.figures.ledger.markets[market.market.index]
    return shown(ledger.unrealised_micro(market.mark_ticks), MICRO) if market.mark_ticks else 0.0


def ledger_usd(name: str, unit: int) -> Samples:
    """Give one of the ledger's sums of a market in USD."""
    return held(lambda scene, market: shown(getattr(scene.figures.ledger.markets[market.market.index], name), unit))


def spread_bps(market: MarketFigures) -> float:
    """Return the half-spread of the wished quotes."""
    return market.quotes.basis.half_spread_bps if market.quotes else math.nan


def full_spread_bps(market: MarketFigures) -> float:
    """Return the distance between our innermost bid and ask, where there are both."""
    quotes = market.quotes
    if quotes is None or not any(quotes.bid_lots) or not any(quotes.ask_lots):
        return math.nan
    bid = next(price for price, size in zip(quotes.bid_ticks, quotes.bid_lots, strict=True) if size)
    ask = next(price for price, size in zip(quotes.ask_ticks, quotes.ask_lots, strict=True) if size)
    return shown(ask - bid, quotes.basis.mid_ticks) * BPS


def skew(scene: Scene, market: MarketFigures) -> float:
    """Return position over limit, -1 to 1."""
    return max(-1.0, min(1.0, shown(position_lots(scene, market), market.position_max_lots)))


def book_age_s(scene: Scene, market: MarketFigures) -> float:
    """Return how old the book is."""
    return (scene.now_ns - market.book_ns) / NS_PER_S if market.book_ns else math.inf


def fill_rate(market: MarketFigures) -> float:
    """Return which share of the placed orders has traded."""
    return market.filled_orders / max(1, sum(market.placed))


def breakers(scene: Scene) -> Iterator[Sample]:
    """Give the state of each of the seed's breakers."""
    figures = scene.figures
    yield ("order_placement",), OPEN if figures.orders.is_refused else CLOSED
    yield ("loss_limit",), OPEN if figures.loss.tripped else CLOSED
    yield ("api_errors",), OPEN if any(figures.links.values()) else CLOSED


def why_not_quoting(scene: Scene) -> Iterator[Sample]:
    """Give 1 for each side that is not quoted; a reason's details after the colon would be a label too many."""
    for market in scene.markets:
        for side, reason in zip(SIDES, (market.why_no_bid(), market.why_no_ask()), strict=True):
            if reason:
                yield (market.label, side, reason.partition(":")[0]), 1


def refusals(scene: Scene) -> Iterator[Sample]:
    """Give the refusals by market and reason, details left out."""
    totals: dict[tuple[str, str], int] = {}
    for (market, reason), count in list(scene.figures.refusals.items()):
        name = (scene.figures.label(market), reason.partition(":")[0])
        totals[name] = totals.get(name, 0) + count
    yield from totals.items()


def numbers_prepared(scene: Scene) -> Iterator[Sample]:
    """Give what is left of each key's pool."""
    for key_index, pool in scene.outside.pools.items():
        yield (str(key_index),), pool.left


def signatures(scene: Scene) -> Iterator[Sample]:
    """Give the signatures of each key by whether their number was prepared."""
    for key_index, pool in scene.outside.pools.items():
        yield (str(key_index), "prepared"), pool.taken
        yield (str(key_index), "in full"), pool.missed


def rejected(scene: Scene) -> Iterator[Sample]:
    """Give the orders not taken, by market and status."""
    for market in scene.markets:
        for status, count in list(market.rejected.items()):
            yield (market.label, status), count
