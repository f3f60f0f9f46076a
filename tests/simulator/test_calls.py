import pytest

from helpers.local_venue import Venue
from lighterman.domain.errors import VenueError
from lighterman.protocol.codes import Code
from lighterman.simulator.calls import Call, refuse
from lighterman.simulator.forms import Form


def test_a_refusal_speaks_the_venues_words():
    """A refusal carries the code and its text."""
    assert (refuse(Code.NOT_FOUND).code, refuse(Code.NOT_FOUND).message) == (29404, "not found")


def test_accounts_are_named_within_their_range():
    """An account index is within what the venue's 48 bits can name."""
    call = Call(Form({"account_index": "281474976710654", "value": "-1"}), None, 0)

    assert call.account_index() == 2**48 - 2
    with pytest.raises(VenueError, match="20001"):
        call.account_index("value")


def test_sub_accounts_open_with_a_token_for_all():
    """A read-only token with sub-account access opens the other accounts of its owner, and no one else's."""
    venue = Venue()
    trader = venue.trader(100)
    owner = venue.exchange.account(100).l1_address
    venue.exchange.open_account(101, collateral_micro=0, tier="premium", l1_address=owner)
    venue.exchange.open_account(102, collateral_micro=0, tier="premium", l1_address="0xother")
    fields = {"name": "n", "account_index": 100, "expiry": venue.now_s + 10**6, "sub_account_access": "true"}
    token = venue.post("tokens/create", trader.token(), **fields)[1]["api_token"]
    venue.go(61)

    assert [venue.get("accountLimits", token, account_index=index)[0] for index in (100, 101, 102)] == [200, 200, 401]
    assert venue.get("accountLimits", trader.token(), account_index=101)[0] == 401
