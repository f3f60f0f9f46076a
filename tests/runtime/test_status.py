"""The status that a person watches: a copy in texts, with the engine's own words."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from helpers.fake_venue import Desk
from helpers.journals import HandClock
from helpers.observed import ETH, PARAMS, new_figures
from helpers.virtual_time import run
from lighterman.domain.events import FillReport, MarketReport
from lighterman.runtime.status import usd, view


@given(st.integers(-(10**18), 10**18))
def test_money_is_rounded_toward_zero(micro):
    """An amount is shown to the cent with its sign, and never more of it than there is."""
    text = usd(micro)
    cents = int(text[1:].replace(".", ""))

    assert text[0] == ("-" if micro < 0 else "+")
    assert cents == abs(micro) // 10_000
    assert text[-3] == "."


def at_a_desk(test):
    """Run a test with figures and a desk that quotes two markets, in virtual time."""

    def wrapped():
        async def body():
            figures = new_figures(HandClock())
            desk = Desk(PARAMS, figures)
            await desk.quote()
            await test(desk, figures)

        run(body())

    wrapped.__name__, wrapped.__doc__ = test.__name__, test.__doc__
    return wrapped


def look(desk, figures):
    return view(desk.engine, figures, desk.clock.mono_ns())


@at_a_desk
async def test_quoted_market_shows_market_and_orders(desk, figures):
    """A market shows its best prices, and each order of ours with side, level, price, size, age and state."""
    seen = look(desk, figures)
    eth = seen.markets[0]

    assert ("ETH-USDC", "2000.00", "2001.00", "0.0000") == (eth.label, eth.bid, eth.ask, eth.position)
    assert ("", "") == (eth.why_no_bid, eth.why_no_ask)
    assert [("bid", 0), ("bid", 1), ("ask", 0), ("ask", 1)] == [(quote.side, quote.level) for quote in eth.quotes]
    best = eth.quotes[0]
    assert ("1980.49", "0.0100", "open") == (best.price, best.size, best.state)
    assert 0 < best.age_s < 1
    assert (8, 0, 0) == (seen.placed, seen.canceled, seen.fills)


@at_a_desk
async def test_fill_shows_in_position_and_money(desk, figures):
    """A fill moves the position, the rest of the order and the amounts."""
    order = next(iter(desk.venue.open.values()))
    now_ns = desk.clock.mono_ns()
    fill = FillReport(0, 1, 9, order.client_order_index, False, order.price_ticks, 40, True, 1_000_000 // 40, 0, now_ns)
    desk.loop.receive(fill)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    eth = look(desk, figures).markets[0]

    assert eth.position == "0.0040"
    assert eth.quotes[0].size == "0.0060"
    assert eth.fees.startswith("-0.1")
    assert eth.unrealised.startswith("+0.0")
    assert eth.skew == "+0.00"


@at_a_desk
async def test_silent_market_says_why(desk, figures):
    """A market that is not quoted gives the engine's reason for each side."""
    await asyncio.sleep(10)
    eth = look(desk, figures).markets[0]

    assert [] == eth.quotes
    assert ("stale_book", "stale_book") == (eth.why_no_bid, eth.why_no_ask)


def test_nothing_known_is_no_market():
    """Before the first event there is a status without markets."""
    desk = Desk(PARAMS)

    assert [] == view(desk.engine, new_figures(HandClock()), 0).markets


def test_market_without_data_is_shown_as_such():
    """A market of which only the description is known shows dashes, and its reason."""
    desk, figures = Desk(PARAMS), new_figures(HandClock())
    report = MarketReport(ETH, 1)
    figures.observe_event(report)
    desk.engine.observe(report)
    (eth,) = view(desk.engine, figures, 0).markets

    assert ("-", "-", "-", "-") == (eth.bid, eth.ask, eth.unrealised, eth.half_spread_bps)
    assert eth.why_no_bid == "not_looked_at_yet"


def test_market_that_is_only_half_known_is_left_out():
    """Another thread may look between a turn and its bystanders: until the figures have a market it is not shown."""
    desk, figures = Desk(PARAMS), new_figures(HandClock())
    desk.engine.observe(MarketReport(ETH, 1))

    assert [] == view(desk.engine, figures, 0).markets
