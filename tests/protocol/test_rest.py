import pytest

from helpers.golden import golden
from lighterman.domain.errors import RemoteProtocolError, VenueError
from lighterman.protocol import rest


def test_a_success_is_read():
    """HTTP 200 with code 200 gives the reply."""
    assert rest.read_reply(200, golden("next_nonce"), rest.NextNonce).nonce == 722


@pytest.mark.parametrize(
    ("http_status", "body"),
    [
        (400, b'{"code":29404,"message":"not found"}'),
        (200, b'{"code":29404,"message":"not found"}'),
        (503, b'{"code":29404}'),
    ],
)
def test_a_stated_failure_is_an_error_of_the_venue(http_status, body):
    """A code that is not 200 is a failure whatever the HTTP status."""
    with pytest.raises(VenueError, match="29404"):
        rest.read_reply(http_status, body, rest.NextNonce)


@pytest.mark.parametrize(
    ("http_status", "body"), [(403, b"<html>blocked</html>"), (500, b"{}"), (200, b""), (200, b'{"code":200}')]
)
def test_what_is_not_the_venues_is_no_answer(http_status, body):
    """A firewall's HTML, an empty body, a reply without its fields: none is an answer of the exchange."""
    with pytest.raises(RemoteProtocolError):
        rest.read_reply(http_status, body, rest.NextNonce)


def test_a_missing_list_is_an_empty_one():
    """Lists may be null or missing when they are empty (protocol reference 2.0)."""
    for body in (b'{"code":200}', b'{"code":200,"trades":null}', b'{"code":200,"trades":[]}'):
        assert not rest.read_reply(200, body, rest.Trades).trades


def test_a_send_reply_states_its_code_in_either_form():
    """An error object and a flat code say the same."""
    nested = rest.read_reply(200, b'{"error":{"code":21727,"message":"m"},"id":"a"}', rest.SendReply)
    flat = rest.SendReply(code=21727, message="m")

    assert nested.stated == flat.stated
    assert rest.SendReply().stated is None
