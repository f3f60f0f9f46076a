"""The live status in the terminal: drawn by `rich`, on a thread of its own, a few times a second.

It reads copies (`runtime/status.py`) and never touches the engine.
"""

import threading
from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lighterman.runtime.status import MarketView, StatusView

REDRAWS_PER_S = 2
LEVELS_SHOWN = 6


class LiveStatus:
    """Draws what `look` returns until it is stopped."""

    def __init__(self, look: Callable[[], StatusView | None], title: str) -> None:
        self._look = look
        self._title = title
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._draw, name="status", daemon=True)

    def start(self) -> None:
        """Begin to draw."""
        self._thread.start()

    def stop(self) -> None:
        """Draw once more and leave the terminal as it should be."""
        self._stop.set()
        self._thread.join(timeout=2)

    def _draw(self) -> None:
        console = Console(stderr=True)
        with Live(Text("starting …"), console=console, auto_refresh=False, transient=False) as live:
            done = False
            while not done:
                done = self._stop.wait(1 / REDRAWS_PER_S)
                seen = self._look()
                if seen is not None:
                    live.update(render(seen, self._title), refresh=True)


def render(seen: StatusView, title: str) -> Group:
    """Return the picture of one moment."""
    head = Text.assemble(
        (title, "bold"),
        f"   PnL today {seen.pnl_today}   fills {seen.fills}   placed {seen.placed}   modified {seen.modified}"
        f"   cancelled {seen.canceled}   messages left {seen.messages_left}",
    )
    refused = ", ".join(f"{reason} {count}" for reason, count in sorted(seen.refusals.items()))
    parts: list[RenderableType] = [head, *(_market_table(market) for market in seen.markets)]
    if refused:
        parts.append(Text(f"refused: {refused}", style="yellow"))
    parts.append(Text("Ctrl-C stops, cancels everything and reports", style="dim"))
    return Group(*parts)


def _market_table(market: MarketView) -> Table:
    facts = (
        f"{market.label}   {market.bid} | {market.ask}   position {market.position}   skew {market.skew}"
        f"   half-spread {market.half_spread_bps} bps   realised {market.realised}   open {market.unrealised}"
        f"   fees {market.fees}   funding {market.funding}"
    )
    table = Table(title=facts, title_justify="left", title_style="cyan", expand=False, box=None, pad_edge=False)
    for name in ("bid size", "bid", "age", "level", "ask", "ask size", "age"):
        table.add_column(name, justify="right", min_width=9)
    bids = {quote.level: quote for quote in market.quotes if quote.side == "bid"}
    asks = {quote.level: quote for quote in market.quotes if quote.side == "ask"}
    for level in sorted({**bids, **asks})[:LEVELS_SHOWN]:
        bid, ask = bids.get(level), asks.get(level)
        table.add_row(
            bid.size if bid else "",
            bid.price if bid else "",
            f"{bid.age_s:.0f} s" if bid else "",
            str(level),
            ask.price if ask else "",
            ask.size if ask else "",
            f"{ask.age_s:.0f} s" if ask else "",
        )
    for side, reason in (("no bid", market.why_no_bid), ("no ask", market.why_no_ask)):
        if reason:
            table.add_row(Text(f"{side}: {reason}", style="yellow"))
    return table
