"""The live status in the terminal: drawn on a thread of its own, a few times a second.

It reads copies (`runtime/status.py`) and never touches the engine. Each picture is written from
the top left corner over the one before, so it survives a change of the window's size; nothing
about the terminal is switched that would have to be switched back, so it is sane however the
process ends.
"""

import threading
from collections.abc import Callable, Iterator
from itertools import zip_longest

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lighterman.runtime.status import MarketView, QuoteView, StatusView

REDRAWS_PER_S = 2
LEVELS_SHOWN = 8
COLUMNS = ("bid size", "bid", "age", "level", "ask", "ask size", "age")
COLUMN_WIDTH = 9  # seven of them and the gaps between fit 80
HOME, END_OF_LINE, END_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


class LiveStatus:
    """Draws what `look` returns until it is stopped."""

    def __init__(self, look: Callable[[], StatusView | None], title: str, console: Console | None = None) -> None:
        self._look = look
        self._title = title
        self._console = console or Console(stderr=True, highlight=False)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._draw, name="status", daemon=True)

    def start(self) -> None:
        """Begin to draw, on a screen of which the old content is scrolled away."""
        self._write("\n" * self._console.height)
        self._thread.start()

    def stop(self) -> None:
        """Draw once more, and leave the cursor below."""
        self._stop.set()
        self._thread.join(timeout=2)

    def _draw(self) -> None:
        done = False
        while not done:
            done = self._stop.wait(1 / REDRAWS_PER_S)
            seen = self._look()
            if seen is not None:
                self._write(picture(self._console, render(seen, self._title)))

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()


def picture(console: Console, content: RenderableType) -> str:
    """Return the characters that draw something over whatever is on the screen, cut to its size."""
    with console.capture() as drawn:
        console.print(content)
    lines = drawn.get().splitlines()
    room = console.height - 1  # the cursor's line
    if len(lines) > room:
        lines = [line for line in lines if line.strip()]
    if len(lines) > room:
        lines = [*lines[: room - 1], "…"]
    return HOME + "".join(f"{line}{END_OF_LINE}\n" for line in lines) + END_OF_SCREEN


def render(seen: StatusView, title: str) -> Group:
    """Return the picture of one moment."""
    parts: list[RenderableType] = [
        _line((title, "bold"), ("   STOPPING" if seen.is_stopping else "", "bold yellow")),
        _line(
            "PnL today ", _money(seen.pnl_today), f"  fills {seen.fills}  placed {seen.placed}  modified "
            f"{seen.modified}  cancelled {seen.canceled}  messages left {seen.messages_left}",
        ),
    ]  # fmt: skip
    for number, market in enumerate(seen.markets):
        parts += _market(market, with_header=not number)
    refused = ", ".join(f"{reason} {count}" for reason, count in sorted(seen.refusals.items()))
    if refused:
        parts.append(_line((f"refused: {refused}", "yellow")))
    parts.append(_line(("Ctrl-C stops, cancels everything and reports", "dim")))
    return Group(*parts)


def _market(market: MarketView, *, with_header: bool) -> Iterator[RenderableType]:
    yield _line("")
    yield _line(
        (market.label, "bold cyan"),
        f"  {market.bid} | {market.ask}  position {market.position}, skew {market.skew}  ±{market.half_spread_bps} bps",
    )
    yield _line(
        "realised ", _money(market.realised), "  open ", _money(market.unrealised), "  fees ", _money(market.fees),
        "  funding ", _money(market.funding),
    )  # fmt: skip
    yield _ladder(market.quotes, with_header=with_header)
    if market.why_no_bid and market.why_no_bid == market.why_no_ask:
        yield _line((f"not quoted: {market.why_no_bid}", "yellow"))
    else:
        for side, reason in (("bid", market.why_no_bid), ("ask", market.why_no_ask)):
            if reason:
                yield _line((f"no {side}: {reason}", "yellow"))


def _ladder(quotes: list[QuoteView], *, with_header: bool) -> Table:
    """Return bids and asks side by side, nearest first; what is not certainly in the book is dim."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=with_header, header_style="dim")
    for name in COLUMNS:
        table.add_column(name, justify="right", width=COLUMN_WIDTH, no_wrap=True)
    bids = sorted((quote for quote in quotes if quote.side == "bid"), key=lambda quote: -float(quote.price))
    asks = sorted((quote for quote in quotes if quote.side == "ask"), key=lambda quote: float(quote.price))
    for row, (bid, ask) in enumerate(zip_longest(bids[:LEVELS_SHOWN], asks[:LEVELS_SHOWN])):
        bid_cells, ask_cells = _cells(bid, "green"), _cells(ask, "red")
        table.add_row(bid_cells[1], bid_cells[0], bid_cells[2], Text(str(row), "dim"), *ask_cells)
    return table


def _cells(quote: QuoteView | None, style: str) -> tuple[Text, Text, Text]:
    """Return an order's price, size and age."""
    if quote is None:
        return Text(), Text(), Text()
    dim = "" if quote.state == "open" else "dim"
    return Text(quote.price, f"{style} {dim}"), Text(quote.size, dim), Text(_age(quote.age_s), "dim")


def _age(age_s: float) -> str:
    return f"{age_s:.0f} s" if age_s < 120 else f"{age_s / 60:.0f} min"


def _money(amount: str) -> tuple[str, str]:
    return amount, "red" if amount.startswith("-") and amount.strip("-0.") else ""


def _line(*parts: str | tuple[str, str]) -> Text:
    line = Text.assemble(*parts)
    line.no_wrap, line.overflow = True, "ellipsis"
    return line
