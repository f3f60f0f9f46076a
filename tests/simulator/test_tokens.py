import pytest

from helpers.local_venue import SECOND_US, Venue
from lighterman.simulator.app import AppRules
from lighterman.simulator.limits import LimitRules

DAY_S = 86_400


def limits_of(venue, token, account=100):
    status, reply = venue.get("accountLimits", token, account_index=account)
    return status, reply["code"]


def test_a_token_opens_its_own_account():
    """A token in the header or in the query opens what is private (protocol reference 2.0)."""
    venue = Venue()
    trader = venue.trader()

    assert limits_of(venue, trader.token()) == (200, 200)
    assert venue.get("accountLimits", account_index=100, auth=trader.token())[0] == 200


def test_a_missing_token_is_20001():
    """Without a token a private call is refused 20001 with HTTP 400."""
    venue = Venue()
    venue.trader()
    status, reply = venue.get("accountLimits", account_index=100)

    assert (status, reply["code"]) == (400, 20001)
    assert "auth query param and Authorization header are empty" in reply["message"]


def test_a_bad_token_is_20013_with_http_401():
    """Malformed, foreign, tampered, unsigned: all are 20013 (A-31)."""
    venue = Venue()
    trader, other = venue.trader(100), venue.trader(200)
    good = trader.token()
    head, _, signature = good.rpartition(":")
    bad = [
        "x",
        "Bearer " + good,
        good[:-1],
        head + ":" + "0" * 160,
        head + ":" + signature[80:] + signature[:80],
        good.replace(":100:", ":200:"),
        good.replace(":5:", ":6:"),
        "ro:100:all:99999999999:abcd",
        other.token(),
    ]

    assert {limits_of(venue, token) for token in bad} == {(401, 20013)}


def test_a_token_ends():
    """An expired token is 20013, also when it was good before."""
    venue = Venue()
    token = venue.trader().token(life_s=60)

    assert limits_of(venue, token) == (200, 200)
    venue.now_us += 60 * SECOND_US
    assert limits_of(venue, token) == (401, 20013)
    assert "invalid deadline" in venue.get("accountLimits", token, account_index=100)[1]["message"]


def test_a_token_reaches_eight_hours_ahead_at_most():
    """A deadline later than 8 hours from its use is not accepted (protocol reference 5.8)."""
    venue = Venue()
    trader = venue.trader()

    assert limits_of(venue, trader.token(8 * 3600)) == (200, 200)
    assert limits_of(venue, trader.token(8 * 3600 + 1)) == (401, 20013)


def test_a_token_dies_with_its_key():
    """Once the key is replaced its tokens are worth nothing, remembered or not."""
    venue = Venue()
    trader = venue.trader()
    token = trader.token()
    assert limits_of(venue, token) == (200, 200)
    new_key = venue.trader(200).public_key
    venue.open({"account_index": 100, "api_key_index": 5, "public_key": new_key})

    assert limits_of(venue, token) == (401, 20013)


def create(venue, trader, **changes):
    fields = {
        "name": "dashboard",
        "account_index": 100,
        "expiry": venue.now_s + 2 * DAY_S,
        "sub_account_access": "false",
    }
    return venue.post("tokens/create", trader.token(), **(fields | changes))


def test_a_read_only_token_reads_and_no_more():
    """It opens what reads until it is revoked, and nothing that writes."""
    venue = Venue()
    trader = venue.trader()
    _, made = create(venue, trader)
    token = made["api_token"]
    venue.go(61)  # making a token weighs 23 000, nearly all of a minute

    assert limits_of(venue, token) == (200, 200)
    status, reply = venue.post("changeAccountTier", token, account_index=100, new_tier="plus")
    assert (status, reply["code"]) == (401, 20013)
    (listed,) = venue.get("tokens", trader.token(), account_index=100)[1]["api_tokens"]
    assert "api_token" not in listed
    assert venue.post("tokens/revoke", trader.token(), account_index=100, token_id=made["token_id"])[0] == 200
    assert limits_of(venue, token) == (401, 20013)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": ""}, 61007),
        ({"name": "n" * 51}, 61008),
        ({"expiry": 1}, 61001),
        ({"expiry": 2**40}, 61002),
        ({"scopes": "write.*"}, 61004),
    ],
)
def test_read_only_tokens_have_rules(changes, code):
    """Names, lives and scopes outside the rules have their own codes (protocol reference 2.8)."""
    venue = Venue()
    trader = venue.trader()

    assert create(venue, trader, **changes)[1]["code"] == code


def test_an_account_has_ten_read_only_tokens_at_most():
    """The eleventh is 61003; revoking an unknown one is 61005, a revoked one 61006."""
    venue = Venue(AppRules(limits=LimitRules(enforced=False)))
    trader = venue.trader()
    made = [create(venue, trader)[1] for _ in range(11)]
    revoked = [
        venue.post("tokens/revoke", trader.token(), account_index=100, token_id=number)[1]["code"]
        for number in (made[0]["token_id"], made[0]["token_id"], 99)
    ]

    assert [reply["code"] for reply in made] == [200] * 10 + [61003]
    assert revoked == [200, 61006, 61005]
