"""Texts and integers: exact, or refused."""

import math
import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lighterman.domain import units
from lighterman.domain.errors import UnitError

DECIMALS = st.integers(0, 12)
AMOUNTS = st.integers(0, 10**17)
NEARLY_NUMBERS = st.one_of(
    st.text(max_size=12), st.from_regex(r"[-+ ]?[0-9_]{0,5}[.,]?[0-9]{0,8}(e[0-9])?", fullmatch=True)
)


@given(AMOUNTS, DECIMALS)
def test_what_is_written_is_read_back(value, decimals):
    """Any amount survives the way to text and back."""
    assert value == units.parse_fixed(units.format_fixed(value, decimals), decimals)
    assert -value == units.parse_signed(units.format_fixed(-value, decimals), decimals)


@given(AMOUNTS, DECIMALS)
def test_text_carries_exactly_the_decimals(value, decimals):
    """A text has as many decimals as the unit, which the venue's own clients rely on."""
    text = units.format_fixed(value, decimals)

    assert Decimal(value).scaleb(-decimals) == Decimal(text)
    assert decimals == len(text.partition(".")[2])


@given(NEARLY_NUMBERS, DECIMALS)
@example("1.", 2)
@example(".5", 2)
@example("1_0", 0)
@example("٣", 0)
@example("1.2000a", 2)
@example("nan", 0)
def test_a_text_is_read_exactly_or_refused(text, decimals):
    """A plain decimal that is a whole number of units is read exactly; every other text is refused."""
    is_plain = re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) is not None
    if is_plain and (exact := Fraction(text) * 10**decimals).denominator == 1:
        assert exact == units.parse_fixed(text, decimals)
    else:
        with pytest.raises(UnitError):
            units.parse_fixed(text, decimals)


def test_an_absurd_text_is_refused_before_it_costs_anything():
    """A number of thousands of digits is refused by its length, and the message stays short."""
    with pytest.raises(UnitError) as caught:
        units.parse_fixed("9" * 5000, 2)

    assert len(str(caught.value)) < 100


@given(st.floats(-1e12, 1e12))
def test_a_bid_rounds_down_and_an_ask_up(price):
    """Rounding never brings a quote nearer to the other side."""
    assert units.price_floor(price) <= price <= units.price_ceil(price)
    assert units.price_ceil(price) - units.price_floor(price) <= 1


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**12))
def test_divisions_say_where_they_round(numerator, denominator):
    """Floor and ceiling enclose the exact quotient and differ by at most one."""
    exact = Fraction(numerator, denominator)
    low, high = units.divide_floor(numerator, denominator), units.divide_ceil(numerator, denominator)

    assert low <= exact <= high
    assert (high - low) == (exact.denominator != 1)


@given(st.lists(AMOUNTS, max_size=30))
def test_the_memo_changes_nothing_but_the_cost(values):
    """A remembered text means what a parsed one means."""
    table = units.TextToUnits(4)

    assert values == [table[units.format_fixed(value, 4)] for value in values]


def test_the_memo_is_bounded(monkeypatch):
    """However many different texts arrive, the memo keeps a bounded number."""
    monkeypatch.setattr(units, "MEMO_ENTRIES_MAX", 10)
    table = units.TextToUnits(0)

    assert list(range(100)) == [table[str(value)] for value in range(100)]
    assert len(table) <= 10


def test_the_memo_refuses_what_the_parser_refuses():
    """A bad text is refused each time and never remembered."""
    table = units.TextToUnits(2)
    for _ in range(2):
        with pytest.raises(UnitError):
            table["1.234"]

    assert "1.234" not in table


@pytest.mark.parametrize("text", ["0." + "0" * 5000, "0" * 5000 + "1", "1." + "5" * 61])
def test_no_text_is_longer_than_a_number(text):
    """A text of thousands of zeros is refused too: none is ever remembered."""
    table = units.TextToUnits(2)
    for read in (lambda: units.parse_fixed(text, 2), lambda: units.parse_signed(f"-{text}", 2), lambda: table[text]):
        with pytest.raises(UnitError):
            read()

    assert {} == table


@given(st.from_regex(r"[0-9_٣]{0,4}\.?[0-9٣]{0,5}", fullmatch=True), st.integers(0, 4))
def test_the_memos_shortcut_reads_what_the_parser_reads(text, decimals):
    """Whether a text has the market's own decimals or not, the memo gives the parser's answer or its refusal."""
    try:
        expected = units.parse_fixed(text, decimals)
    except UnitError:
        with pytest.raises(UnitError):
            units.TextToUnits(decimals)[text]
    else:
        assert expected == units.TextToUnits(decimals)[text]


def test_the_memo_refuses_what_cannot_exist():
    """A number above the maximum is refused, the maximum itself is read."""
    table = units.TextToUnits(1, maximum=100)

    assert 100 == table["10.0"]
    with pytest.raises(UnitError, match="more than can exist"):
        table["10.1"]


@given(st.integers(0, 2**48 - 1), st.integers(0, 12))
def test_a_whole_number_of_units_survives_the_nearest_float(value, decimals):
    """Whatever whole number of units a text says, its nearest float leads back to it."""
    table = units.NumberToUnits(decimals, 2**48 - 1)

    assert value == table[float(units.format_fixed(value, decimals))]


@given(st.integers(1, 2**48 - 1), st.integers(0, 12))
def test_the_most_that_can_exist_is_read_and_no_more(maximum, decimals):
    """Whatever the maximum and the scale, the maximum itself is read and one unit more is refused."""
    table = units.NumberToUnits(decimals, maximum)

    assert maximum == table[float(units.format_fixed(maximum, decimals))]
    with pytest.raises(UnitError):
        table[float(units.format_fixed(maximum + 1, decimals))]


@given(st.integers(0, 2**48 - 1), st.integers(0, 9), st.integers(1, 999), st.sampled_from([1, 2, 3]))
def test_what_lies_between_two_units_is_refused(value, decimals, rest, finer):
    """A text with up to three more decimals than the market has is refused, unless it has too many digits to tell."""
    text = units.format_fixed(value * 10**finer + 1 + rest % (10**finer - 1), decimals + finer)
    assume(len(text) <= 16)

    with pytest.raises(UnitError):
        units.NumberToUnits(decimals, 2**48 - 1)[float(text)]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -1.0, -0.001, 1.005, 1e300, 10.01, 2.0**60])
def test_numbers_that_no_price_is_are_refused_each_time(number):
    """Not finite, negative, too fine, too large: refused, and never remembered."""
    table = units.NumberToUnits(2, 1000)
    for _ in range(2):
        with pytest.raises(UnitError):
            table[number]

    assert {} == table


def test_the_memory_of_numbers_is_bounded(monkeypatch):
    """However many different numbers arrive, a bounded number is kept."""
    monkeypatch.setattr(units, "MEMO_ENTRIES_MAX", 10)
    table = units.NumberToUnits(0, 1000)

    assert list(range(100)) == [table[float(value)] for value in range(100)]
    assert len(table) <= 10


@pytest.mark.parametrize("text", ["--1", "-", "+1", "- 1", "-1e3", "-.5"])
def test_a_sign_is_one_minus(text):
    """A signed amount is a plain one with at most one minus before it."""
    with pytest.raises(UnitError):
        units.parse_signed(text, 2)
