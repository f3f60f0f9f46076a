"""The generic reader: every row of a table is kept to, and every problem told."""

import json
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighterman.config.keys import Key, Kind
from lighterman.config.read import SHOWN_MAX, Problem, read, show
from lighterman.domain.secret import Secret
from lighterman.domain.units import MICRO

TABLE = (
    Key(path="one.text", kind=Kind.TEXT, into="a.text", meaning="", default="x"),
    Key(path="one.pick", kind=Kind.CHOICE, into="a.pick", meaning="", choices=("left", "right"), default="left"),
    Key(path="one.flag", kind=Kind.FLAG, into="a.flag", meaning="", default=False),
    Key(path="one.key", kind=Kind.SECRET, into="a.key", meaning=""),
    Key(path="one.waitMs", kind=Kind.WHOLE, into="b.wait", meaning="", low=1, high=9, unit="ms", default=5),
    Key(path="one.share", kind=Kind.PERCENT, into="b.share", meaning="", low=0, high=100, default=20),
    Key(path="one.capUSD", kind=Kind.MONEY, into="b.cap", meaning="", low=0, above=True, high=1e12, required=True),
    Key(path="many[].size", kind=Kind.DECIMAL, into="c.size", meaning="", low=0, above=True, high=1e6, required=True),
    Key(path="many[].bps", kind=Kind.NUMBER, into="c.bps", meaning="", low=-5, high=5, default=0.5),
)
GOOD: dict = {"one": {"capUSD": 10}, "many": [{"size": "1.50"}]}


