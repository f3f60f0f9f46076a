"""The live status: everything a person needs on the screen, and a terminal that stays sane."""

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lighterman.cli.live import END_OF_SCREEN, HOME, LiveStatus, picture, render
from lighterman.runtime.status import MarketView, QuoteView, StatusView

ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def quote(side, level, price, state="open"):
    return QuoteView(side, level, price, "0.0500", 3.4 if level else 200.0, state)


MARKET = MarketView(
    label="ETH-USDC",
    bid="3000.39",
    ask="3000.68",
    position="-0.3093",
    realised="+1.25",
    unrealised="-0.80",
    fees="-0.03",
    funding="+0.00",
    half_spread_bps="4.0",
    skew="-0.15",
    quotes=[quote("bid", 1, "2998.00"), quote("bid", 0, "2999.00"), quote("ask", 0, "3001.00", "cancelling")],
    why_no_bid="",
    why_no_ask="",
)
STATUS = StatusView(
    markets=[MARKET],
    pnl_today="-4.20",
    messages_left=1986,
    fills=4,
    placed=28,
    modified=43,
    canceled=7,
    refusals={"position_limit": 3, "message_budget": 12},
    is_stopping=False,
)


def terminal(width=80, height=24):
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system="truecolor")


def shown(status=STATUS, *, width=80, height=24):
    """Return the lines on a terminal's screen."""
    return ESCAPES.sub("", picture(terminal(width, height), render(status, "lighterman"))).splitlines()


def test_picture_holds_everything():
    """Best prices, position, every part of the PnL, own quotes with age, and refusals are on the screen."""
    text = "\n".join(shown(width=100))

    for fact in (
        "lighterman", "PnL today -4.20", "fills 4", "placed 28", "modified 43", "cancelled 7", "messages left 1986",
        "ETH-USDC  3000.39 | 3000.68", "position -0.3093", "skew -0.15", "±4.0 bps",
        "realised +1.25", "open -0.80", "fees -0.03", "funding +0.00", "2999.00", "3001.00", "3 min",
        "refused: message_budget 12, position_limit 3", "Ctrl-C",
    ):  # fmt: skip
        assert fact in text
    assert "STOPPING" not in text


def test_quotes_stand_nearest_first():
    """Bids fall and asks rise down the ladder, each with size and age."""
    first, second = [line for line in shown() if "0.0500" in line]

    assert ["0.0500", "2999.00", "3", "min", "0", "3001.00", "0.0500", "3", "min"] == first.split()
    assert ["0.0500", "2998.00", "3", "s", "1"] == second.split()


@pytest.mark.parametrize(
    ("no_bid", "no_ask", "lines"),
    [
        ("stale_book", "stale_book", ["not quoted: stale_book"]),
        ("position_limit", "", ["no bid: position_limit"]),
        ("position_limit", "no_size", ["no bid: position_limit", "no ask: no_size"]),
        ("", "", []),
    ],
)
def test_silence_is_explained(no_bid, no_ask, lines):
    """A side that is not quoted gives its reason, and a market that is not quoted gives it once."""
    market = replace(MARKET, why_no_bid=no_bid, why_no_ask=no_ask)
    found = shown(replace(STATUS, markets=[market]))

    assert lines == [line for line in found if line.startswith(("not quoted", "no bid", "no ask"))]


def test_stopping_is_shown():
    """While a run ends the screen says so."""
    assert "STOPPING" in shown(replace(STATUS, is_stopping=True))[0]


@given(st.integers(20, 200), st.integers(3, 60), st.integers(0, 5))
def test_picture_fits_any_window(width, height, markets):
    """Whatever the window's size, no line is longer and no more lines are drawn than it has."""
    lines = shown(replace(STATUS, markets=[MARKET] * markets), width=width, height=height)

    assert len(lines) < height
    assert max(map(len, lines)) <= width


def test_three_markets_fit_a_small_terminal():
    """The demo's three markets with four levels each are complete on 80 by 24, to the last hint."""
    quotes = [quote(side, level, f"{3000 + level}") for side in ("bid", "ask") for level in range(4)]
    status = replace(STATUS, markets=[replace(MARKET, quotes=quotes)] * 3, refusals={})

    assert shown(status)[-1].startswith("Ctrl-C")


def test_terminal_needs_no_switching_back():
    """A picture is written over the last one from the corner on; no mode is changed, the cursor stays visible."""
    drawn = picture(terminal(), render(STATUS, "lighterman"))

    assert drawn.startswith(HOME)
    assert drawn.endswith("\n" + END_OF_SCREEN)
    assert "\x1b[?" not in drawn


def test_status_is_drawn_until_stopped():
    """The status looks again and again, survives having nothing to show, and draws once more when it is stopped."""
    console, seen = terminal(), [None]
    status = LiveStatus(lambda: seen[0], "lighterman", console)
    status.start()
    seen[0] = replace(STATUS, is_stopping=True)
    status.stop()

    assert "STOPPING" in console.file.getvalue()
    assert not status._thread.is_alive()  # noqa: SLF001
