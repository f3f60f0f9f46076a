import json
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from helpers.local_venue import SECOND_US, Venue
from lighterman.protocol.transactions import CancelAllMode, CancelOrderTx, TimeInForce
from lighterman.simulator.app import AppRules
from lighterman.simulator.limits import LimitRules

GTT, IOC = TimeInForce.GOOD_TILL_TIME, TimeInForce.IMMEDIATE_OR_CANCEL


def code_of(venue, sent):
    status, reply = venue.post("sendTx", tx_type=int(sent.tx_type), tx_info=sent.info)
    assert (status == 200) == (reply["code"] == 200)
    return reply["code"]


def test_an_accepted_transaction_states_hash_time_and_quota():
    """The answer has code 200, the signed hash and the expected time of execution (protocol reference 2.4)."""
    venue = Venue()
    trader = venue.trader()
    maker, taker = trader.send(trader.create()), trader.send(trader.take())

    assert maker["code"] == taker["code"] == 200
    assert len(maker["tx_hash"]) == 80
    assert maker["predicted_execution_time_ms"] == venue.now_ms
    assert taker["predicted_execution_time_ms"] == venue.now_ms + 200
    assert json.loads(maker["message"]) == {"ratelimit": "didn't use volume quota"}
    assert (taker["message"], taker["volume_quota_remaining"]) == ("999 volume quota remaining.", 999)


TAMPERED = {
    "Price": 290_001,
    "BaseAmount": 999,
    "IsAsk": 1,
    "OrderExpiry": 1_800_007_200_000,
    "Nonce": 1,
    "ExpiredAt": 1,
}


@pytest.mark.parametrize("field", TAMPERED)
def test_a_tampered_transaction_is_21120(field):
    """Any field altered after signing breaks the signature; nothing is consumed."""
    venue = Venue()
    trader = venue.trader()
    good = trader.create()

    assert code_of(venue, good.changed(**{field: TAMPERED[field]})) == 21120
    assert venue.get("nextNonce", account_index=100, api_key_index=5)[1]["nonce"] == 0
    assert code_of(venue, good) == 200


def test_a_wrong_chain_id_is_21120():
    """A signature for another chain is no signature here."""
    venue = Venue(AppRules(chain_id=304))
    venue.chain_id = 300

    assert code_of(venue, venue.trader().create()) == 21120


def test_a_reused_or_skipped_nonce_is_21104():
    """The nonce must be exactly the next one, counting what is queued (protocol reference 4.7)."""
    venue = Venue()
    trader = venue.trader()
    first, second = trader.take(), trader.take()
    trader.nonce = 7
    ahead = trader.create()

    assert code_of(venue, second) == code_of(venue, ahead) == 21104
    assert code_of(venue, first) == 200
    assert code_of(venue, first) == 21104
    assert code_of(venue, second) == 200
    assert "invalid nonce" in venue.post("sendTx", tx_type=14, tx_info=ahead.info)[1]["message"]


def test_attribute_4_may_skip_nonces():
    """With SkipNonce any later nonce is taken, an earlier one never."""
    venue = Venue()
    trader = venue.trader()

    assert code_of(venue, trader.create(nonce=50, l2_tx_attributes={"4": 1})) == 200
    assert code_of(venue, trader.create(nonce=49, l2_tx_attributes={"4": 1})) == 21104
    assert code_of(venue, trader.create(nonce=51)) == 200


def test_unknown_accounts_and_keys_are_21100_and_21109():
    """A foreign account or key index is named before the signature is looked at."""
    venue = Venue()
    trader = venue.trader()

    assert code_of(venue, trader.create(account_index=101)) == 21100
    assert code_of(venue, trader.create(api_key_index=6)) == 21109


def test_another_accounts_key_does_not_sign_for_this_one():
    """A transaction for a foreign account, signed with one's own key, is 21120."""
    venue = Venue()
    venue.trader(200, 5)

    assert code_of(venue, venue.trader(100, 5).create(account_index=200)) == 21120


