"""Strict JSON: what it says is what is read, or it is refused."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighterman.config.strict import BYTES_MAX, DEPTH_MAX, NoNumber, Repeating, StrictError, parse

WHOLE = st.integers(-(10**20), 10**20)
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_reads_what_was_written(value):
    """Whatever JSON can say without fractions comes back equal."""
    try:
        assert value == parse(json.dumps(value).encode())
    except StrictError:
        assert json.dumps(value).count("[") + json.dumps(value).count("{") > DEPTH_MAX


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6))
def test_numbers_stay_exact(value):
    """A fraction is read as the decimal number it is."""
    assert value == Decimal(str(parse(f"{value:f}".encode())))


@given(st.binary(max_size=200) | st.text('[]{}",:\\0123456789.eE-naNInfity \n', max_size=200).map(str.encode))
def test_bytes_are_read_or_refused(data):
    """Arbitrary bytes give a value or a StrictError, nothing else."""
    try:
        parse(data)
    except StrictError:
        return


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b" " * (BYTES_MAX + 1), "is larger than 1048576 bytes"),
        (b'{"a": "\xff"}', "is not UTF-8 (byte 7)"),
        (b"\xef\xbb\xbf{}", "begins with a byte order mark"),
        (b'{\n"a" 1}', "line 2, column 5"),
        (b"", "is not JSON"),
        (b"[" * 100_000, "is nested more than 16 deep"),
        (b'{"a":' * 200_000, "is nested more than 16 deep"),
        (b'"' + b'\\"' * 400_000, "is not JSON"),
    ],
    ids=["large", "utf8", "mark", "syntax", "empty", "deep-list", "deep-object", "endless-text"],
)
def test_unreadable_bytes_are_named(data, reason):
    """What cannot be read is refused with what and where."""
    with pytest.raises(StrictError) as raised:
        parse(data)

    assert reason in str(raised.value)


def test_brackets_in_text_do_not_nest():
    """Only real brackets count as depth."""
    assert ["[" * 100 + '\\"{'] == parse(json.dumps(["[" * 100 + '\\"{']).encode())


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "1e400", "1e-400", "9" * 31, "1e99999999999999999999"]
)
def test_useless_numbers_are_marked(text):
    """NaN, infinities and numbers beyond any use are kept as marked texts, to be reported in their place."""
    found = parse(text.encode())

    assert isinstance(found, NoNumber)
    assert text == found


def test_repeated_keys_are_marked():
    """An object with a repeated key says which."""
    found = parse(b'{"a": 1, "b": 2, "a": 3, "b": 4, "c": 5}')

    assert isinstance(found, Repeating)
    assert ["a", "b"] == found.repeated
