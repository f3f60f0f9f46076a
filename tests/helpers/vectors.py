"""The golden vectors of protocol reference 5.10: signed by the official library, public since."""

import base64
import json
from dataclasses import dataclass

from lighterman.protocol.transactions import Transaction, TxType, decode

PRIVATE_KEY = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728"
PUBLIC_KEY = "710c8cd2201061fa5570d20852d90ddabd6c496825b639d6c6486ecb1f859b63f237dee54f3f42b4"
SCALAR = int.from_bytes(bytes.fromhex(PRIVATE_KEY), "little")
CHAIN_ID = 304
ACCOUNT_INDEX = 12345
API_KEY_INDEX = 5


@dataclass(frozen=True)
class Vector:
    """One row of the table: the hashed elements and, for the types we sign, the transaction itself."""

    name: str
    elements: list[int]
    attributes: dict[str, int] | None
    tx_hash: str
    sig: str
    tx: Transaction | None

    @property
    def signature(self) -> bytes:
        return base64.b64decode(self.sig)


def _vector(name, head, fields, tx_hash, sig, *, attributes=None):
    tx_type, nonce, expired_at = head
    elements = [CHAIN_ID, tx_type, nonce, expired_at, ACCOUNT_INDEX, API_KEY_INDEX, *fields.values()]
    tx = None
    if tx_type in list(TxType):
        wire = {
            "AccountIndex": ACCOUNT_INDEX,
            "ApiKeyIndex": API_KEY_INDEX,
            **fields,
            "ExpiredAt": expired_at,
            "Nonce": nonce,
            "Sig": sig,
            "L2TxAttributes": attributes,
        }
        tx = decode(tx_type, json.dumps(wire))
    return Vector(name, elements, attributes, tx_hash, sig, tx)


def _order(client, is_ask, tif, expiry):
    return {
        "MarketIndex": 0,
        "ClientOrderIndex": client,
        "BaseAmount": 1000,
        "Price": 405000,
        "IsAsk": is_ask,
        "Type": 0,
        "TimeInForce": tif,
        "ReduceOnly": 0,
        "TriggerPrice": 0,
        "OrderExpiry": expiry,
    }