def faulty(trader):
    """Return what is refused, and how, when everything before it in the order is right."""
    now_ms = trader.venue.now_ms
    return {
        "expired": (21501, partial(trader.create, expired_at=now_ms)),
        "market": (21602, partial(trader.create, market=2)),
        "is_ask": (21703, partial(trader.create, is_ask=2)),
        "type": (21704, partial(trader.create, order_type=7)),
        "time in force": (21705, partial(trader.create, time_in_force=3)),
        "reduce-only": (21740, partial(trader.create, reduce_only=2)),
        "trigger": (21729, partial(trader.create, trigger_price=1)),
        "no expiry": (21711, partial(trader.create, order_expiry=0)),
        "expiry soon": (21711, partial(trader.create, order_expiry=now_ms + 299_999)),
        "expiry late": (21711, partial(trader.create, order_expiry=now_ms + 30 * 86_400_000 + 1)),
        "client index": (21727, partial(trader.create, client_order_index=2**48)),
        "price": (21702, partial(trader.create, price=0)),
        "no size": (21701, partial(trader.create, size=0)),
        "small": (21603, partial(trader.create, size=49)),
        "large": (21706, partial(trader.create, size=2**40)),
        "unsupported": (21710, partial(trader.create, order_type=2, time_in_force=IOC, trigger_price=1)),
        "fat finger": (21733, partial(trader.create, price=340_000, time_in_force=GTT)),
        "far": (21734, partial(trader.create, price=1_000, size=100_000)),
        "margin": (21739, partial(trader.create, price=299_900, size=1_000_000)),
        "reduce flat": (21738, partial(trader.create, reduce_only=1)),
        "integrator": (21149, partial(trader.create, l2_tx_attributes={"1": 9})),
        "modify trigger": (21729, partial(trader.modify, 5, price=290_000, trigger_price=1)),
        "leverage": (21113, partial(trader.leverage, 100)),
        "isolated": (21613, partial(trader.leverage, 1_000, margin_mode=1)),
        "switch soon": (21714, partial(trader.cancel_all, CancelAllMode.SCHEDULED, now_ms + 299_999)),
        "switch late": (21714, partial(trader.cancel_all, CancelAllMode.SCHEDULED, now_ms + 16 * 86_400_000)),
        "cancel-all mode": (21713, partial(trader.cancel_all, 3)),
        "cancel-all time": (21714, partial(trader.cancel_all, CancelAllMode.IMMEDIATE, 5)),
    }


NAMES = list(faulty(Venue().trader()))


