import pytest

from helpers.local_venue import SECOND_US, Venue
from lighterman.simulator.app import AppRules
from lighterman.simulator.limits import LimitRules


def test_the_root_says_simulated():
    """GET / has the venue's fields and a notice of ours that this is SIMULATED (protocol reference 1.2)."""
    venue = Venue()
    status, reply = venue.http("GET", "/")

    assert (status, reply["status"], reply["network_id"], reply["timestamp"]) == (200, 200, 1, venue.now_s)
    assert "SIMULATED" in reply["notice"]
    assert venue.http("GET", "/info")[1]["contract_address"].startswith("0x")


NOWHERE = [
    ("GET", "/api/v1/nothing"),
    ("GET", "/api/v2/account"),
    ("POST", "/api/v1/account"),
    ("GET", "/api/v1/sendTx"),
    ("HEAD", "/"),
    ("GET", "/../"),
    ("GET", ""),
]


@pytest.mark.parametrize(("method", "path"), NOWHERE)
def test_unknown_paths_are_not_found_in_json(method, path):
    """What is not there is HTTP 404 with 29404."""
    assert Venue().http(method, path) == (404, {"code": 29404, "message": "not found"})


def test_refusals_have_a_code_and_a_status():
    """A missing or odd parameter is 20001 with HTTP 400 and names itself."""
    venue = Venue()

    for parameters in ({"market_id": 0}, {"market_id": "x", "limit": 5}, {"market_id": 0, "limit": 0}, {"limit": 5}):
        status, reply = venue.get("orderBookOrders", **parameters)
        assert (status, reply["code"]) == (400, 20001)
        assert reply["message"].startswith("invalid param ")


def test_without_a_token_an_address_has_sixty_requests_a_minute():
    """The 61st unauthenticated request is HTTP 429 with 23000; addresses are counted apart (protocol reference 6.1)."""
    venue = Venue()
    replies = [venue.get("orderBooks") for _ in range(61)]

    assert {status for status, _ in replies[:60]} == {200}
    assert replies[60] == (429, {"code": 23000, "message": "Too Many Requests!"})
    assert venue.get("orderBooks", ip="127.0.0.2")[0] == 200
    assert venue.http("GET", "/")[0] == 200
    venue.now_us += 60 * SECOND_US
    assert venue.get("orderBooks")[0] == 200


def test_heavy_requests_count_more():
    """Trades weigh 600: an unauthenticated address may ask 40 times a minute."""
    venue = Venue()
    statuses = [venue.get("recentTrades", market_id=0, limit=1)[0] for _ in range(41)]

    assert statuses == [200] * 40 + [429]


@pytest.mark.parametrize(("tier", "allowed"), [("standard", 60), ("premium", 80), ("plus", 400)])
def test_with_a_token_the_tier_counts(tier, allowed):
    """An authenticated caller has its tier's weight and no limit by address."""
    venue = Venue()
    token = venue.trader(tier=tier).token()
    for _ in range(60):
        venue.get("orderBooks")
    statuses = [venue.get("orderBooks", token)[0] for _ in range(allowed + 1)]

    assert statuses == [200] * allowed + [429]


def test_a_bad_token_is_as_good_as_none_where_none_is_needed():
    """Public data is given to everybody, but counted by address."""
    venue = Venue()

    assert [venue.get("orderBooks", "nonsense")[0] for _ in range(61)] == [200] * 60 + [429]


def test_limits_can_be_lifted():
    """With limits off nothing is counted."""
    venue = Venue(AppRules(limits=LimitRules(enforced=False)))

    assert {venue.get("orderBooks")[0] for _ in range(300)} == {200}


def test_sending_is_not_limited_by_address():
    """Transactions are counted per owner alone (protocol reference 6.2)."""
    venue = Venue()
    trader = venue.trader()
    for _ in range(60):
        venue.get("orderBooks")

    trader.send(trader.create())