VECTORS = [
    _vector(
        "create",
        (14, 7, 1795357261946),
        _order(123, 1, 2, 1800000000000),
        "df7d9b0f6a9bb83c58ac7310bae4fe39dc111f757d142b47ca0fa59477f30774c42738006e4bf07e",
        "Lf3YcLqlX4BGNhg5OW/tjuKai6KgvCm3w3Q6FJF/Z6D4idYJKxDWfX3QPAlo+xd1yfSWQKBDgqRWxqm8B/UCmFeo78IoR/VgTqBlVNCYCic=",
    ),
    _vector(
        "create-attributes",
        (14, 8, 1795357261947),
        _order(124, 0, 0, 0),
        "8f81d3d26cc96dd74e02594d9f7fe53a9de752fcad6fe5a1f89b746b8775cc7fd8f181ddbd3ff1aa",
        "rFswLz9VAf2j/M0yzVumFwqD8xYaakQHdCl4YJRRPmFDooVrgwHgIvyCD9oMH/kQcsp9o3awwRPOCFSS96IpjzbavyWHEglceARKsj+7wHM=",
        attributes={"4": 1, "6": 1, "7": 1},
    ),
    _vector(
        "cancel",
        (15, 9, 1795357261948),
        {"MarketIndex": 0, "Index": 123},
        "3dce3647b5d70143bf4f02cbde571892daa3b49a358a89d07367ffb479333ca6cd2aabcda6419ef1",
        "EasdEzvO8xgbbBTeHzMOOaGUv+WzUhhyT719ps/L3oLhJqK+8Ce0Y75DxcKfWRCbfUgqB5FBpFeii5X9DbOx6ivo+GPuOj1O+fhJ4EbRCyQ=",
    ),
    _vector(
        "modify-version",
        (17, 10, 1795357261948),
        {"MarketIndex": 0, "Index": 123, "BaseAmount": 1100, "Price": 410000, "TriggerPrice": 0},
        "7c69e6fddb198627fe1402b1fe7756505eef898f7858cb8c595bd97266bc27139585264518866067",
        "5nvvdXA5ns7UNfL0TbtU+CK2/QmS2dAlkTuIpsOy6uAaa2yyPEdvVS8/cz0vhtxj+K/M9XexdVSMN00SUOjZLFokhXMV8uhzL6KtG9uGrm4=",
        attributes={"8": 3},
    ),
    _vector(
        "cancel-all-one-market",
        (16, 11, 1795357261949),
        {"TimeInForce": 0, "Time": 0},
        "566a85561a26994a7f37ad0ef7b2add3058b2200c19485121bae9179c3c0ade830717b78fe213962",
        "dtA5F3cyyDL8WeZ98kjuHlNZUx52MaeS7dg8G6xLZqWy5FEWpOhPYJHB+1Kf8lxWUOcJd44tvPUyJIm4oeKM8lXX/we/Vk54IcBX0w1NHGQ=",
        attributes={"5": 1},
    ),
    _vector(
        "leverage",
        (20, 13, 1795357261951),
        {"MarketIndex": 1, "InitialMarginFraction": 500, "MarginMode": 0},
        "ae3d09b99aac85b474be540e3d7bc9af018c7c18c8710f3818fa391e0c9051caf9ddf6588ff515bf",
        "nP6rkij7dQbo0NBKwY7jKEBO2WepXkRaFz11eUSmWApxaiquaaK9EoRx3OHOQ1mvvCoj5IemKb1ocYlnN118zqxkqHsnJmRI4ElPJ5gUel4=",
    ),
    _vector(
        "withdraw",
        (13, 15, 1795357261954),
        {"AssetIndex": 3, "RouteType": 0, "AmountLow": 705032704, "AmountHigh": 1},
        "d8ec06e5e7e935ff366a723f629ee60a7afb73b8f3038e6e928c228a46bcf8ec86220123f7da7f3c",
        "HBujC3GMChzsbhcTwe81VPk2aacZiPHc8bZAD4nvFhBbbpQ/VoqFI08Z3JV/gCrnedAPqsuUuai6D8KY5N9ts3qtEBGejpu38AaSuiY1dy4=",
    ),
    _vector(
        "update-margin",
        (29, 16, 1795357261955),
        {"MarketIndex": 0, "AmountLow": 1000000, "AmountHigh": 0, "Direction": 1},
        "e465a326e4d38fc18cbe5640e70b5e9b56483cf6f7062cd662ebc1f37eb75f033be74c3fc53b2663",
        "yhD84ERVY0g1bpw4CI7MKmdiudbaomYV9PbXrTj6ULuFjOQAb1PNKKmNJGvqpMaBYqib0cepATFdylpnaUxJzdRm+o+R+/qoXDEpQnieXT8=",
    ),
]
OWN_VECTORS = [vector for vector in VECTORS if vector.tx is not None]

GROUPED_HEAD = [304, 28, 14, 1795357261953, 12345, 5, 2]
GROUPED_LEGS = [
    [0, 0, 1000, 405000, 1, 2, 0, 1, 400000, 1800000000000],
    [0, 0, 1000, 415000, 1, 4, 0, 1, 420000, 1800000000000],
]
GROUPED_HASH = "6a30dec66eea03ebe8a0fff2dd2981dbf7cde101d44104bbf5237ada7fc96128c8f9466764340363"
GROUPED_SIGNATURE = base64.b64decode(
    "832q9JE22A4AF7P2GOtqvS/zaTul39tv25bN9ktIdtPR3eis0PtHXqZzI5fSOU14Mjh/6CPSOrXs27KWMblhg2goWI3fqkL0DzfDxDrSzQs="
)

EXPLICIT_K = 123456789
EXPLICIT_K_SIGNATURE = (
    "90328d183452e8d0bc241c5272affd4ab24a005b5a67f658c67918183ad88a17ba680f0c82339d07"
    "d3fd5272783a2d92e9b5641b999124c80b2f3283a4ff8dc3e558554f1070872737e5531e543a6941"
)

AUTH_EXAMPLE = (
    "1800000000:12345:5:"
    "be3d77ff0d75d2be312ea3bac4bb87a07b17bcc7406f481ffbad2dd89c0ba7867e0c7db4ad9ba653"
    "10adc4b1f6ebdd0260df16bab20124346c35d55dff296a2dc22beccd584fe01594ca196d8a171a67"
)
AUTH_EXAMPLE_HASH = "eacee8b08ca1375f60489db18ff0ccfaf1876dc525ba8f852fa414aa28ae97dc478625b83f246bd5"
