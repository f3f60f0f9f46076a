import json

import pytest

from helpers.golden import golden_object, shape
from helpers.local_venue import Venue
from lighterman.protocol.transactions import TimeInForce

DAY_S = 86_400


def test_a_transaction_is_found_by_hash_and_by_index():
    """GET tx tells what was signed and what became of it; an unknown one is 21500 (protocol reference 2.4)."""
    venue = Venue()
    trader = venue.trader()
    tx_hash = trader.send(trader.create())["tx_hash"]
    _, found = venue.get("tx", by="hash", value=tx_hash)
    captured = golden_object("transaction")

    assert shape(captured) == {key: value for key, value in shape(found).items() if key != "code"}
    assert (found["code"], found["hash"], found["status"], found["type"]) == (200, tx_hash, 2, 14)
    assert json.loads(found["info"])["Nonce"] == 0
    assert venue.get("tx", by="sequence_index", value=found["sequence_index"])[1] == found
    assert venue.get("tx", by="hash", value="ab")[1]["code"] == 21500
    assert venue.get("tx", by="sequence_index", value=77)[1]["code"] == 21500


def test_a_queued_transaction_is_pending():
    """Until its time comes a transaction has status 1."""
    venue = Venue()
    trader = venue.trader()
    tx_hash = trader.send(trader.take())["tx_hash"]

    assert venue.get("tx", by="hash", value=tx_hash)[1]["status"] == 1
    venue.go(0.2)
    assert venue.get("tx", by="hash", value=tx_hash)[1]["status"] == 2


def test_an_accounts_transactions_are_listed():
    """`accountTxs` gives an account's transactions in their order, after an index."""
    venue = Venue()
    trader = venue.trader()
    for _ in range(3):
        trader.send(trader.cancel(1))
    reply = venue.get("accountTxs", trader.token(), by="account_index", value=100, limit=9)[1]
    later = venue.get(
        "accountTxs", trader.token(), by="account_index", value=100, limit=1, index=reply["txs"][0]["sequence_index"]
    )[1]

    assert [tx["nonce"] for tx in reply["txs"]] == [0, 1, 2]
    assert [tx["nonce"] for tx in later["txs"]] == [1]
    assert venue.get("accountTxs", by="account_index", value=100, limit=9)[1]["code"] == 20001


def change(venue, trader, tier):
    return venue.post("changeAccountTier", trader.token(), account_index=100, new_tier=tier)[1]["code"]


def test_a_tier_can_be_changed_once_a_day():
    """Flat accounts without orders change tier; same, unknown, too soon have their codes (protocol reference 1.5)."""
    venue = Venue()
    trader = venue.trader()

    assert change(venue, trader, "gold") == 62002
    assert change(venue, trader, "premium") == 62003
    trader.send(trader.create())
    assert change(venue, trader, "standard") == 62005
    trader.send(trader.cancel(5001))
    assert change(venue, trader, "standard") == 200
    assert venue.exchange.tier(100).name == "standard"
    venue.go(DAY_S - 1)
    assert change(venue, trader, "premium") == 62006
    venue.go(1)
    assert change(venue, trader, "premium") == 200


def test_a_position_locks_the_tier():
    """An account with a position keeps its tier: 62004."""
    venue = Venue()
    trader = venue.trader()
    trader.send(trader.take(size=100))
    venue.go(1)

    assert change(venue, trader, "standard") == 62004


def restrict(venue, trader, indexes):
    status, reply = venue.post(
        "setMakerOnlyApiKeys", trader.token(), account_index=100, api_key_indexes=json.dumps(indexes)
    )
    assert (status == 200) == (reply["code"] == 200)
    return reply["code"]


def test_maker_only_keys_make_only():
    """A restricted key may create post-only, modify those and cancel; anything else is 62007 (reference 1.4)."""
    venue = Venue()
    trader, free = venue.trader(100, 5), venue.trader(100, 6)
    free.send(free.create(tif=TimeInForce.GOOD_TILL_TIME))
    assert restrict(venue, free, [5]) == 200
    assert venue.get("getMakerOnlyApiKeys", free.token(), account_index=100)[1]["api_key_indexes"] == [5]

    trader.send(trader.create())
    trader.send(trader.modify(5001, price=289_000))
    codes = [
        trader.send(sent(), ok=False)["code"]
        for sent in (
            trader.take,
            lambda: trader.create(tif=TimeInForce.GOOD_TILL_TIME),
            lambda: trader.modify(6001, price=289_000),
            lambda: trader.leverage(1_000),
        )
    ]
    assert codes == [62007] * 4
    trader.send(trader.cancel(5001))
    free.send(free.take())


@pytest.mark.parametrize(("indexes", "code"), [([3], 21110), ([255], 21110), ([9], 21109), ("x", 20001), (["5"], 200)])
def test_the_list_of_maker_only_keys_has_rules(indexes, code):
    """Reserved and unknown keys are refused, a list that is none too; numbers may be texts."""
    venue = Venue()

    assert restrict(venue, venue.trader(), indexes) == code


def test_the_list_is_changed_once_an_hour_by_premium_accounts():
    """A second change within the hour, or by another tier, is refused."""
    venue = Venue()
    trader, standard = venue.trader(100), venue.trader(200, tier="standard")

    assert restrict(venue, trader, [5]) == 200
    assert restrict(venue, trader, []) == 23000
    venue.go(3_600)
    assert restrict(venue, trader, []) == 200
    reply = venue.post("setMakerOnlyApiKeys", standard.token(), account_index=200, api_key_indexes="[5]")[1]
    assert reply["code"] == 62002


def test_multipart_bodies_are_read_too():
    """`sendTx` takes a multipart form as it takes an urlencoded one (protocol reference 12.1)."""
    venue = Venue()
    trader = venue.trader()
    sent = trader.create()
    body = "".join(
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in (("tx_type", "14"), ("tx_info", sent.info))
    )
    status, reply = venue.http(
        "POST",
        "/api/v1/sendTx",
        body=(body + "--B--\r\n").encode(),
        headers={"content-type": "multipart/form-data; boundary=B"},
    )

    assert (status, reply["code"]) == (200, 200)