def lines(document: object) -> list[str]:
    """Return the problems of a document, as the operator sees them."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return [str(problem) for problem in read(data, TABLE).problems]


def test_values_go_where_their_row_says():
    """Given values and defaults arrive by group and field, converted as their kind says."""
    reading = read(json.dumps(GOOD).encode(), TABLE)

    assert [] == reading.problems
    assert {"text": "x", "pick": "left", "flag": False, "key": None} == reading.fields("a", TABLE)
    assert {"wait": 5, "share": 0.2, "cap": 10 * MICRO} == reading.fields("b", TABLE)
    assert {"size": "1.50", "bps": 0.5} == reading.fields("c", TABLE, 0)
    assert {} == reading.fields("c", TABLE)
    assert {"one.capUSD", "many[0].size"} == reading.given


def test_document_holds_no_secret():
    """What a session keeps of its settings has all keys and no secret but its reference."""
    for written, kept in (("hush hush", "[redacted]"), ("env:KEY", "env:KEY"), ("file:/run/key", "file:/run/key")):
        reading = read(json.dumps(GOOD | {"one": {"capUSD": 10.25, "key": written}}).encode(), TABLE)

        section = reading.document["one"]
        assert isinstance(section, dict)
        assert (kept, 10.25) == (section["key"], section["capUSD"])
        assert isinstance(reading.values["one.key"], Secret)
        assert "hush" not in f"{reading}"


@given(st.decimals(min_value="0.000001", max_value=10**12, places=6))
def test_money_is_exact_to_the_micro(amount):
    """A JSON number of USD becomes exactly that many millionths."""
    data = json.dumps(GOOD).replace("10", f"{amount:f}").encode()

    assert int(amount * MICRO) == read(data, TABLE).values["one.capUSD"]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"[]", "file: must be one JSON object, was a list"),
        (b"{", "file: is not JSON: Expecting property name enclosed in double quotes (line 1, column 2)"),
        (GOOD | {"one": 3}, "one: must be an object, was 3"),
        (GOOD | {"one": None}, "one: must be an object, was null"),
        (GOOD | {"many": {}}, "many: must be a list, was an object; 1 to 64 objects"),
        (GOOD | {"many": []}, "many: is missing or empty; 1 to 64 objects"),
        (GOOD | {"many": [GOOD["many"][0]] * 65}, "many: has 65 elements; 1 to 64 objects"),
        (GOOD | {"many": ["x"]}, 'many[0]: must be an object, was "x"'),
        (GOOD | {"more": 1}, "more: unknown key"),
        (GOOD | {"One": {}}, "One: unknown key; did you mean one"),
        (GOOD | {"capUSD": 1}, "capUSD: unknown key; did you mean one.capUSD"),
        (
            GOOD | {"many": [{}]},
            "many[0].size: is missing and has no default; decimal text in quotes above 0 up to 1000000",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_broken_shape_is_named(data, line):
    """A file of the wrong shape is refused where it is wrong."""
    assert line in lines(data)


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("waitMs", 0, "one.waitMs: is out of range, was 0; whole number from 1 to 9 (ms)"),
        ("waitMs", 2.5, "one.waitMs: must be a whole number, written without point or exponent, was 2.5; whole number"),
        (
            "waitMs",
            "5",
            'one.waitMs: must be a number, was "5"; whole number from 1 to 9 (ms); write it without quotes',
        ),
        ("waitMs", True, "one.waitMs: must be a number, was true; whole number from 1 to 9 (ms)"),
        ("waitMs", None, "one.waitMs: must be a number, was null"),
        ("waitMs", float("nan"), "one.waitMs: must be a number, was NaN; whole number from 1 to 9 (ms)"),
        ("waitMs", float("inf"), "one.waitMs: must be a number, was Infinity"),
        ("waitMs", [5], "one.waitMs: must be a number, was a list"),
        ("share", 101, "one.share: is out of range, was 101; percentage from 0 to 100"),
        ("capUSD", 0, "one.capUSD: is out of range, was 0; amount of USD above 0 up to 1000000000000"),
        ("capUSD", 0.0000001, "one.capUSD: is finer than a millionth of a USD, was 1E-7"),
        ("flag", "true", 'one.flag: is not usable, was "true"; true or false'),
        ("flag", 1, "one.flag: is not usable, was 1; true or false"),
        ("pick", "LEFT", 'one.pick: is not usable, was "LEFT"; one of left, right; did you mean left'),
        ("text", "", 'one.text: is not usable, was ""; text'),
        ("text", "a\nb", 'one.text: is not usable, was "a\\nb"; text'),
        ("text", " a", 'one.text: is not usable, was " a"; text'),
        ("text", "\ud800", 'one.text: is not usable, was "\\ud800"; text'),
        ("key", 12345678, "one.key: must be text; env:NAME, or file:PATH of a file only you can read"),
        ("wait", 5, "one.wait: unknown key; did you mean waitMs (in ms)"),
        ("bps", 5, "one.bps: unknown key; did you mean many[].bps"),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_bad_value_is_named(key, value, line):
    """A value of the wrong type, form or range is refused with its path, itself and what is allowed."""
    found = lines(GOOD | {"one": {"capUSD": 10, key: value}})

    assert 1 == len(found)
    assert found[0].startswith(line)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        (
            0.5,
            "must be text in quotes, so that no digit is lost, was 0.5; decimal text in quotes above 0 up to 1000000; ",
        ),
        (2, "must be text in quotes, so that no digit is lost, was 2"),
        ("-1", 'is not a plain decimal number, was "-1"'),
        ("0", 'is out of range, was "0"'),
        ("0.00", 'is out of range, was "0.00"'),
        ("1e3", 'is not a plain decimal number, was "1e3"'),
        ("inf", 'is not a plain decimal number, was "inf"'),
        ("1,5", 'is not a plain decimal number, was "1,5"'),
        (" 1", 'is not a plain decimal number, was " 1"'),
        ("1.", 'is not a plain decimal number, was "1."'),
        ("\u0661", 'is not a plain decimal number, was "\\u0661"'),
        ("1000001", 'is out of range, was "1000001"'),
        (None, "must be text in quotes, was null"),
        (True, "must be text in quotes, was true"),
    ],
    ids=str,
)
def test_bad_decimal_is_named(value, wrong):
    """A size is a plain positive decimal text; what else there is, is told."""
    (line,) = lines(GOOD | {"many": [{"size": value}]})

    assert line.startswith(f"many[0].size: {wrong}")


def test_all_problems_are_told_at_once():
    """One reading names every mistake, each once."""
    found = lines(b'{"one": {"waitMs": 0, "waitMs": 77, "nope": 1, "pick": 4}, "two": {}, "many": [{"bps": 9}, 5]}')

    assert [
        "two",
        "one",
        "one.nope",
        "one.pick",
        "one.waitMs",
        "one.capUSD",
        "many[0].size",
        "many[0].bps",
        "many[1]",
    ] == [line.partition(":")[0] for line in found]
    assert "one: the key waitMs occurs more than once" in found


@given(st.text(max_size=400) | st.decimals(allow_nan=False, allow_infinity=False) | st.integers() | st.booleans())
def test_shown_values_are_short_ascii_lines(value):
    """What is shown of a value fits a line of a terminal, whatever it is."""
    shown = show(value)

    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= SHOWN_MAX + 3


def test_shown_values_hide_keys():
    """A private key in the wrong place is not repeated in the complaint about it."""
    key = "ab" * 40
    found = lines(
        {**GOOD, key: 1, "one": {"capUSD": key, "flag": key, key: key, "text": [key], "waitMs": int("1" * 80)}}
    )

    assert 6 == len(found)
    assert not any("abababab" in line or "11111111" in line for line in found)


def test_a_line_has_its_parts_in_order():
    """A problem reads: path, what is wrong, what it was; what is allowed; what was meant."""
    assert "a.b: is wrong, was 1; 2 to 3; did you mean c" == str(
        Problem("a.b", "is wrong", "1", "2 to 3", "did you mean c")
    )
    assert "a.b: is wrong" == str(Problem("a.b", "is wrong"))


def test_exact_numbers_reach_the_range_check():
    """A number just outside its range is refused, however near it comes."""
    over = Decimal(5) + Decimal(10) ** -25

    assert [] == lines(json.dumps(GOOD | {"many": [{"size": "1", "bps": 5}]}).encode())
    assert 1 == len(lines(b'{"one":{"capUSD":1},"many":[{"size":"1","bps":%s}]}' % str(over).encode()))


def test_reader_knows_no_room_but_domain():
    """The reader can be used without anything of the bot: importing it brings no other room along."""
    code = "import sys, lighterman.config.read; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert {"config", "domain"} == {
        name.split(".")[1] for name in result.stdout.split() if name.startswith("lighterman.")
    }
