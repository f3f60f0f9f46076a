"""Transactions: wire form (reference 4.2), hash (5.4, 5.5)."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import vectors
from helpers.transactions import ALL_KINDS, CANCEL, CANCEL_ALL, MODIFY, POST_ONLY, changed, valid_transactions
from lighterman.domain.errors import RemoteProtocolError
from lighterman.protocol.crypto.poseidon2 import sponge
from lighterman.protocol.transactions import (
    Attribute,
    TxType,
    attribute,
    attributes,
    check,
    decode,
    encode,
    hashed_integers,
    transaction_hash,
    transaction_message,
)


@pytest.mark.parametrize("vector", vectors.OWN_VECTORS, ids=lambda vector: vector.name)
def test_golden_elements_and_hash(vector):
    """Elements and hash of each transaction are those of the official library's vectors (5.10)."""
    assert vector.elements == [*hashed_integers(vector.tx, vectors.CHAIN_ID)]
    assert vector.tx_hash == transaction_hash(vector.tx, vectors.CHAIN_ID).hex()


def test_wire_form_of_a_create():
    """The JSON of a create has exactly the keys of 4.2 in their order, null attributes included."""
    assert encode(changed(POST_ONLY, sig="Lf3Y")) == (
        b'{"AccountIndex":12345,"ApiKeyIndex":5,"MarketIndex":0,"ClientOrderIndex":123,"BaseAmount":1000,'
        b'"Price":405000,"IsAsk":1,"Type":0,"TimeInForce":2,"ReduceOnly":0,"TriggerPrice":0,'
        b'"OrderExpiry":1800000000000,"ExpiredAt":1795357261946,"Nonce":7,"Sig":"Lf3Y","L2TxAttributes":null}'
    )


KEYS = {
    TxType.CANCEL_ORDER: "AccountIndex ApiKeyIndex MarketIndex Index ExpiredAt Nonce Sig L2TxAttributes",
    TxType.CANCEL_ALL_ORDERS: "AccountIndex ApiKeyIndex TimeInForce Time ExpiredAt Nonce Sig L2TxAttributes",
    TxType.MODIFY_ORDER: (
        "AccountIndex ApiKeyIndex MarketIndex Index BaseAmount Price TriggerPrice ExpiredAt Nonce Sig L2TxAttributes"
    ),
    TxType.UPDATE_LEVERAGE: (
        "AccountIndex ApiKeyIndex MarketIndex InitialMarginFraction MarginMode ExpiredAt Nonce Sig L2TxAttributes"
    ),
}


@pytest.mark.parametrize("tx", ALL_KINDS[1:], ids=lambda tx: tx.tx_type.name)
def test_wire_keys(tx):
    """The JSON keys of each other type are those of 4.2 in their order."""
    assert KEYS[tx.tx_type].split() == list(json.loads(encode(tx)))


@given(valid_transactions())
def test_round_trip(tx):
    """What is encoded decodes to the same transaction, from bytes and from text."""
    assert tx == decode(tx.tx_type, encode(tx))
    assert tx == decode(tx.tx_type, encode(tx).decode())


@given(valid_transactions())
def test_valid_transactions_pass(tx):
    """A transaction within the rules of 4.3, 4.4, 4.6 and 4.10 passes, whatever its fields."""
    assert check(tx) is None


@given(valid_transactions(), st.data())
def test_every_field_is_hashed(tx, data):
    """Changing any integer of a transaction, its chain or its attributes changes the hash."""
    name = data.draw(st.sampled_from([n for n in tx.__struct_fields__ if n not in ("sig", "l2_tx_attributes")]))
    other = changed(tx, **{name: getattr(tx, name) + 1})
    reference = transaction_hash(tx, 304)

    assert reference != transaction_hash(other, 304)
    assert reference != transaction_hash(tx, 300)
    assert reference == transaction_hash(changed(tx, sig="anything"), 304)


def test_types_do_not_share_hashes():
    """The type is part of the hash: a cancel is no leverage update with the same numbers."""
    hashes = {transaction_hash(tx, 304) for tx in ALL_KINDS}

    assert len(hashes) == len(ALL_KINDS)


@pytest.mark.parametrize("nil", [None, {}, {"1": 0, "2": 0, "3": 0}, {"4": 0, "5": 255, "6": 0, "7": 0}, {"8": 0}])
def test_nil_attributes_are_absent(nil):
    """Attributes with their nil value change neither meaning nor hash (5.5): older signers send them."""
    tx = changed(CANCEL_ALL, l2_tx_attributes=nil)

    assert attributes(tx) == {}
    assert transaction_hash(CANCEL_ALL, 304) == transaction_hash(tx, 304)


