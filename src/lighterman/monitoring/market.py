"""The figures of one market. Lists of two are by side: [buy, sell]."""

from lighterman.domain.market import Market
from lighterman.engine.decision import MarketVerdict
from lighterman.engine.params import MarketParams
from lighterman.monitoring.histogram import Histogram
from lighterman.strategy.quoter import Quotes

PLACEMENT_BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)  # seed reference 2.4


class MarketFigures:
    """What has happened in a market, and what is wished in it now."""

    __slots__ = (
        "book_ns",
        "canceled",
        "filled_orders",
        "fills",
        "label",
        "mark_ticks",
        "market",
        "modified",
        "open_orders",
        "placed",
        "placement",
        "position_max_lots",
        "quoting_ns",
        "quoting_since_ns",
        "rejected",
        "verdict",
        "volume_lots",
    )

    def __init__(self, params: MarketParams, market: Market) -> None:
        self.label = params.label
        self.market = market
        self.position_max_lots = params.limits.position_max_lots(market)
        self.placed = [0, 0]
        self.canceled = 0
        self.modified = 0
        self.rejected: dict[str, int] = {}  # orders the sequencer did not take, by the venue's status
        self.fills = [0, 0]
        self.filled_orders = 0
        self.volume_lots = [0, 0]
        self.open_orders = 0
        self.placement = Histogram(PLACEMENT_BOUNDS_S)
        self.mark_ticks = 0
        self.book_ns = 0  # when the book was last heard of; 0: it is not known
        self.verdict = MarketVerdict(market.index, None, "not_looked_at_yet")  # the last one
        self.quoting_ns = 0  # how long both sides have been quoted, up to the last change
        self.quoting_since_ns = 0  # 0: not both sides are quoted now

    @property
    def quotes(self) -> Quotes | None:
        """Return what was wished last, None where nothing was."""
        return self.verdict.quotes

    @property
    def reason(self) -> str:
        """Return why nothing was wished, or ""."""
        return self.verdict.reason

    def why_no_bid(self) -> str:
        """Return why there is no bid, or ""."""
        quotes = self.quotes
        return _why_none(quotes.bid_lots, quotes.bid_bound) if quotes is not None else self.reason

    def why_no_ask(self) -> str:
        """Return why there is no ask, or ""."""
        quotes = self.quotes
        return _why_none(quotes.ask_lots, quotes.ask_bound) if quotes is not None else self.reason

    def quoting_total_ns(self, now_ns: int) -> int:
        """Return how long both sides have been quoted."""
        return self.quoting_ns + (now_ns - self.quoting_since_ns if self.quoting_since_ns else 0)

    def take_verdict(self, verdict: MarketVerdict, now_ns: int) -> None:
        """Take note of what was wished, or why nothing was, and of whether both sides are quoted from now on."""
        self.verdict = verdict
        quotes = verdict.quotes
        if quotes is not None and any(quotes.bid_lots) and any(quotes.ask_lots):
            self.quoting_since_ns = self.quoting_since_ns or now_ns
        elif self.quoting_since_ns:
            self.quoting_ns += now_ns - self.quoting_since_ns
            self.quoting_since_ns = 0


def _why_none(lots: list[int], bound: str) -> str:
    return "" if any(lots) else bound or "no_size"
