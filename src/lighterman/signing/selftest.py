"""The trial a foreign backend passes before it may trade (protocol reference 10.6).

It signs with a key that everybody knows, for an account nobody has. Every field must come back
as it went in, the hash must be the one we compute ourselves, and the signature must verify:
a library with another argument order signs garbage without a word, and is found out here. The
judge is plain Python, whatever else hashes and verifies in this process.
"""

import binascii
from collections.abc import Mapping

import msgspec

from lighterman.domain.errors import RemoteProtocolError, SigningError
from lighterman.domain.secret import Secret
from lighterman.protocol.crypto.goldilocks import to_bytes, words
from lighterman.protocol.crypto.poseidon2 import hash_integers, sponge
from lighterman.protocol.crypto.schnorr import VerifyingKey
from lighterman.protocol.signing import SignedTx, Signer, parse_token
from lighterman.protocol.transactions import (
    MESSAGE_ELEMENTS,
    CancelAllMode,
    OrderType,
    TimeInForce,
    Transaction,
    TxType,
    attributes,
    decode,
    transaction_message,
)

SECRET = Secret("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728")
ACCOUNT_INDEX = 2**47 - 1
API_KEY_INDEX = 254
CHAIN_ID = 1
_PUBLIC_KEY = "710c8cd2201061fa5570d20852d90ddabd6c496825b639d6c6486ecb1f859b63f237dee54f3f42b4"  # (5.10)
_DEADLINE_S = 1  # a token that expired in 1970

_IDENTITY = {"AccountIndex": ACCOUNT_INDEX, "ApiKeyIndex": API_KEY_INDEX, "ExpiredAt": 1_795_357_261_946}
_ORDER = {
    "MarketIndex": 2,
    "ClientOrderIndex": 2**48 - 3,
    "BaseAmount": 2**40 + 5,
    "Price": 3_000_000_007,  # needs the 32nd bit
    "IsAsk": 1,
    "Type": OrderType.LIMIT,
    "TimeInForce": TimeInForce.POST_ONLY,
    "ReduceOnly": 0,
    "TriggerPrice": 0,
    "OrderExpiry": 1_800_000_000_000,
}
_STOP = _ORDER | {
    "IsAsk": 0,
    "Type": OrderType.STOP_LOSS_LIMIT,
    "TimeInForce": TimeInForce.GOOD_TILL_TIME,
    "ReduceOnly": 1,
    "TriggerPrice": 3_000_000_011,
}
_CHANGE = {"MarketIndex": 4, "Index": 19, "BaseAmount": 23, "Price": 3_000_000_029, "TriggerPrice": 31}
_SCHEDULE = {"TimeInForce": CancelAllMode.SCHEDULED, "Time": 1_800_000_000_001}
_ONE_MARKET = {"TimeInForce": CancelAllMode.IMMEDIATE, "Time": 0}
_LEVERAGE = {"MarketIndex": 5, "InitialMarginFraction": 500, "MarginMode": 1}
_TRIALS: tuple[tuple[TxType, Mapping[str, object]], ...] = (  # no two fields of one alike
    (TxType.CREATE_ORDER, _ORDER | {"Nonce": 11}),
    (TxType.CREATE_ORDER, _STOP | {"Nonce": 12, "L2TxAttributes": {"4": 1, "6": 2, "7": 1}}),
    (TxType.CREATE_ORDER, _ORDER | {"Nonce": 13, "L2TxAttributes": {"1": 43, "2": 47, "3": 53}}),
    (TxType.CANCEL_ORDER, {"MarketIndex": 3, "Index": 2**48 + 17, "Nonce": 14}),
    (TxType.MODIFY_ORDER, _CHANGE | {"Nonce": 15, "L2TxAttributes": {"8": 37}}),
    (TxType.CANCEL_ALL_ORDERS, _SCHEDULE | {"Nonce": 16}),
    (TxType.CANCEL_ALL_ORDERS, _ONE_MARKET | {"Nonce": 17, "L2TxAttributes": {"5": 41}}),
    (TxType.UPDATE_LEVERAGE, _LEVERAGE | {"Nonce": 18}),
)


def transactions() -> list[Transaction]:
    """Return one transaction of each kind, with and without attributes."""
    return [decode(tx_type, msgspec.json.encode({**_IDENTITY, **fields})) for tx_type, fields in _TRIALS]


def run(signer: Signer) -> None:
    """Try a signer made for this file's key, account and chain; raise SigningError if anything differs."""
    if signer.public_key != _PUBLIC_KEY:
        raise SigningError(f"self-test of {signer.backend}: wrong public key")
    key = VerifyingKey(bytes.fromhex(signer.public_key))
    batch = transactions()
    signed = signer.sign(batch)
    if len(signed) != len(batch):
        raise SigningError(f"self-test of {signer.backend}: {len(batch)} asked, {len(signed)} signed")
    for asked, got in zip(batch, signed, strict=True):
        fault = _fault(asked, got, key)
        if fault:
            raise SigningError(f"self-test of {signer.backend}: {asked.tx_type.name} {fault}")
    token = parse_token(signer.auth_token(_DEADLINE_S))
    if (token.deadline_s, token.account_index, token.api_key_index) != (_DEADLINE_S, ACCOUNT_INDEX, API_KEY_INDEX):
        raise SigningError(f"self-test of {signer.backend}: the auth token speaks of {token.text}")
    if not key.verify(sponge(words(token.text.encode("ascii")), MESSAGE_ELEMENTS), token.signature):
        raise SigningError(f"self-test of {signer.backend}: the auth token's signature does not verify")


def difference(asked: Transaction, signed: Transaction) -> str:
    """Name the fields in which a signed transaction differs from what was asked, expiry and signature aside."""
    names = [name for name in asked.__struct_fields__[:-2] if name != "expired_at"]
    wrong = [name for name in names if getattr(asked, name) != getattr(signed, name)]
    if attributes(asked) != attributes(signed):
        wrong.append("l2_tx_attributes")
    return ", ".join(wrong)


def _fault(asked: Transaction, got: SignedTx, key: VerifyingKey) -> str:
    try:
        signed = decode(got.tx_type, got.tx_info)
        signature = binascii.a2b_base64(signed.sig, strict_mode=True)
    except (RemoteProtocolError, ValueError) as error:
        return f"cannot be read: {error}"
    if type(signed) is not type(asked):
        return f"became {signed.tx_type.name}"
    wrong = difference(asked, signed)
    if wrong:
        return f"changed {wrong}"
    message = transaction_message(signed, CHAIN_ID, hash_integers)
    if (got.tx_hash, got.expired_at_ms) != (to_bytes(message).hex(), signed.expired_at):
        return "has another hash or expiry"
    return "" if key.verify(message, signature) else "does not verify"