def test_market_zero_is_no_nil_attribute():
    """A cancel-all of market 0 says market 0, not all markets (4.6)."""
    tx = changed(CANCEL_ALL, l2_tx_attributes={"5": 0})

    assert attributes(tx) == {5: 0}
    assert transaction_hash(CANCEL_ALL, 304) != transaction_hash(tx, 304)


def test_attributes_are_sorted_by_number():
    """The order in which attributes are written does not matter (5.5)."""
    one = changed(POST_ONLY, l2_tx_attributes={"7": 1, "4": 1, "6": 2})
    other = changed(POST_ONLY, l2_tx_attributes={"4": 1, "6": 2, "7": 1})

    assert [4, 6, 7] == list(attributes(one))
    assert transaction_hash(one, 304) == transaction_hash(other, 304)


def test_attribute_defaults():
    """An absent attribute reads as its nil value."""
    assert attribute(MODIFY, Attribute.ORDER_VERSION) == 0
    assert attribute(CANCEL_ALL, Attribute.CANCEL_ALL_MARKET) == 255
    assert attribute(changed(MODIFY, l2_tx_attributes={"8": 3}), Attribute.ORDER_VERSION) == 3


def test_negative_fields_are_hashed_as_64_bits():
    """A raw -1 enters the hash as 2^32 - 2 (5.1) though no rule lets it pass."""
    tx = changed(POST_ONLY, order_expiry=-1)

    assert transaction_message(tx, 304) == sponge([*hashed_integers(tx, 304)[:-1], 2**32 - 2], 5)
    assert check(tx) is not None


@pytest.mark.parametrize("tx_type", [0, 8, 12, 13, 28, 29, 99, -1])
def test_other_types_cannot_be_decoded(tx_type):
    """Transfers, withdrawals, key changes and the rest are outside this package's language."""
    with pytest.raises(RemoteProtocolError, match="unsupported"):
        decode(tx_type, encode(CANCEL))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Nonce", "7"),
        ("Nonce", 7.0),
        ("Nonce", True),
        ("Nonce", None),
        ("Nonce", 2**63),
        ("Nonce", -(2**63) - 1),
        ("Index", [1]),
        ("Sig", 5),
        ("L2TxAttributes", []),
        ("L2TxAttributes", {"4": "1"}),
        ("L2TxAttributes", {"04": 1}),
        ("L2TxAttributes", {"4\n": 1}),
        ("L2TxAttributes", {"x": 1}),
        ("L2TxAttributes", {"٤": 1}),
    ],
)
def test_wrong_field_types_are_refused(key, value):
    """A field that is not a 64-bit integer, or an attribute key that is not its number, is the sender's fault."""
    wire = json.loads(encode(CANCEL)) | {key: value}

    with pytest.raises(RemoteProtocolError, match="invalid tx_info"):
        decode(TxType.CANCEL_ORDER, json.dumps(wire))


@pytest.mark.parametrize("name", ["AccountIndex", "ApiKeyIndex", "MarketIndex", "Index", "ExpiredAt", "Nonce"])
def test_missing_fields_are_refused(name):
    """Every field but signature and attributes must be there."""
    wire = json.loads(encode(CANCEL))
    del wire[name]

    with pytest.raises(RemoteProtocolError, match=name):
        decode(TxType.CANCEL_ORDER, json.dumps(wire))


@pytest.mark.parametrize("text", ["\ud800", '{"Sig":"\ud800"}', "[" * 100_000, b"\xff", b'{"Sig":"\xff"}', "", "null"])
def test_broken_json_is_refused(text):
    """No text makes the decoder fail in another way than by RemoteProtocolError."""
    with pytest.raises(RemoteProtocolError):
        decode(TxType.CANCEL_ORDER, text)


@given(st.sampled_from(list(TxType)), st.one_of(st.text(), st.binary()))
def test_any_text_is_decoded_or_refused(tx_type, text):
    """Arbitrary input is refused in one way."""
    with pytest.raises(RemoteProtocolError):
        decode(tx_type, text)


@given(st.sampled_from(ALL_KINDS), st.dictionaries(st.integers(1, 99).map(str), st.integers(-(2**63), 2**63 - 1)))
def test_any_attributes_can_be_hashed(tx, given_attributes):
    """Whatever attributes are decoded, hash and check answer without failing."""
    tx = decode(tx.tx_type, encode(changed(tx, l2_tx_attributes=given_attributes)))

    assert len(transaction_hash(tx, 304)) == 40
    check(tx)


def test_transactions_are_immutable():
    """A transaction cannot be changed once made."""
    with pytest.raises(AttributeError):
        CANCEL.nonce = 8
    assert isinstance(CANCEL, msgspec.Struct)