@pytest.mark.parametrize("name", NAMES)
def test_each_fault_has_its_code_and_consumes_nothing(name):
    """A refused transaction leaves nonce, quota and orders as they were (protocol reference 9.1)."""
    venue = Venue()
    trader = venue.trader()
    code, make = faulty(trader)[name]

    assert code_of(venue, make()) == code
    trader.nonce = 0
    assert trader.send(trader.create(size=50))["volume_quota_remaining"] == 1_000
    assert len(venue.exchange.open_orders(100)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_signature_and_nonce_come_before_every_other_fault(name):
    """Of several faults the one that is checked first is named: key, signature, nonce, then the rest."""
    venue = Venue()
    trader = venue.trader()
    _, make = faulty(trader)[name]

    assert code_of(venue, make(api_key_index=9)) == 21109
    assert code_of(venue, make(nonce=3).changed(Nonce=4)) == 21120
    assert code_of(venue, make(nonce=3)) == 21104


def test_a_field_fault_yields_to_expiry_and_market():
    """Expiry of the transaction and the market are checked before its fields."""
    venue = Venue()
    trader = venue.trader()

    assert code_of(venue, trader.create(is_ask=2, expired_at=1)) == 21501
    assert code_of(venue, trader.create(is_ask=2, market=2, nonce=0)) == 21602


def test_a_used_client_index_is_21728():
    """A client order index may be used again only when its order has ended."""
    venue = Venue()
    trader = venue.trader()
    trader.send(trader.create(client_order_index=9))

    assert code_of(venue, trader.create(client_order_index=9)) == 21728
    trader.nonce = 1
    trader.send(trader.cancel(9))
    trader.send(trader.create(client_order_index=9))


@pytest.mark.parametrize(
    ("tx_type", "info", "code"),
    [
        (14, "", 21501),
        (14, "{", 21501),
        (14, "[]", 21501),
        (14, '{"AccountIndex":"1"}', 21501),
        (15, "{}", 21501),
        (28, "{}", 21505),
        (12, "{}", 21505),
        (255, "{}", 21505),
    ],
)
def test_what_is_no_transaction_is_refused(tx_type, info, code):
    """Bad JSON is 21501, a type that is not traded here 21505."""
    assert Venue().post("sendTx", tx_type=tx_type, tx_info=info)[1]["code"] == code


def test_a_market_that_is_closed_is_21605():
    """An inactive market takes no orders but lets cancels through."""
    venue = Venue()
    trader = venue.trader()
    trader.send(trader.create())
    venue.exchange.set_market(replace(venue.exchange.markets[0], active=False))

    assert code_of(venue, trader.create(nonce=1)) == 21605
    assert code_of(venue, trader.create(nonce=1, is_ask=2)) == 21605
    assert code_of(venue, trader.cancel(5001, nonce=1)) == 200


def test_a_due_switch_refuses_orders_and_lets_cancels_pass():
    """Once the dead man's switch is due creates and modifies are 21122 until it has fired (protocol reference 4.10)."""
    venue = Venue()
    trader = venue.trader()
    trader.send(trader.create())
    trader.send(trader.cancel_all(CancelAllMode.SCHEDULED, venue.now_ms + 300_000))
    venue.go(300)

    assert code_of(venue, trader.create(nonce=2)) == 21122
    assert code_of(venue, trader.modify(5001, price=289_000, nonce=2)) == 21122
    assert code_of(venue, trader.cancel(4242, nonce=2)) == 200
    venue.go(1)
    assert venue.exchange.open_orders(100) == []
    assert code_of(venue, trader.create(nonce=3)) == 200


def test_a_batch_is_queued_whole_or_not_at_all():
    """One fault refuses the batch (A-21); a good batch answers with all hashes in order."""
    venue = Venue()
    trader = venue.trader()
    good, bad = trader.create(), trader.create(size=1)
    status, reply = trader.send_batch(good, bad)
    assert (status, reply["code"]) == (400, 21603)

    trader.nonce = 1
    status, reply = trader.send_batch(good, trader.create(), trader.cancel(4242))
    assert (status, reply["code"], len(reply["tx_hash"])) == (200, 200, 3)
    assert len(venue.exchange.open_orders(100)) == 2


def test_batches_have_rules():
    """Lengths must agree, 15 at most, one account and key, nonces rising (21513, 21514, 21121, 21105)."""
    venue = Venue()
    trader, other = venue.trader(100, 5), venue.trader(100, 6)
    first = trader.create()

    lengths = venue.post("sendTxBatch", tx_types="[14,14]", tx_infos=json.dumps([first.info]))
    many = trader.send_batch(*[first] * 16)
    none = trader.send_batch()
    mixed = trader.send_batch(first, other.create())
    falling = trader.send_batch(first, trader.create(nonce=0))
    texts = venue.post("sendTxBatch", tx_types="[14", tx_infos="[]")

    codes = [reply[1]["code"] for reply in (lengths, many, none, mixed, falling, texts)]
    assert codes == [21513, 21514, 21514, 21121, 21105, 20001]


def test_the_sending_rate_is_the_tiers():
    """A standard account sends 60 transactions a minute, over all its keys; then it is 23000 with HTTP 429."""
    venue = Venue()
    one, two = venue.trader(100, 5, tier="standard"), venue.trader(100, 6)
    for trader in (one, two) * 30:
        trader.send(trader.cancel(1))
    refused = one.cancel(1)

    assert venue.post("sendTx", tx_type=15, tx_info=refused.info)[0] == 429
    venue.now_us += 60 * SECOND_US
    assert code_of(venue, refused) == 200


def test_leverage_changes_have_a_rate_of_their_own():
    """Types outside the quota programme are limited apart (protocol reference 6.2)."""
    venue = Venue(AppRules(limits=LimitRules(leverage_changes_per_minute=2)))
    trader = venue.trader()
    for _ in range(2):
        trader.send(trader.leverage(1_000))

    assert trader.send(trader.leverage(1_000), ok=False)["code"] == 23000
    trader.send(trader.create())


def test_an_exhausted_quota_leaves_cancels_and_one_send_in_fifteen_seconds():
    """Without quota creates are refused with a text that says so; cancels stay free (protocol reference 6.3)."""
    venue = Venue(AppRules(limits=LimitRules(quota_start=1)))
    trader = venue.trader()
    trader.send(trader.create())
    assert trader.send(trader.create())["volume_quota_remaining"] == 0

    assert "quota" in trader.send(trader.create(), ok=False)["message"]
    assert trader.send(trader.cancel(5001))["volume_quota_remaining"] == 0
    venue.go(15)
    trader.send(trader.create())
    assert "quota" in trader.send(trader.create(), ok=False)["message"]


def test_standard_accounts_have_no_quota():
    """The volume quota is a matter of premium and plus accounts."""
    venue = Venue()
    trader = venue.trader(tier="standard")
    reply = trader.send(trader.create())

    assert "volume_quota_remaining" not in reply
    assert "message" not in reply


@settings(max_examples=60)
@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_refusal_at_most(info):
    """Arbitrary tx_info is refused with a code."""
    venue = Venue()
    status, reply = venue.post("sendTx", tx_type=14, tx_info=info)

    assert (status, reply["code"]) in {(400, 21501), (400, 20001)}


def test_the_hash_is_the_signers():
    """The hash in the answer is the one the client computed for itself."""
    venue = Venue()
    trader = venue.trader()
    signed = trader.signer.sign([_plain_cancel(trader)])[0]
    reply = venue.post("sendTx", tx_type=15, tx_info=signed.tx_info.decode())[1]

    assert reply["tx_hash"] == signed.tx_hash


def _plain_cancel(trader):
    return CancelOrderTx(account_index=100, api_key_index=5, market_index=0, index=7, expired_at=2**41, nonce=0)
