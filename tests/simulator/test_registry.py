import pytest

from helpers.local_venue import CROWD, Venue

KEY = "ab" * 40


def body(venue, **changes):
    trader_key = {"account_index": 300, "api_key_index": 5, "public_key": KEY}
    return trader_key | changes


def valid_key(venue):
    return venue.trader(999).public_key


def test_opening_is_idempotent():
    """The same call again changes nothing: money, tier and nonce stay."""
    venue = Venue()
    key = valid_key(venue)
    first = venue.open(body(venue, public_key=key, collateral_usdc="25.5", tier="standard"))
    again = venue.open(body(venue, public_key="0x" + key.upper(), collateral_usdc="99", tier="premium"))

    assert first == (
        200,
        {
            "code": 200,
            "account_index": 300,
            "api_key_index": 5,
            "created": True,
            "nonce": 0,
            "tier": "standard",
            "chain_id": 304,
        },
    )
    assert again == (200, first[1] | {"created": False})
    assert venue.ledger(300)[1]["collateral_pico"] == 25_500_000_000_000


def test_a_second_key_joins_the_account():
    """Another key index is added to the account; both are listed, in lower-case hex without 0x."""
    venue = Venue()
    one = venue.trader(300, 5)
    status, reply = venue.open(body(venue, api_key_index=6, public_key="0X" + one.public_key.upper()))
    keys = venue.get("apikeys", account_index=300)[1]["api_keys"]

    assert (status, reply["created"]) == (200, True)
    assert [(key["api_key_index"], key["public_key"], key["nonce"]) for key in keys] == [
        (5, one.public_key, 0),
        (6, one.public_key, 0),
    ]


def test_defaults_are_the_servers_tier_and_ten_thousand():
    """Money and tier are optional."""
    venue = Venue()
    venue.open(body(venue, public_key=valid_key(venue)))

    assert venue.ledger(300)[1]["deposits_pico"] == 10**16
    assert venue.exchange.tier(300).name == "premium"


@pytest.mark.parametrize(
    "changes",
    [
        {"public_key": "00" * 40},
        {"public_key": "0x" + "00" * 40},
        {"public_key": "ff" * 40},
        {"public_key": "ab"},
        {"public_key": "zz" * 40},
        {"public_key": " " + "ab" * 40},
        {"public_key": ""},
        {"public_key": 7},
        {"account_index": 0},
        {"account_index": 1},
        {"account_index": -3},
        {"account_index": CROWD},
        {"account_index": 2**48},
        {"api_key_index": 255},
        {"api_key_index": -1},
        {"tier": "gold"},
        {"collateral_usdc": "-1"},
        {"collateral_usdc": "1e9"},
        {"collateral_usdc": "0.0000001"},
        {"collateral_usdc": "9" * 20},
        {"collateral": "5"},
    ],
    ids=str,
)
def test_what_cannot_be_opened_is_refused_clearly(changes):
    """The neutral key, malformed hex, reserved accounts, odd money: 20001 with a reason, nothing opened."""
    venue = Venue()
    good = valid_key(venue)
    status, reply = venue.open(body(venue, public_key=good) | changes)

    assert (status, reply["code"]) == (400, 20001)
    assert len(reply["message"]) > len("invalid param : ")
    assert venue.exchange.account_indexes() == [999]


def test_the_ledger_is_the_exchanges_own_integers():
    """Collateral is deposits plus realised PnL plus funding less fees, to the last pico."""
    venue = Venue()
    trader = venue.trader(300)
    trader.send(trader.take(size=1_500))
    trader.send(trader.take(size=700, is_ask=True))
    venue.go(3_700)
    _, ledger = venue.ledger(300)

    assert ledger["positions"] == {"0": [800, 240_080_000]}
    assert ledger["funding_pico"] != 0
    assert ledger["collateral_pico"] == (
        ledger["deposits_pico"] + ledger["realised_micro"] * 10**6 + ledger["funding_pico"] - ledger["fees_pico"]
    )
    assert venue.exchange.total_value_pico() == venue.exchange.deposited_pico()
