import pytest

from helpers.local_venue import Venue
from lighterman.simulator.local_routes import is_loopback


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_may_enter(ip):
    """Any loopback address opens the local doors."""
    venue = Venue()
    venue.trader(300)

    assert is_loopback(ip)
    assert venue.ledger(300, ip=ip)[0] == 200


@pytest.mark.parametrize("ip", ["10.0.0.1", "192.168.1.1", "::2", "", "localhost", "127.0.0.1.evil"])
def test_others_find_nothing_there(ip):
    """A caller from elsewhere is answered as if the path did not exist."""
    venue = Venue()
    trader = venue.trader(300)
    opened = venue.open({"account_index": 301, "api_key_index": 5, "public_key": trader.public_key}, ip=ip)

    assert opened[0] == venue.ledger(300, ip=ip)[0] == 404
    assert venue.exchange.account_indexes() == [300]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/local/v1/accounts", 404),
        ("PUT", "/local/v1/accounts", 404),
        ("POST", "/local/v1/accounts/300/ledger", 404),
        ("GET", "/local/v1/accounts/x/ledger", 404),
        ("GET", "/local/v1/accounts/300", 404),
        ("GET", "/local/v1/accounts/9/ledger", 400),
    ],
)
def test_there_are_two_doors_and_no_more(method, path, status):
    """Other methods and paths are not found; the ledger of an unknown account is 29404."""
    code, reply = Venue().http(method, path)

    assert (code, reply["code"]) == (status, 29404)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"account_index":1}', b"\xff", b"[" * 50_000])
def test_a_body_that_is_no_request_is_refused(body):
    """Anything but the documented JSON is 20001."""
    status, reply = Venue().http("POST", "/local/v1/accounts", body=body)

    assert (status, reply["code"]) == (400, 20001)
