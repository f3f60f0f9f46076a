from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighterman.domain.errors import VenueError
from lighterman.simulator.forms import FIELDS_MAX, Form, parse_body, parse_query

BOUNDARY = "----b7"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def multipart(fields):
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    return "".join([*parts, f"--{BOUNDARY}--\r\n"]).encode()


@given(
    st.dictionaries(st.from_regex(r"[a-z_]{1,20}", fullmatch=True), st.text(st.characters(exclude_categories=["C"])))
)
def test_both_body_types_say_the_same(fields):
    """An urlencoded and a multipart body carry the same texts (protocol reference 2.0)."""
    fields = {name: text.replace(BOUNDARY, "") for name, text in fields.items()}
    assert fields == parse_body("application/x-www-form-urlencoded", urlencode(fields).encode())
    assert fields == parse_body(MULTIPART, multipart(fields))


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "text/plain", MULTIPART, "multipart/form-data", "multipart/form-data; boundary=;"]),
)
def test_any_body_is_read_or_refused(body, content_type):
    """Arbitrary bytes make fields or a refusal with a code, nothing else."""
    try:
        fields = parse_body(content_type, body)
    except VenueError as error:
        fields = {"refused": str(error.code)}

    assert all(isinstance(text, str) for text in fields.values())
    assert "refused" not in fields or fields == {"refused": "20001"}


def test_a_flood_of_fields_is_refused():
    """More fields than any call has are not even read."""
    with pytest.raises(VenueError, match="too many fields"):
        parse_query("&".join(f"a{n}=1" for n in range(FIELDS_MAX + 1)))


@pytest.mark.parametrize("text", ["", "x", "1.0", "1e3", " 1", "+1", "٣", "9" * 30, "0x1"])
def test_only_plain_integers_are_integers(text):
    """Nothing but ASCII digits within the range is taken for a number."""
    with pytest.raises(VenueError, match="limit"):
        Form({"limit": text}).integer("limit", 0, 100)


def test_defaults_stand_in_for_what_is_missing():
    """A parameter without a default must be there; one with a default need not."""
    form = Form({"a": "5", "flag": "true"})

    assert (form.integer("a", 0, 9), form.integer("b", 0, 9, 7), form.text("c", "x")) == (5, 7, "x")
    assert form.flag("flag")
    assert not form.flag("other")
    for read in (lambda: form.text("c"), lambda: form.integer("b", 0, 9), lambda: form.choice("a", ("1", "2"))):
        with pytest.raises(VenueError):
            read()
