from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lighterman.domain.book import OrderBook
from lighterman.domain.units import PICO_DECIMALS, parse_signed
from lighterman.matching.views import MarketStats
from lighterman.simulator import market_rendering
from lighterman.simulator.markets import all_markets

ETH = all_markets()["ETH"]


@given(st.integers(-(10**24), 10**24))
def test_money_is_written_without_loss(pico):
    """The text gives back every pico; six decimals are used whenever they suffice."""
    text = market_rendering.money_text(pico)

    assert parse_signed(text, PICO_DECIMALS) == pico
    assert len(text.partition(".")[2]) == (12 if pico % 10**6 else 6)


@given(st.integers(0, 10**15), st.integers(0, 8))
def test_numbers_are_the_nearest_floats(units, decimals):
    """The day's figures are the floats nearest to the exact decimal."""
    assert market_rendering.number(units, decimals) == float(Decimal(units).scaleb(-decimals))


def test_percent_has_two_decimals():
    """500 in 1e-4 is "5.00" percent, 333 is "3.33" (protocol reference 2.7.5)."""
    assert [market_rendering.percent_text(fraction) for fraction in (500, 333, 10_000, 1)] == [
        "5.00",
        "3.33",
        "100.00",
        "0.01",
    ]


@given(st.lists(st.tuples(st.integers(1, 2**31), st.integers(1, 2**47)), max_size=20, unique_by=lambda row: row[0]))
def test_texts_are_padded_to_the_markets_decimals(rows):
    """Stripping the dot from a price gives its ticks: official clients do just that (protocol reference 12.2)."""
    book = OrderBook()
    book.replace(rows, [], 1)
    _, bids = market_rendering.whole_book(ETH, book)

    assert [(int(row.price.replace(".", "")), int(row.size.replace(".", ""))) for row in bids] == sorted(
        rows, reverse=True
    )


def stats(**changes):
    zero = dict.fromkeys(MarketStats.__struct_fields__, 0)
    return MarketStats(**(zero | changes))


def test_the_day_change_is_in_percent():
    """From 2000.00 to 2010.00 is half a percent; without a first price it is nothing."""
    risen = market_rendering.market_day(ETH, stats(day_open_ticks=200_000, last_trade_ticks=201_000))
    unknown = market_rendering.market_day(ETH, stats(last_trade_ticks=201_000))

    assert (risen.daily_price_change, unknown.daily_price_change) == (0.5, 0.0)
